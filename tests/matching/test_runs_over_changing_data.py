"""Many runs over data that change, half of them killed in the middle, each done again three times:
in the end the ledger says what a single run over the last state of the data says.

`SHUKUN_MATCH_RUNS`: how many, 20 unless said otherwise.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, NullPool, TextClause, create_engine, text

from backend.citizens.exchange.undo import UndoImpossible, undo_file
from backend.citizens.invent.delivery import invent
from backend.citizens.invent.files import Files
from backend.citizens.invent.plan import plan
from backend.kernel import database as kernel_database
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.kernel.settings import PROJECT
from backend.matching.runs import StartRun, nothing_changed
from backend.matching.tasks import begin
from tests.oracle.entitlements import Due
from tests.oracle.matching import Grant
from tests.oracle.register import read_register
from tests.support.corrections import corrections
from tests.support.office import Office, delivered, read_rows, write_rows

pytestmark = pytest.mark.postgres

RUNS = int(os.environ.get("SHUKUN_MATCH_RUNS", "12"))
PEOPLE = 240
AREA, YEAR = "320000", 2024
COUNTIES = ("320281", "320582")
IN_A_PART = 15
AGAIN = 3
PATIENCE = 60

ADDED_UP = text(
    """
    SELECT bill_id, layer FROM (
        SELECT bill_id, layer, count(*) AS entries, min(seq) AS first, max(seq) AS last,
            sum(amount) AS net, (array_agg(amount_after ORDER BY seq DESC))[1] AS stands
        FROM grant_entry GROUP BY bill_id, layer
    ) AS one WHERE first <> 1 OR last <> entries OR net <> stands OR net < 0
    """
)
"""Grants whose entries do not add up to what the last of them says."""
KINDS_OF_ENTRIES = text("SELECT DISTINCT kind FROM grant_entry")
GIVEN = text(
    """
    SELECT b.bill_no, l.code FROM bill b CROSS JOIN code_number l
    WHERE l.kind = 'layer' AND (to_jsonb(b) ->> ('paid_' || l.code))::bigint >= 0
    """
)
LOOKED_AFTER = text(
    """
    SELECT b.bill_no, l.code FROM grant_entry g JOIN bill b ON b.id = g.bill_id
    JOIN code_number l ON l.kind = 'layer' AND l.number = g.layer
    WHERE g.kind = 4 OR EXISTS (
        SELECT FROM work_item w WHERE w.kind = 'amount_differs' AND w.state <> 'done'
            AND w.subject_id = b.id || '/' || l.code
    )
    """
)
"""Settled, or for a person to judge."""


@dataclass
class Town:
    """The office, and the files that were delivered and not taken back, in their order."""

    office: Office
    folder: Path
    files: dict[int, tuple[str, Path]] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    @property
    def first(self) -> Path:
        """Where the first delivery is."""
        return self.folder / "first"

    def take(self, files: list[tuple[str, Path]]) -> None:
        for file, report in zip(files, self.office.take(files), strict=True):
            self.files[report.serial] = file

    def open(self) -> None:
        with Files(self.first) as files:
            invent(plan(PEOPLE, 12, COUNTIES, (YEAR,)), files)
        self.take(list(delivered(self.first)))

    def change(self, turn: int) -> None:
        """Something new: never the same twice."""
        kinds: list[Callable[[int], None]] = [
            self.correct, self.settle, self.lost, self.undo, self.more_bills, self.correct, self.undo,
        ]  # fmt: skip
        kinds[turn % len(kinds)](turn)

    def correct(self, turn: int) -> None:
        self.take(list(corrections(self.first, self.folder / f"later{turn}", turn)))

    def more_bills(self, turn: int) -> None:
        rows = self.chance.sample(read_rows(self.first / "bills.csv"), 12)
        new = [row | {"bill_no": f"N{turn}-{row['bill_no']}"} for row in rows]
        self.take([("bills", write_rows(self.folder / f"bills{turn}.csv", new))])

    def lost(self, turn: int) -> None:
        """Identities that ended some day of the year."""
        rows = self.chance.sample(read_rows(self.first / "identities.csv"), 4)
        last = {(row["id_number"], row["category"], row["department"]): row for row in rows}
        for row in last.values():
            day = date(YEAR, 1, 1) + timedelta(days=self.chance.randrange(366))
            row |= {"to": max(day.isoformat(), row["from"]), "taper_until": ""}
        one_a_group = [row for row in rows if self._last_of_its_kind(row)]
        if one_a_group:
            self.take([("identities", write_rows(self.folder / f"lost{turn}.csv", one_a_group))])

    def _last_of_its_kind(self, row: dict[str, str]) -> bool:
        group = ("id_number", "category", "department")
        return not any(
            all(one[name] == row[name] for name in group) and one["from"] > row["from"]
            for one in read_rows(self.first / "identities.csv")
        )

    def undo(self, turn: int) -> None:
        """A whole file is taken back; not those that most of the people and bills come from."""
        kept = {self.first / "people.csv", self.first / "bills.csv"}
        serials = [one for one, (_, path) in self.files.items() if path not in kept]
        serial = self.chance.choice(serials)
        try:
            with transaction() as session:
                undo_file(session, serial, "测试")
            del self.files[serial]
        except UndoImpossible:
            self.correct(turn)

    def settle(self, turn: int) -> None:
        """Bills that come again with just what was granted as paid."""
        known = read_register(self.files.values()).rows["bills"]
        granted = self.office.grants(AREA, YEAR)
        paid = {one[0] for one in granted if known[one[0],][f"paid_{one[3]}"]}
        numbers = sorted({one[0] for one in granted} - paid)
        chosen = {one: dict(known[one,]) for one in self.chance.sample(numbers, len(numbers) // 10)}
        for number, _, _, layer, _, amount in granted:
            if number in chosen:
                chosen[number][f"paid_{layer}"] = amount
        if chosen:
            rows = list(chosen.values())
            self.take([("bills", write_rows(self.folder / f"settled{turn}.csv", rows))])

    def state(self) -> tuple[set[Grant], set[Due]]:
        """What stands granted, and in kind."""
        numbers = [row["id_number"] for row in read_rows(self.first / "people.csv")]
        return set(self.office.grants(AREA, YEAR)), self.office.in_kind(numbers, YEAR)


@pytest.fixture
def second(server_url: URL, template: str) -> Iterator[str]:
    """The URL of another empty database."""
    name = f"shukun_second_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    server = create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        yield server_url.set(database=name).render_as_string(hide_password=False)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def killed_run(url: str, folder: Path) -> None:
    """A run whose only worker is killed in the middle."""
    with transaction() as session:
        command = StartRun(AREA, YEAR, date(YEAR, 12, 31), "测试", largest=IN_A_PART)
        begun = begin(session, command)
    environ = os.environ | {"DATABASE_URL": url, "SHUKUN_DATA": str(folder)}
    arguments = [sys.executable, "-m", "miniprogram_api", "worker", "--queues", "matching"]
    with (folder / "log").open("ab") as log:
        worker = subprocess.Popen(arguments, env=environ, cwd=PROJECT, stdout=log, stderr=log)
    deadline = time.monotonic() + PATIENCE
    while open_parts(begun.run_id) == len(begun.parts):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.1))
    worker.kill()
    worker.wait()


def open_parts(run_id: int) -> int:
    query = text("SELECT count(*) FROM match_part WHERE run_id = :run AND state = 'open'")
    with transaction() as session:
        return int(session.execute(query, {"run": run_id}).scalar_one())


def asked(engine: Engine, query: TextClause) -> set[tuple[str, ...]]:
    with engine.connect() as connection:
        return {tuple(row) for row in connection.execute(query)}


def test_many_runs_over_changing_data_come_to_what_one_run_over_the_last_state_says(
    worker_database: Engine, database_url: str, second: str, tmp_path: Path
) -> None:
    keyring = Keyring.open_or_create(tmp_path / "keys.json")
    town = Town(Office(worker_database, keyring), tmp_path)
    town.open()
    for turn in range(RUNS):
        if turn:
            town.change(turn)
        if turn % 2:
            killed_run(database_url, tmp_path)
        again = [town.office.match(AREA, YEAR, full=one == AGAIN) for one in range(1 + AGAIN)]
        assert all(nothing_changed(total) for total in again[1:]), f"after turn {turn}"
        assert not asked(worker_database, ADDED_UP), f"after turn {turn}"

    assert asked(worker_database, KINDS_OF_ENTRIES) >= {(kind,) for kind in range(1, 5)}
    found, in_kind = town.state()
    given = asked(worker_database, GIVEN)
    assert {row for row in ((g[0], g[3]) for g in found) if row in given} <= asked(
        worker_database, LOOKED_AFTER
    )
    fresh = kernel_database.engine_for(second, role="worker")
    with kernel_database.bound(fresh):
        anew = Town(Office(fresh, keyring), tmp_path)
        anew.office.take(list(town.files.values()))
        anew.office.match(AREA, YEAR)
        expected, expected_in_kind = anew.state()
    fresh.dispose()
    assert {grant for grant in found if (grant[0], grant[3]) not in given} == expected
    assert in_kind == expected_in_kind
