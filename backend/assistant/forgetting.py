"""忘记 (forgetting): what was said is kept for half a year, longer while somebody works on it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.assistant.knowing import CHAT, HANDOVER

KEPT: Final = timedelta(days=180)
_OLD: Final = text(
    """
    DELETE FROM utterance AS u WHERE u.at < :before AND NOT EXISTS (
        SELECT FROM work_item AS w WHERE w.kind = :kind AND w.subject_kind = :subject
            AND w.subject_id = u.conversation_id::text AND w.state <> 'done'
    )
    """
)
_EMPTY: Final = text(
    """
    DELETE FROM conversation AS c WHERE c.said_at < :before AND c.opened_at < :before
        AND NOT EXISTS (SELECT FROM utterance AS u WHERE u.conversation_id = c.id)
    """
)


def forget_old(session: Session, moment: datetime) -> None:
    """Delete what was said long before the moment, and conversations of which nothing is left."""
    asked = {"before": moment - KEPT, "kind": HANDOVER, "subject": CHAT}
    session.execute(_OLD, asked)
    session.execute(_EMPTY, {"before": moment - KEPT})
