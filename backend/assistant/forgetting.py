"""忘记 (forgetting): what was said is kept for half a year, longer while somebody works on it, and
not after the account was closed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.assistant.knowing import CHAT, HANDOVER

KEPT: Final = timedelta(days=180)
_OLD: Final = text(
    """
    DELETE FROM utterance AS u USING conversation AS c
    WHERE c.id = u.conversation_id AND (u.at < :before OR EXISTS (
        SELECT FROM resident AS r WHERE r.id = c.resident_id AND r.closed_at IS NOT NULL
    )) AND NOT EXISTS (
        SELECT FROM work_item AS w WHERE w.kind = :kind AND w.subject_kind = :subject
            AND w.subject_id = u.conversation_id::text AND w.state <> 'done'
    )
    """
)
_EMPTY: Final = text(
    """
    DELETE FROM conversation AS c
    WHERE (c.said_at < :before AND c.opened_at < :before OR EXISTS (
        SELECT FROM resident AS r WHERE r.id = c.resident_id AND r.closed_at IS NOT NULL
    )) AND NOT EXISTS (SELECT FROM utterance AS u WHERE u.conversation_id = c.id)
    """
)


def forget_old(session: Session, moment: datetime) -> None:
    """Delete what was said long before the moment or by who has left, and what is empty then."""
    asked = {"before": moment - KEPT, "kind": HANDOVER, "subject": CHAT}
    session.execute(_OLD, asked)
    session.execute(_EMPTY, {"before": moment - KEPT})
