"""待办清单 (lists): what lies open where, without personal data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from backend.worklist.items import item_of
from backend.worklist.kinds import KINDS
from backend.worklist.tables import WORK_ITEM

ITEM = WORK_ITEM.c


@dataclass(frozen=True, slots=True)
class Within:
    """Which items: the 12-digit places from `low` to `high`, of a role, of a kind."""

    low: int
    high: int
    role: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class ListCount:
    """One kind of work in one list (`role`, `area`). `overdue`: due before the day asked about."""

    role: str
    area: int
    kind: str
    waiting: int
    overdue: int
    next_due: date


@dataclass(frozen=True, slots=True)
class KindCount:
    """One kind of work in all lists together. `overdue`: due before the day asked about."""

    kind: str
    waiting: int
    overdue: int


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One open item. `escalated`: overdue once, passed up."""

    id: int
    kind: str
    role: str
    area: int
    reason: str
    due_on: date
    due_provisional: bool
    escalated: bool


def list_counts(session: Session, within: Within, today: date) -> Sequence[ListCount]:
    """How much of each kind waits in each list, the lists from below to above."""
    overdue = func.count().filter(today > ITEM.due_on)
    query = (
        select(ITEM.role, ITEM.list_area, ITEM.kind, func.count(), overdue, func.min(ITEM.due_on))
        .where(*_open(within))
        .group_by(ITEM.role, ITEM.list_area, ITEM.kind)
        .order_by(ITEM.list_area, ITEM.role, ITEM.kind)
    )
    return [ListCount(*row) for row in session.execute(query)]


def kind_counts(session: Session, within: Within, today: date) -> Sequence[KindCount]:
    """How much of each kind waits, in the order of `KINDS`."""
    overdue = func.count().filter(today > ITEM.due_on)
    query = select(ITEM.kind, func.count(), overdue).where(*_open(within)).group_by(ITEM.kind)
    found = {row.kind: KindCount(*row) for row in session.execute(query)}
    return [found[kind] for kind in KINDS if kind in found]


def open_in(session: Session, within: Within, limit: int) -> Sequence[OpenItem]:
    """The open items, those due first in front."""
    query = (
        select(
            ITEM.id,
            ITEM.kind,
            ITEM.role,
            ITEM.list_area,
            ITEM.reason,
            ITEM.due_on,
            ITEM.due_provisional,
            ITEM.state == "escalated",
        )
        .where(*_open(within))
        .order_by(ITEM.due_on, ITEM.id)
        .limit(limit)
    )
    return [OpenItem(*row) for row in session.execute(query)]


def kind_of(session: Session, item_id: int) -> str:
    """The kind of an item, open or not. Raises `UnknownItem`."""
    return str(item_of(session, item_id).kind)


def _open(within: Within) -> list[ColumnElement[bool]]:
    wanted = [ITEM.state != "done", ITEM.area.between(within.low, within.high)]
    if within.role is not None:
        wanted.append(ITEM.role == within.role)
    if within.kind is not None:
        wanted.append(ITEM.kind == within.kind)
    return wanted
