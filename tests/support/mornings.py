"""What comes by itself on a day: the daily deeds of applications and the jobs that they leave."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Engine, text

from backend.applications.tasks import do_due, every_day_of_cases


def morning(owner: Engine, day: date) -> list[tuple[int, str]]:
    """Let it come; the cases and deeds that jobs were left for."""
    with owner.connect() as connection:
        before = int(connection.execute(text("SELECT coalesce(max(id), 0) FROM procrastinate_jobs"))
                     .scalar_one())  # fmt: skip
    every_day_of_cases.task.run(day.isoformat())
    left = text(
        "SELECT args FROM procrastinate_jobs"
        " WHERE id > :before AND task_name = 'applications.due' ORDER BY id"
    )
    with owner.connect() as connection:
        jobs = list(connection.execute(left, {"before": before}).scalars())
    for job in jobs:
        do_due.run(**job)
    return [(job["case_id"], job["deed"]) for job in jobs]
