"""标记 (marks): what a county's last run has seen, so that the next computes what changed since.

Every change of a person's data leaves the number of its transaction with the person. A run notes
which transactions had ended when it began; it sees what they did. Whom another one changed, the
next run of the same rules computes.

Transactions are numbered by the cluster: in a copy restored elsewhere everybody is computed once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from backend.kernel.areas import code_range

EVERYBODY: Final = ""
"""In place of what was seen: nothing was."""
UNSEEN: Final = (
    "(changed_in >= %s AND NOT pg_visible_in_snapshot(changed_in::text::xid8, %s::pg_snapshot))"
)
"""A condition on `person_version`; `unseen` has its values."""
_COUNTY: Final = 1_000_000

_NOW: Final = "SELECT pg_current_snapshot()::text, system_identifier FROM pg_control_system()"
_HELD: Final = (
    "SELECT area, seen FROM match_mark WHERE year = %s AND area BETWEEN %s AND %s"
    " AND rules_id = %s AND cluster = %s AND seen <> '' ORDER BY area FOR UPDATE"
)
_CLAIM: Final = (
    "INSERT INTO match_mark (area, year, run_id)"
    " SELECT area, %s, %s FROM unnest(%s::integer[]) AS area ORDER BY area"
    " ON CONFLICT (area, year) DO UPDATE SET run_id = excluded.run_id, seen = ''"
)
_LOCK: Final = "SELECT FROM match_mark WHERE year = %s AND area = ANY(%s) ORDER BY area FOR UPDATE"
_SET: Final = (
    "UPDATE match_mark m SET rules_id = r.rules_id, cluster = r.cluster, seen = r.seen"
    " FROM match_run r"
    " WHERE r.id = %s AND m.year = r.year AND m.area = ANY(%s) AND m.run_id = r.id"
)
_VOID: Final = (
    "UPDATE match_mark SET run_id = 0, seen = ''"
    " WHERE year = %s AND area = ANY(%s) AND run_id <> %s"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a run begins: `seen` says which transactions of the `cluster` had ended."""

    seen: str
    cluster: int


def moment(connection: psycopg.Connection[Any]) -> Moment:
    """Now. To be asked before the run's people are: they are then seen as of later."""
    row = connection.execute(_NOW).fetchone()
    assert row is not None
    return Moment(*row)


def unseen(seen: str) -> list[Any]:
    """The values of `UNSEEN`: the lowest number that may not have ended, and all that was seen."""
    return [int(seen.partition(":")[0]), seen]


def held(
    connection: psycopg.Connection[Any], area: str, year: int, rules_id: int, began: Moment
) -> Mapping[int, str]:
    """By area, of those in `area` computed by these rules: what the run that did it has seen."""
    low, high = code_range(area)
    within = [low // _COUNTY, high // _COUNTY]
    rows = connection.execute(_HELD, [year, *within, rules_id, began.cluster]).fetchall()
    return dict(rows)


def claim(
    connection: psycopg.Connection[Any], run_id: int, year: int, areas: Collection[int]
) -> None:
    """Until the run ends, nobody else finds the areas computed."""
    connection.execute(_CLAIM, [year, run_id, list(areas)])


def settle(
    connection: psycopg.Connection[Any], run_id: int, year: int, areas: Collection[int]
) -> None:
    """The run ended: its areas are computed as of its beginning. Where another began meanwhile, one
    may have overwritten the other: the next computes everybody."""
    of = list(areas)
    connection.execute(_LOCK, [year, of])
    connection.execute(_SET, [run_id, of])
    connection.execute(_VOID, [year, of, run_id])
