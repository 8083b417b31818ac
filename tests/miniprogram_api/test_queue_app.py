from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
from procrastinate import JobContext
from procrastinate.jobs import Job
from psycopg import errors
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from backend.kernel.jobs import Argument, Task
from miniprogram_api.queue_app import LONGEST_PAUSE_SECONDS, Again, queue_app, run_or_give_up

TIMES = 5


def job_of(attempts: int) -> Job:
    return Job(
        id=1,
        status="doing",
        queue="trial",
        lock=None,
        queueing_lock=None,
        task_name="trial",
        attempts=attempts,
    )


def pause(fault: BaseException, attempts: int) -> int | None:
    """Seconds until the next try, None where the job is given up."""
    job = job_of(attempts)
    asked = datetime.now(UTC)
    decision = Again(TIMES).get_retry_decision(exception=fault, job=job)
    if decision is None or decision.retry_at is None:
        return None
    return int((decision.retry_at - asked).total_seconds())


def said(fault: psycopg.Error) -> DBAPIError:
    """The fault as the engine hands it on."""
    kind = OperationalError if isinstance(fault, psycopg.OperationalError) else InterfaceError
    return kind("SELECT 1", {}, fault)


AWAY = [
    psycopg.OperationalError("server closed the connection unexpectedly"),
    psycopg.InterfaceError("the connection is closed"),
    errors.AdminShutdown(),
    errors.CrashShutdown(),
    errors.CannotConnectNow(),
    errors.ConnectionFailure(),
]
TOO_LONG = [errors.QueryCanceled(), errors.LockNotAvailable(), errors.DiskFull()]
IN_EACH_OTHERS_WAY = [errors.SerializationFailure(), errors.DeadlockDetected()]


def named(fault: psycopg.Error) -> str:
    return type(fault).__name__


@pytest.mark.parametrize("fault", AWAY, ids=named)
def test_a_database_that_is_away_is_waited_for_without_end(fault: psycopg.Error) -> None:
    assert pause(said(fault), 1000) == LONGEST_PAUSE_SECONDS
    assert pause(fault, 1000) == LONGEST_PAUSE_SECONDS


@pytest.mark.parametrize("fault", [*TOO_LONG, *IN_EACH_OTHERS_WAY], ids=named)
def test_what_a_database_that_is_there_refuses_is_given_up_in_the_end(fault: psycopg.Error) -> None:
    assert pause(said(fault), TIMES - 1) is not None
    assert pause(said(fault), TIMES) is None
    assert pause(fault, TIMES) is None


@pytest.mark.parametrize("fault", IN_EACH_OTHERS_WAY, ids=named)
def test_jobs_in_each_others_way_are_tried_again_a_second_later(fault: psycopg.Error) -> None:
    assert [pause(said(fault), attempts) for attempts in range(TIMES)] == [1] * TIMES


def test_other_faults_are_tried_again_with_longer_and_longer_pauses() -> None:
    fault = ValueError("a job's own")
    assert [pause(fault, attempts) for attempts in range(TIMES + 1)] == [5, 10, 20, 40, 80, None]


def given_up_after(fault: Exception | None, attempts: int) -> list[Argument]:
    """The ids for which the task cared after a try that ended so."""
    cared: list[Argument] = []

    def run(number: int) -> None:
        if fault is not None:
            raise fault

    task = Task("trial", "trial", TIMES, run, given_up=lambda number: cared.append(number))
    app = queue_app("postgresql://nobody@/none", concurrency=1)
    context = JobContext(
        app=app, job=job_of(attempts), start_timestamp=0.0, abort_reason=lambda: None
    )
    called = run_or_give_up(task, Again(TIMES))
    if fault is None:
        called(context, number=7)
        return cared
    with pytest.raises(type(fault)):
        called(context, number=7)
    return cared


def test_a_task_hears_of_its_last_try_and_of_no_other() -> None:
    fault = ValueError("a job's own")
    assert [given_up_after(fault, attempts) for attempts in range(TIMES + 1)] == [
        *[[]] * TIMES, [7],
    ]  # fmt: skip
    assert given_up_after(None, TIMES) == []


def test_a_database_that_is_away_is_no_last_try() -> None:
    assert given_up_after(said(errors.AdminShutdown()), 1000) == []
