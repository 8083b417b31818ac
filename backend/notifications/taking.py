"""收进待告知 (taking): what other parts of the program owe people becomes messages."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.notifications.events import EVENTS
from backend.notifications.messages import Owed, owe_all

AT_ONCE: Final = 1_000
_NEXT: Final = text(
    """
    WITH next AS (
        SELECT id FROM notice_due WHERE taken_at IS NULL AND kind = ANY(:known)
        ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED
    )
    UPDATE notice_due SET taken_at = :moment FROM next WHERE notice_due.id = next.id
    RETURNING notice_due.id, person_now(person_id) AS person_id, kind, cause, created_on
    """
)
_UNKNOWN: Final = text(
    "SELECT DISTINCT kind FROM notice_due WHERE taken_at IS NULL AND kind <> ALL(:known) LIMIT 10"
)


def take_notices(session: Session, moment: datetime, most: int = AT_ONCE) -> int:
    """Make messages of the next notices; how many notices were taken.

    People who turned out to be one are told once. Others may take at the same time.
    """
    asked = {"known": list(EVENTS), "moment": moment, "most": most}
    rows = sorted(session.execute(_NEXT, asked), key=lambda row: row.id)
    owe_all(
        session,
        [Owed(row.kind, row.person_id, row.cause, row.created_on) for row in rows],
        moment,
    )
    return len(rows)


def unknown_kinds(session: Session) -> list[str]:
    """Kinds of notices that no event stands for: they wait until one does."""
    return list(session.scalars(_UNKNOWN, {"known": list(EVENTS)}))
