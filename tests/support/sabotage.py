"""Faults built into matching, for the controls of its tests: what each must make them notice."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from backend.kernel.database import engine
from backend.matching import tasks
from backend.matching.editions import edition
from backend.matching.reading import Slice
from backend.matching.runs import run_of
from backend.matching.slices import Summary, Task, match_slice
from backend.matching.tables import MATCH_PART


def mark_first() -> None:
    """Parts are called done in a transaction of their own, before they are computed."""

    def compute_next(session: Session, run_id: int) -> Summary | None:
        open_ = (MATCH_PART.c.run_id == run_id) & (MATCH_PART.c.state == "open")
        part = session.execute(select(MATCH_PART).where(open_)).first()
        if part is None:
            return None
        _mark_apart(part)
        time.sleep(1)  # long enough to be killed in
        return _compute(session, part)

    tasks.compute_next = compute_next


def compute_unlocked(session: Session, run_id: int, number: int) -> Summary:
    """A part computed by whoever comes, whether or not another is at it."""
    return _compute(session, _part(session, run_id, number))


def _part(session: Session, run_id: int, number: int) -> Row[Any]:
    mine = (MATCH_PART.c.run_id == run_id) & (MATCH_PART.c.number == number)
    return session.execute(select(MATCH_PART).where(mine)).one()


def _compute(session: Session, part: Row[Any]) -> Summary:
    run = run_of(session, part.run_id)
    of = Slice(
        run.year, part.area_from, part.area_to, part.person_from, part.person_to, part.people
    )
    return match_slice(session, Task(of, run.id, edition(session, run.rules_id), part.seen))


def _mark_apart(part: Row[Any]) -> None:
    mine = (MATCH_PART.c.run_id == part.run_id) & (MATCH_PART.c.number == part.number)
    with Session(engine()) as own, own.begin():
        own.execute(update(MATCH_PART).where(mine).values(state="done"))
