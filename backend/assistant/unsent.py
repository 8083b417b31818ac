"""送不出去时 (unsent): a word of staff that WeChat does not take, or perhaps lost, is news owed to
the person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.worklist.notices import Notice, notices_due

EVENT: Final = "chat_reply"
_STAFFS: Final = text(
    """
    SELECT u.id, person_now(r.person_id) AS person_id,
        (now() AT TIME ZONE 'Asia/Shanghai')::date AS today
    FROM utterance AS u JOIN conversation AS c ON c.id = u.conversation_id
        JOIN resident AS r ON r.id = c.resident_id
    WHERE u.conversation_id = :conversation AND u.id = ANY(:ids) AND u.said_by = 'staff'
        AND r.person_id IS NOT NULL
    """
)
_WHOSE: Final = text(
    "SELECT r.person_id FROM conversation AS c JOIN resident AS r ON r.id = c.resident_id"
    " WHERE c.id = :conversation"
)


def whose(session: Session, conversation: int) -> int | None:
    """Whose conversation it is, where that is known."""
    found = session.execute(_WHOSE, {"conversation": conversation}).scalar_one_or_none()
    return None if found is None else int(found)


def owe_notices(session: Session, conversation: int, utterances: Sequence[int]) -> int:
    """Owe the person a message for each word of staff among these, once; returns how many.

    The message says that there is an answer, not what it is: that stands in the mini-program.
    """
    if not utterances:
        return 0
    asked = {"conversation": conversation, "ids": list(utterances)}
    owed = [
        Notice(row.person_id, EVENT, f"utterance:{row.id}", row.today)
        for row in session.execute(_STAFFS, asked)
    ]
    return notices_due(session, owed)
