"""标记 (marks): since which transaction a county's people are to be computed anew.

Every change of a person's data leaves the number of its transaction with the person. A run notes
the lowest number still open when it begins: whatever lies below had ended, so the run sees it. Who
was changed by that number or a later one is computed by the next run of the same rules.

Transactions are numbered by the cluster: in a copy restored elsewhere everybody is computed once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg

EVERYBODY: Final = 0

_NOW: Final = (
    "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, system_identifier"
    " FROM pg_control_system()"
)
_HELD: Final = (
    "SELECT area, seen_before FROM match_mark WHERE year = %s AND area = ANY(%s)"
    " AND rules_id = %s AND cluster = %s ORDER BY area FOR UPDATE"
)
_CLAIM: Final = (
    "INSERT INTO match_mark (area, year, run_id)"
    " SELECT area, %s, %s FROM unnest(%s::integer[]) AS area ORDER BY area"
    " ON CONFLICT (area, year) DO UPDATE SET run_id = excluded.run_id, seen_before = 0"
)
_LOCK: Final = "SELECT FROM match_mark WHERE year = %s AND area = ANY(%s) ORDER BY area FOR UPDATE"
_SET: Final = (
    "UPDATE match_mark m SET rules_id = r.rules_id, cluster = r.cluster,"
    " seen_before = r.seen_before FROM match_run r"
    " WHERE r.id = %s AND m.year = r.year AND m.area = ANY(%s) AND m.run_id = r.id"
)
_VOID: Final = (
    "UPDATE match_mark SET run_id = 0, seen_before = 0"
    " WHERE year = %s AND area = ANY(%s) AND run_id <> %s"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a run begins: every transaction below `seen_before` has ended, in this `cluster`."""

    seen_before: int
    cluster: int


def moment(connection: psycopg.Connection[Any]) -> Moment:
    """Now. To be asked before the run's people are: they are then seen as of later."""
    row = connection.execute(_NOW).fetchone()
    assert row is not None
    return Moment(*row)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a run is about to compute. `areas`: of six digits."""

    run_id: int
    rules_id: int
    year: int
    areas: frozenset[int]
    began: Moment


def claim(connection: psycopg.Connection[Any], of: Claim) -> Mapping[int, int]:
    """For each area: the transaction since which its people are to be computed, else `EVERYBODY`.

    Until the run ends, nobody else finds the areas computed.
    """
    areas = sorted(of.areas)
    held = connection.execute(_HELD, [of.year, areas, of.rules_id, of.began.cluster]).fetchall()
    connection.execute(_CLAIM, [of.year, of.run_id, areas])
    return dict.fromkeys(areas, EVERYBODY) | dict(held)


def settle(
    connection: psycopg.Connection[Any], run_id: int, year: int, areas: Iterable[int]
) -> None:
    """The run ended: its areas are computed up to its beginning. Where another began meanwhile, one
    may have overwritten the other: the next computes everybody."""
    of = list(areas)
    connection.execute(_LOCK, [year, of])
    connection.execute(_SET, [run_id, of])
    connection.execute(_VOID, [year, of, run_id])
