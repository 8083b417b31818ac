"""Nothing stays lying: what waits finds a job, what died is ended, what is late is said."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, text

from backend.kernel import clock as kernel_clock
from backend.kernel import database as kernel_database
from backend.kernel.database import transaction
from backend.kernel.jobs_watch import WATCHES, watches_of
from backend.notifications import tasks
from backend.notifications.messages import Owed, owe
from backend.notifications.watching import LATE_AFTER, raise_alarm, unsent
from backend.worklist.notices import Notice, notices_due
from miniprogram_api import message_metrics
from tests.notifications.conftest import Clock
from tests.support.recipients import NOON, Recipients
from tests.support.wechat import Simulator

pytestmark = pytest.mark.postgres

ALARMS = "SELECT kind, role, list_area, period FROM work_item ORDER BY list_area"
TAKE, DELIVER, TEMPLATES = "notifications.take", "notifications.deliver", "notifications.templates"


@pytest.fixture(autouse=True)
def noon(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_clock, "now", clock)


def jobs(recipients: Recipients) -> list[str]:
    return [
        one for (one,) in recipients.rows("SELECT task_name FROM procrastinate_jobs ORDER BY 1")
    ]


def look() -> None:
    WATCHES["notifications.look"]()


def test_workers_of_the_queue_look_and_others_do_not() -> None:
    assert [one.name for one in watches_of((tasks.QUEUE,))] == ["notifications.look"]
    assert watches_of(("matching",)) == ()


def test_what_waits_gets_one_job_however_often_it_is_looked_at(recipients: Recipients) -> None:
    look()
    assert jobs(recipients) == []
    with transaction() as session:
        notices_due(session, [Notice(7, "grant", "match_run:1", date(2026, 11, 18))])
    for _ in range(3):
        look()
    assert jobs(recipients) == [TAKE]


def test_a_message_gets_a_job_when_it_is_due(recipients: Recipients, clock: Clock) -> None:
    with transaction() as session:
        owe(session, Owed("grant", 7, "match_run:1"), NOON + timedelta(hours=10))
    look()
    clock.moment = NOON + timedelta(hours=19)
    look()
    assert jobs(recipients) == []
    clock.moment = NOON + timedelta(hours=20)
    look()
    assert jobs(recipients) == [DELIVER]


def test_while_a_failed_delivery_waits_for_its_next_try_another_takes_what_is_urgent(
    recipients: Recipients,
) -> None:
    failed_delivery(recipients)
    look()
    assert due_now(recipients) == [DELIVER]


def test_were_the_key_of_a_failed_delivery_not_freed_the_urgent_would_wait(
    recipients: Recipients, database: Engine
) -> None:
    """The control."""
    with database.begin() as connection:
        connection.execute(text("DROP TRIGGER job_returns ON procrastinate_jobs"))
    failed_delivery(recipients)
    look()
    assert due_now(recipients) == []


def failed_delivery(recipients: Recipients) -> None:
    """A job that raised and is tried again in 80 seconds; then something urgent comes."""
    with transaction() as session:
        owe(session, Owed("grant", 7, "match_run:1"), NOON)
    look()
    with transaction() as session:
        begun = session.scalar(
            text(
                "SELECT (procrastinate_fetch_job_v2(ARRAY['notifications'], worker_id)).id"
                " FROM procrastinate_register_worker_v1()"
            )
        )
        again = "SELECT procrastinate_retry_job_v2(:job, :at, NULL, NULL, NULL)"
        session.execute(text(again), {"job": begun, "at": NOON + timedelta(seconds=80)})
    assert due_now(recipients) == []
    with transaction() as session:
        owe(session, Owed("delegated", 7, "delegation:1"), NOON)


def due_now(recipients: Recipients) -> list[str]:
    query = "SELECT task_name FROM procrastinate_jobs WHERE status = 'todo'"
    return [one for (one,) in recipients.rows(query + " AND scheduled_at IS NULL")]


def test_from_a_notice_to_the_phone_by_jobs_alone(
    connected: Simulator, recipients: Recipients
) -> None:
    person = recipients.reached(connected, "first")
    recipients.execute("DELETE FROM wechat_template")
    with transaction() as session:
        notices_due(session, [Notice(person, "grant", "match_run:1", date(2026, 11, 18))])
    for _ in range(3):
        look()
        for name in jobs(recipients):
            recipients.execute("DELETE FROM procrastinate_jobs WHERE task_name = :name", name=name)
            {TAKE: tasks.take, DELIVER: tasks.deliver, TEMPLATES: tasks.look_up_templates}[name]()
    assert recipients.states() == [("delivered", "subscribe")]


def test_templates_are_asked_for_again_a_minute_after_wechat_did_not_answer(
    connected: Simulator, recipients: Recipients, caplog: pytest.LogCaptureFixture
) -> None:
    recipients.execute("DELETE FROM wechat_template")
    connected.fault("http", "/wxaapi/newtmpl/gettemplate", status=500)
    tasks.look_up_templates()
    look()
    assert jobs(recipients) == [TEMPLATES]
    ((at,),) = recipients.rows("SELECT scheduled_at FROM procrastinate_jobs")
    assert at == NOON + timedelta(minutes=1)


def test_a_template_missing_at_wechat_is_said(
    connected: Simulator, recipients: Recipients, caplog: pytest.LogCaptureFixture
) -> None:
    connected.template("SIM-RESULT", "{{thing1.DATA}}", title="别的")
    tasks.look_up_templates()
    assert "templates missing at WeChat" in caplog.text
    assert recipients.rows("SELECT title FROM wechat_template") == [("办理进度提醒",)]


def test_the_oldest_message_not_sent_is_measured_by_the_site(
    recipients: Recipients, app_database: Engine, clock: Clock
) -> None:
    recipients.owe([recipients.person("first")])
    clock.pass_(minutes=4)
    with kernel_database.bound(app_database), transaction() as session:
        assert unsent(session, clock.moment).oldest_seconds == 240
    shown = message_metrics.exposition(app_database).decode()
    assert "shukun_messages_oldest_unsent_seconds 240.0" in shown
    assert "shukun_messages_unsent 1.0" in shown
    assert "shukun_messages_failed 0.0" in shown
    assert message_metrics.exposition(None) == b""


def test_a_notice_that_nobody_takes_is_measured_too(recipients: Recipients, clock: Clock) -> None:
    with transaction() as session:
        notices_due(session, [Notice(7, "novelty", "x:1", date(2026, 11, 18))])
    recipients.execute("UPDATE notice_due SET owed_at = :at", at=NOON - timedelta(minutes=7))
    with transaction() as session:
        assert unsent(session, clock.moment).oldest_seconds == 420


def test_nights_do_not_count_as_waiting(recipients: Recipients, clock: Clock) -> None:
    recipients.owe([recipients.person("first")], moment=NOON + timedelta(hours=8, minutes=59))
    for hours, seconds in ((9.5, 0), (19, 0), (20, 0), (20.05, 180)):
        with transaction() as session:
            found = unsent(session, NOON + timedelta(hours=hours))
        assert found.oldest_seconds == seconds


def test_the_alarm_is_raised_after_five_minutes_once_a_day_and_city(
    recipients: Recipients, clock: Clock
) -> None:
    recipients.owe([recipients.person("first"), recipients.person("second", 330382101001)])
    clock.moment = NOON + LATE_AFTER - timedelta(seconds=1)
    with transaction() as session:
        assert not raise_alarm(session, clock.moment)
    clock.pass_(seconds=61)
    for _ in range(3):
        with transaction() as session:
            assert raise_alarm(session, clock.moment)
    assert recipients.rows(ALARMS) == [
        ("messages_late", "city_officer", 320200000000, "2026-11-18"),
        ("messages_late", "city_officer", 330300000000, "2026-11-18"),
    ]


@pytest.mark.parametrize(
    ("area", "items"),
    [(330382101001, [("messages_late", "city_officer", 330300000000, "2026-11-18")]), (0, [])],
)
def test_notices_that_nobody_takes_raise_the_alarm_where_their_people_live_and_in_the_log(
    area: int,
    items: list[tuple[str, str, int, str]],
    recipients: Recipients,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    person = recipients.person("first", area)
    with transaction() as session:
        notices_due(session, [Notice(person, "novelty", "x:1", date(2026, 11, 18))])
    recipients.execute("UPDATE notice_due SET owed_at = :at", at=NOON - timedelta(minutes=6))
    for _ in range(3):
        with transaction() as session:
            assert raise_alarm(session, clock.moment)
    assert recipients.rows(ALARMS) == items
    assert [one.message for one in caplog.records] == ["alarm"]
