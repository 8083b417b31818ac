"""转人工 (hand-over): a conversation becomes work of the place where the person is registered."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from backend.assistant.knowing import CHAT, HANDOVER
from backend.assistant.replies import CAUSES, Cause
from backend.kernel.audit import Subject
from backend.worklist.items import NewItem, open_items

log = logging.getLogger(__name__)

BY: Final = "assistant"
_UNREAD: Final = text(
    "SELECT id FROM work_item WHERE kind = :kind AND subject_kind = :subject AND subject_id = :id"
    " AND period = :period AND NOT list_manned(role, list_area)"
)


@dataclass(frozen=True, slots=True)
class HandOver:
    """`said`: the utterance (`id`, `conversation_id`) that led to it; `area`: a place's code;
    `person`: whose conversation it is, where that is known."""

    said: Row[Any]
    cause: Cause
    area: str
    person: int | None


def hand_over(session: Session, one: HandOver, today: date) -> None:
    """Open a work item in the list of the township, or of the level above where only that is known,
    or nobody is on duty in the township.

    What was said stays with the conversation; an emergency is due at once. Where nobody is on duty
    for one at any level above either, an alarm is logged: it would lie there unread.
    """
    item = NewItem(
        HANDOVER,
        Subject(CHAT, str(one.said.conversation_id)),
        one.person,
        int(one.area.ljust(12, "0")),
        f"客服对话转来：{CAUSES[one.cause]}。",
        due_on=today if one.cause == "emergency" else None,
        period=str(one.said.id),
    )
    open_items(session, [item], BY)
    if one.cause == "emergency":
        _alarm_where_unread(session, item)


def _alarm_where_unread(session: Session, item: NewItem) -> None:
    subject, chat = item.subject.kind, item.subject.id
    own = {"kind": item.kind, "subject": subject, "id": chat, "period": item.period}
    unread = session.execute(_UNREAD, own).scalar()
    if unread is not None:
        log.error("alarm", extra={"kind": "emergency_unread", "number": unread})
