"""致歉 (apologising): what was not answered for a fault of ours is said, and goes to a person."""

from __future__ import annotations

import logging
from datetime import date
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from backend.assistant import sayings
from backend.assistant.answering import take
from backend.assistant.conversations import Content, Said, write_down
from backend.assistant.handover import HandOver, hand_over
from backend.assistant.knowing import is_handed_over
from backend.assistant.sending import Speak
from backend.assistant.tables import CONVERSATION, UTTERANCE
from backend.kernel import areas
from backend.kernel.crypto import Keyring
from backend.wechat.errors import WeChatRefused, WeChatUnknown

log = logging.getLogger(__name__)

_WHOSE: Final = text(
    """
    SELECT p.id AS person, p.area FROM resident AS r JOIN person AS p
        ON p.id = person_now(r.person_id)
    WHERE r.id = :resident AND r.closed_at IS NULL AND p.area > 0
    """
)


def apologise(session: Session, keyring: Keyring, utterance_id: int, today: date) -> int:
    """Leave a word to be sent instead of the answer, once; returns the conversation's id.

    It asks nothing that the answer may have failed at. Where it is known who wrote, and where they
    are registered, the conversation becomes work of that place; others are asked to write again.
    """
    said = session.execute(select(UTTERANCE).where(UTTERANCE.c.id == utterance_id)).one()
    query = select(CONVERSATION.c.resident_id).where(CONVERSATION.c.id == said.conversation_id)
    resident = session.execute(query.with_for_update()).scalar_one()
    if not take(session, utterance_id):
        return int(said.conversation_id)
    whose = session.execute(_WHOSE, {"resident": resident}).one_or_none()
    told = sayings.FAULT
    if whose is not None:
        place = f"{whose.area:012d}"
        told = sayings.FAULT_HANDED.format(areas.area_short_name(place) or "当地")
        if not is_handed_over(session, said.conversation_id):
            hand_over(session, HandOver(said, "fault", place, whose.person), today)
    write_down(session, keyring, Said(said.conversation_id, "assistant", Content(told), "due"))
    return int(said.conversation_id)


def tell_fault(speak: Speak, openid: str) -> None:
    """Say so to somebody whose conversation could not be kept; not again where that perhaps went
    out. Raises the other errors of `wechat.calls.send_text`.
    """
    try:
        speak.text(openid, sayings.FAULT)
    except (WeChatRefused, WeChatUnknown) as error:
        log.error("apology not sent", extra={"errcode": error.errcode})
