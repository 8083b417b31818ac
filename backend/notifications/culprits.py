"""查出坏的 (culprits): a message that cannot be brought on its way holds up none of the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import Row, text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from backend.notifications.failing import fail
from backend.notifications.outcomes import patience

log = logging.getLogger(__name__)

T = TypeVar("T")
Attempt: TypeAlias = Callable[[Sequence[Row[Any]]], T]
NOBODYS: Final = (OperationalError, InterfaceError)
"""Errors of the database, which are no message's fault: the job tries again."""
TRIES: Final = 6
"""So often, in all as long as a message waits for WeChat; then it fails."""
_SET_ASIDE: Final = text(
    "UPDATE message SET next_at = :next_at, tries = tries + 1 WHERE id = :id AND tries + 1 < :tries"
    " RETURNING id"
)


def set_aside(
    session: Session, rows: Sequence[Row[Any]], attempt: Attempt[object], moment: datetime
) -> int:
    """After an error: find the messages that cannot be claimed even alone, and have them tried
    again later, or fail; how many. The others stay as they were.
    """
    found = [row for row in rows if _raises(session, row, attempt)]
    for row in found:
        next_at = moment + patience(row.urgent) / TRIES
        later = {"id": row.id, "next_at": next_at, "tries": TRIES}
        if session.execute(_SET_ASIDE, later).first() is None:
            fail(session, row.id, moment)
    return len(found)


def _raises(session: Session, row: Row[Any], attempt: Attempt[object]) -> bool:
    """Whether claiming it alone raises; undone either way."""
    tried = session.begin_nested()
    try:
        attempt([row])
    except NOBODYS:
        raise
    except Exception as error:  # whatever it is, it is this message's
        seen = {"number": row.id, "reason": type(error).__name__}
        log.error("message not brought on its way", extra=seen)
        return True
    finally:
        tried.rollback()
    return False
