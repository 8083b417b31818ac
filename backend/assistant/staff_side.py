"""人工答复 (the staff's side): conversations that were handed over are read, and answered.

What a session sees of them the database decides: those in an open item of its own work list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar, Final

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor
from backend.assistant.conversations import Content, Said, content_of, write_down
from backend.assistant.knowing import CHAT
from backend.assistant.listening import lock
from backend.assistant.tables import CONVERSATION, UTTERANCE
from backend.assistant.tasks import deliver_waiting
from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.crypto import Keyring
from backend.kernel.errors import DomainError, Fault
from backend.kernel.jobs import defer

LONGEST_REPLY: Final = 600
"""Characters: WeChat takes 2,048 bytes."""
WAITS: Final = (
    "现在送不出去：微信只在对方说话后 48 小时内、最多 5 条里允许回复。"
    "已存在对方小程序的“消息”里，对方再说话时自动送出；着急请打电话。"
)
GOES_OUT: Final = "正在送出。"
_HANDED: Final = text(
    """
    SELECT * FROM (
        SELECT DISTINCT ON (c.id) c.id, c.said_at, c.open_until, c.messages_left, c.ended_at,
            w.reason, w.due_on, w.person_id, w.state = 'escalated' AS escalated, w.id AS item
        FROM conversation AS c JOIN work_item AS w ON w.kind = 'chat_handover'
            AND w.subject_kind = 'chat' AND w.subject_id = c.id::text AND w.state <> 'done'
        WHERE CAST(:id AS bigint) IS NULL OR c.id = :id
        ORDER BY c.id, w.due_on, w.id
    ) AS first_due
    ORDER BY due_on, item LIMIT :most
    """
)
_CLOSE: Final = text("SELECT close_handovers(:chat, :seen)")


class UnknownChat(DomainError):
    """There is no such conversation, or it is not the caller's to see."""

    code: ClassVar[str] = "unknown-chat"


class ChatEnded(DomainError):
    """The person has closed the account since: nobody can be answered there."""

    code: ClassVar[str] = "chat-ended"


class SaidSince(DomainError):
    """The person has written since the conversation was read: nothing may be closed unread."""

    code: ClassVar[str] = "chat-said-since"


@dataclass(frozen=True, slots=True)
class HandedChat:
    """A conversation that waits for a person. `can_send`: WeChat takes an answer now."""

    id: int
    reason: str
    due_on: date
    escalated: bool
    said_at: datetime
    can_send: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance. `state` of ours: whether it went out; `staff_no`: of staff."""

    id: int
    at: datetime
    said_by: str
    staff_no: str | None
    content: Content
    state: str


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation with everything said in it, oldest first."""

    id: int
    can_send: bool
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class StaffReply:
    """What a member of staff answers. `seen`: the id of the last line they have read; `done`:
    nothing more is to be done about what was said up to there."""

    text: str
    seen: int
    done: bool = False
    chat: int = 0

    def to(self, chat: int) -> StaffReply:
        """The same, to a conversation."""
        return replace(self, chat=chat)


def handed_chats(session: Session, most: int, now: datetime) -> Sequence[HandedChat]:
    """What waits for the caller, each conversation once, those due first in front."""
    rows = session.execute(_HANDED, {"id": None, "most": most})
    return [
        HandedChat(row.id, row.reason, row.due_on, row.escalated, row.said_at, _open(row, now))
        for row in rows
    ]


def read_chat(session: Session, keyring: Keyring, chat: int, actor: Actor, now: datetime) -> Chat:
    """Everything said in a conversation; that it was read is audited. Raises `UnknownChat`."""
    row = _handed(session, chat)
    if row.person_id is not None:
        audit.read_person(session, actor, row.person_id, "counsel", ["messages"])
    else:
        _audit(session, "chat.read", row, actor)
    return Chat(chat, _open(row, now), _lines(session, keyring, chat))


def own_chat(session: Session, keyring: Keyring, actor: Actor) -> tuple[Line, ...]:
    """What was said in the resident's own conversation; nothing where there was none. Of somebody
    who is known, the look is written down.
    """
    query = select(CONVERSATION.c.id).where(CONVERSATION.c.resident_id == actor.resident_id)
    found = session.execute(query.order_by(CONVERSATION.c.said_at.desc()).limit(1)).scalar()
    if found is None:
        return ()
    if actor.person_id is not None:
        audit.read_person(session, actor, actor.person_id, "own", ["messages"])
    return _lines(session, keyring, found)


def reply_to_chat(
    session: Session, keyring: Keyring, reply: StaffReply, actor: Actor, now: datetime
) -> bool:
    """Leave an answer to be sent; whether WeChat takes it now, else it waits for the person to
    write. Where it is done, everything open of the conversation is closed, if the person has said
    nothing since what the caller has seen. Audited. Raises `UnknownChat`, `ChatEnded`, `SaidSince`.
    """
    row = _handed(session, reply.chat)
    if row.ended_at is not None:
        raise ChatEnded
    content = Content(reply.text[:LONGEST_REPLY])
    said = Said(reply.chat, "staff", content, "due", staff_no=actor.staff_no)
    write_down(session, keyring, said)
    _audit(session, "chat.reply", row, actor)
    defer(session, deliver_waiting, lock=lock(reply.chat), conversation_id=reply.chat)
    if reply.done:
        _close(session, reply)
    return _open(row, now)


def _handed(session: Session, chat: int) -> Row[Any]:
    """The conversation in an open item of the caller's list. Raises `UnknownChat`."""
    row = session.execute(_HANDED, {"id": chat, "most": 1}).one_or_none()
    if row is None:
        raise UnknownChat(Fault("/chat", "没有这段对话，或者已经办结，请刷新后再看。"))
    return row


def _close(session: Session, reply: StaffReply) -> None:
    seen = {"chat": reply.chat, "seen": reply.seen}
    if session.execute(_CLOSE, seen).scalar_one() is None:
        raise SaidSince(Fault("/seen", "对方又说了话，您还没看到，请看过再答复。"))


def _open(row: Row[Any], now: datetime) -> bool:
    return bool(row.messages_left > 0 and row.open_until > now)


def _lines(session: Session, keyring: Keyring, chat: int) -> tuple[Line, ...]:
    query = select(UTTERANCE).where(UTTERANCE.c.conversation_id == chat).order_by(UTTERANCE.c.id)
    return tuple(
        Line(
            row.id,
            row.at,
            row.said_by,
            row.staff_no,
            content_of(keyring, row.id, row.content),
            row.state,
        )
        for row in session.execute(query)
    )


def _audit(session: Session, action: str, chat: Row[Any], actor: Actor) -> None:
    """`person`: whose conversation it is, where that is known."""
    audit.record(
        session,
        actor=actor.label,
        action=action,
        subject=Subject(CHAT, str(chat.id)),
        detail={} if chat.person_id is None else {"person": chat.person_id},
        role=actor.role or "",
        purpose="counsel",
        area=actor.area_from,
    )
