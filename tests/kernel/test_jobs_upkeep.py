from __future__ import annotations

import logging
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.kernel import jobs
from backend.kernel.database import engine_for, transaction
from backend.kernel.jobs import Task, defer, defer_many
from backend.kernel.jobs_upkeep import (
    MOST_ATTEMPTS,
    QueueState,
    failed_jobs,
    open_jobs,
    queue_states,
    retry_failed,
    take_back_stalled,
    usable,
)

pytestmark = pytest.mark.postgres


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> Task[Any]:
    monkeypatch.setattr(jobs, "TASKS", {})

    @jobs.task("trial.part", queue="trial")
    def part(number: int) -> None:
        """Does nothing."""

    return part


def begin(session: Session, *, silent: float) -> int:
    """A worker that begins a job and has been silent for so long; the job's id."""
    worker = session.scalar(text("SELECT worker_id FROM procrastinate_register_worker_v1()"))
    job = session.scalar(
        text("SELECT id FROM procrastinate_fetch_job_v2(ARRAY['trial'], :worker)"),
        {"worker": worker},
    )
    session.execute(
        text(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - make_interval(secs => :s)"
            " WHERE id = :worker"
        ),
        {"s": silent, "worker": worker},
    )
    assert isinstance(job, int)
    return job


def states(session: Session) -> dict[int, str]:
    rows = session.execute(text("SELECT id, status::text FROM procrastinate_jobs"))
    return {row.id: row.status for row in rows}


def test_jobs_of_the_silent_are_taken_back_and_those_of_the_living_are_not(
    database: Engine, trial: Task[Any]
) -> None:
    with transaction() as session:
        defer_many(session, trial, [{"number": number} for number in range(3)])
        dead, alive = begin(session, silent=31), begin(session, silent=29)
    with transaction() as session:
        assert take_back_stalled(session) == 1
        assert take_back_stalled(session) == 0
        found = states(session)
    assert (found[dead], found[alive]) == ("todo", "doing")


def test_a_job_taken_back_can_be_begun_again(database: Engine, trial: Task[Any]) -> None:
    with transaction() as session:
        defer(session, trial, number=1)
        first = begin(session, silent=31)
        take_back_stalled(session)
        assert begin(session, silent=0) == first


def test_a_job_that_takes_worker_after_worker_with_it_is_given_up(
    database: Engine, trial: Task[Any], caplog: pytest.LogCaptureFixture
) -> None:
    with transaction() as session, caplog.at_level(logging.ERROR):
        defer(session, trial, number=1)
        job = begin(session, silent=31)
        session.execute(
            text("UPDATE procrastinate_jobs SET attempts = :most"), {"most": MOST_ATTEMPTS}
        )
        assert take_back_stalled(session) == 0
        assert states(session) == {job: "failed"}
        assert failed_jobs(session, ["trial"]) == 1
        assert failed_jobs(session, ["other"]) == 0
    assert "given up" in caplog.text


def test_what_was_given_up_can_begin_anew(database: Engine, trial: Task[Any]) -> None:
    with transaction() as session:
        defer(session, trial, number=1)
        session.execute(text("UPDATE procrastinate_jobs SET status = 'failed', attempts = 9"))
        assert retry_failed(session, ["other"]) == 0
        assert retry_failed(session, ["trial"]) == 1
        assert list(states(session).values()) == ["todo"]


def test_what_is_due_running_or_tried_again_is_open_and_what_is_for_later_is_not(
    database: Engine, trial: Task[Any]
) -> None:
    later = text(
        "UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 h' WHERE id = :id"
    )
    with transaction() as session:
        numbers = defer_many(session, trial, [{"number": number} for number in range(4)])
        begin(session, silent=0)
        assert open_jobs(session, ["trial"]) == 4
        session.execute(later, {"id": numbers[1]})
        session.execute(later, {"id": numbers[2]})
        session.execute(
            text("UPDATE procrastinate_jobs SET attempts = 1 WHERE id = :id"), {"id": numbers[2]}
        )
        assert open_jobs(session, ["trial"]) == 3
        assert open_jobs(session, ["other"]) == 0


def test_the_application_sees_how_much_waits_and_for_how_long(
    database: Engine, app_database: Engine, trial: Task[Any]
) -> None:
    with transaction() as session:
        assert queue_states(session) == []
        defer_many(session, trial, [{"number": number} for number in range(5)])
        begin(session, silent=0)
        session.execute(
            text(
                "UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 h'"
                " WHERE id = (SELECT max(id) FROM procrastinate_jobs)"
            )
        )
        session.execute(text("UPDATE procrastinate_events SET at = at - interval '100 s'"))
    with Session(app_database) as session:
        (state,) = queue_states(session)
    assert 99 < state.oldest_seconds < 130
    assert state == QueueState("trial", 3, 1, 1, 0, state.oldest_seconds)


def test_a_queue_is_usable_by_both_roles_and_not_where_it_is_missing(
    database: Engine, app_database: Engine, worker_database: Engine
) -> None:
    assert usable(app_database)
    assert usable(worker_database)
    with database.begin() as connection:
        connection.execute(text("REVOKE INSERT ON procrastinate_jobs FROM shukun_app"))
    assert not usable(app_database)
    assert not usable(engine_for("postgresql://nobody@127.0.0.1:9/none"))
