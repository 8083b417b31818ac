"""任务 (tasks): what is due of cases, found once a day, done case by case."""

from __future__ import annotations

import os
from datetime import date, time
from typing import Final

from sqlalchemy.orm import Session

from backend.applications import (
    effect_tasks,  # noqa: F401  (tasks of their own)
    upkeep,
)
from backend.applications.laid_aside import tell_of_drafts
from backend.applications.wanted import help_to_apply
from backend.kernel import keys
from backend.kernel.database import transaction
from backend.kernel.jobs import defer_many, task
from backend.kernel.jobs_schedule import every_day
from backend.kernel.settings import Settings
from backend.matching.editions import current_edition
from backend.policies.book import PolicyBook

QUEUE: Final = "applications"


@every_day("applications.upkeep", queue=QUEUE, at=time(1, 10))
def every_day_of_cases(session: Session, period: str) -> None:
    """Periods are counted anew, drafts told of, coordinators asked to help where a warning was
    confirmed; a job for each case that something is due of.
    """
    book, today = book_of(session), date.fromisoformat(period)
    upkeep.recount(session)
    tell_of_drafts(session, book, today)
    help_to_apply(session, today)
    due = upkeep.due_by_itself(session, book, today)
    jobs: list[dict[str, int | str]] = [
        {"case_id": one.case_id, "deed": one.deed, "day": period} for one in due
    ]
    defer_many(session, do_due, jobs)


@task("applications.due", queue=QUEUE)
def do_due(case_id: int, deed: str, day: str) -> None:
    """One deed on one case, if it is still due."""
    with transaction() as session:
        rounds = upkeep.Rounds(book_of(session), keys.keyring(), date.fromisoformat(day))
        upkeep.do_by_itself(session, upkeep.Due(case_id, deed), rounds)


def book_of(session: Session) -> PolicyBook:
    """The catalogue as it stands, with the days confirmed so far."""
    catalogue = Settings.from_env(os.environ).catalogue
    return current_edition(session, catalogue).rules.book
