"""任务 (tasks): what is overdue moves to the level above every day."""

from __future__ import annotations

from datetime import date, time
from typing import Final

from sqlalchemy.orm import Session

from backend.kernel.jobs_schedule import every_day
from backend.worklist.escalation import escalate_overdue

QUEUE: Final = "worklist"


@every_day("worklist.escalate", queue=QUEUE, at=time(1))
def escalate_day(session: Session, period: str) -> None:
    """On the day of the period."""
    escalate_overdue(session, date.fromisoformat(period))
