"""无人值守 (vacancy): what lies in a list for which nobody is on duty belongs to the level above.

The lowest level from the list's own on at which somebody is on duty takes it; where nobody is at
any, it stays: an installation without accounts keeps its lists. The day it is due does not change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from backend.worklist.tables import LEVELS

Owner: TypeAlias = tuple[str, int]
"""A list: the role, and the place cut to the role's level."""

_MANNED: Final = text(
    """
    SELECT role, area FROM jsonb_to_recordset(:lists) AS list (role text, area bigint)
    WHERE list_manned(role, area)
    """
).bindparams(bindparam("lists", type_=JSONB))
_LISTS: Final = text(
    "SELECT DISTINCT role, list_area FROM work_item WHERE state <> 'done'"
    " AND (CAST(:id AS bigint) IS NULL OR id = :id)"
)
_LIFT: Final = text(
    """
    WITH lifted AS (
        UPDATE work_item SET role = move.above, list_area = move.higher, version = version + 1
        FROM jsonb_to_recordset(:moves)
            AS move (role text, area bigint, above text, higher bigint)
        WHERE work_item.state <> 'done' AND work_item.role = move.role
            AND work_item.list_area = move.area
            AND (CAST(:id AS bigint) IS NULL OR work_item.id = :id)
        RETURNING work_item.id, work_item.kind, work_item.area, move.role AS was, move.above
    ), audited AS (
        INSERT INTO audit_event (actor, action, subject_kind, subject_id, detail, area)
            SELECT :by, 'work_item.escalate', 'work_item', id::text, jsonb_build_object(
                'kind', kind, 'from', was, 'to', above, 'why', 'vacant'), area
            FROM lifted
    )
    SELECT count(*) FROM lifted
    """
).bindparams(bindparam("moves", type_=JSONB))


def taken_by(session: Session, lists: Iterable[Owner]) -> Mapping[Owner, Owner]:
    """For each of the lists that nobody is on duty for: the one above it that takes its items."""
    asked = {one: _and_above(one) for one in dict.fromkeys(lists)}
    single = dict.fromkeys(one for levels in asked.values() for one in levels)
    given = [{"role": role, "area": area} for role, area in single]
    rows = session.execute(_MANNED, {"lists": given}) if given else ()
    manned = {(row.role, row.area) for row in rows}
    found = {one: next(filter(manned.__contains__, levels), one) for one, levels in asked.items()}
    return {one: other for one, other in found.items() if other != one}


def lift_vacant(session: Session, by: str = "system", item: int | None = None) -> int:
    """Pass every open item, or one, from lists without anybody on duty to the level that takes it;
    audited. Returns how many. As `worker`."""
    lists = [(row.role, row.list_area) for row in session.execute(_LISTS, {"id": item})]
    moves = [
        {"role": own[0], "area": own[1], "above": other[0], "higher": other[1]}
        for own, other in taken_by(session, lists).items()
    ]
    if not moves:
        return 0
    return int(session.execute(_LIFT, {"moves": moves, "by": by, "id": item}).scalar_one())


def _and_above(owner: Owner) -> Sequence[Owner]:
    """The list and those above it, from below."""
    role, area = owner
    levels = list(LEVELS)
    return [(one, area - area % LEVELS[one]) for one in levels[levels.index(role) :]]
