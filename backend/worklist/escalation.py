"""上报 (escalation): what stays undone after its day moves to the level above, with a new day; and
on to the next at once where nobody is on duty there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from backend.kernel.calendar import add_working_days
from backend.kernel.errors import Fault
from backend.worklist.items import ItemClosed
from backend.worklist.kinds import KINDS, above
from backend.worklist.tables import LEVELS, WORK_ITEM
from backend.worklist.vacancy import lift_vacant

_MOVE: Final = """
    WITH moved AS (
        UPDATE work_item SET state = 'escalated', role = :above, version = version + 1,
            list_area = area - mod(area, CAST(:places AS bigint)),
            due_on = :due_on, due_provisional = :due_provisional
        WHERE state <> 'done' AND role = :role AND kind = :kind AND {which} RETURNING id, area
    ), audited AS (
        INSERT INTO audit_event (actor, action, subject_kind, subject_id, detail, area)
            SELECT :by, 'work_item.escalate', 'work_item', id::text, jsonb_build_object(
                'kind', CAST(:kind AS text), 'from', CAST(:role AS text),
                'to', CAST(:above AS text), 'why', CAST(:why AS text)), area
            FROM moved
    )
    SELECT count(*) FROM moved
"""
_OVERDUE: Final = text(_MOVE.format(which="due_on < :today"))
_ONE: Final = text(_MOVE.format(which="id = :id"))


@dataclass(frozen=True, slots=True)
class Escalation:
    """Who passes an item on, on which day, and why (a word, without personal data)."""

    by: str
    today: date
    why: str


def escalate_overdue(session: Session, today: date, by: str = "system") -> int:
    """Pass every item whose day has gone by to the level above; returns how many.

    Each gets the working days of its kind anew, so it climbs on until somebody closes it. At the
    last level it stays, overdue, in that list. Safe to run again: nothing moves twice a day. What
    lies where nobody is on duty any more is passed on, too.
    """
    moved = sum(
        int(session.execute(_OVERDUE, {**move, "today": today}).scalar_one())
        for move in (
            _move(kind, role, Escalation(by, today, "overdue"))
            for kind in KINDS
            for role in list(LEVELS)[:-1]
        )
    )
    lift_vacant(session, by)
    return moved


def escalate_item(session: Session, item_id: int, escalation: Escalation) -> None:
    """Pass one item on before its day, compare-and-set. Raises `ItemClosed`.

    At the last level it stays where it is.
    """
    wanted = select(WORK_ITEM.c.kind, WORK_ITEM.c.role).where(
        WORK_ITEM.c.id == item_id, WORK_ITEM.c.state != "done"
    )
    item = session.execute(wanted).first()
    if item is None:
        raise _closed()
    if above(item.role) is None:
        return
    move = {**_move(item.kind, item.role, escalation), "id": item_id}
    if session.execute(_ONE, move).scalar_one() == 0:
        raise _closed()
    lift_vacant(session, escalation.by, item_id)


def _move(kind: str, role: str, escalation: Escalation) -> dict[str, object]:
    due, higher = add_working_days(escalation.today, KINDS[kind].working_days), above(role)
    if higher is None:
        raise ValueError("there is no level above the last")
    return {
        "kind": kind,
        "role": role,
        "above": higher,
        "places": LEVELS[higher],
        "due_on": due.day,
        "due_provisional": due.provisional,
        "by": escalation.by,
        "why": escalation.why,
    }


def _closed() -> ItemClosed:
    return ItemClosed(Fault("/id", "这件事已经办结或已转交，请刷新后再看。"))
