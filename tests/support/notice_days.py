"""Lists that were put up some days ago: the daily deeds, and days gone by."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Engine, text

from backend.kernel import clock
from backend.kernel.database import bound, transaction
from backend.public_notices.publishing import publish, waiting
from backend.public_notices.tasks import confirm_case, every_day_of_notices, publish_case, rounds_of
from tests.support.case_paths import case_in
from tests.support.case_world import CaseWorld

TASKS = {"public_notices.publish": publish_case, "public_notices.confirm": confirm_case}


def noon_of(owner: Engine, day: date) -> list[str]:
    """What comes by itself on the day; the tasks that were left."""
    with owner.connect() as connection:
        last = text("SELECT coalesce(max(id), 0) FROM procrastinate_jobs")
        before = int(connection.execute(last).scalar_one())
    every_day_of_notices.task.run(day.isoformat())
    left = text(
        "SELECT task_name, args FROM procrastinate_jobs"
        " WHERE id > :before AND task_name LIKE 'public_notices.%' ORDER BY id"
    )
    with owner.connect() as connection:
        jobs = connection.execute(left, {"before": before}).all()
    for job in jobs:
        TASKS[job.task_name].run(**job.args)
    return [job.task_name for job in jobs]


def days_later(owner: Engine, days: int) -> date:
    """As though every list had been put up so many days earlier; today."""
    with owner.begin() as connection:
        connection.execute(
            text("UPDATE public_notice SET first_day = first_day - :days,"
                 " last_day = last_day - :days"),
            {"days": days},
        )  # fmt: skip
    return clock.today()


def several_up(world: CaseWorld, many: int) -> list[int]:
    """So many lists that are up, of one village, each with a first day of its own; the first in
    front.
    """
    earlier = text(
        "UPDATE public_notice SET first_day = first_day - :days"
        " WHERE id = (SELECT max(id) FROM public_notice)"
    )
    for days in range(many, 0, -1):
        case_in(world, "noticed")
        with bound(world.owner), transaction() as session:
            for one in waiting(session):
                publish(session, one, rounds_of(session, clock.today().isoformat()))
        with world.owner.begin() as connection:
            connection.execute(earlier, {"days": days})
    with world.owner.connect() as connection:
        return list(connection.execute(text("SELECT id FROM public_notice ORDER BY id")).scalars())


def last_day(owner: Engine) -> date:
    """Of the newest list."""
    with owner.connect() as connection:
        day: date = connection.execute(text("SELECT max(last_day) FROM public_notice")).scalar_one()
    return day


def days_up(owner: Engine) -> int:
    """How many days from today the newest list is up for."""
    return (last_day(owner) - clock.today()) // timedelta(days=1)
