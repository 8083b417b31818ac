"""What people are due beside the money, from day to day of a year: a test oracle.

Who an entitlement is for stands in the catalogue's files, which are read here as plain data; how
the days come about stands here once more, one person and one entitlement after the other.
"""

import calendar
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.from_yaml import from_yaml

from .matching import Confirmed, in_area, policy_on
from .reference import end_of_month
from .register import Register, Row, day_of

BACKEND = Path(__file__).parents[2] / "backend"
ONE_DAY = timedelta(days=1)

# First and last day, both included; a list of them rises and nothing in it touches.
Span = tuple[date, date]
Spans = list[Span]

# id_number, policy, entitlement, first day, last day, delivery
Due = tuple[str, str, str, date, date, str]


@dataclass(frozen=True)
class Holder:
    """A person with everything that decides: identities, events, diagnoses up to the year's end."""

    person: Row
    identities: list[Row]
    events: list[Row]
    diagnoses: list[str]


# --- Days ---------------------------------------------------------------------------------------


def merged(spans: Iterable[Span]) -> Spans:
    """The same days, with spans that overlap or touch as one."""
    found: Spans = []
    for first, last in sorted(span for span in spans if span[0] <= span[1]):
        if found and (found[-1][1] == date.max or first <= found[-1][1] + ONE_DAY):
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def common(one: Spans, other: Spans) -> Spans:
    """The days in both."""
    return merged((max(a[0], b[0]), min(a[1], b[1])) for a in one for b in other)


def first_of_next_month(day: date) -> date:
    """The first day of the calendar month after."""
    return end_of_month(day) + ONE_DAY


def birthday(person: Row, age: int) -> date:
    """The day on which the age is reached; who is born on 29 February: the 28th in other years."""
    born = date.fromisoformat(person["id_number"][6:14])
    last = calendar.monthrange(born.year + age, born.month)[1]
    return date(born.year + age, born.month, min(born.day, last))


# --- The catalogue as data ----------------------------------------------------------------------


@cache
def catalogue_file(policy: str, name: str) -> Any:
    """A file of the policy."""
    path = BACKEND / "policies" / "catalogue" / policy / f"{name}.yaml"
    return from_yaml(path)


def categories(policy: str, entitlement: Any) -> list[str]:
    """Whom the entitlement is for."""
    if entitlement["categories"] == "all":
        return list(catalogue_file(policy, "document")["beneficiaries"])
    return list(entitlement["categories"])


def figure(policy: str, code: str) -> int:
    """A parameter that has had one value since the policy is in force."""
    (parameter,) = [one for one in catalogue_file(policy, "parameters") if one["code"] == code]
    (value,) = parameter["values"]
    return int(value["value"])


@cache
def icd10_of(diagnosis: str) -> list[tuple[str, str]]:
    """The codes that tell the diagnosis, as first and last beginning, dots left out."""
    path = BACKEND / "citizens" / "diagnoses.yaml"
    groups = from_yaml(path)
    spans = [
        span.replace(".", "").partition("-")
        for group in groups
        if group["code"] == diagnosis and group.get("certain", True)
        for span in group["icd10"]
    ]
    return [(first, last or first) for first, _, last in spans]


def has_diagnosis(diagnosis: str, codes: Iterable[str]) -> bool:
    """Whether one of the codes tells the diagnosis."""
    plain = [code.upper().replace(".", "") for code in codes]
    return any(
        first <= code[: len(first)] <= last for first, last in icd10_of(diagnosis) for code in plain
    )


# --- One person ---------------------------------------------------------------------------------


def policy_days(area: str, year: int, confirmed: Confirmed) -> dict[str, Spans]:
    """The days of the year on which each policy decides at the registered place."""
    found: dict[str, list[Span]] = {}
    day = date(year, 1, 1)
    while day.year == year:
        policy = policy_on(area, day, confirmed)
        if policy is not None:
            found.setdefault(policy, []).append((day, day))
        day += ONE_DAY
    return {policy: merged(days) for policy, days in found.items()}


def life(holder: Holder) -> Spans:
    """The days up to death, that day included, or to the day before moving away."""
    left = day_of(holder.events, "moved_away")
    last = date.max if left == date.max else left - ONE_DAY
    return [(date.min, min(last, day_of(holder.events, "death")))]


def insured_days(holder: Holder, statuses: list[str]) -> Spans:
    """The days on which the person is insured in one of these ways."""
    changes = sorted(
        (date.fromisoformat(event["on"]), event["detail"])
        for event in holder.events
        if event["event"] == "insurance_change"
    )
    begins = [(date.min, holder.person["insurance"]), *changes]
    ends = [day - ONE_DAY for day, _ in changes] + [date.max]
    return merged(
        (first, last)
        for (first, status), last in zip(begins, ends, strict=True)
        if status in statuses
    )


def condition_days(policy: str, conditions: Any, holder: Holder) -> Spans:
    """The days on which the person is as the conditions ask; nothing where a person decides."""
    diagnoses = conditions.get("diagnoses")
    sex = "male" if int(holder.person["id_number"][16]) % 2 else "female"
    if (
        conditions.get("person_decides")
        or conditions.get("rural", holder.person["rural"] == "1") != (holder.person["rural"] == "1")
        or conditions.get("sex", sex) != sex
        or conditions.get("locally_registered") is False
        or (diagnoses and not any(has_diagnosis(one, holder.diagnoses) for one in diagnoses))
    ):
        return []
    first, last = date.min, date.max
    if "age_from" in conditions:
        first = birthday(holder.person, figure(policy, conditions["age_from"]))
    if "age_to" in conditions:
        last = birthday(holder.person, figure(policy, conditions["age_to"]) + 1) - ONE_DAY
    days = merged([(first, last)])
    if conditions.get("insurance"):
        days = common(days, insured_days(holder, conditions["insurance"]))
    return common(days, life(holder))


def last_day_of(identity: Row) -> date:
    """The day up to which the identity is held; `date.max`: still."""
    return date.fromisoformat(identity["to"]) if identity["to"] else date.max


def counting_days(holder: Holder, among: list[str]) -> Spans:
    """§1: from `from` to the end of the month of `to`, whichever identity it is."""
    return merged(
        (
            date.fromisoformat(row["from"]),
            date.max if not row["to"] else end_of_month(last_day_of(row)),
        )
        for row in holder.identities
        if row["category"] in among
    )


def cover_days(
    policy: str, entitlement: Any, holder: Holder, decides: Span, year: int
) -> Iterator[Span]:
    """Premium aid: from recognition (Wuxi, no waiting period) or from the month after it (Yueqing
    §8) to the end of the year; who left before the year is covered only while the taper runs."""
    rule = entitlement.get("enrolment", {})
    for row in holder.identities:
        if row["category"] not in categories(policy, entitlement):
            continue
        recognised, lost = date.fromisoformat(row["from"]), last_day_of(row)
        if row["category"] in rule.get("taper", []) and row.get("taper_until"):
            lost = max(lost, date.fromisoformat(row["taper_until"]))
        if recognised > decides[1] or lost < decides[0]:
            continue
        if rule.get("begins_after") == "premium_aid.effective.months":
            recognised = first_of_next_month(recognised)
        yield max(recognised, decides[0]), date(year, 12, 31)


def premium_aid(holder: Holder, decides: dict[str, Spans], year: int) -> Iterator[Due]:
    """One premium a person and year: all aids here are 100%; the one that covers first, else the
    one named first."""
    found: list[tuple[date, date, str, Any]] = []
    for policy, spans in decides.items():
        for entitlement in catalogue_file(policy, "entitlements"):
            if entitlement["kind"] != "premium_aid":
                continue
            able = condition_days(policy, entitlement.get("conditions", {}), holder)
            for span in spans:
                for cover in cover_days(policy, entitlement, holder, span, year):
                    found += [(*days, policy, entitlement) for days in common([cover], able)]
    if found:
        first, last = min(one[0] for one in found), max(one[1] for one in found)
        policy, aid = next((one[2], one[3]) for one in found if one[0] == first)
        yield holder.person["id_number"], policy, aid["code"], first, last, aid["delivery"]


def its_year(policy: str, entitlement: Any, holder: Holder, year: int) -> bool:
    """Yueqing §2 (`health-check-years`): in the first year of an identity, then every N-th year."""
    if "every" not in entitlement:
        return True
    among = categories(policy, entitlement)
    first = min(int(row["from"][:4]) for row in holder.identities if row["category"] in among)
    return (year - first) % figure(policy, entitlement["every"]) == 0


def once_a_year(due: list[Due]) -> list[Due]:
    """Yueqing §2: who gets the check of those aged 65 gets no other in the year."""
    got = {(policy, code) for _, policy, code, *_ in due}
    return [
        one
        for one in due
        if not any(
            other.get("instead_of") == one[2] and (one[1], other["code"]) in got
            for other in catalogue_file(one[1], "entitlements")
        )
    ]


def due_to_person(holder: Holder, decides: dict[str, Spans], year: int) -> Iterator[Due]:
    """Everything of one person and year, but that one thing may stand in another's place."""
    yield from premium_aid(holder, decides, year)
    for policy, spans in decides.items():
        for entitlement in catalogue_file(policy, "entitlements"):
            if entitlement["kind"] == "premium_aid":
                continue
            days = counting_days(holder, categories(policy, entitlement))
            if not days:
                continue
            if not its_year(policy, entitlement, holder, year):
                continue
            able = condition_days(policy, entitlement.get("conditions", {}), holder)
            for first, last in common(common(days, able), spans):
                code, delivery = entitlement["code"], entitlement["delivery"]
                yield holder.person["id_number"], policy, code, first, last, delivery


def in_kind(register: Register, area: str, year: int, confirmed: Confirmed) -> set[Due]:
    """What everybody registered in the area is due in the year."""
    identities = register.of_person("identities")
    people, events = register.people, register.of_person("vital")
    bills = register.of_person("bills")
    decides: dict[str, dict[str, Spans]] = {}
    found: set[Due] = set()
    for number, held in identities.items():
        person = people.get(number)
        if person is None or not in_area(person["registered_area_code"], area):
            continue
        county = person["registered_area_code"][:6]
        if county not in decides:
            decides[county] = policy_days(county, year, confirmed)
        codes = [
            row["diagnosis"]
            for row in bills.get(number, [])
            if row["diagnosis"] and int(row["discharged_on"][:4]) <= year
        ]
        holder = Holder(person, held, events.get(number, []), codes)
        found.update(once_a_year(list(due_to_person(holder, decides[county], year))))
    return found
