from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from procrastinate.schema import SchemaManager
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.kernel import jobs
from backend.kernel.database import transaction
from backend.kernel.jobs import PersonalArgument, Task, defer, defer_many, once
from backend.kernel.settings import PROJECT

pytestmark = pytest.mark.postgres


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> Task[Any]:
    """A task known to this test alone."""
    monkeypatch.setattr(jobs, "TASKS", {})

    @jobs.task("trial.part", queue="trial", retry=2)
    def part(run: int, kind: str = "general") -> None:
        """Does nothing."""

    return part


def waiting(session: Session) -> list[dict[str, Any]]:
    rows = session.execute(text("SELECT * FROM procrastinate_jobs ORDER BY id")).mappings()
    return [dict(row) for row in rows]


def test_a_job_is_a_row_of_the_transaction_that_left_it(database: Engine, trial: Task[Any]) -> None:
    with transaction() as session:
        number = defer(session, trial, run=7, kind="wuxi-2022-98", lock="320281")
    with transaction() as session:
        (job,) = waiting(session)
    assert (job["id"], job["queue_name"], job["task_name"]) == (number, "trial", "trial.part")
    assert (job["args"], job["lock"]) == ({"run": 7, "kind": "wuxi-2022-98"}, "320281")


def test_a_job_is_gone_with_the_transaction_that_is_undone(
    database: Engine, trial: Task[Any]
) -> None:
    with Session(database) as session:
        defer(session, trial, run=7)
        defer(session, trial, run=8, queueing_lock="one")
        session.rollback()
    with transaction() as session:
        assert waiting(session) == []


def test_of_equal_jobs_one_waits_and_the_transaction_goes_on(
    database: Engine, trial: Task[Any]
) -> None:
    with transaction() as session:
        assert defer(session, trial, run=1, queueing_lock="area/320281") is not None
        assert defer(session, trial, run=1, queueing_lock="area/320281") is None
        assert defer(session, trial, run=2, queueing_lock="area/320282") is not None
    with transaction() as session:
        assert len(waiting(session)) == 2


def test_a_job_can_be_left_for_later(database: Engine, trial: Task[Any]) -> None:
    later = datetime(2026, 12, 10, 1, tzinfo=UTC)
    with transaction() as session:
        defer(session, trial, run=1, at=later)
        assert waiting(session)[0]["scheduled_at"] == later


def test_many_jobs_are_left_at_once_in_their_order(database: Engine, trial: Task[Any]) -> None:
    with transaction() as session:
        numbers = defer_many(session, trial, [{"run": run} for run in range(500)])
        found = waiting(session)
        assert defer_many(session, trial, []) == []
    assert [job["args"]["run"] for job in found] == list(range(500))
    assert [job["id"] for job in found] == numbers


@pytest.mark.parametrize(
    "value",
    [
        "110101199003074530", "13800000000", 110101199003074530, "张三", "Zhang San", "A12345678",
        "c1234567", 1.5, None, "", "a" * 41, "2026-11-21T00:00",
    ],
)  # fmt: skip
def test_what_could_be_personal_is_refused_and_not_repeated(
    database: Engine, trial: Task[Any], value: Any
) -> None:
    with transaction() as session, pytest.raises(PersonalArgument) as refusal:
        defer(session, trial, run=1, kind=value)
    assert str(value) not in str(refusal.value) or value == ""


@pytest.mark.parametrize(
    "value", ["subsistence_allowance", "wuxi-2022-98", "2026", "2026-11", "2026-11-21", 0, True]
)
def test_ids_codes_and_days_are_taken(database: Engine, trial: Task[Any], value: Any) -> None:
    with transaction() as session:
        assert defer(session, trial, run=320281004000, kind=value) is not None


def test_ids_that_the_task_does_not_take_are_refused_where_they_are_left(
    database: Engine, trial: Task[Any]
) -> None:
    with transaction() as session, pytest.raises(TypeError):
        defer(session, trial, person=1)


def test_two_tasks_of_one_name_are_refused(trial: Task[Any]) -> None:
    with pytest.raises(ValueError, match="two tasks"):
        jobs.task("trial.part", queue="other")(lambda: None)


def test_a_task_can_be_called_like_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "TASKS", {})
    seen: list[int] = []
    jobs.task("trial.seen", queue="trial")(seen.append)(3)
    assert seen == [3]
    assert jobs.queues() == ("trial",)


def test_what_is_done_once_in_a_period_is_not_done_again(database: Engine) -> None:
    with transaction() as session:
        assert once(session, "cross-check", "2026-11")
        assert not once(session, "cross-check", "2026-11")
        assert once(session, "cross-check", "2026-12")
        assert once(session, "review", "2026-11")


def test_what_failed_in_a_period_is_done_again(database: Engine) -> None:
    with Session(database) as session:
        assert once(session, "cross-check", "2026-11")
        session.rollback()
    with transaction() as session:
        assert once(session, "cross-check", "2026-11")


def test_of_many_at_once_one_does_it(database: Engine) -> None:
    claims: list[bool] = []

    def claim() -> None:
        with transaction() as session:
            claims.append(once(session, "cross-check", "2026-11"))

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claims) == [False] * 5 + [True]


# -- the database's own part ---------------------------------------------------------------


def test_the_copied_schema_is_that_of_the_library_in_use() -> None:
    """A newer library may want a migration of its own: see its `sql/migrations`."""
    copied = (PROJECT / "migrations" / "sql" / "procrastinate_3.10.sql").read_text("utf-8")
    own = [line for line in copied.splitlines() if "squawk-ignore" not in line]
    assert own == SchemaManager.get_schema().splitlines()


def test_the_application_may_leave_jobs_and_count_them_and_no_more(
    app_database: Engine, trial: Task[Any]
) -> None:
    with Session(app_database) as session, session.begin():
        defer(session, trial, run=1)
        assert len(waiting(session)) == 1
    for forbidden in ("UPDATE procrastinate_jobs SET attempts = 1", "DELETE FROM procrastinate_jobs",
                      "SELECT * FROM periodic_done"):  # fmt: skip
        with app_database.connect() as connection, pytest.raises(Exception, match="denied"):
            connection.execute(text(forbidden))


@pytest.fixture
def begun(database: Engine, trial: Task[Any]) -> int:
    """A job that a worker has begun."""
    with transaction() as session:
        number = defer(session, trial, run=1, queueing_lock="one")
        worker = session.scalar(text("SELECT worker_id FROM procrastinate_register_worker_v1()"))
        fetch = text("SELECT id FROM procrastinate_fetch_job_v2(ARRAY['trial'], :worker)")
        assert session.scalar(fetch, {"worker": worker}) == number
    assert number is not None
    return number


def test_a_job_that_comes_back_does_not_collide_with_an_equal_one_that_waits(
    begun: int, trial: Task[Any]
) -> None:
    with transaction() as session:
        assert defer(session, trial, run=1, queueing_lock="one") is not None
        back = text("SELECT procrastinate_retry_job_v2(:job, now(), NULL, NULL, NULL)")
        session.execute(back, {"job": begun})
        assert [job["status"] for job in waiting(session)] == ["todo", "todo"]


def test_without_our_trigger_they_would_collide(begun: int, trial: Task[Any]) -> None:
    with transaction() as session:
        session.execute(text("DROP TRIGGER job_returns ON procrastinate_jobs"))
        defer(session, trial, run=1, queueing_lock="one")
    back = text("SELECT procrastinate_retry_job_v2(:job, now(), NULL, NULL, NULL)")
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(back, {"job": begun})


def test_a_task_that_goes_before_others_is_left_with_its_priority(
    database: Engine, trial: Task[Any]
) -> None:
    @jobs.task("trial.ahead", queue="trial", priority=3)
    def ahead() -> None:
        """Nothing."""

    with transaction() as session:
        defer(session, trial, run=1)
        defer(session, ahead)
        assert [job["priority"] for job in waiting(session)] == [0, 3]
