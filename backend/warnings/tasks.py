"""任务 (tasks): the cross-check of every month, a job a county."""

from __future__ import annotations

import logging
import os
from datetime import time
from typing import Final

from sqlalchemy.orm import Session

from backend.citizens.counties import counties
from backend.kernel import clock
from backend.kernel.database import transaction
from backend.kernel.jobs import defer_many, task
from backend.kernel.jobs_schedule import every_month
from backend.kernel.settings import Settings
from backend.matching.editions import current_edition
from backend.matching.tasks import open_years
from backend.warnings import monthly
from backend.warnings.cross_check import CrossCheck

log = logging.getLogger(__name__)

QUEUE: Final = "warnings"


@every_month("warnings.cross_check", queue=QUEUE, day=2, at=time(2))
def cross_check_month(session: Session, period: str) -> None:
    """Leave a job for each county and year to be checked."""
    years = open_years(period)
    jobs = [{"county": int(code), "year": one} for code in counties(session) for one in years]
    defer_many(session, check_county, jobs)


@task("warnings.check_county", queue=QUEUE)
def check_county(county: int, year: int) -> None:
    """One county. The visits' days are counted from the day on which this runs."""
    with transaction() as session:
        book = current_edition(session, Settings.from_env(os.environ).catalogue).rules.book
        check = CrossCheck(f"{county:06d}", year, clock.today())
        found, _ = monthly.check_county(session, check, book, "schedule")
    log.info("county checked", extra={"county": county, "exceeding": found.exceeding})
