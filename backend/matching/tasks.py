"""任务 (tasks): a run's parts as jobs for any number of workers."""

from __future__ import annotations

import os
from datetime import time
from typing import Final

from psycopg.errors import SerializationFailure
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from backend.citizens.counties import counties
from backend.kernel import clock
from backend.kernel.database import transaction
from backend.kernel.jobs import defer_many, task
from backend.kernel.jobs_schedule import every_month
from backend.kernel.settings import Settings
from backend.matching.runs import Begun, StartRun, compute_next, finish_run, start_run
from backend.matching.tables import MATCH_RUN

QUEUE: Final = "matching"
SCHEDULED: Final = "schedule"
LATE_MONTHS: Final = 3
"""Until March the year before is open too: its last bills are delivered late."""


def open_years(period: str) -> tuple[int, ...]:
    """The years whose bills still come in during a month (`2024-03`)."""
    year, month = int(period[:4]), int(period[5:])
    return (year - 1, year) if month <= LATE_MONTHS else (year,)


@every_month("matching.month", queue=QUEUE, day=1, at=time(1))
def match_month(session: Session, period: str) -> None:
    """Leave a run of every county for the year, early in the year for the year before, and for
    every year ever matched: a bill or a roster may be corrected years later, and a year without
    changes is known by its digest."""
    open_ = open_years(period)
    years = {*open_, *_matched_before(session, max(open_))}
    jobs = [
        {"county": int(code), "year": one} for code in counties(session) for one in sorted(years)
    ]
    defer_many(session, match_county, jobs)


def _matched_before(session: Session, year: int) -> list[int]:
    query = select(MATCH_RUN.c.year).where(MATCH_RUN.c.year < year).distinct()
    return list(session.execute(query).scalars())


@task("matching.county", queue=QUEUE)
def match_county(county: int, year: int) -> None:
    """Start a county's run; its parts are jobs of their own."""
    catalogue = Settings.from_env(os.environ).catalogue
    command = StartRun(f"{county:06d}", year, clock.today(), SCHEDULED, catalogue=catalogue)
    with transaction() as session:
        begun = begin(session, command)
        if not begun.parts:
            finish_run(session, begun.run_id)


def begin(session: Session, command: StartRun) -> Begun:
    """Start the run, or go on with the one still computing, and leave a job for each open part.

    Raises `UnknownArea`.
    """
    begun = start_run(session, command)
    jobs = [{"run_id": begun.run_id, "number": number} for number in begun.parts]
    defer_many(session, match_part, jobs)
    return begun


@task("matching.part", queue=QUEUE)
def match_part(run_id: int, number: int) -> None:
    """A slice that is open and nobody's; then the run is called computed if it was the last.

    `number` only tells the jobs apart: there are as many as open slices. A slice whose worker is
    killed is open again, and the worker's job, tried again, takes one.
    """
    while not _computed(run_id):
        pass  # somebody else was first: look again
    with transaction() as session:
        finish_run(session, run_id)


def _computed(run_id: int) -> bool:
    try:
        with transaction() as session:
            compute_next(session, run_id)
    except (OperationalError, SerializationFailure) as error:
        if isinstance(getattr(error, "orig", error), SerializationFailure):
            return False
        raise
    return True
