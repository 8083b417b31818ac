"""消息列表 (inbox): what a resident was told, or is being told, and whether it was read."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Final

from sqlalchemy import ColumnElement, and_, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.accounts.authority import people_spoken_for
from backend.accounts.merged import now
from backend.accounts.scope import Actor
from backend.accounts.tables import RESIDENT
from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.errors import DomainError, Fault
from backend.notifications.events import EVENTS
from backend.notifications.quota import left
from backend.notifications.tables import MESSAGE, MESSAGE_READ
from backend.notifications.wechat_templates import known_templates
from backend.notifications.wording import Mode, Said, in_inbox

MOST: Final = 100
ROW: Final = MESSAGE.c
_HEARD: Final = text("SELECT message_heard(:message, :moment)")


class UnknownMessage(DomainError):
    """No message has this number, or it is not the caller's."""

    code: ClassVar[str] = "unknown-message"


@dataclass(frozen=True, slots=True)
class InboxAsked:
    """A page: so many, with smaller numbers than `before`; `unread`: only those not read."""

    most: int = 20
    before: int | None = None
    unread: bool = False


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A message as the mini-program shows it. `event` and `cause` say which page has the details;
    `person_id`: whom it is about, where the account acts for several; `read_at`: by this account.
    """

    id: int
    event: str
    cause: str
    person_id: int
    day: date
    title: str
    text: str
    urgent: bool
    at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Allowed:
    """A template that the mini-program may ask the user to allow, and how many are left."""

    template_id: str
    title: str
    left: int
    long_term: bool


def inbox(session: Session, actor: Actor, asked: InboxAsked, mode: Mode) -> Sequence[InboxMessage]:
    """The messages that the session may see, newest first: of residents, those of the people whose
    messages the account may receive; of staff, none. What is not due yet is there already. The
    look is written down.
    """
    columns = (MESSAGE, now(ROW.person_id).label("whom"), MESSAGE_READ.c.at.label("read_at"))
    query = select(*columns).outerjoin(MESSAGE_READ, _read_by(actor))
    query = query.where(ROW.event.in_(EVENTS)).order_by(ROW.id.desc()).limit(asked.most)
    if asked.before is not None:
        query = query.where(ROW.id < asked.before)
    if asked.unread:
        query = query.where(MESSAGE_READ.c.at.is_(None))
    found = []
    for row in session.execute(query):
        shown = in_inbox(Said(row.event, row.day, row.id), mode)
        known = row.event, row.cause, row.whom, row.day
        more = row.urgent, row.created_at, row.read_at
        found.append(InboxMessage(row.id, *known, shown.title, shown.text, *more))
    _note(session, actor, {one.person_id for one in found})
    return found


def _note(session: Session, actor: Actor, people: Set[int]) -> None:
    own = people_spoken_for(session)
    for purpose, whose in (("own", people & own), ("delegated", people - own)):
        audit.read_people(session, actor, sorted(whose), purpose, ["messages"])


def _read_by(actor: Actor) -> ColumnElement[bool]:
    """The row by which a message is read: of this account, whoever else has read it."""
    read = MESSAGE_READ.c
    return and_(read.message_id == ROW.id, read.resident_id == actor.resident_id)


def unread(session: Session, actor: Actor) -> int:
    """How many messages of the session its account has not read."""
    query = select(func.count()).select_from(MESSAGE).outerjoin(MESSAGE_READ, _read_by(actor))
    query = query.where(MESSAGE_READ.c.at.is_(None), ROW.event.in_(EVENTS))
    return session.execute(query).scalar_one()


def read_message(session: Session, actor: Actor, message_id: int, moment: datetime) -> None:
    """Mark a message as read by the account, for which the first time counts; for others it stays
    as it is. Whom it is for need not be told any more: a work item to do so is closed. Audited.
    Raises `UnknownMessage`.
    """
    seen = select(ROW.person_id, ROW.event).where(ROW.id == message_id)
    found = session.execute(seen).first()
    if found is None:
        raise UnknownMessage(Fault("/message", "没有这条消息，请刷新后再看。"))
    read = {"message_id": message_id, "resident_id": actor.resident_id, "at": moment}
    session.execute(insert(MESSAGE_READ).values(read).on_conflict_do_nothing())
    person = Subject("person", str(found.person_id))
    # What the person's own account is not to be told with stays to be told otherwise.
    if found.event in EVENTS and "person" in EVENTS[found.event].audience:
        session.execute(_HEARD, {"message": message_id, "moment": moment})
    audit.record(
        session, actor=actor.label, action="message.read", subject=person,
        detail={"message": message_id}, role=actor.role or "resident", area=actor.area_from,
    )  # fmt: skip


def wording_of(session: Session, resident_id: int) -> Mode:
    """The wording that the account chose."""
    query = select(RESIDENT.c.ui_mode).where(RESIDENT.c.id == resident_id)
    return "elder" if session.execute(query).scalar_one_or_none() == "elder" else "normal"


def allowed(session: Session, resident_id: int) -> Sequence[Allowed]:
    """Every template of ours that WeChat knows."""
    remaining = dict(left(session, resident_id))
    return [
        Allowed(one.template_id, title, remaining.get(one.template_id, 0), one.long_term)
        for title, one in sorted(known_templates(session).items())
    ]
