"""行号 (row ids): keys that are known before their row is written: ciphertext is bound to them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

NEXT_ID: Final = "nextval('row_id')"
"""In SQL that writes many rows; one sequence for all tables."""
LARGEST_ID: Final = 999_999_999_999
"""Of any row, and of areas (12 digits). What is larger could not be read exactly by every client,
and may be somebody's number.
"""


def next_id(session: Session) -> int:
    """The key of one new row."""
    return next_ids(session, 1)[0]


def next_ids(session: Session, count: int) -> list[int]:
    """The keys of so many new rows."""
    query = text(f"SELECT {NEXT_ID} FROM generate_series(1, :count)")
    return list(session.execute(query, {"count": count}).scalars())
