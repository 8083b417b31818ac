"""Every job that waits, done here and now as workers do it, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.kernel.database import bound, engine_for
from backend.kernel.jobs import TASKS
from miniprogram_api.queue_app import import_tasks

_FETCH: Final = text("SELECT id, task_name, args FROM procrastinate_fetch_job_v2(NULL, NULL)")
_GONE: Final = text("DELETE FROM procrastinate_jobs WHERE id = :id")
MOST: Final = 500


def work_off(owner: Engine, leave: Sequence[str] = ()) -> int:
    """Do every job that is due; how many. `leave`: tasks that are taken away undone.

    An error of a task is the test's: it is raised.
    """
    import_tasks()
    worker = engine_for(owner.url.render_as_string(hide_password=False), role="worker")
    done = 0
    try:
        while done < MOST and (job := _take(owner)) is not None:
            try:
                if job.task_name not in leave:
                    with bound(worker):
                        TASKS[job.task_name](**job.args)
            finally:
                with Session(owner) as session, session.begin():
                    session.execute(_GONE, {"id": job.id})
            done += 1
    finally:
        worker.dispose()
    return done


def _take(owner: Engine) -> Any:
    with Session(owner) as session, session.begin():
        job = session.execute(_FETCH).one()
        return None if job.id is None else job
