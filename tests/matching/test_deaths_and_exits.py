"""Who died or moved away, as vital.csv says: within one run everything ends on the day, and nothing
is paid for what came after.

`SHUKUN_EXITS`: how many deaths and moves, 300 unless said otherwise.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from backend.kernel import database as kernel_database
from backend.kernel.copy import FAR_FUTURE
from backend.kernel.crypto import Keyring
from backend.matching import in_kind_columns
from backend.matching.runs import nothing_changed
from tests.oracle.entitlements import Due
from tests.support.delivery import Row, bill, number, person, write
from tests.support.office import Office

EXITS = int(os.environ.get("SHUKUN_EXITS", "300"))
STAYING = EXITS // 5
PLACES = ("320281101001", "320582101001", "330382101001")
AREAS = ("320000", "330000")
YEARS = (2024, 2025)
DAY = timedelta(days=1)


@dataclass
class Someone:
    """`leaves`: the event, None for who stays; `on`: its day."""

    place: int
    leaves: str | None
    on: date
    number: str = field(init=False)

    def __post_init__(self) -> None:
        serial, born = self.place % 900, date(1950, 1, 1) + self.place // 900 * DAY
        self.number = number(serial, born)

    @property
    def last_day(self) -> date:
        """The last day on which anything may be due."""
        if self.leaves is None:
            return date.max
        return self.on if self.leaves == "death" else self.on - DAY

    def register(self) -> Row:
        place = PLACES[self.place % len(PLACES)]
        row = person(0, id_number=self.number, household_no=f"H{self.place}", phone="")
        return row | {"area_code": place, "registered_area_code": place}

    def identity(self) -> Row:
        category = ("extreme_poverty", "subsistence_allowance", "orphan")[self.place % 3]
        return {
            "id_number": self.number, "category": category, "department": "民政",
            "from": "2020-01-01", "to": "", "applied_on": "", "certificate_no": "",
        }  # fmt: skip

    def bill(self, what: str, admitted: date, discharged: date) -> Row:
        days = {"admitted_on": admitted.isoformat(), "discharged_on": discharged.isoformat()}
        return bill(f"{what}{self.place}", 0, id_number=self.number, **days)

    def event(self) -> Row:
        said = {"event": self.leaves or "", "on": self.on.isoformat(), "detail": ""}
        return {"id_number": self.number, **said}


@dataclass
class Town:
    """People with identities, and what is known of them in the first and the second delivery."""

    people: list[Someone]

    @classmethod
    def of(cls, leaving: int, staying: int) -> Town:
        chance = random.Random(10)
        on = [date(2024, 1, 2) + chance.randrange(700) * DAY for _ in range(leaving + staying)]
        kinds: list[str | None] = [chance.choice(["death", "moved_away"]) for _ in range(leaving)]
        kinds += [None] * staying
        return cls([Someone(place, kinds[place], on[place]) for place in range(len(on))])

    @property
    def leaving(self) -> list[Someone]:
        return [one for one in self.people if one.leaves]

    def bills(self, what: str) -> Iterator[Row]:
        """`last`: settled before the end. `late`: afterwards, delivered before the news came;
        `later`: afterwards too, with the news or after it."""
        for one in self.people:
            if what == "last":
                yield one.bill(what, one.on - 5 * DAY, one.on - DAY)
            elif one.leaves is None or one.place % 2 == (what == "later"):
                yield one.bill(what, one.on + DAY, one.on + 4 * DAY)

    def deliver(self, office: Office, folder: Path) -> None:
        """All but the news."""
        known = [*self.bills("last"), *self.bills("late")]
        office.take([
            ("people", write(folder / "people.csv", [one.register() for one in self.people])),
            ("identities", write(folder / "roster.csv", [one.identity() for one in self.people])),
            ("bills", write(folder / "bills.csv", known)),
        ])  # fmt: skip

    def tell(self, office: Office, folder: Path) -> None:
        """Who died and who moved, and the bills that came since."""
        office.take([
            ("vital", write(folder / "vital.csv", [one.event() for one in self.leaving])),
            ("bills", write(folder / "later.csv", list(self.bills("later")))),
        ])  # fmt: skip


@pytest.fixture
def office(worker_database: Engine, tmp_path: Path) -> Office:
    return Office(worker_database, Keyring.open_or_create(tmp_path / "keys.json"))


def match(office: Office) -> list[bool]:
    """A run of every area and year; whether each changed nothing."""
    return [nothing_changed(office.match(area, year)) for area in AREAS for year in YEARS]


def due(office: Office, people: list[Someone]) -> set[Due]:
    """What stands in kind."""
    numbers = [one.number for one in people]
    return {row for year in YEARS for row in office.in_kind(numbers, year)}


def too_long(office: Office, people: list[Someone]) -> set[Due]:
    """What stands in kind for days after the end."""
    last = {one.number: one.last_day for one in people}
    return {row for row in due(office, people) if row[4] > last[row[0]]}


def granted(office: Office) -> set[str]:
    """The bills on which something stands granted."""
    return {row[0] for area in AREAS for year in YEARS for row in office.grants(area, year)}


def test_everything_ends_on_the_day_within_one_run_and_nothing_after_it_is_paid(
    office: Office, tmp_path: Path
) -> None:
    town = Town.of(EXITS, STAYING)
    town.deliver(office, tmp_path)
    match(office)
    before = due(office, town.people)
    open_ended = too_long(office, town.people)
    assert {row[0] for row in open_ended} == {one.number for one in town.leaving}
    late = {row["bill_no"] for row in town.bills("late")}
    assert late <= granted(office)

    town.tell(office, tmp_path)
    match(office)
    assert too_long(office, town.people) == set()
    last = {one.number: one.last_day for one in town.people}
    cut = {
        (*row[:4], min(row[4], last[row[0]]), row[5]) for row in before if row[3] <= last[row[0]]
    }
    assert due(office, town.people) == cut
    of_the_living = {
        f"{what}{one.place}" for what in ("late", "later") for one in town.people if not one.leaves
    }
    of_the_last_days = {row["bill_no"] for row in town.bills("last")}
    assert granted(office) == of_the_last_days | of_the_living
    assert to_look_at(office) == {
        f"{'later' if one.place % 2 else 'late'}{one.place}" for one in town.leaving
    }
    assert all(match(office))


def test_a_year_that_the_statistics_of_the_database_do_not_know_yet_is_no_slower(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in January: a plan made for no rows must not join everything with everything."""
    monkeypatch.setattr(kernel_database, "STATEMENT_TIMEOUT_MS", 4_000)
    engine = kernel_database.engine_for(database_url, role="worker")
    with kernel_database.bound(engine):
        office = Office(engine, Keyring.open_or_create(tmp_path / "keys.json"))
        town = Town.of(2_000, 0)
        town.deliver(office, tmp_path)
        for area in AREAS:
            office.match(area, YEARS[0])
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL ROLE NONE"))
            connection.execute(text("ANALYZE"))
        for area in AREAS:
            office.match(area, YEARS[1])
        town.tell(office, tmp_path)
        match(office)
        assert too_long(office, town.people) == set()
    engine.dispose()


def to_look_at(office: Office) -> set[str]:
    """The bills of the dead and the moved that are on somebody's work list."""
    query = text(
        "SELECT b.bill_no FROM work_item w JOIN bill b ON b.id::text = w.subject_id"
        " WHERE w.kind = 'dead_or_moved_bill' AND w.state <> 'done'"
    )
    with office.engine.connect() as connection:
        return set(connection.execute(query).scalars())


def test_control_entitlements_that_nobody_ends_are_found_out(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forever = property(lambda people: people.died_on * 0 + FAR_FUTURE)
    monkeypatch.setattr(in_kind_columns.People, "last_day", forever)
    town = Town.of(12, 0)
    town.deliver(office, tmp_path)
    town.tell(office, tmp_path)
    match(office)
    assert {row[0] for row in too_long(office, town.people)} == {one.number for one in town.people}
