"""送不到 (failing): no way leads to the person; somebody is told, so that nothing stays lying."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.kernel.audit import Subject
from backend.worklist.items import NewItem, open_items

log = logging.getLogger(__name__)

BY: Final = "notifications"
_FAIL: Final = text(
    """
    UPDATE message SET state = 'failed', final_at = :moment
    WHERE id = :id AND state <> 'handed_on' RETURNING person_now(person_id)
    """
)
_PLACE: Final = text(
    "SELECT coalesce(nullif(lives_in, 0), nullif(area, 0)) FROM person WHERE id = :person"
)


def fail(session: Session, message_id: int, moment: datetime) -> None:
    """Give a message up, and have somebody find the person where a place is known."""
    person = session.execute(_FAIL, {"id": message_id, "moment": moment}).scalar_one_or_none()
    if person is None:
        return
    log.error("message failed: no way leads to the person", extra={"number": message_id})
    place = session.execute(_PLACE, {"person": person}).scalar_one_or_none()
    if place is not None:
        open_items(session, [_item(message_id, person, place)], BY)


def _item(message_id: int, person: int, place: int) -> NewItem:
    return NewItem(
        kind="message_failed",
        subject=Subject("message", str(message_id)),
        person_id=person,
        area=place,
        reason=f"编号{message_id}的消息没有办法送达：请想办法通知本人。",
    )
