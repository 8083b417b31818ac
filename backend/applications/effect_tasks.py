"""任务 (tasks) of what applications bring: effects, the runs they ask for, the end of a case."""

from __future__ import annotations

import os
from datetime import date, time, timedelta
from typing import Final

from sqlalchemy.orm import Session

from backend.applications.cases import case_of
from backend.applications.certifying import carry_over
from backend.applications.effects import settle_effects
from backend.applications.errands import QUEUE
from backend.applications.finishing import finish, granted_cases
from backend.applications.ground import Ground
from backend.applications.handing_on import close_work
from backend.applications.rematching import begin_run, waiting
from backend.kernel import clock, keys
from backend.kernel.database import transaction
from backend.kernel.jobs import defer, defer_many, task
from backend.kernel.jobs_schedule import every_day
from backend.kernel.settings import Settings
from backend.matching.editions import current_edition
from backend.matching.runs import StartRun

LATER: Final = timedelta(minutes=2)
BY: Final = "schedule"


def settle_case(case: int) -> None:
    """The work of `applications.effects`."""
    with transaction() as session:
        if settle_effects(session, ground(session), case):
            jobs = [{"county": county, "year": year} for county, year in waiting(session, case)]
            defer_many(session, match_owed, jobs)
            defer(session, finish_case, case=case)


@task("applications.match", queue=QUEUE)
def match_owed(county: int, year: int) -> None:
    """Begin the run that effects of the county and year wait for; a little later where one that
    has not seen them still computes."""
    catalogue = Settings.from_env(os.environ).catalogue
    command = StartRun(f"{county:06d}", year, clock.today(), BY, catalogue=catalogue)
    with transaction() as session:
        if not begin_run(session, command):
            defer(session, match_owed, at=clock.now() + LATER, county=county, year=year)


@task("applications.finish", queue=QUEUE)
def finish_case(case: int) -> None:
    """The step that the case is due, if any; or the runs that it still waits for."""
    with transaction() as session:
        finish(session, ground(session), case)
        jobs = [{"county": county, "year": year} for county, year in waiting(session, case)]
        defer_many(session, match_owed, jobs)


@task("applications.handed_back", queue=QUEUE)
def close_handed_on(case: int) -> None:
    """The county's work of handing on, once the charity has answered."""
    with transaction() as session:
        close_work(session, case_of(session, case))


@every_day("applications.finish_all", queue=QUEUE, at=time(6, 30))
def finish_all(session: Session, period: str) -> None:
    """A job for every case that may end, and for every run that is still waited for; certifications
    go on into the new year."""
    last = 0
    while cases := granted_cases(session, last):
        defer_many(session, finish_case, [{"case": case} for case in cases])
        last = cases[-1]
    jobs = [{"county": county, "year": year} for county, year in waiting(session)]
    defer_many(session, match_owed, jobs)
    carry_over(session, date.fromisoformat(period).year)


def ground(session: Session) -> Ground:
    """The keys, the rules as they stand now, today."""
    catalogue = Settings.from_env(os.environ).catalogue
    book = current_edition(session, catalogue).rules.book
    return Ground(keys.keyring(), book, clock.today())
