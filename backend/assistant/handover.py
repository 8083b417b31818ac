"""转人工 (hand-over): a conversation becomes work of the place where the person is registered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from backend.assistant.knowing import CHAT, HANDOVER
from backend.assistant.replies import CAUSES, Cause
from backend.assistant.tables import UTTERANCE
from backend.kernel.audit import Subject
from backend.worklist.items import Closing, NewItem, close_item, open_items
from backend.worklist.tables import WORK_ITEM

BY: Final = "assistant"
DONE: Final = "done"


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

    What was said stays with the conversation; an emergency is due at once.
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


def close_with(session: Session, utterance_id: int) -> None:
    """Close what is open of a conversation, in the name of the member of staff who said this."""
    query = select(UTTERANCE.c.conversation_id, UTTERANCE.c.staff_no)
    said = session.execute(query.where(UTTERANCE.c.id == utterance_id)).one()
    wanted = select(WORK_ITEM.c.id).where(
        WORK_ITEM.c.kind == HANDOVER,
        WORK_ITEM.c.subject_kind == CHAT,
        WORK_ITEM.c.subject_id == str(said.conversation_id),
        WORK_ITEM.c.state != DONE,
    )
    for item in session.execute(wanted.with_for_update()).scalars():
        close_item(session, item, Closing(DONE, f"staff:{said.staff_no}"))
