"""WeChat and the text messages fail in every way: nothing is lost, nobody is asked twice blindly."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.notifications import claiming, delivery, sending, sms, ways
from backend.notifications.attempts import NOT_ASKED, Result, Tried
from backend.notifications.breaker import IN_A_ROW, Breaker
from backend.notifications.delivery import SENDERS, Means, deliver
from backend.notifications.outcomes import PATIENCE
from backend.notifications.reach import Reach
from backend.notifications.watching import DEAD_AFTER, bury
from backend.notifications.wording import Said
from backend.wechat import connection, retrying
from backend.wechat.errors import WeChatBusy
from tests.notifications.conftest import Clock
from tests.support.recipients import NOON, RESULT, Recipients
from tests.support.wechat import Simulator

pytestmark = pytest.mark.postgres

SEND = "/cgi-bin/message/subscribe/send"
Deliver = Callable[[], bool]


@pytest.fixture
def told(connected: Simulator, recipients: Recipients) -> int:
    """Somebody who is owed a message and can be reached by WeChat."""
    person = recipients.reached(connected, "first", accepts=5)
    recipients.owe([person])
    return person


@pytest.mark.parametrize(
    ("action", "more", "code"),
    [
        ("http", {"status": 500}, "wechat-unknown"),
        ("http", {"status": 503}, "wechat-unknown"),
        ("html200", {}, "wechat-unknown"),
        ("reset", {}, "wechat-unknown"),
        ("truncate", {}, "wechat-unknown"),
        ("bad_json", {}, "wechat-unknown"),
    ],
)
def test_without_an_answer_nobody_knows_and_the_next_channel_waits_for_wechats_report(
    connected: Simulator,
    told: int,
    recipients: Recipients,
    delivered: Deliver,
    clock: Clock,
    action: str,
    more: dict[str, Any],
    code: str,
) -> None:
    connected.fault(action, SEND, **more)
    delivered()
    assert recipients.trail() == [("subscribe", "unknown", code)]
    assert recipients.states() == [("waiting", "sms")]
    connected.clear_faults()
    clock.pass_(seconds=59)
    delivered()
    assert recipients.states() == [("waiting", "sms")]
    clock.pass_(seconds=2)
    delivered()
    assert recipients.states() == [("handed_on", "task")]
    assert len(connected.journal(SEND)) == 1


@pytest.mark.parametrize("code", [43101, 40003, 43107, 45168, 40037, 41030])
def test_what_wechat_refuses_goes_by_the_next_channel_at_once_and_is_not_repeated(
    connected: Simulator, told: int, recipients: Recipients, delivered: Deliver, code: int
) -> None:
    connected.fault("errcode", SEND, code=code)
    delivered()
    assert recipients.trail()[0] == ("subscribe", "refused", f"wechat-{code}")
    assert recipients.ended() == {"handed_on": 1}
    assert len(connected.journal(SEND)) == 1
    assert recipients.balance() == [(0, 0) if code == 43101 else (5, 0)]


def test_of_many_refusals_every_one_is_told_otherwise_within_a_minute_and_none_is_repeated(
    connected: Simulator, recipients: Recipients, delivered: Deliver, clock: Clock
) -> None:
    """trust.md A8."""
    people = recipients.crowd(connected, 150, quota=3)
    recipients.owe(people)
    connected.fault("errcode", SEND, code=43101, probability=0.3)
    while delivered():
        clock.pass_(seconds=1)
    calls = connected.journal(SEND)
    assert len(calls) == 150
    refused = [one for one in recipients.trail() if one[2] == "wechat-43101"]
    assert 25 <= len(refused) <= 65
    assert recipients.ended()["delivered"] + recipients.ended()["handed_on"] == 150
    late = recipients.rows(
        "SELECT count(*) FROM message_attempt AS a JOIN message AS m ON m.id = a.message_id"
        " WHERE a.code = 'wechat-43101' AND m.final_at > a.ended_at + interval '1 minute'"
    )
    assert late == [(0,)]


@pytest.mark.parametrize(("code", "seconds"), [(45011, 60), (43108, 3)])
def test_wechat_in_a_hurry_is_asked_again_when_it_says(
    connected: Simulator,
    told: int,
    recipients: Recipients,
    delivered: Deliver,
    clock: Clock,
    code: int,
    seconds: int,
) -> None:
    connected.fault("errcode", SEND, code=code, times=1)
    delivered()
    assert recipients.trail() == [("subscribe", "failed", f"wechat-{code}")]
    clock.pass_(seconds=seconds - 1)
    delivered()
    assert len(recipients.trail()) == 1
    clock.pass_(seconds=1)
    delivered()
    assert recipients.states() == [("delivered", "subscribe")]
    assert recipients.balance() == [(5, 1)]


@pytest.mark.parametrize(("left", "becomes"), [(7200, "handed_on"), (600, "waiting")])
def test_when_the_days_quota_is_used_up_the_next_channel_is_taken_but_shortly_before_midnight(
    connected: Simulator,
    told: int,
    recipients: Recipients,
    delivered: Deliver,
    monkeypatch: pytest.MonkeyPatch,
    left: float,
    becomes: str,
) -> None:
    monkeypatch.setattr(retrying, "seconds_to_midnight", lambda _: left)
    connected.fault("errcode", SEND, code=45009)
    delivered()
    assert recipients.trail()[0] == ("subscribe", "failed", "wechat-45009")
    assert recipients.ended() == {becomes: 1}


def test_when_the_days_quota_is_used_up_somebody_must_look_once_a_day(
    connected: Simulator, recipients: Recipients, delivered: Deliver
) -> None:
    recipients.owe([recipients.reached(connected, name) for name in ("first", "second")])
    connected.fault("errcode", SEND, code=45009)
    delivered()
    alarms = "SELECT role, list_area, period FROM work_item WHERE kind = 'wechat_used_up'"
    assert recipients.rows(alarms) == [("city_officer", 320200000000, "2026-11-18")]
    assert len(connected.journal(SEND)) <= 2


def test_that_the_days_quota_is_used_up_is_logged_also_where_no_city_is_known(
    connected: Simulator,
    told: int,
    recipients: Recipients,
    delivered: Deliver,
    caplog: pytest.LogCaptureFixture,
) -> None:
    recipients.execute("UPDATE person SET area = 0, lives_in = 0")
    connected.fault("errcode", SEND, code=45009)
    delivered()
    assert [one.message for one in caplog.records].count("alarm") == 1


def test_whoever_only_waited_for_the_access_token_has_no_answer_of_wechat(
    connected: Simulator,
    told: int,
    recipients: Recipients,
    delivered: Deliver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def others_have_it(*_given: object) -> None:
        raise WeChatBusy(5)

    monkeypatch.setattr(sending, "send_subscribe", others_have_it)
    delivered()
    assert recipients.trail() == [("subscribe", "failed", NOT_ASKED)]


def test_the_breaker_counts_on_past_calls_that_only_waited_for_the_token() -> None:
    breaker = Breaker(lambda: 0.0)
    tried = Tried(1, 1, "subscribe")
    for _ in range(IN_A_ROW):
        breaker.note(Result(tried, "failed", "wechat-unavailable"))
        breaker.note(Result(tried, "failed", NOT_ASKED, pause=5))
    assert breaker.room(16) == 0
    breaker.note(Result(tried, "sent"))
    assert breaker.room(16) == 16


def test_an_expired_token_is_renewed_and_the_message_arrives(
    connected: Simulator, told: int, recipients: Recipients, delivered: Deliver
) -> None:
    connected.fault("expire_token", SEND, times=1)
    delivered()
    assert recipients.states() == [("delivered", "subscribe")]
    assert len(connected.inbox("first", "subscribe")) == 1


def test_while_wechat_cannot_be_reached_messages_wait_and_then_arrive(
    connected: Simulator, told: int, recipients: Recipients, delivered: Deliver, clock: Clock
) -> None:
    connected.fault("errcode", "/cgi-bin/stable_token", code=-1)
    connected.fault("always_40001", SEND)
    delivered()
    assert recipients.trail()[0][:2] == ("subscribe", "failed")
    connected.clear_faults()
    clock.pass_(seconds=150)
    delivered()
    assert recipients.states() == [("delivered", "subscribe")]


def test_after_half_an_hour_without_wechat_the_next_channel_is_taken(
    connected: Simulator, told: int, recipients: Recipients, delivered: Deliver, clock: Clock
) -> None:
    connected.fault("errcode", SEND, code=45011)
    while clock.moment < NOON + timedelta(minutes=40) and not recipients.ended()["handed_on"]:
        delivered()
        clock.pass_(seconds=61)
    assert recipients.ended() == {"handed_on": 1}
    assert timedelta(minutes=28) < clock.moment - NOON < timedelta(minutes=33)


def test_wechat_is_left_alone_after_some_calls_in_a_row_that_nobody_answered(
    connected: Simulator, recipients: Recipients, keyring: Keyring, clock: Clock
) -> None:
    people = recipients.crowd(connected, 60)
    recipients.owe(people)
    connected.fault("http", SEND, status=503)
    seconds = [0.0]
    means = Means(keyring, clock, Breaker(lambda: seconds[0]))
    deliver(means)
    lost = len(connected.journal(SEND))
    assert IN_A_ROW <= lost < IN_A_ROW + SENDERS
    deliver(means)
    assert len(connected.journal(SEND)) == lost
    seconds[0] += 100
    deliver(means)  # one call, to see whether it is back
    assert len(connected.journal(SEND)) == lost + 1
    connected.clear_faults()
    seconds[0] += 100
    clock.pass_(seconds=10)
    while deliver(means) or recipients.ended()["waiting"] > lost + 1:
        seconds[0] += 100
    clock.pass_(minutes=2)
    deliver(means)
    assert recipients.ended() == {"delivered": 60 - lost - 1, "handed_on": lost + 1}


def test_one_account_gets_one_message_at_a_time_and_all_of_them(
    connected: Simulator, recipients: Recipients, delivered: Deliver, clock: Clock
) -> None:
    person = recipients.reached(connected, "first", accepts=4)
    other = recipients.reached(connected, "second")
    for number in range(4):
        recipients.execute(
            "INSERT INTO message (person_id, event, cause, day, urgent, created_at, due_at, next_at,"
            " channel) VALUES (:person, 'grant', :cause, '2026-11-18', false, :at, :at, :at,"
            " 'subscribe')",
            person=person, cause=f"match_run:{number}", at=NOON,
        )  # fmt: skip
    recipients.owe([other])
    connected.fault("slow", SEND, ms=300)
    together: list[int] = []
    watching = threading.Event()

    def watch() -> None:
        while not watching.is_set():
            found = recipients.rows(
                "SELECT resident_id, count(*) FROM message_attempt WHERE state = 'claimed'"
                " GROUP BY 1"
            )
            together.extend(count for _, count in found)

    thread = threading.Thread(target=watch)
    thread.start()
    for _ in range(6):
        delivered()
        clock.pass_(seconds=3)
    watching.set()
    thread.join()
    assert recipients.ended() == {"delivered": 5}
    assert set(together) == {1}
    assert len(connected.inbox("first", "subscribe")) == 4


def test_two_deliveries_at_once_send_nothing_twice(
    connected: Simulator, recipients: Recipients, keyring: Keyring, clock: Clock
) -> None:
    people = recipients.crowd(connected, 80)
    recipients.owe(people)
    threads = [threading.Thread(target=lambda: deliver(Means(keyring, clock))) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert recipients.ended() == {"delivered": 80}
    assert len(connected.journal(SEND)) == 80


def test_what_a_dead_sender_had_in_hand_is_not_repeated_by_wechat(
    connected: Simulator,
    told: int,
    recipients: Recipients,
    delivered: Deliver,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(BaseException):
        pass

    def die(_call: object) -> None:
        raise Killed

    monkeypatch.setattr(delivery, "send", die)
    with pytest.raises(Killed):
        delivered()
    monkeypatch.undo()
    assert recipients.trail() == [("subscribe", "claimed", "")]
    delivered()
    assert recipients.states() == [("sending", "subscribe")]
    clock.pass_(seconds=DEAD_AFTER.total_seconds() + 1)
    with transaction() as session:
        assert bury(session, clock.moment) == 1
    assert recipients.trail() == [("subscribe", "unknown", "died")]
    clock.pass_(minutes=2)
    delivered()
    assert recipients.ended() == {"handed_on": 1}


def test_a_fault_of_our_own_in_sending_is_logged_and_the_message_goes_on(
    connected: Simulator,
    told: int,
    recipients: Recipients,
    delivered: Deliver,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_given: object) -> None:
        raise ValueError("13900000001")

    monkeypatch.setattr(sending, "send_subscribe", broken)
    delivered()
    assert recipients.trail() == [("subscribe", "unknown", "error")]
    assert "13900000001" not in caplog.text
    clock.pass_(minutes=2)
    delivered()
    assert recipients.ended() == {"handed_on": 1}


class Moody:
    """Sends text messages when it likes."""

    def __init__(self, *moods: Exception | None) -> None:
        self.moods = list(moods)
        self.asked: list[str] = []

    def send(self, one: sms.Sms) -> str:
        self.asked.append(one.reference)
        mood = self.moods.pop(0) if self.moods else None
        if mood is not None:
            raise mood
        return "R1"


def test_text_messages_are_tried_again_under_one_reference(
    recipients: Recipients, delivered: Deliver, clock: Clock
) -> None:
    recipients.owe([recipients.texted("first")])
    provider = Moody(sms.SmsUnavailable(), sms.SmsUnavailable())
    with sms.bound(provider):
        for _ in range(5):
            delivered()
            clock.pass_(seconds=11)
    assert recipients.states() == [("delivered", "sms")]
    assert len(provider.asked) == 3
    assert len(set(provider.asked)) == 1


@pytest.mark.parametrize("mood", [sms.SmsRefused, sms.SmsUnavailable, ValueError])
def test_where_no_text_message_arrives_a_coordinator_tells_the_person(
    recipients: Recipients, delivered: Deliver, clock: Clock, mood: type[Exception]
) -> None:
    recipients.owe([recipients.texted("first")])
    with sms.bound(Moody(*(mood() for _ in range(50)))):
        for _ in range(20):
            delivered()
            clock.pass_(seconds=121)
    assert recipients.ended() == {"handed_on": 1}


def test_the_same_text_message_twice_is_one(recipients: Recipients, keyring: Keyring) -> None:
    one = sms.Sms("13900000001", "【医疗救助】试", "message-1")
    assert {sms.RecordingSms().send(one) for _ in range(2)} == {"message-1"}
    ((phone, text),) = recipients.rows("SELECT phone, text FROM sms_outbox")
    assert b"13900000001" not in bytes(phone)
    assert text == one.text


def test_what_does_not_open_stops_no_other_message(
    connected: Simulator, texting: None, recipients: Recipients, delivered: Deliver
) -> None:
    broken = recipients.texted("first")
    recipients.execute("UPDATE resident SET phone = decode('414141', 'hex')")
    recipients.owe([broken, recipients.reached(connected, "second")])
    delivered()
    assert recipients.states() == [("handed_on", "task"), ("delivered", "subscribe")]


@pytest.fixture
def unfit(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Have the claiming of a person's messages raise; 0: of everybody's, by the database."""

    def break_(person: int) -> None:
        real = claiming.by_wechat

        def broken(said: Said, whom: Reach, means: ways.Means) -> ways.Way | ways.NoWay:
            if not person:
                raise OperationalError("", {}, Exception("13900000001"))
            if whom.person_id == person:
                raise ValueError("13900000001")
            return real(said, whom, means)

        monkeypatch.setattr(claiming, "by_wechat", broken)

    return break_


def test_one_message_that_always_raises_holds_up_no_other_and_fails_in_the_end(
    connected: Simulator,
    recipients: Recipients,
    delivered: Deliver,
    clock: Clock,
    unfit: Callable[[int], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, *others = people = recipients.crowd(connected, 50)
    unfit(broken)
    recipients.owe(people)
    delivered()
    assert recipients.ended() == {"delivered": len(others), "waiting": 1}
    ((number,),) = recipients.rows("SELECT id FROM message WHERE state = 'waiting'")
    clock.pass_(minutes=4)
    delivered()
    assert recipients.rows("SELECT tries FROM message WHERE state = 'waiting'") == [(1,)]
    while clock.moment < NOON + PATIENCE:
        clock.pass_(minutes=1)
        delivered()
    assert recipients.ended() == {"delivered": len(others), "failed": 1}
    assert recipients.work() == [("message_failed", str(number))]
    assert "message not brought on its way" in caplog.text
    assert "13900000001" not in caplog.text


def test_a_message_set_aside_is_sent_once_its_fault_is_mended(
    connected: Simulator,
    told: int,
    recipients: Recipients,
    delivered: Deliver,
    clock: Clock,
    unfit: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unfit(told)
    delivered()
    monkeypatch.undo()
    clock.pass_(minutes=5)
    delivered()
    assert recipients.states() == [("delivered", "subscribe")]


def test_the_databases_trouble_is_no_messages_fault(
    connected: Simulator,
    told: int,
    recipients: Recipients,
    delivered: Deliver,
    unfit: Callable[[int], None],
) -> None:
    unfit(0)
    with pytest.raises(OperationalError):
        delivered()
    assert recipients.rows("SELECT state, tries FROM message") == [("waiting", 0)]


def test_endings_are_kept_in_mind_while_the_database_is_away(
    connected: Simulator,
    told: int,
    recipients: Recipients,
    delivered: Deliver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = [OperationalError("", {}, Exception("gone")) for _ in range(3)]
    real = delivery.record

    def away(*given: Any) -> None:
        if given[1] and wrong:
            raise wrong.pop()
        real(*given)

    monkeypatch.setattr(delivery, "record", away)
    monkeypatch.setattr(delivery, "_PAUSE_S", 0)
    delivered()
    assert wrong == []
    assert recipients.states() == [("delivered", "subscribe")]


def test_without_a_mini_program_everybody_is_told_otherwise(
    texting: None, recipients: Recipients, delivered: Deliver
) -> None:
    with connection.bound(None):
        recipients.owe([recipients.texted("first")])
        delivered()
    assert recipients.trail()[0] == ("subscribe", "skipped", "not-connected")
    assert recipients.states() == [("delivered", "sms")]


def test_until_wechats_templates_are_known_its_messages_wait(
    connected: Simulator, told: int, recipients: Recipients, delivered: Deliver
) -> None:
    recipients.execute("DELETE FROM wechat_template")
    delivered()
    assert recipients.states() == [("waiting", "subscribe")]
    recipients.templates()
    delivered()
    assert recipients.states() == [("delivered", "subscribe")]


def test_a_template_with_other_fields_is_not_used(
    connected: Simulator, told: int, recipients: Recipients, delivered: Deliver
) -> None:
    recipients.execute(
        'UPDATE wechat_template SET slots = \'{"别的": "thing1"}\' WHERE template_id = :id',
        id=RESULT,
    )
    delivered()
    channel, state, code = recipients.trail()[0]
    assert (channel, state) == ("subscribe", "skipped")
    assert code.startswith("unfit-")
    assert recipients.ended() == {"handed_on": 1}
