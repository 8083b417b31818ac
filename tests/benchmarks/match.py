"""Matching: whole runs over invented people beside plain COPY of the same rows, on one PostgreSQL.

`python -m tests.benchmarks match [PEOPLE …]` (default 100,000 and 1,000,000; three bills each). Two
worker processes, as `shukun worker` runs them; the database keeps its durable settings. The limits
on time hold at 1,000,000 people and more: below, the fixed cost of a job shows.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from psycopg import sql
from sqlalchemy import Engine, NullPool, create_engine, text

from backend.kernel import database, migrations
from backend.kernel.copy import raw, read_columns, received, write_columns
from backend.kernel.database import transaction
from backend.kernel.postgres import embedded
from backend.kernel.settings import Settings
from backend.matching import in_kind_rows, ledger, reading
from backend.matching.runs import StartRun, finish_run, open_parts, summaries, total_of
from backend.matching.tasks import begin
from tests.benchmarks.crew import Crew, crew
from tests.benchmarks.delivered import deliver
from tests.benchmarks.report import machine, seconds

AREA: Final = "320000"
YEAR: Final = 2024
SIZES: Final = (100_000, 1_000_000)
RUNS: Final = 5
JUDGED_FROM: Final = 1_000_000
BILL: Final = ", ".join(reading.BILLS)
SPREAD: Final = "id IN (SELECT id FROM bill ORDER BY md5(id || :salt) LIMIT 3 * :people)"
"""One bill each of nearly as many people: the most that such a change can concern."""
TOGETHER: Final = (
    "person_id IN (SELECT id FROM person WHERE known ORDER BY md5(id || :salt) LIMIT :people)"
)
"""All bills of some people."""


@dataclass(frozen=True)
class Run:
    """One run: seconds by the wall, CPU seconds of workers and of the database, what it did."""

    wall: float
    workers: float
    database: float
    total: dict[str, Any]

    @property
    def cpu(self) -> float:
        """Of both."""
        return self.workers + self.database


def main(arguments: list[str]) -> None:
    """Prints the table of docs/benchmarks.md; exit status 1 where a bar is missed."""
    print(machine())
    bars = Bars()
    per_person = {size: measure(size, bars) for size in map(int, arguments or SIZES)}
    first = next(iter(per_person))
    for size, each in per_person.items():
        growth = each / per_person[first]
        print(f"{size:,} people: CPU {each * 1e6:.1f} µs a person, {growth:.2f}")
        bars.at_most(f"CPU a person at {size:,} over {first:,}", growth, 1.25)
    bars.judge()


class Bars:
    """The limits of the issue, and which were missed."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def of_time(self, people: int, what: str, found: float, limit: float) -> None:
        """Hold a figure against its limit where there are people enough."""
        if people >= JUDGED_FROM:
            self.at_most(what, found, limit)

    def at_most(self, what: str, found: float, limit: float) -> None:
        """Hold one figure against its limit."""
        if found > limit:
            self.missed.append(f"{what}: {found:.2f}, at most {limit}")

    def judge(self) -> None:
        """Say what was missed, and end with status 1."""
        if self.missed:
            raise SystemExit("\n".join(["missed:", *self.missed]))
        print("every bar holds")


def measure(people: int, bars: Bars) -> float:
    """Every figure of one size; the CPU seconds a person of a full run, median of `RUNS`."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, site(Path(folder)) as (url, engine):
        print(f"\n{people:,} people")
        for line in deliver(Path(folder), engine, people, YEAR):
            print(f"  {line}")
        vacuum(engine)
        copy_out = statistics.median(seconds(lambda: bills_out(engine)) for _ in range(3))
        with crew(Path(folder), url) as workers:
            first = run(engine, workers)
            copy_in = rows_in(url, engine)
            show(people, first, copy_out, copy_in)
            bars.of_time(
                people, "first run over plain COPY", first.wall / (copy_out + copy_in[0]), 4
            )
            again = run(engine, workers)
            print(f"  second run: {again.wall:.1f} s, {again.wall / copy_out:.2f} times COPY out")
            bars.of_time(people, "second run over COPY out", again.wall / copy_out, 2)
            full = [run(engine, workers, full=True) for _ in range(RUNS)]
            if any(one.total["entries"] or one.total["in_kind_added"] for one in full):
                raise SystemExit("a full run over unchanged data found a difference")
            print(f"  full: {statistics.median(one.wall for one in full):.1f} s, no difference")
            measure_changes(engine, workers, people, first, bars)
            print(f"  memory of a worker: {workers.peak_mb():.0f} MB at most")
            bars.at_most("memory of a worker, MB", workers.peak_mb(), 500)
        return statistics.median(one.cpu for one in full) / people


def measure_changes(engine: Engine, workers: Crew, people: int, first: Run, bars: Bars) -> None:
    """Runs after 1% of the bills changed, other bills each time, against the first run."""
    for whose, bills in (("of 1% of the people", TOGETHER), ("of anybody", SPREAD)):
        parts = []
        for salt in range(RUNS):
            change(engine, bills, people // 100, salt)
            parts.append(run(engine, workers))
        walls = sorted(part.wall for part in parts)
        middle, computed = statistics.median(walls), parts[-1].total["computed"]
        print(
            f"  1% of the bills changed, {whose}: {middle:.2f} s ({walls[0]:.2f} to {walls[-1]:.2f}),"
            f" {middle / first.wall:.1%} of the first run, {computed:,} people computed"
        )
        bars.of_time(people, f"1% changed, {whose}, over the first run", middle / first.wall, 0.10)


def show(people: int, first: Run, copy_out: float, copy_in: tuple[float, int]) -> None:
    """The first run against plain COPY."""
    took, rows = copy_in
    plain = copy_out + took
    print(f"  COPY of the bills out {copy_out:.1f} s; COPY of {rows:,} rows in {took:.1f} s")
    print(
        f"  first run: {first.wall:.1f} s, {first.wall / plain:.2f} times plain COPY; CPU of workers"
        f" {first.workers:.1f} s, of PostgreSQL {first.database:.1f} s;"
        f" {first.wall / people * 1e6:.0f} µs a person"
    )


def run(engine: Engine, workers: Crew, *, full: bool = False) -> Run:
    """One run by the workers, from its start until it is computed."""
    before, start = workers.cpu(), time.perf_counter()
    with transaction() as session:
        begun = begin(session, StartRun(AREA, YEAR, date(YEAR, 12, 31), "benchmark", full))
    while True:
        with transaction() as session:
            if not open_parts(session, begun.run_id):
                finish_run(session, begun.run_id)
                total = total_of(summaries(session, begun.run_id))
                break
        time.sleep(0.01)
    wall, after = time.perf_counter() - start, workers.cpu()
    return Run(wall, after[0] - before[0], after[1] - before[1], total)


def vacuum(engine: Engine) -> None:
    """As PostgreSQL's own vacuum leaves the tables some minutes after they were loaded."""
    owner = create_engine(engine.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with owner.connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))


def bills_out(engine: Engine) -> None:
    """Plain COPY of every bill to this process, the columns that matching reads; thrown away."""
    statement = sql.SQL(f"COPY (SELECT {BILL} FROM bill) TO STDOUT (FORMAT binary)")
    with transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        received(raw(session), statement)


def rows_in(url: str, engine: Engine) -> tuple[float, int]:
    """Plain COPY of the rows that the run wrote into the same tables of an empty database."""
    with transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        written = {
            table: (kinds, read_columns(raw(session), f"SELECT {', '.join(kinds)} FROM {table}", kinds))
            for table, kinds in (
                ("grant_entry", ledger.ENTRY),
                ("entitlement", in_kind_rows.ROW),
            )
        }  # fmt: skip
    with empty_copy(url) as other, database.bound(other):

        def load() -> None:
            with transaction() as session:
                session.execute(text("SET LOCAL statement_timeout = 0"))
                for table, (kinds, columns) in written.items():
                    write_columns(raw(session), table, kinds, columns)

        took = seconds(load)
    return took, sum(len(next(iter(columns.values()))) for _, columns in written.values())


@contextmanager
def empty_copy(url: str) -> Iterator[Engine]:
    """A migrated database beside the one measured."""
    server = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE plain"))
    own = create_engine(server.url.set(database="plain"), poolclass=NullPool)
    migrations.upgrade(own)
    yield own
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE plain WITH (FORCE)"))


def change(engine: Engine, bills: str, people: int, salt: int) -> None:
    """Correct the bills, `SPREAD` or `TOGETHER`: a yuan more on three times as many as `people`.

    `salt`: another one chooses others.
    """
    with transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(
            text(
                "UPDATE bill SET total = total + 100, in_scope = in_scope + 100,"
                f" revision = nextval('data_version') WHERE {bills}"
            ),
            {"people": people, "salt": str(salt)},
        )


@contextmanager
def site(folder: Path) -> Iterator[tuple[str, Engine]]:
    """A database of its own, migrated and bound as the workers see it."""
    data = folder / "data"
    settings = replace(Settings(), data=data)
    with embedded(data, settings.pg_bin) as url:
        migrations.upgrade(database.engine_for(url))
        engine = database.engine_for(url, role="worker")
        with database.bound(engine):
            yield url, engine
        engine.dispose()
