"""Applications submitted over HTTP, beside a bare commit of the same rows to the same server.

`python -m tests.benchmarks submit [NUMBER]` (default 800 a round, three rounds). Session, request
limit, row-level security, triggers, sealing and audit are in it, and a durable commit; the peer
inserts copies of the rows that one submission writes into tables without triggers and indexes, as
many sessions at once.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine, text

from tests.benchmarks.report import machine
from tests.support.drafts import applicants, drafts
from tests.support.front import CLIENTS, Draft, Front, Submitting, front

NUMBER: Final = 800
PEOPLE: Final = 40
ROUNDS: Final = 3
_WRITTEN: Final = {
    "application": "id = :case",
    "application_step": "application_id = :case",
    "application_clock": "application_id = :case",
    "audit_event": "subject_kind = 'application' AND subject_id = CAST(:case AS text)",
    "notice_due": "cause = format('application:%s:1', CAST(:case AS text))",
}
"""Where the rows of a submission are."""


def main(arguments: list[str]) -> None:
    """Prints the rates and their ratio."""
    number = int(arguments[0]) if arguments else NUMBER
    each = max(number // PEOPLE, 1)
    print(machine())
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name, front(Path(name)) as counter:
        people = applicants(counter, PEOPLE)
        counter.serve()
        warm = drafts(counter, people, 1)
        _submitted(counter, warm)
        _bare_tables(counter, warm[0].id)
        found = [
            (_submitted(counter, drafts(counter, people, each)), _bare(counter, PEOPLE * each))
            for _ in range(ROUNDS)
        ]
    ours, peer = (statistics.median(one) for one in zip(*found, strict=True))
    ratio = statistics.median(a / b for a, b in found)
    print(
        f"{CLIENTS} at once: {ours:,.0f} submissions a second, bare commits {peer:,.0f},"
        f" ratio {ratio:.1%}"
    )


def _submitted(counter: Front, ready: list[Draft]) -> float:
    clients, begun = Submitting(counter, deque(ready)), time.perf_counter()
    with clients:
        pass
    took = time.perf_counter() - begun
    if len(clients.acked) != len(ready):
        raise SystemExit(str(clients.otherwise[:3]))
    return len(ready) / took


def _bare_tables(counter: Front, case: int) -> None:
    """One row, or as many as there are, of each kind: what the peer copies."""
    for table, where in _WRITTEN.items():
        found = where.replace(":case", str(case))
        counter.change(
            f"CREATE TABLE sample_{table} AS SELECT * FROM {table} WHERE {found}",
            f"CREATE TABLE bare_{table} (LIKE {table})",
        )
        if not counter.rows(f"SELECT FROM sample_{table}"):
            raise SystemExit(f"a submission leaves no row in {table}")


def _bare(counter: Front, number: int) -> float:
    copies = [text(f"INSERT INTO bare_{one} SELECT * FROM sample_{one}") for one in _WRITTEN]
    engine = create_engine(counter.site.server.url, pool_size=CLIENTS)

    def commit(_: int) -> None:
        with engine.begin() as connection:
            for one in copies:
                connection.execute(one)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(commit, range(CLIENTS)))
        begun = time.perf_counter()
        list(pool.map(commit, range(number)))
        took = time.perf_counter() - begun
    engine.dispose()
    return number / took
