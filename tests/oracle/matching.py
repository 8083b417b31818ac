"""What automatic matching grants, one person and one bill after the other: a test oracle.

From the departments' CSV files straight to the rows of `export grants`. The money of a bill comes
from `reference.py`; here stands who is paid, under which policy. Nothing is shared with the engine.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction

from .reference import (
    IN_FORCE,
    POLICY_OF_AREA,
    RULES,
    TINGHU,
    ZERO,
    Assumptions,
    Bill,
    Desk,
    Identity,
    Money,
    Person,
    YearSums,
    read_day,
    show,
    take_layers,
)
from .register import Register, Row, day_of, insurance_on

TINGHU_AREA = "320902"

# Days of force that a locality confirmed (`shukun policy confirm`): policy → first and last day.
Confirmed = Mapping[str, tuple[date, date]]

# bill_no, id_number, policy, layer, identity, amount
Grant = tuple[str, str, str, str, str, str]

# Paid by application alone: only on the bills that a granted one names (§2, Tinghu 三(二)).
BY_APPLICATION = {TINGHU: "special_assistance"}

# No locality has configured figures of its own: a base of serious-illness insurance, an income.
NO_ASSUMPTIONS = Assumptions(None, None, Fraction(60000))


def policy_on(area: str, day: date, confirmed: Confirmed) -> str | None:
    """§1: the county's own policy that is in force that day, else its city's, else none."""
    for place in (area[:6], area[:4] + "00"):
        policy = TINGHU if place == TINGHU_AREA else POLICY_OF_AREA.get(place)
        if policy is None:
            continue
        if policy == TINGHU and policy not in confirmed:
            continue  # §0: left out until the locality confirms its dates
        first, last = confirmed.get(policy, IN_FORCE[policy])
        if first <= day <= last:
            return policy
    return None


def grants(
    register: Register, area: str, year: int, confirmed: Confirmed,
    claimed: Collection[str] = frozenset(),
) -> list[Grant]:  # fmt: skip
    """The rows of the export, ordered by bill_no and layer. `claimed`: the bills that granted
    applications name."""
    bills = register.of_person("bills")
    identities = register.of_person("identities")
    events = register.of_person("vital")
    found: list[Grant] = []
    for number, person in register.people.items():
        if number not in identities or not in_area(person["registered_area_code"], area):
            continue  # every computed layer asks for an identity, where no base is configured
        own = [row for row in bills.get(number, []) if row["discharged_on"][:4] == str(year)]
        holder = read_holder(person, identities[number])
        taken = [as_applied_for(person, read_bill_row(row), confirmed, claimed) for row in own]
        found += grants_of_person(person, holder, taken, events.get(number, []), confirmed)
    return sorted(found, key=lambda row: (row[0], row[3]))


def in_area(code: str, area: str) -> bool:
    """Whether a twelve-digit place lies in a province, a city or a county."""
    if area.endswith("0000"):
        return code.startswith(area[:2])
    return code.startswith(area[:4] if area.endswith("00") else area)


def as_applied_for(person: Row, bill: Bill, confirmed: Confirmed, claimed: Collection[str]) -> Bill:
    """The bill; where a layer comes by application alone and nobody applied, nothing is paid by it:
    as though somebody had settled the layer with zero."""
    policy = policy_on(person["registered_area_code"], bill.discharged_on, confirmed)
    layer = BY_APPLICATION.get(policy or "")
    if layer is None or bill.id in claimed or layer in bill.given:
        return bill
    return replace(bill, given={**bill.given, layer: ZERO})


def grants_of_person(
    person: Row, holder: Person, bills: Iterable[Bill], events: list[Row], confirmed: Confirmed
) -> Iterator[Grant]:
    """What is paid on the bills of one year, taken by day of discharge and number (§2)."""
    sums: dict[str, YearSums] = {}
    for bill in sorted(bills, key=lambda one: (one.discharged_on, one.id)):
        policy = policy_on(person["registered_area_code"], bill.discharged_on, confirmed)
        if policy is None or not paid_here(bill, person, events):
            continue
        desk = Desk(policy, holder, NO_ASSUMPTIONS, bill, sums.setdefault(policy, YearSums()))
        take_layers(desk)
        for layer in RULES[policy]:
            amount = desk.payments[layer]
            if layer not in bill.given and amount > ZERO:
                identity = (desk.identity or "") if layer == "medical_assistance" else ""
                yield bill.id, person["id_number"], policy, layer, identity, show(amount)


def paid_here(bill: Bill, person: Row, events: list[Row]) -> bool:
    """§1: who is insured here, is alive and lives here; any other case is for a person."""
    if insurance_on(person, events, bill.discharged_on) not in ("resident", "employee"):
        return False
    died, left = day_of(events, "death"), day_of(events, "moved_away")
    return bill.admitted_on <= died and bill.discharged_on < left


def read_holder(person: Row, identities: Iterable[Row]) -> Person:
    """The person with all identities, whichever department recognised them."""
    return Person(
        identities=[
            Identity(
                category=row["category"],
                start=date.fromisoformat(row["from"]),
                end=read_day(row["to"] or None),
                applied_on=read_day(row["applied_on"] or None),
            )
            for row in identities
        ],
        declined_health_service=person["declined_health_service"] == "1",
    )


def read_bill_row(row: Row) -> Bill:
    """A row of bills.csv: an empty cell of a layer is "not settled", of `designated` is yes."""
    return Bill(
        id=row["bill_no"],
        setting=row["setting"],
        admitted_on=date.fromisoformat(row["admitted_on"]),
        discharged_on=date.fromisoformat(row["discharged_on"]),
        total=Fraction(row["total"]),
        in_scope=Fraction(row["in_scope"]),
        given={column.removeprefix("paid_"): money for column, money in paid(row)},
        referred=row["referred"] == "1",
        in_province=row["in_province"] == "1",
        followed_guidance=row["followed_guidance"] == "1",
        designated=row["designated"] != "0",
        disease_group=row["disease_group"] or "general",
        rare_drug=Fraction(row["rare_drug"] or "0"),
    )


def paid(row: Row) -> Iterator[tuple[str, Money]]:
    """The payments that the row brings."""
    for column, text in row.items():
        if column.startswith("paid_") and text:
            yield column, Fraction(text)
