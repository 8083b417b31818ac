"""What `shukun import`, `match` and `export grants` do, function by function, on a test database."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Engine, text

from backend.citizens.exchange.load import LoadOptions, LoadReport, load_file
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.kernel.settings import Settings
from backend.matching import export
from backend.matching.runs import (
    StartRun,
    compute_part,
    finish_run,
    start_run,
    summaries,
    total_of,
)
from backend.matching.slices import Summary
from backend.policies.catalogue import load_catalogue
from backend.policies.confirmation import ConfirmDates, confirm_dates
from tests.oracle.entitlements import Due
from tests.oracle.matching import Grant
from tests.oracle.register import KEYS, Row
from tests.support.audited import CLERK

ORDER = ("people", "identities", "households", "hospitals", "assignments", "vital", "bills")
Delivered = Sequence[tuple[str, Path]]

_IN_KIND = text(
    """
    SELECT e.person_id, p.code AS policy, c.code, e.from_on, e.to_on, d.code AS delivery
    FROM entitlement e
    JOIN code_number p ON p.kind = 'policy' AND p.number = e.policy
    JOIN code_number c ON c.kind = 'entitlement' AND c.number = e.code
    JOIN code_number d ON d.kind = 'delivery' AND d.number = e.delivery
    WHERE e.ended_by_run = 0 AND e.year = :year
    """
)


@dataclass
class Office:
    """An office with its own keys, on the database that is bound."""

    engine: Engine
    keyring: Keyring

    def take(self, files: Delivered) -> list[LoadReport]:
        """Load files in their order; nothing may be refused."""
        options = LoadOptions(keyring=self.keyring, by="测试")
        reports = [load_file(kind, path, options) for kind, path in files]
        assert [(report.kind, report.rejected) for report in reports if report.rejected] == []
        return reports

    def confirm(self, policy: str, first: date, last: date) -> None:
        """`shukun policy confirm`."""
        book = load_catalogue(Settings().catalogue)
        with transaction() as session:
            confirm_dates(session, book, ConfirmDates(policy, first, last, "测试"))

    def match(self, area: str, year: int, *, full: bool = False) -> Summary:
        """`shukun match`, in this process."""
        command = StartRun(area, year, date(year, 12, 31), "测试", full=full)
        with transaction() as session:
            begun = start_run(session, command)
        for number in begun.parts:
            with transaction() as session:
                compute_part(session, begun.run_id, number)
        with transaction() as session:
            assert finish_run(session, begun.run_id)
            return total_of(summaries(session, begun.run_id))

    def grants(self, area: str, year: int) -> list[Grant]:
        """The rows of `shukun export grants`."""
        asked = export.Asked(area, year, CLERK)
        with transaction() as session:
            return [tuple(row) for row in export.grants(session, self.keyring, asked)]

    def in_kind(self, numbers: Iterable[str], year: int) -> set[Due]:
        """What stands as due in kind to the people with these numbers."""
        with self.engine.connect() as connection:
            known = connection.execute(text("SELECT number_index, person_id FROM person_number"))
            people = {bytes(row.number_index): row.person_id for row in known}
            of = {people[self.keyring.index("id_number", number)]: number for number in numbers}
            rows = connection.execute(_IN_KIND, {"year": year}).all()
        return {(of[row.person_id], *row[1:]) for row in rows if row.person_id in of}


def read_rows(path: Path) -> list[Row]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: Sequence[Row]) -> Path:
    """Write a CSV file with the columns of the first row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def delivered(folder: Path, kinds: Sequence[str] = ORDER) -> Delivered:
    """The files of a folder, in this order of kinds."""
    return [(kind, folder / f"{kind}.csv") for kind in kinds]


def split(folder: Path, kind: str, to: Path, first: Callable[[Row], bool]) -> tuple[Path, Path]:
    """Two files: the rows that are `first`, and the others."""
    assert kind in KEYS
    rows = read_rows(folder / f"{kind}.csv")
    parts = [[row for row in rows if first(row) is wanted] for wanted in (True, False)]
    return (
        write_rows(to / f"{kind}-first.csv", parts[0]),
        write_rows(to / f"{kind}-second.csv", parts[1]),
    )
