"""The departments' CSV files, read into plain dictionaries: what is known after all of them.

Of two versions of one row the later one wins: the later line of a file, the later file of a
delivery. Nothing is shared with the importer.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

Row = dict[str, str]

# What makes two rows versions of one another.
KEYS: dict[str, tuple[str, ...]] = {
    "people": ("id_number",),
    "identities": ("id_number", "category", "department", "from"),
    "households": ("household_no", "year"),
    "assignments": ("id_number", "role", "staff_no", "from"),
    "hospitals": ("hospital_code",),
    "vital": ("id_number", "event", "on"),
    "bills": ("bill_no",),
}


@dataclass
class Register:
    """The newest version of every row, by kind and key."""

    rows: dict[str, dict[tuple[str, ...], Row]] = field(
        default_factory=lambda: {kind: {} for kind in KEYS}
    )

    def of_person(self, kind: str) -> dict[str, list[Row]]:
        """The rows of a kind, by identity number."""
        found: dict[str, list[Row]] = {}
        for row in self.rows[kind].values():
            found.setdefault(row["id_number"], []).append(row)
        return found

    @cached_property
    def people(self) -> dict[str, Row]:
        """The rows of people.csv by identity number."""
        return {number: row for (number,), row in self.rows["people"].items()}


def read_register(files: Iterable[tuple[str, Path]]) -> Register:
    """The register after the files, (kind, path) in the order in which they are delivered."""
    register = Register()
    moves = Moves()
    for kind, path in files:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                key = tuple(row[column] for column in KEYS[kind])
                register.rows[kind][key] = row
                moves.see(kind, key, row)
    for key in moves.arrived_elsewhere():
        del register.rows["vital"][key]
    return register


class Moves:
    """Who moved away and has been registered in another county since is there in full."""

    def __init__(self) -> None:
        self.county: dict[str, str] = {}
        self.since: dict[str, dict[tuple[str, ...], set[str]]] = {}

    def see(self, kind: str, key: tuple[str, ...], row: Row) -> None:
        """A row, in the order of delivery."""
        number = row.get("id_number", "")
        if kind == "people":
            self.county[number] = row["registered_area_code"][:6]
            for counties in self.since.get(number, {}).values():
                counties.add(self.county[number])
        elif kind == "vital" and row["event"] == "moved_away":
            known = {self.county[number]} if number in self.county else set()
            self.since.setdefault(number, {}).setdefault(key, known)

    def arrived_elsewhere(self) -> list[tuple[str, ...]]:
        """The moves since which more counties than one have registered the person."""
        moves = (move for events in self.since.values() for move in events.items())
        return [key for key, counties in moves if len(counties) > 1]


def insurance_on(person: Row, events: Iterable[Row], day: date) -> str:
    """The latest change of insurance on or before the day, else what people.csv says."""
    changes = [
        (date.fromisoformat(event["on"]), event["detail"])
        for event in events
        if event["event"] == "insurance_change" and date.fromisoformat(event["on"]) <= day
    ]
    return max(changes)[1] if changes else person["insurance"]


def day_of(events: Iterable[Row], name: str) -> date:
    """The day of a death or of moving away; `date.max` for none."""
    days = [date.fromisoformat(event["on"]) for event in events if event["event"] == name]
    return min(days, default=date.max)
