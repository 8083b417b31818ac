"""People written as a caseworker would, as the columns that matching in kind takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from backend.citizens.diagnoses import classes_of
from backend.citizens.tables import INSURANCE
from backend.kernel.copy import FAR_FUTURE, FAR_PAST
from backend.matching.in_kind import Found, Held, People, entitlements_due
from backend.matching.in_kind_columns import InsuranceChanges
from backend.policies.book import PolicyBook, Vocabulary
from backend.policies.entitlements import DELIVERIES
from backend.policies.policy import Policy

SEXES = ("", "male", "female")


@dataclass(frozen=True)
class Identity:
    category: str
    from_: date
    to: date | None = None
    taper_until: date | None = None


@dataclass(frozen=True)
class Someone:
    """A person; `changes`: days from which the insurance is another."""

    identities: tuple[Identity, ...] = ()
    born_on: date | None = date(1960, 5, 5)
    sex: str = "female"
    rural: bool = True
    insurance: str = "resident"
    died_on: date | None = None
    left_on: date | None = None
    diagnoses: tuple[str, ...] = ()
    changes: tuple[tuple[date, str], ...] = ()


def holder(category: str, from_: date, to: date | None = None, **more: Any) -> Someone:
    """Somebody with one identity."""
    return Someone((Identity(category, from_, to),), **more)


def people_of(persons: Sequence[Someone]) -> People:
    changes = [
        (place, day.toordinal(), INSURANCE.index(status))
        for place, one in enumerate(persons)
        for day, status in one.changes
    ]
    return People(
        born_on=_days([one.born_on for one in persons], FAR_PAST),
        sex=np.array([SEXES.index(one.sex) for one in persons], np.int16),
        rural=np.array([one.rural for one in persons], np.bool_),
        area=np.full(len(persons), 320281001001, np.int64),
        insurance=np.array([INSURANCE.index(one.insurance) for one in persons], np.int8),
        died_on=_days([one.died_on for one in persons]),
        left_on=_days([one.left_on for one in persons]),
        disease_classes=np.array([_classes(one) for one in persons], np.int64),
        changes=_changes(changes) if changes else None,
    )


def held_by(persons: Sequence[Someone], vocabulary: Vocabulary) -> Held:
    rows = [(place, one) for place, person in enumerate(persons) for one in person.identities]
    return Held(
        person=np.array([place for place, _ in rows], np.int32),
        category=np.array([vocabulary.positions[one.category] for _, one in rows], np.int16),
        from_=_days([one.from_ for _, one in rows]),
        to=_days([one.to for _, one in rows]),
        applied_on=_days([None for _ in rows], FAR_PAST),
        taper_until=_days([one.taper_until for _, one in rows], FAR_PAST),
    )


def match(
    book: PolicyBook,
    spans: Sequence[tuple[Policy, date, date]],
    persons: Sequence[Someone],
    year: int,
) -> Found:
    ordinals = [(policy, first.toordinal(), last.toordinal()) for policy, first, last in spans]
    held = held_by(persons, book.vocabulary)
    return entitlements_due(ordinals, people_of(persons), held, book.vocabulary, year)


def days_due(found: Found, code: str, person: int = 0) -> list[tuple[str, str]]:
    """The person's intervals of an entitlement, as `01-01`, `12-31`."""
    due = found.due
    return [
        (_short(due.from_[row]), _short(due.to[row]))
        for row in np.flatnonzero(due.person == person).tolist()
        if found.entitlements[due.entitlement[row]][1] == code
    ]


def rows_of(found: Found) -> list[set[tuple[str, str, date, date]]]:
    """For each person (policy, entitlement, from, to)."""
    rows: list[set[tuple[str, str, date, date]]] = []
    for person, place, from_, to in zip(
        *(column.tolist() for column in (found.due.person, found.due.entitlement)),
        *(column.tolist() for column in (found.due.from_, found.due.to)),
        strict=True,
    ):
        rows += [set() for _ in range(person + 1 - len(rows))]
        days = date.fromordinal(from_), date.fromordinal(to)
        assert (*found.entitlements[place], *days) not in rows[person]
        rows[person].add((*found.entitlements[place], *days))
    return rows


def asked_of(found: Found) -> list[tuple[int, str, str]]:
    """(person, policy, entitlement) of the questions."""
    asked = zip(found.questions.person.tolist(), found.questions.entitlement.tolist(), strict=True)
    return [(person, *found.entitlements[place]) for person, place in asked]


def delivery_of(found: Found, code: str) -> set[str]:
    """How the entitlement reaches people."""
    return {
        list(DELIVERIES)[found.due.delivery[row]]
        for row in range(len(found.due))
        if found.entitlements[found.due.entitlement[row]][1] == code
    }


def _short(ordinal: int) -> str:
    return date.fromordinal(int(ordinal)).strftime("%m-%d")


def _days(days: Sequence[date | None], none: int = FAR_FUTURE) -> Any:
    return np.array([none if day is None else day.toordinal() for day in days], np.int32)


def _classes(one: Someone) -> int:
    classes = 0
    for icd10 in one.diagnoses:
        classes |= classes_of(icd10)
    return classes


def _changes(rows: list[tuple[int, int, int]]) -> InsuranceChanges:
    person, on, insurance = (np.array(column, np.int32) for column in zip(*rows, strict=True))
    return InsuranceChanges(person, on, insurance)
