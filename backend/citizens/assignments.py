"""1+1+1 的改派 (assignments): those whom somebody looks after go over to somebody else."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.citizens.exchange.staging import keep
from backend.citizens.exchange.step import take_turn
from backend.citizens.tables import ASSIGNMENT
from backend.kernel.copy import raw
from backend.kernel.row_ids import NEXT_ID

NO_FILE: Final = 0
"""`file_id` of a row that no delivered file brought."""
_HELD: Final = text(
    "SELECT id FROM assignment WHERE staff_no = :leaver AND to_on >= :today ORDER BY id FOR UPDATE"
)
_GO_OVER: Final = text(
    f"""
    INSERT INTO assignment (id, person_id, area, role, staff_no, from_on, to_on, file_id, revision)
    SELECT {NEXT_ID}, person_id, area, role, :successor, greatest(from_on, :today), to_on,
        :no_file, :revision
    FROM assignment WHERE id = ANY(:ids)
    ON CONFLICT (person_id, role, staff_no, from_on)
        DO UPDATE SET to_on = greatest(assignment.to_on, excluded.to_on), revision = :revision
    """
)
_END: Final = text(
    "UPDATE assignment SET to_on = CAST(:today AS date) - 1, revision = :revision"
    " WHERE id = ANY(:ids) AND from_on < :today"
)
_NEVER_BEGAN: Final = text("DELETE FROM assignment WHERE id = ANY(:ids) AND from_on >= :today")


def reassign(session: Session, leaver: str, successor: str, today: date) -> int:
    """Let the successor look after everybody whom the leaver looks after, from today on; how many.

    Both are staff numbers. What held until yesterday stays in history. As `worker`.
    """
    revision = take_turn(session)
    ids = list(session.execute(_HELD, {"leaver": leaver, "today": today}).scalars())
    if not ids:
        return 0
    keep(raw(session), ASSIGNMENT, ids, revision)
    values = {"ids": ids, "today": today, "revision": revision}
    session.execute(_GO_OVER, {**values, "successor": successor, "no_file": NO_FILE})
    session.execute(_END, values)
    session.execute(_NEVER_BEGAN, {"ids": ids, "today": today})
    return len(ids)
