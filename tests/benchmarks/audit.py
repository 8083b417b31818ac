"""The audit chain: verifying it beside a plain read of the same rows; sealing. `script/benchmark audit`.

`python -m tests.benchmarks audit [ROWS]` (default 200,000). Both read every column of both tables
into Python on one connection. The database keeps its durable settings.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import text

from backend.kernel import clock, database, migrations
from backend.kernel.audit_anchors import Anchors
from backend.kernel.audit_chain import EVENTS_AT_ONCE
from backend.kernel.audit_seal import seal
from backend.kernel.audit_verify import verify
from backend.kernel.copy import raw
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.kernel.postgres import embedded
from backend.kernel.settings import Settings
from tests.benchmarks.report import in_turn, machine, seconds

ROWS: Final = 200_000
RUNS: Final = 5
LEAST_A_SECOND: Final = 20_000
_WRITE: Final = text(
    """
    INSERT INTO audit_event (actor, role, action, subject_kind, subject_id, detail, purpose, area)
    SELECT 'staff:S' || n % 300, 'family_doctor', 'person.read', 'person', (n * 7919 % 500000)::text,
        '{"fields": ["basic", "bills", "grants"]}', 'visit', 320281000000 + n % 900
    FROM generate_series(1, :rows) AS n
    """
)
_PLAIN: Final = (
    "SELECT * FROM audit_chain AS c LEFT JOIN audit_event AS e ON e.id = c.event_id"
    " ORDER BY c.position"
)


def main(arguments: list[str]) -> None:
    """Prints rows a second and the ratio; exit status 1 below the bar."""
    rows = int(arguments[0]) if arguments else ROWS
    print(machine())
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, site(Path(folder)) as anchors:
        with transaction() as session:
            session.execute(text("SET LOCAL statement_timeout = '10min'"))
            session.execute(_WRITE, {"rows": rows})
        sealing = seconds(lambda: seal(anchors, clock.now()))
        print(f"sealed: {rows / sealing:,.0f} rows a second, an anchor every thousand")
        pair = in_turn(lambda: check(anchors, rows), plain, RUNS)
    speed = rows / statistics.median(pair.ours)
    print(f"verified: {speed:,.0f} rows a second, every check and {rows // 1000:,} anchors")
    print(f"beside a plain read of the same rows: {pair.ratio:.2f} times ({pair.spread})")
    if speed < LEAST_A_SECOND:
        raise SystemExit(f"missed: at least {LEAST_A_SECOND:,} rows a second")


@contextmanager
def site(folder: Path) -> Iterator[Anchors]:
    """A durable database of its own, bound as its worker, and its anchors."""
    with embedded(folder / "data", Settings().pg_bin) as url:
        owner = database.engine_for(url)
        migrations.upgrade(owner)
        owner.dispose()
        engine = database.engine_for(url, role="worker")
        with database.bound(engine):
            yield Anchors(folder / "anchors.jsonl", Keyring.open_or_create(folder / "keys.json"))
        engine.dispose()


def check(anchors: Anchors, rows: int) -> None:
    """The whole chain, found whole."""
    report = verify([anchors])
    if not report.whole or report.events != rows:
        raise SystemExit(f"not whole: {report.findings}")


def plain() -> None:
    """The same rows, in the same order, into tuples and no more."""
    with transaction() as session, raw(session).cursor("plain", binary=True) as cursor:
        cursor.itersize = EVENTS_AT_ONCE
        for _ in cursor.execute(_PLAIN):
            pass
