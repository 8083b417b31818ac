"""What WeChat pushes about messages: accepts, refusals, and what became of what we sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.kernel import clock as kernel_clock
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.notifications.quota import SAME_WITHIN, Accept, left, note_accept
from backend.notifications.reports import take_answers, take_refusals, take_results
from backend.wechat.handlers import HANDLERS
from backend.wechat.push import Push
from tests.notifications.conftest import Clock
from tests.support.recipients import NOON, PROGRESS, RESULT, Recipients
from tests.support.wechat import Simulator

pytestmark = pytest.mark.postgres

SEND = "/cgi-bin/message/subscribe/send"
OPENID = "oInvented000000000000000001"
Deliver = Callable[[], bool]


def push(
    event: str, entries: Sequence[dict[str, str]], at: datetime = NOON, openid: str = OPENID
) -> Push:
    return Push(b"k" * 32, "event", f"subscribe_msg_{event}_event", openid, at, {"List": entries})


def answer(template: str, said: str) -> dict[str, str]:
    return {"TemplateId": template, "SubscribeStatusString": said, "PopupScene": "0"}


def result(number: str, code: str = "0", template: str = RESULT) -> dict[str, str]:
    return {"TemplateId": template, "MsgID": number, "ErrorCode": code, "ErrorStatus": "x"}


@pytest.fixture(autouse=True)
def noon(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_clock, "now", clock)


@pytest.fixture
def account(recipients: Recipients) -> int:
    """Of somebody connected with WeChat."""
    return recipients.account(recipients.person("first"), OPENID)


def pushed(handler: Callable[..., Any], one: Push) -> None:
    with transaction() as session:
        handler(session, one)


def reported(account: int, call: str, at: datetime = NOON, template: str = RESULT) -> bool:
    with transaction() as session:
        return note_accept(session, Accept(account, template, "client", at, call))


def balance(account: int) -> dict[str, int]:
    with transaction() as session:
        return dict(left(session, account))


def test_the_handlers_are_known_to_every_worker() -> None:
    import backend.notifications.tasks  # noqa: F401

    for event, handler in (
        ("popup", take_answers),
        ("change", take_refusals),
        ("sent", take_results),
    ):
        assert handler in HANDLERS[f"subscribe_msg_{event}_event"]


def test_each_accept_of_a_popup_is_one_message(account: int) -> None:
    pushed(take_answers, push("popup", [answer(RESULT, "accept"), answer(PROGRESS, "reject")]))
    pushed(take_answers, push("popup", [answer(RESULT, "accept")], NOON + timedelta(seconds=5)))
    assert balance(account) == {RESULT: 2}


def test_an_accept_that_the_push_and_the_phone_both_tell_is_one(account: int) -> None:
    pushed(take_answers, push("popup", [answer(RESULT, "accept")]))
    assert not reported(account, "call-1", NOON + timedelta(seconds=2))
    assert balance(account) == {RESULT: 1}


def test_whichever_of_both_comes_first(account: int) -> None:
    assert reported(account, "call-1", NOON)
    pushed(take_answers, push("popup", [answer(RESULT, "accept")], NOON - timedelta(seconds=3)))
    assert balance(account) == {RESULT: 1}


def test_two_accepts_told_by_both_are_two(account: int) -> None:
    for second in (0, 30):
        at = NOON + timedelta(seconds=second)
        pushed(take_answers, push("popup", [answer(RESULT, "accept")], at))
        reported(account, f"call-{second}", at + timedelta(seconds=1))
    assert balance(account) == {RESULT: 2}


def test_an_accept_without_a_popup_is_known_from_the_phone_alone(account: int) -> None:
    """总是保持以上选择: WeChat pushes nothing, and yet allows a message."""
    for number in range(3):
        assert reported(account, f"call-{number}", NOON + number * 2 * SAME_WITHIN)
    assert balance(account) == {RESULT: 3}


def test_an_accept_long_after_a_report_is_another(account: int) -> None:
    reported(account, "call-1", NOON)
    later = NOON + SAME_WITHIN + timedelta(seconds=1)
    pushed(take_answers, push("popup", [answer(RESULT, "accept")], later))
    assert balance(account) == {RESULT: 2}


def test_a_refusal_in_the_settings_ends_what_is_left_until_the_next_accept(account: int) -> None:
    pushed(take_answers, push("popup", [answer(RESULT, "accept")]))
    pushed(take_refusals, push("change", [answer(RESULT, "reject")]))
    assert balance(account) == {RESULT: 0}
    pushed(take_answers, push("popup", [answer(RESULT, "accept")], NOON + timedelta(hours=1)))
    assert balance(account) == {RESULT: 2}


def test_who_refused_is_not_asked_at_wechat(
    connected: Simulator, recipients: Recipients, delivered: Deliver
) -> None:
    person = recipients.reached(connected, "first")
    openid = connected.openid("first")
    pushed(take_refusals, push("change", [answer(RESULT, "reject")], openid=openid))
    recipients.owe([person])
    delivered()
    assert connected.journal(SEND) == []
    assert recipients.ended() == {"handed_on": 1}


def test_pushes_about_strangers_change_nothing(recipients: Recipients, account: int) -> None:
    stranger = "oInvented000000000000000002"
    pushed(take_answers, push("popup", [answer(RESULT, "accept")], openid=stranger))
    pushed(take_refusals, push("change", [answer(RESULT, "reject")], openid=stranger))
    pushed(take_results, push("sent", [result("1")], openid=stranger))
    assert recipients.rows("SELECT * FROM subscription") == []


def test_wechats_report_settles_what_nobody_knew(
    connected: Simulator, recipients: Recipients, delivered: Deliver, clock: Clock
) -> None:
    """The work was done, the answer was lost: the person is not told again."""
    person = recipients.reached(connected, "first")
    recipients.owe([person])
    connected.fault("truncate", SEND)
    delivered()
    assert recipients.trail() == [("subscribe", "unknown", "wechat-unknown")]
    openid, at = connected.openid("first"), NOON + timedelta(seconds=1)
    pushed(take_results, push("sent", [result("2000000000000001")], at, openid))
    assert recipients.states() == [("delivered", "sms")]
    clock.pass_(minutes=5)
    delivered()
    assert recipients.ended() == {"delivered": 1}
    assert recipients.work() == []


def test_while_reports_wait_to_be_read_nobody_is_told_otherwise(
    connected: Simulator, recipients: Recipients, delivered: Deliver, clock: Clock
) -> None:
    """Workers may be behind with what WeChat pushed: the answer is there, not read yet."""
    person = recipients.reached(connected, "first")
    recipients.owe([person])
    connected.fault("truncate", SEND)
    delivered()
    recipients.execute(
        "INSERT INTO wechat_push (id, dedupe_key, stamp, received_at, kind, event, payload)"
        " VALUES (1, '1', '1', :at, 'event', 'subscribe_msg_sent_event', '')",
        at=NOON + timedelta(seconds=5),
    )
    clock.pass_(minutes=9)
    delivered()
    assert recipients.states() == [("waiting", "sms")]
    recipients.execute("UPDATE wechat_push SET state = 'done'")
    delivered()
    assert recipients.ended() == {"handed_on": 1}


def test_reports_that_nobody_reads_hold_a_message_up_for_ten_minutes(
    connected: Simulator, recipients: Recipients, delivered: Deliver, clock: Clock
) -> None:
    person = recipients.reached(connected, "first")
    recipients.owe([person])
    connected.fault("truncate", SEND)
    delivered()
    recipients.execute(
        "INSERT INTO wechat_push (id, dedupe_key, stamp, received_at, kind, event, payload)"
        " VALUES (1, '1', '1', :at, 'event', 'subscribe_msg_sent_event', '')",
        at=NOON,
    )
    clock.pass_(minutes=12)
    delivered()
    assert recipients.ended() == {"handed_on": 1}


def test_a_report_that_comes_while_the_answer_is_still_awaited_counts(
    connected: Simulator, recipients: Recipients, delivered: Deliver, keyring: Keyring
) -> None:
    person = recipients.reached(connected, "first")
    recipients.owe([person])
    recipients.execute(
        "INSERT INTO message_attempt (message_id, channel, resident_id, template_id, claimed_at)"
        " SELECT m.id, 'subscribe', r.id, :template, :at FROM message AS m, resident AS r",
        template=RESULT,
        at=NOON,
    )
    recipients.execute("UPDATE message SET state = 'sending'")
    pushed(
        take_results, push("sent", [result("2000000000000001")], openid=connected.openid("first"))
    )
    assert recipients.ended() == {"delivered": 1}
    assert recipients.rows("SELECT receipt FROM message_attempt") == [("2000000000000001",)]


def test_a_message_that_failed_at_wechat_afterwards_goes_by_the_next_channel(
    connected: Simulator, recipients: Recipients, delivered: Deliver
) -> None:
    person = recipients.reached(connected, "first")
    recipients.owe([person])
    delivered()
    assert recipients.ended() == {"delivered": 1}
    ((number,),) = recipients.rows("SELECT receipt FROM message_attempt")
    openid = connected.openid("first")
    for _ in range(2):
        pushed(take_results, push("sent", [result(number, "43101")], openid=openid))
    delivered()
    assert recipients.states() == [("handed_on", "task")]
    assert [kind for kind, _ in recipients.work()] == ["tell_person"]


def test_a_report_of_success_about_what_was_told_otherwise_changes_no_end(
    connected: Simulator, recipients: Recipients, delivered: Deliver, clock: Clock
) -> None:
    person = recipients.reached(connected, "first")
    recipients.owe([person])
    connected.fault("truncate", SEND)
    delivered()
    clock.pass_(minutes=2)
    delivered()
    assert recipients.ended() == {"handed_on": 1}
    openid = connected.openid("first")
    pushed(take_results, push("sent", [result("2000000000000001")], openid=openid))
    assert recipients.ended() == {"handed_on": 1}
    assert recipients.trail()[0] == ("subscribe", "sent", "wechat-unknown")
