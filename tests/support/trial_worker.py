"""`python -m tests.support.trial_worker URL [SETTING=NUMBER …]`: a worker with trial tasks, whose clock
is a row of the database; for tests that kill it.
"""

from __future__ import annotations

import random
import sys
import time
from datetime import datetime
from datetime import time as day_time

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.kernel import clock, database, jobs
from backend.kernel.database import transaction
from backend.kernel.jobs import once, task
from backend.kernel.jobs_schedule import every_day
from miniprogram_api import observability
from miniprogram_api.worker import Plan, work

QUEUE = "trial"
TABLES = (
    "CREATE TABLE trial_effect (kind text, number text)",
    "CREATE TABLE trial_clock (moment timestamptz NOT NULL)",
    "INSERT INTO trial_clock VALUES (now())",
    "GRANT SELECT, INSERT ON trial_effect, trial_clock TO shukun_worker",
)


def write(session: Session, kind: str, number: str) -> None:
    """The effect of a trial job: a row."""
    row = {"kind": kind, "number": number}
    session.execute(text("INSERT INTO trial_effect VALUES (:kind, :number)"), row)


@task("trial.effect", queue=QUEUE)
def effect(number: int, milliseconds: int) -> None:
    """Effect and mark in one transaction, with time to be killed in and after it."""
    with transaction() as session:
        if once(session, "trial.effect", str(number)):
            write(session, "effect", str(number))
            time.sleep(milliseconds / 1000)
    time.sleep(milliseconds / 1000)


@task("trial.sabotaged", queue=QUEUE)
def sabotaged(number: int, milliseconds: int) -> None:
    """The same with the mark in a transaction of its own: wrong."""
    with transaction() as session:
        marks = text("SELECT count(*) FROM periodic_done WHERE job = 'trial.sabotaged'")
        if session.execute(marks).scalar_one():
            return
        write(session, "sabotaged", str(number))
    time.sleep(milliseconds / 1000)
    with transaction() as session:
        once(session, "trial.sabotaged", str(number))


@task("trial.fails", queue=QUEUE, retry=0)
def fails(number: int) -> None:
    """Always fails, and names somebody in the fault."""
    raise ValueError(f"110101199003074530 {number}")


@task("trial.chain", queue=QUEUE)
def chain(number: int) -> None:
    """Leaves the next one, down to zero."""
    with transaction() as session:
        if once(session, "trial.chain", str(number)):
            write(session, "chain", str(number))
            if number:
                jobs.defer(session, chain, number=number - 1)


@every_day("trial.daily", queue=QUEUE, at=day_time(3))
def daily(session: Session, period: str) -> None:
    """One row a day."""
    write(session, "daily", period)
    time.sleep(random.uniform(0, 0.01))


def moment() -> datetime:
    """What the trial's clock shows."""
    with database.engine().connect() as connection:
        shown: datetime = connection.execute(text("SELECT moment FROM trial_clock")).scalar_one()
    return shown


def main(url: str, *options: str) -> None:
    """Works until it is told to stop."""
    chosen = dict(option.split("=") for option in options)
    silence = float(chosen.get("silence", 2))
    observability.configure("INFO")
    engine = database.engine_for(url, role="worker")
    pytest.MonkeyPatch().setattr(clock, "now", moment)
    plan = Plan(
        url=url,
        queues=(QUEUE,),
        concurrency=int(chosen.get("concurrency", 1)),
        until_empty=bool(int(chosen.get("until_empty", 0))),
        silence=silence,
        upkeep_every=float(chosen.get("upkeep_every", silence / 4)),
    )
    with database.bound(engine):
        work(plan)


if __name__ == "__main__":
    main(*sys.argv[1:])
