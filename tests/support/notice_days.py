"""Lists that were put up some days ago: the daily deeds, and days gone by."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Engine, text

from backend.kernel import clock
from backend.public_notices.tasks import confirm_case, every_day_of_notices, publish_case

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


def last_day(owner: Engine) -> date:
    """Of the newest list."""
    with owner.connect() as connection:
        day: date = connection.execute(text("SELECT max(last_day) FROM public_notice")).scalar_one()
    return day


def days_up(owner: Engine) -> int:
    """How many days from today the newest list is up for."""
    return (last_day(owner) - clock.today()) // timedelta(days=1)
