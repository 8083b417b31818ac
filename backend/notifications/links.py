"""消息与进度 (links): by which message the reader was told of a step of an application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

# The session sees messages of few people alone: their other messages are soon looked through.
_TOLD: Final = text(
    "SELECT split_part(cause, ':', 3)::int AS seq, max(id) AS message FROM message"
    " WHERE cause LIKE :cause GROUP BY 1"
)


def messages_of_case(session: Session, case_id: int) -> Mapping[int, int]:
    """Number of the step → number of the message, of those that the session sees. Staff see
    none."""
    found = session.execute(_TOLD, {"cause": f"application:{case_id}:%"})
    return {row.seq: row.message for row in found}
