"""The alarms for operators: those that must be raised while no worker runs (trust.md A7)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from backend.kernel import clock as kernel_clock
from miniprogram_api import audit_metrics, message_metrics, queue_metrics
from tests.notifications.conftest import Clock
from tests.support.alerts import alerts, firing, named
from tests.support.recipients import Recipients
from tests.support.wechat import Simulator

pytestmark = pytest.mark.postgres

SCRAPED: timedelta = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def noon(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_clock, "now", clock)


def told(site: Engine) -> str:
    """What the site says in `/metrics`."""
    parts = (message_metrics, queue_metrics, audit_metrics)
    return b"".join(one.exposition(site) for one in parts).decode()


def fires_after(site: Engine, clock: Clock, wanted: str, most: timedelta) -> timedelta | None:
    """After which look of Prometheus, a minute each, the alarm is raised."""
    began = clock.moment
    while clock.moment - began <= most:
        if wanted in firing(told(site)):
            return clock.moment - began
        clock.moment += SCRAPED
    return None


def test_with_every_worker_stopped_the_alarm_is_raised_within_six_minutes(
    recipients: Recipients, app_database: Engine, clock: Clock
) -> None:
    recipients.owe([recipients.person("first")])
    found = fires_after(app_database, clock, "MessagesLate", timedelta(minutes=10))
    assert found == timedelta(minutes=6)
    assert recipients.work() == []  # what a worker would have opened


def test_control_where_messages_are_delivered_no_alarm_is_raised(
    connected: Simulator,
    recipients: Recipients,
    app_database: Engine,
    clock: Clock,
    delivered: Callable[[], bool],
) -> None:
    recipients.owe([recipients.reached(connected, "first")])
    delivered()
    assert fires_after(app_database, clock, "MessagesLate", timedelta(minutes=10)) is None


def test_jobs_that_were_given_up_raise_an_alarm(
    recipients: Recipients, app_database: Engine
) -> None:
    assert "JobsGivenUp" not in firing(told(app_database))
    recipients.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
        " VALUES ('wechat', 'wechat.push', 'failed')"
    )
    assert "JobsGivenUp" in firing(told(app_database))


def test_without_a_database_there_are_no_figures_and_that_is_an_alarm() -> None:
    assert firing("") == {"NoFigures"}


def test_every_alarm_asks_a_figure_that_is_told_and_says_what_to_do(
    database: Engine, app_database: Engine
) -> None:
    with database.begin() as connection:
        connection.execute(text("INSERT INTO procrastinate_jobs (queue_name, task_name)"
                                " VALUES ('wechat', 'wechat.push')"))  # fmt: skip
    exposed = told(app_database)
    for rule in alerts():
        assert named(rule) in exposed
        assert "：" in rule["annotations"]["summary"]
