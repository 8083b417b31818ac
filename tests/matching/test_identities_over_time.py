"""What the ledger says when identities are gained, lost, overlap, and are corrected late.

The cases are written for caseworkers, one file a place: tests/cases/identities-over-time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.kernel.database import transaction
from backend.kernel.money import format_yuan
from backend.kernel.settings import PROJECT
from backend.matching.explaining import REASONS
from backend.matching.ledger import KINDS, EntryKind
from backend.matching.runs import StartRun, compute_part, finish_run, start_run
from backend.policies.catalogue import load_catalogue
from backend.policies.confirmation import ConfirmDates, confirm_dates
from tests.support.claims import claim
from tests.support.from_yaml import from_yaml
from tests.support.register import Register

FOLDER = PROJECT / "tests" / "cases" / "identities-over-time"
PLACES = sorted(FOLDER.glob("*.yaml"))
TINGHU = "tinghu-trial"
YEAR = 2024
BILL = {"total": "1000.00", "paid": {"basic": "400.00"}}
WRITTEN = {
    "from": "from_on",
    "to": "to_on",
    "applied_on": "applied_on",
    "taper_until": "taper_until",
}

Entry = dict[str, Any]


class Story:
    """One case: a person of its own, files step by step, what the ledger and the kind say then."""

    def __init__(self, register: Register, place: Mapping[str, Any], number: int) -> None:
        self.register, self.place = register, place
        self.case = place["cases"][number]
        self.name = f"{number:02d}"
        self.identities: dict[str, int] = {}
        self.bills: set[int] = set()
        register.person(self.name, int(place["area"]) * 1_000_000 + 101_001)

    def take(self, step: Mapping[str, Any]) -> None:
        """The files of a step."""
        for row in step.get("identities", ()):
            self._identity(dict(row))
        for row in step.get("bills", ()):
            self._bill(row)
        if "died" in step:
            self.register.change_person(self.name, died_on=step["died"])

    def _identity(self, row: dict[str, Any]) -> None:
        own = row.pop("id")
        if own in self.identities:
            changed = {WRITTEN[name]: value or "infinity" for name, value in row.items()}
            self.register.change_identity(self.identities[own], **changed)
        else:
            days = {"from_": row.pop("from"), "to": row.pop("to", "infinity")}
            self.identities[own] = self.register.identity(
                self.name, row.pop("category"), **days, **row
            )

    def _bill(self, row: Mapping[str, Any]) -> None:
        more = BILL | self.place.get("bill", {}) | row
        days = {name: str(more.pop(name)) for name in ("admitted", "discharged") if name in more}
        number, discharged = f"{self.name}-{more.pop('bill')}", days.pop("discharged")
        bill = self.register.bill(self.name, number, discharged, more.pop("total"), **days, **more)
        if "claimed" in self.place and bill not in self.bills:
            claim(self.register.engine, [bill], self.place["claimed"])
        self.bills.add(bill)


def match(area: str, year: int) -> None:
    with transaction() as session:
        begun = start_run(session, StartRun(area, year, date(year, 12, 31), "测试"))
    for number in begun.parts:
        with transaction() as session:
            compute_part(session, begun.run_id, number)
    with transaction() as session:
        assert finish_run(session, begun.run_id)


def confirm(first: date, last: date) -> None:
    with transaction() as session:
        confirm_dates(session, load_catalogue(), ConfirmDates(TINGHU, first, last, "测试"))


def entries(engine: Engine, since: int) -> dict[str, list[Entry]]:
    """The entries of later runs, by case, as the cases write them."""
    query = text(
        "SELECT b.bill_no, l.code AS layer, g.year, g.kind, g.amount, c.code AS identity, g.reason"
        " FROM grant_entry g JOIN bill b ON b.id = g.bill_id"
        " JOIN code_number l ON l.kind = 'layer' AND l.number = g.layer"
        " LEFT JOIN code_number c ON c.kind = 'category' AND c.number = g.identity"
        " WHERE g.run_id > :since ORDER BY b.bill_no, l.code, g.seq"
    )
    found: dict[str, list[Entry]] = {}
    with engine.connect() as connection:
        for row in connection.execute(query, {"since": since}):
            name, _, number = row.bill_no.partition("-")
            entry = {
                "bill": number, "layer": row.layer, "year": row.year,
                "entry": KINDS[EntryKind(row.kind)], "amount": format_yuan(row.amount),
                "identity": row.identity,
                "because": [said for bit, said in REASONS.items() if row.reason & bit],
            }  # fmt: skip
            found.setdefault(name, []).append(entry)
    return found


def written(expected: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """What a case expects, with what it leaves unsaid."""
    usual = {"layer": "medical_assistance", "year": YEAR, "identity": None}
    return [
        {**usual, **row, "because": [row["because"]] if isinstance(row["because"], str) else row["because"]}
        for row in expected
    ]  # fmt: skip


def in_kind(engine: Engine, person: int, year: int) -> dict[str, str]:
    """The premium aid that stands."""
    query = text(
        "SELECT c.code, e.from_on || '..' || e.to_on FROM entitlement e"
        " JOIN code_number c ON c.kind = 'entitlement' AND c.number = e.code"
        " WHERE e.person_id = :person AND e.year = :year AND e.ended_by_run = 0"
        " AND c.code LIKE 'premium_aid%'"
    )
    with engine.connect() as connection:
        rows = connection.execute(query, {"person": person, "year": year}).all()
    return {row[0]: row[1] for row in rows}


def last_run(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(
            connection.execute(text("SELECT coalesce(max(id), 0) FROM match_run")).scalar_one()
        )


@pytest.mark.parametrize("path", PLACES, ids=lambda path: path.stem)
def test_the_ledger_follows_the_identities(path: Path, database: Engine) -> None:
    place = from_yaml(path)
    if "confirmed" in place:
        confirm(*place["confirmed"])
    register = Register(database)
    stories = [Story(register, place, number) for number in range(len(place["cases"]))]
    faults: list[str] = []
    for turn in range(max(len(story.case["steps"]) for story in stories)):
        going_on = [story for story in stories if turn < len(story.case["steps"])]
        for story in going_on:
            story.take(story.case["steps"][turn])
        since = last_run(database)
        for year in place["years"]:
            match(place["area"], year)
        found = entries(database, since)
        told = {story.name for story in going_on}
        assert set(found) <= told, "entries for people of whom no file came"
        for story in going_on:
            faults += differences(story, turn, found.get(story.name, []), database)
    assert not faults, "\n".join(faults)


def differences(story: Story, turn: int, found: list[Entry], database: Engine) -> list[str]:
    """What a step of a case came to otherwise than expected."""
    step, said = story.case["steps"][turn], f"{story.case['title']}（第 {turn + 1} 步）"
    lines = []
    if found != written(step["expect"]):
        lines.append(f"{said}: {found} instead of {written(step['expect'])}")
    for year, expected in step.get("in_kind", {}).items():
        stands = in_kind(database, story.register.ids[story.name], year)
        if stands != expected:
            lines.append(f"{said}: {year} {stands} instead of {expected}")
    return lines


def test_every_case_has_a_title_of_its_own_and_a_clause() -> None:
    cases = [case for path in PLACES for case in from_yaml(path)["cases"]]
    assert len(cases) > 45
    assert len({case["title"] for case in cases}) == len(cases)
    assert all(case["clause"] and case["steps"] for case in cases)


def test_nothing_is_granted_under_a_trial_until_the_locality_confirms_its_days(
    database: Engine,
) -> None:
    register = Register(database)
    register.person("甲", 320902_101_001)
    register.identity("甲", "subsistence_allowance", "2020-01-01")
    bill = register.bill("甲", "甲-1", "2024-03-20", "10000.00", paid={"basic": "4000.00"})
    claim(database, [bill])
    match("320902", YEAR)
    assert entries(database, 0) == {}
    confirm(date(2023, 6, 1), date(2025, 5, 31))
    match("320902", YEAR)
    granted = last_run(database)
    ((first,),) = entries(database, 0).values()
    assert (first["entry"], first["amount"]) == ("发放", "1500.00")
    confirm(date(2022, 3, 1), date(2024, 2, 29))
    match("320902", YEAR)
    ((second,),) = entries(database, granted).values()
    assert (second["entry"], second["amount"]) == ("应退", "-1500.00")
    assert second["because"] == ["政策数据的版本有变化"]
