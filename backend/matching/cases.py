"""个案 (cases): one person's columns as the case that the estimates settle and explain."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from backend.citizens.tables import FLAGS, LAYERS, NOT_SETTLED
from backend.estimation.case import Bill, Case, Identity, Person
from backend.estimation.columns import NO_DAY
from backend.matching.numbers import Numbers
from backend.matching.slice_data import SliceData, identity_columns


def cases_of(
    data: SliceData, numbers: Numbers, at: npt.NDArray[np.int64]
) -> Iterator[tuple[npt.NDArray[np.int64], Case]]:
    """For each person with a bill among `at`: the places of the bills, and the case.

    A bill's id in the case is its place among the person's bills, written so that text order is
    the order in which bills are taken.
    """
    owners = data.owners[at]
    columns = identity_columns(data, numbers)
    for start, stop in _runs(owners):
        own = at[start:stop]
        person = int(owners[start])
        first, last = np.searchsorted(columns.person, [person, person + 1]).tolist()
        identities = tuple(
            Identity(
                numbers.categories[int(columns.category[row])],
                date.fromordinal(int(columns.from_[row])),
                _day(columns.to[row]),
                _day(columns.applied_on[row]),
            )
            for row in range(first, last)
        )
        declined = bool(data.people["declined_health_service"][person])
        bills = tuple(_bill(data, numbers, place, n) for n, place in enumerate(own.tolist()))
        yield own, Case(Person(identities, declined), bills, area=data.county)


def _bill(data: SliceData, numbers: Numbers, place: int, number: int) -> Bill:
    row: dict[str, Any] = {name: column[place].item() for name, column in data.bills.items()}
    paid = {layer: row[f"paid_{layer}"] for layer in LAYERS}
    given = {layer: amount for layer, amount in paid.items() if amount != NOT_SETTLED}
    if row["paid_out_of_scope"]:
        given["out_of_scope"] = row["paid_out_of_scope"]
    flags = {flag: bool(row["flags"] >> bit & 1) for bit, flag in enumerate(FLAGS)}
    return Bill(
        id=f"{number:06d}",
        setting=numbers.settings[int(numbers.setting_places[row["setting"]])],
        admitted_on=date.fromordinal(row["admitted_on"]),
        discharged_on=date.fromordinal(row["discharged_on"]),
        total=row["total"],
        in_scope=row["in_scope"],
        paid=given,
        disease_group=numbers.groups[int(numbers.group_places[row["disease_group"]])],
        rare_drug=row["rare_drug"],
        **flags,
    )


def _day(ordinal: Any) -> date | None:
    return None if int(ordinal) == NO_DAY else date.fromordinal(int(ordinal))


def _runs(owners: npt.NDArray[np.int32]) -> Iterator[tuple[int, int]]:
    """First and behind the last place of each run of equal owners."""
    cuts = [0, *(np.flatnonzero(np.diff(owners)) + 1).tolist(), len(owners)]
    return ((a, b) for a, b in pairwise(cuts) if a < b)
