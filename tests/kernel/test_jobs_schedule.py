from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.kernel import jobs, jobs_schedule
from backend.kernel.clock import CHINA
from backend.kernel.database import transaction
from backend.kernel.jobs_schedule import (
    Due,
    Schedule,
    defer_due,
    every_day,
    every_month,
    every_year,
)

pytestmark = pytest.mark.postgres

DAILY = Due("day", time(3))
MONTHLY = Due("month", time(4, 30), day=2)
YEARLY = Due("year", time(1), month=12, day=10)


@pytest.mark.parametrize(
    ("due", "moment", "period"),
    [
        (DAILY, "2026-11-21 03:00", "2026-11-21"),
        (DAILY, "2026-11-21 02:59", "2026-11-20"),
        (DAILY, "2026-01-01 00:00", "2025-12-31"),
        (MONTHLY, "2026-11-02 04:30", "2026-11"),
        (MONTHLY, "2026-11-02 04:29", "2026-10"),
        (MONTHLY, "2026-11-30 23:59", "2026-11"),
        (MONTHLY, "2026-01-01 12:00", "2025-12"),
        (YEARLY, "2026-12-10 01:00", "2026"),
        (YEARLY, "2026-12-10 00:59", "2025"),
        (YEARLY, "2026-01-31 12:00", "2025"),
    ],
)
def test_the_latest_period_that_was_due(due: Due, moment: str, period: str) -> None:
    assert due.period(datetime.fromisoformat(moment).replace(tzinfo=CHINA)) == period


def test_days_are_those_of_china() -> None:
    assert DAILY.period(datetime(2026, 11, 20, 19, tzinfo=UTC)) == "2026-11-21"
    assert DAILY.period(datetime(2026, 11, 20, 18, 59, tzinfo=UTC)) == "2026-11-20"


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the daily schedule of this test did."""
    monkeypatch.setattr(jobs, "TASKS", {})
    monkeypatch.setattr(jobs_schedule, "SCHEDULES", {})
    return []


@pytest.fixture
def daily(done: list[str]) -> Schedule:
    @every_day("trial.daily", queue="trial", at=time(3))
    def deed(_session: Session, period: str) -> None:
        done.append(period)

    return deed


def noon(day: int) -> datetime:
    return datetime(2026, 11, day, 12, tzinfo=CHINA)


def look(day: int) -> list[str]:
    with transaction() as session:
        return defer_due(session, noon(day))


def waiting() -> list[dict[str, Any]]:
    with transaction() as session:
        return list(session.scalars(text("SELECT args FROM procrastinate_jobs ORDER BY id")))


def test_a_new_schedule_begins_with_its_next_period(database: Engine, daily: Schedule) -> None:
    assert look(20) == []
    assert look(20) == []
    assert look(21) == ["trial.daily"]
    assert waiting() == [{"period": "2026-11-21"}]


def test_a_period_gets_one_job_while_it_waits_and_none_when_done(
    database: Engine, daily: Schedule, done: list[str]
) -> None:
    look(20)
    assert look(21) == ["trial.daily"]
    assert look(21) == []
    daily.task.run("2026-11-21")
    assert look(21) == []
    assert done == ["2026-11-21"]


def test_a_period_whose_job_runs_gets_no_other(database: Engine, daily: Schedule) -> None:
    look(20)
    look(21)
    with transaction() as session:
        session.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))
    assert look(21) == []


def test_a_period_whose_job_was_given_up_begins_anew(database: Engine, daily: Schedule) -> None:
    look(20)
    look(21)
    with transaction() as session:
        session.execute(text("UPDATE procrastinate_jobs SET status = 'failed'"))
    assert look(21) == ["trial.daily"]


def test_after_a_standstill_the_latest_period_alone_is_caught_up(
    database: Engine, daily: Schedule
) -> None:
    look(1)
    look(20)
    assert waiting() == [{"period": "2026-11-20"}]


def test_a_period_queued_twice_is_done_once(
    database: Engine, daily: Schedule, done: list[str]
) -> None:
    for _ in range(2):
        daily.task.run("2026-11-21")
    assert done == ["2026-11-21"]


def test_without_the_key_of_job_and_period_it_is_done_twice(
    database: Engine, daily: Schedule, done: list[str]
) -> None:
    """The sabotage control of the test above."""
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE periodic_done DROP CONSTRAINT pk_periodic_done"))
    for _ in range(2):
        daily.task.run("2026-11-21")
    assert done == ["2026-11-21"] * 2


def test_a_deed_that_fails_leaves_its_period_undone(database: Engine, done: list[str]) -> None:
    @every_month("trial.monthly", queue="trial", day=1, at=time(3))
    def deed(_session: Session, period: str) -> None:
        done.append(period)
        if len(done) == 1:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        deed.task.run("2026-11")
    deed.task.run("2026-11")
    deed.task.run("2026-11")
    assert done == ["2026-11"] * 2


def test_a_year_is_a_period_too(database: Engine, done: list[str]) -> None:
    every_year("trial.yearly", queue="trial", month=1, day=5, at=time(3))(
        lambda _session, period: done.append(period)
    )
    look(1)
    with transaction() as session:
        left = defer_due(session, datetime(2027, 1, 5, 3, tzinfo=CHINA))
    assert left == ["trial.yearly"]
    assert waiting() == [{"period": "2027"}]
