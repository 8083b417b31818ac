"""日程 (schedule): what is done once a day, a month or a year, whatever the number of workers.

Every worker looks every few seconds which period is due and not done, and leaves a job for it. The
job's effect and its mark in `periodic_done` are one transaction, so a second job finds it done.
After a standstill the latest period is caught up; older ones are not. A schedule seen for the first
time begins with its next period.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal, TypeAlias

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from backend.kernel.clock import CHINA
from backend.kernel.database import transaction
from backend.kernel.jobs import Task, defer, once, periodic_done, task

Deed: TypeAlias = Callable[[Session, str], None]

RETRIES: Final = 12
"""With the pauses between them about five hours; a period still not done then begins anew."""

_UNDER_WAY: Final = text(
    "SELECT EXISTS (SELECT FROM procrastinate_jobs"
    " WHERE lock = :lock AND status IN ('todo', 'doing'))"
)


@dataclass(frozen=True, slots=True)
class Due:
    """When a period's work may begin, in China's time. `day` at most 28: every month has it."""

    each: Literal["day", "month", "year"]
    at: time
    month: int = 1
    day: int = 1

    def period(self, moment: datetime) -> str:
        """The latest period that was due at `moment`: `2026-11-21`, `2026-11` or `2026`."""
        local = moment.astimezone(CHINA)
        today, early = local.date(), local.time() < self.at
        if self.each == "day":
            return (today - timedelta(days=early)).isoformat()
        if self.each == "month":
            early = (today.day, local.time()) < (self.day, self.at)
            return f"{_month_before(today) if early else today:%Y-%m}"
        early = (today.month, today.day, local.time()) < (self.month, self.day, self.at)
        return f"{today.year - early:04d}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A deed, when it is due, and the task that does it for a period."""

    name: str
    due: Due
    task: Task[[str]]


SCHEDULES: Final[dict[str, Schedule]] = {}
"""Every schedule of the modules imported so far, by name."""


def every_day(name: str, *, queue: str, at: time) -> Callable[[Deed], Schedule]:
    """Do it once a day, from `at` on. The deed receives the session and the period (`2026-11-21`);
    it writes little and leaves jobs for what is long: its transaction is the mark's.
    """
    return _scheduled(name, queue, Due("day", at))


def every_month(name: str, *, queue: str, day: int, at: time) -> Callable[[Deed], Schedule]:
    """Do it once a month, from `at` on the day on; the period is `2026-11`. See `every_day`."""
    return _scheduled(name, queue, Due("month", at, day=day))


def every_year(
    name: str, *, queue: str, month: int, day: int, at: time
) -> Callable[[Deed], Schedule]:
    """Do it once a year, from `at` on that day on; the period is `2026`. See `every_day`."""
    return _scheduled(name, queue, Due("year", at, month, day))


def defer_due(session: Session, moment: datetime) -> list[str]:
    """Leave a job for every schedule whose latest period is neither done nor under way.

    Returns the names of the schedules that got one.
    """
    return [one.name for one in SCHEDULES.values() if _leave(session, one, moment)]


def _leave(session: Session, schedule: Schedule, moment: datetime) -> bool:
    period = schedule.due.period(moment)
    done = set(
        session.scalars(select(periodic_done.c.period).where(periodic_done.c.job == schedule.name))
    )
    if not done:
        once(session, schedule.name, period)
        return False
    key = f"{schedule.name}/{period}"
    if period in done or session.execute(_UNDER_WAY, {"lock": key}).scalar_one():
        return False
    left = defer(session, schedule.task, lock=key, queueing_lock=key, period=period)
    return left is not None


def _scheduled(name: str, queue: str, due: Due) -> Callable[[Deed], Schedule]:
    def made(deed: Deed) -> Schedule:
        def run(period: str) -> None:
            with transaction() as session:
                if once(session, name, period):
                    deed(session, period)

        schedule = Schedule(name, due, task(name, queue=queue, retry=RETRIES)(run))
        SCHEDULES[name] = schedule
        return schedule

    return made


def _month_before(day: date) -> date:
    return day.replace(day=1) - timedelta(days=1)
