"""待办事项 (items): opened in bulk, each once; closed once, with outcome and note, audited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Final

from sqlalchemy import Row, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from backend.kernel import audit, clock
from backend.kernel.audit import Subject
from backend.kernel.calendar import Deadline, add_working_days
from backend.kernel.crypto import Cipher, Place
from backend.kernel.errors import DomainError, Fault
from backend.worklist.kinds import KINDS, SUPERSEDED, owner_of
from backend.worklist.tables import WORK_ITEM
from backend.worklist.vacancy import taken_by

AT_ONCE: Final = 5_000
"""Rows in one statement."""
_GIVEN: Final = (
    "kind text, subject_kind text, subject_id text, period text, person_id bigint, area bigint,"
    " role text, list_area bigint, reason text, detail jsonb, due_on date,"
    " due_provisional boolean, opened_by text"
)
_NAMES: Final = ", ".join(given.split()[0] for given in _GIVEN.split(","))
_ANEW: Final = (
    "person_id", "area", "role", "list_area", "reason", "detail", "due_on", "due_provisional",
    "opened_by",
)  # fmt: skip
_OPEN: Final = text(
    f"INSERT INTO work_item ({_NAMES}) SELECT {_NAMES} FROM jsonb_to_recordset(:rows)"
    f" AS given ({_GIVEN}) ON CONFLICT (kind, subject_kind, subject_id, period) DO UPDATE SET"
    " state = 'open', outcome = NULL, closed_by = NULL, closed_at = NULL, opened_at = now(),"
    f" version = work_item.version + 1, {', '.join(f'{name} = excluded.{name}' for name in _ANEW)}"
    f" WHERE work_item.outcome = '{SUPERSEDED}' RETURNING id"
).bindparams(bindparam("rows", type_=JSONB))
_SUPERSEDE: Final = text(
    """
    WITH gone AS (
        UPDATE work_item SET state = 'done', outcome = :superseded, closed_by = :by,
            closed_at = now(), version = version + 1
        FROM jsonb_to_recordset(:wanted) AS wanted (kind text, id text)
        WHERE work_item.kind = :kind AND state <> 'done'
            AND subject_kind = wanted.kind AND subject_id = wanted.id
            AND (CAST(:period AS text) IS NULL OR period = :period)
        RETURNING work_item.id, work_item.area
    ), audited AS (
        INSERT INTO audit_event (actor, action, subject_kind, subject_id, detail, area)
            SELECT :by, 'work_item.close', 'work_item', id::text,
                jsonb_build_object(
                    'kind', CAST(:kind AS text), 'outcome', CAST(:superseded AS text)), area
            FROM gone
    )
    SELECT count(*) FROM gone
    """
).bindparams(bindparam("wanted", type_=JSONB))


class UnknownItem(DomainError):
    """No work item has this id, or it is not the caller's to see."""

    code: ClassVar[str] = "unknown-work-item"


class ItemClosed(DomainError):
    """Somebody has closed the item already."""

    code: ClassVar[str] = "work-item-closed"


class OutcomeUnknown(DomainError):
    """The kind of work has no such outcome."""

    code: ClassVar[str] = "work-item-outcome-unknown"


@dataclass(frozen=True, slots=True)
class NewItem:
    """Something to do. `kind`: of `KINDS`; `area`: the 12-digit place of the person or case;
    `reason`: a Chinese sentence without personal data, as is `detail`; `due_on` None: the kind's
    working days from today. `period` tells repeated work on one subject apart (`2026-03`)."""

    kind: str
    subject: Subject
    person_id: int | None
    area: int
    reason: str
    due_on: date | None = None
    due_provisional: bool = False
    period: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Closing:
    """How an item ends. `outcome`: one of its kind. A `note` is sealed, so it needs the cipher of
    the item's person; an item about no person takes none."""

    outcome: str
    by: str
    note: str = ""
    cipher: Cipher | None = None


def open_items(
    session: Session, items: Sequence[NewItem], opened_by: str, today: date | None = None
) -> int:
    """Open the items that were never opened before; returns how many those are.

    `today`: from which day on deadlines are counted; the clock's where none is given.
    An item is known by kind, subject and period: one that is open or that a person closed stays as
    it is; one that was superseded is opened anew. Each goes into the list of its kind's role, or of
    the level above where nobody is on duty there. Raises `KeyError` for an unknown kind.
    """
    if not items:
        return 0
    dues = _dues(items, today or clock.today())
    single = {(item.kind, item.subject, item.period): item for item in reversed(items)}
    rows = [_row(item, opened_by, dues) for item in reversed(single.values())]
    _pass_over_vacant(session, rows)
    return sum(_insert(session, rows[at : at + AT_ONCE]) for at in range(0, len(rows), AT_ONCE))


def close_item(session: Session, item_id: int, closing: Closing) -> None:
    """Close an item that nobody closed before; audited.

    Raises `UnknownItem`, `ItemClosed`, `OutcomeUnknown`, and `ValueError` for a note without a
    cipher.
    """
    item = item_of(session, item_id)
    if closing.outcome not in KINDS[item.kind].outcomes:
        raise OutcomeUnknown(Fault("/outcome", _outcomes(item.kind)))
    done = update(WORK_ITEM).where(WORK_ITEM.c.id == item_id, WORK_ITEM.c.state != "done")
    closed = session.execute(done.values(**_ended(item_id, closing)).returning(WORK_ITEM.c.id))
    if closed.first() is None:
        raise ItemClosed(Fault("/id", "这件事已经办结，请刷新后再看。"))
    detail = {"kind": item.kind, "from": item.state, "outcome": closing.outcome}
    audit.record(
        session, actor=closing.by, action="work_item.close",
        subject=Subject("work_item", str(item_id)), detail=detail, area=item.area,
    )  # fmt: skip


def supersede_items(
    session: Session, kind: str, subjects: Sequence[Subject], by: str, period: str | None = None
) -> int:
    """Close the open items of these subjects, whose cause is gone; returns how many."""
    wanted = [{"kind": subject.kind, "id": subject.id} for subject in subjects]
    gone = {"wanted": wanted, "kind": kind, "period": period, "by": by}
    gone["superseded"] = SUPERSEDED
    return int(session.execute(_SUPERSEDE, gone).scalar_one())


def note_of(session: Session, who: audit.Who, item_id: int, cipher: Cipher) -> str:
    """The note with which a person's item was closed; the person is told that `who` looked.

    Raises `UnknownItem`.
    """
    item = item_of(session, item_id)
    audit.read_person(session, who, item.person_id, "review", ("applications",))
    return cipher.open(_note_place(item_id), item.note)


def item_of(session: Session, item_id: int) -> Row[Any]:
    """The row of an item, open or not. Raises `UnknownItem`."""
    found = session.execute(select(WORK_ITEM).where(WORK_ITEM.c.id == item_id)).first()
    if found is None:
        raise UnknownItem(Fault("/id", "没有这件待办，请核对编号。"))
    return found


def _ended(item_id: int, closing: Closing) -> dict[str, Any]:
    if closing.note and closing.cipher is None:
        raise ValueError("a note is sealed: it needs a cipher")
    note = closing.cipher.seal(_note_place(item_id), closing.note) if closing.cipher else b""
    return {
        "state": "done",
        "outcome": closing.outcome,
        "closed_by": closing.by,
        "closed_at": func.now(),
        "note": note,
        "version": WORK_ITEM.c.version + 1,
    }


def _note_place(item_id: int) -> Place:
    return Place("work_item", "note", item_id)


def _outcomes(kind: str) -> str:
    known = "、".join(f"{code}（{name}）" for code, name in KINDS[kind].outcomes.items())
    return f"“{KINDS[kind].name}”的结果请从这些里选：{known}。"


# -- opening ---------------------------------------------------------------------------------------


def _dues(items: Sequence[NewItem], today: date) -> Mapping[str, Deadline]:
    """The deadline of each kind that an item leaves open."""
    kinds = {item.kind for item in items if item.due_on is None}
    return {kind: add_working_days(today, KINDS[kind].working_days) for kind in kinds}


def _row(item: NewItem, opened_by: str, dues: Mapping[str, Deadline]) -> dict[str, Any]:
    role, list_area = owner_of(item.kind, item.area)
    due = Deadline(item.due_on, item.due_provisional) if item.due_on else dues[item.kind]
    return {
        "kind": item.kind,
        "subject_kind": item.subject.kind,
        "subject_id": item.subject.id,
        "period": item.period,
        "person_id": item.person_id,
        "area": item.area,
        "role": role,
        "list_area": list_area,
        "reason": item.reason,
        "detail": dict(item.detail),
        "due_on": due.day.isoformat(),
        "due_provisional": due.provisional,
        "opened_by": opened_by,
    }


def _pass_over_vacant(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    others = taken_by(session, ((row["role"], row["list_area"]) for row in rows))
    for row in rows:
        own = row["role"], row["list_area"]
        row["role"], row["list_area"] = others.get(own, own)


def _insert(session: Session, rows: Sequence[dict[str, Any]]) -> int:
    return len(session.execute(_OPEN, {"rows": rows}).all())
