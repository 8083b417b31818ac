"""任务 (tasks): lists are put up every day, and what was on those that are down is granted."""

from __future__ import annotations

from datetime import date, time
from typing import Final

from sqlalchemy.orm import Session

from backend.applications.tasks import book_of
from backend.applications.upkeep import Rounds
from backend.kernel import keys
from backend.kernel.clock import today
from backend.kernel.database import transaction
from backend.kernel.jobs import defer_many, task
from backend.kernel.jobs_schedule import every_day
from backend.public_notices import publishing

QUEUE: Final = "applications"


@every_day("public_notices.day", queue=QUEUE, at=time(0, 20))
def every_day_of_notices(session: Session, period: str) -> None:
    """A job for each case that goes on a list, and for each whose list is down."""
    publishing.settle_moot(session)
    new = publishing.waiting(session)
    defer_many(session, publish_case, [
        {"case_id": one.case_id, "seq": one.seq, "day": period} for one in new
    ])  # fmt: skip
    over = publishing.over(session, date.fromisoformat(period))
    defer_many(session, confirm_case, [{"case_id": one, "day": period} for one in over])


@task("public_notices.publish", queue=QUEUE)
def publish_case(case_id: int, seq: int, day: str) -> None:
    """Put a case on the list of its village, once.

    A job that comes on a later day does nothing: the days of a list are counted from when it is up,
    and the round of that day takes the case.
    """
    if date.fromisoformat(day) < today():
        return
    with transaction() as session:
        publishing.publish(session, publishing.Waiting(case_id, seq), rounds_of(session, day))


@task("public_notices.confirm", queue=QUEUE)
def confirm_case(case_id: int, day: str) -> None:
    """Grant a case whose notice is over, once."""
    with transaction() as session:
        publishing.confirm(session, case_id, rounds_of(session, day))


def rounds_of(session: Session, day: str) -> Rounds:
    """By the catalogue as it stands, on the day."""
    return Rounds(book_of(session), keys.keyring(), date.fromisoformat(day))
