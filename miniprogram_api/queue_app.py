"""任务库的接入 (queue app): our tasks as the task library knows them, and its own connections."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import time
from collections.abc import Callable
from typing import Any, Final, LiteralString

import psycopg
from procrastinate import App, JobContext, PsycopgConnector, exceptions
from procrastinate.jobs import DeleteJobCondition, Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

import backend
from backend.kernel import database, jobs

PATIENCE_SECONDS: Final = 60.0
LONGEST_PAUSE_SECONDS: Final = 3600
LOST_CONNECTION: Final = ("08", "57P0")
"""How the SQLSTATEs begin by which a server says that it is going or not there yet."""
IN_EACH_OTHERS_WAY: Final = ("40001", "40P01")
"""SQLSTATEs of what another transaction prevented: the same work may succeed a moment later."""


def import_tasks() -> None:
    """Import every capability's `tasks` module, so that its tasks are known."""
    for package in pkgutil.iter_modules(backend.__path__, "backend."):
        name = f"{package.name}.tasks"
        if package.ispkg and importlib.util.find_spec(name) is not None:
            importlib.import_module(name)


class Again(BaseRetryStrategy):
    """Try again after 5, 10, 20 … seconds, after 1 where two transactions met: `times` times, or
    without end while the database is away. A statement or a lock that took too long counts.
    """

    def __init__(self, times: int) -> None:
        self.times = times

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """When, or None: given up."""
        if self.gives_up(exception, job):
            return None
        if _sqlstate(exception) in IN_EACH_OTHERS_WAY:
            return RetryDecision(retry_in={"seconds": 1})
        pause = min(5 * 2 ** min(job.attempts, 20), LONGEST_PAUSE_SECONDS)
        return RetryDecision(retry_in={"seconds": pause})

    def gives_up(self, exception: BaseException, job: Job) -> bool:
        """Whether this was the last try."""
        return job.attempts >= self.times and not _database_away(exception)


def _database_away(fault: BaseException) -> bool:
    """The driver says so without a SQLSTATE where the connection broke before the server spoke."""
    cause = _of_driver(fault)
    if not isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    return cause.sqlstate is None or cause.sqlstate.startswith(LOST_CONNECTION)


def _sqlstate(fault: BaseException) -> str | None:
    cause = _of_driver(fault)
    return cause.sqlstate if isinstance(cause, psycopg.Error) else None


def _of_driver(fault: BaseException) -> BaseException | None:
    return fault.orig if isinstance(fault, DBAPIError) else fault


class PatientConnector(PsycopgConnector):
    """Says again what a server that was away did not hear: that a job has ended, that we live.

    Only what may be said twice: a job that was fetched unheard stays with its worker's number, and
    is taken back when the worker has given that number up.
    """

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:
        """Like the parent's, for up to `PATIENCE_SECONDS`."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                await super().execute_query_async(query, **arguments)
                return
            except exceptions.ConnectorException as error:
                away = isinstance(error.__cause__, psycopg.OperationalError)
                if not away or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.5)


def queue_app(url: str, *, concurrency: int) -> App:
    """The task library on that database, in the worker's role, with every task known so far.

    Jobs that went well are deleted; those given up stay, to be seen.
    """
    connector = PatientConnector(
        conninfo=make_url(url).set(drivername="postgresql").render_as_string(hide_password=False),
        kwargs=database.engine_options(role="worker")["connect_args"],
        min_size=1,
        max_size=concurrency + 2,
        timeout=10,
    )
    app = App(connector=connector, worker_defaults={"delete_jobs": DeleteJobCondition.SUCCESSFUL})
    for one in jobs.TASKS.values():
        again = Again(one.retry)
        run = run_or_give_up(one, again)
        app.task(name=one.name, queue=one.queue, retry=again, pass_context=True)(run)
    return app


def run_or_give_up(task: jobs.Task[Any], again: Again) -> Callable[..., None]:
    """The task as the library runs it. An error of its `given_up` counts as the task's own."""

    def run(context: JobContext, **ids: jobs.Argument) -> None:
        try:
            task.run(**ids)
        except Exception as error:
            if task.given_up is not None and again.gives_up(error, context.job):
                task.given_up(**ids)
            raise

    return run
