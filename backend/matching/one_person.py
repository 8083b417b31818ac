"""一个人 (one person): what matching would decide on the bills of one person, with the steps.

Read from what is known now, by whoever may see the person: nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import numpy as np
import psycopg

from backend.citizens.tables import LAYERS
from backend.estimation.estimate import Payment, estimate_payments
from backend.estimation.terms import Rules
from backend.kernel.copy import FAR_FUTURE, FAR_PAST, Columns, Kind, read_columns
from backend.matching.cases import cases_of
from backend.matching.deciding import barred
from backend.matching.ledger import LAYER_BITS
from backend.matching.numbers import Numbers
from backend.matching.on_application import as_applied_for
from backend.matching.reading import BILLS, CHANGES, IDENTITIES, PEOPLE
from backend.matching.slice_data import SliceData
from backend.matching.spans import spans_of

_COUNTY: Final = 1_000_000
_OWN_CLAIMS: Final = (
    "SELECT bill_id, layer FROM bill_claim WHERE person_id = %s AND state = 'granted'"
)
_CLAIM: Final[dict[str, Kind]] = {"bill_id": "int8", "layer": "int2"}


@dataclass(frozen=True)
class Knowing:
    """By which rules and numbers."""

    rules: Rules
    numbers: Numbers


@dataclass(frozen=True)
class Decided:
    """What a computed layer pays on a bill."""

    bill_id: int
    discharged_on: date
    total: int
    payment: Payment


def person_now(connection: psycopg.Connection[Any], person_id: int, year: int) -> SliceData:
    """The person, the bills of the year, and what granted applications name."""
    reading = _Reading(connection, person_id)
    people = reading.rows("person", PEOPLE, "id", "id")
    claims = read_columns(connection, _OWN_CLAIMS, _CLAIM, [person_id])
    days = [date(year, 1, 1), date(year, 12, 31)]
    return SliceData(
        county=f"{int(people['area'][0]) // _COUNTY:06d}",
        people=people,
        identities=reading.rows("identity", IDENTITIES, "person_id", "from_on, id"),
        bills=reading.rows(
            "bill", BILLS, "person_id", "discharged_on, bill_no",
            (" AND discharged_on BETWEEN %s AND %s", days),
        ),
        changes=reading.rows(
            "vital_event", CHANGES, "person_id", "on_day",
            (" AND event = 'insurance_change'", ()),
        ),
        claimed=np.unique((claims["bill_id"] << LAYER_BITS) | claims["layer"].astype(np.int64)),
    )  # fmt: skip


def claiming(data: SliceData, bills: Sequence[int], layer: int) -> SliceData:
    """The same, with these bills claimed for the layer (its number) too."""
    keys = (np.asarray(bills, np.int64) << LAYER_BITS) | layer
    return replace(data, claimed=np.union1d(data.claimed, keys))


def holding(data: SliceData, category: int, from_on: date, applied_on: date) -> SliceData:
    """The same, with an identity (the number of its category) held from the day on."""
    row: dict[str, Any] = {
        "person_id": data.people["id"][0], "id": 0, "category": category,
        "from_on": from_on.toordinal(), "to_on": FAR_FUTURE,
        "applied_on": applied_on.toordinal(), "taper_until": FAR_PAST, "origin_area": 0,
        "revision": 0,
    }  # fmt: skip
    held = {
        name: np.append(column, np.asarray(row[name], column.dtype))
        for name, column in data.identities.items()
    }
    order = np.argsort(held["from_on"], kind="stable")
    return replace(data, identities={name: column[order] for name, column in held.items()})


def decided(data: SliceData, year: int, by: Knowing, *, claims: bool = True) -> Iterator[Decided]:
    """Every computed payment on the bills that the program pays on; `claims` False: as though every
    bill were claimed."""
    spans = spans_of(by.rules, data.county, year)
    taken = as_applied_for(data, spans, by.numbers) if claims else data
    at = np.flatnonzero(~barred(taken).any)
    for own, case in cases_of(taken, by.numbers, at):
        settled = estimate_payments(case, by.rules).bills
        for place, bill in zip(own.tolist(), settled, strict=True):
            for payment in bill.payments:
                if payment.explained is not None and payment.layer in LAYERS:
                    yield Decided(
                        int(taken.bills["id"][place]), bill.bill.discharged_on, bill.bill.total,
                        payment,
                    )  # fmt: skip


class _Reading:
    def __init__(self, connection: psycopg.Connection[Any], person_id: int) -> None:
        self.connection, self.person_id = connection, person_id

    def rows(
        self, table: str, kinds: dict[str, Kind] | Any, owner: str, order: str,
        only: tuple[str, Sequence[Any]] = ("", ()),
    ) -> Columns:  # fmt: skip
        """The person's rows of the table; `only`: a condition and its values."""
        condition, values = only
        query = (
            f"SELECT {', '.join(kinds)} FROM {table} WHERE {owner} = %s{condition} ORDER BY {order}"
        )
        return read_columns(self.connection, query, kinds, [self.person_id, *values])
