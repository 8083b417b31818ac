"""各类行 (forms): for each kind of file the table, what makes two rows versions of one, what is
sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Table

from backend.citizens import tables


@dataclass(frozen=True)
class Form:
    """`key`: rows alike in these columns are versions of one. `owner`: the column by which the
    current rows are found. `derived`: columns that say nothing by themselves, so that a difference
    in them is none."""

    table: Table
    key: tuple[str, ...]
    owner: str
    sealed: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()

    @property
    def said(self) -> tuple[str, ...]:
        """The plain columns that a file decides, beside the key."""
        apart = {"id", "file_id", "revision", *self.key, *self.sealed, *self.derived}
        return tuple(one.name for one in self.table.columns if one.name not in apart)


FORMS: Final[Mapping[str, Form]] = {
    "identities": Form(
        tables.IDENTITY,
        key=("person_id", "category", "department", "application_id", "from_on"),
        owner="person_id",
        sealed=("certificate",),
        derived=("area",),
    ),
    "households": Form(tables.HOUSEHOLD_INCOME, key=("household_id", "year"), owner="household_id"),
    "bills": Form(
        tables.BILL,
        key=("bill_no",),
        owner="bill_no",
        sealed=("diagnosis",),
        derived=("area", "disease_classes"),
    ),
    "assignments": Form(
        tables.ASSIGNMENT,
        key=("person_id", "role", "staff_no", "from_on"),
        owner="person_id",
        derived=("area",),
    ),
    "hospitals": Form(tables.HOSPITAL, key=("code",), owner="code"),
    "vital": Form(
        tables.VITAL_EVENT,
        key=("person_id", "event", "on_day"),
        owner="person_id",
        sealed=("detail",),
        derived=("area",),
    ),
}
"""Kind of file → form; `people` has its own way (`apply_people.py`)."""
