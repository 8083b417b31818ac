"""Every message ends: with WeChat, as a text message, or with somebody who tells the person."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.notifications.conftest import Clock
from tests.support.recipients import NOON, PROGRESS, RESULT, Recipients
from tests.support.wechat import Simulator

pytestmark = pytest.mark.postgres

Deliver = Callable[[], bool]


def test_who_allowed_it_gets_it_by_wechat_and_it_uses_one_accept(
    connected: Simulator, recipients: Recipients, delivered: Deliver
) -> None:
    person = recipients.reached(connected, "first", accepts=2)
    recipients.owe([person])
    delivered()
    assert recipients.states() == [("delivered", "subscribe")]
    assert recipients.balance() == [(2, 1)]
    (seen,) = connected.inbox("first", "subscribe")
    (number,) = recipients.rows("SELECT id FROM message")
    assert seen["template_id"] == RESULT
    assert seen["data"]["date3"] == "2026年11月18日"
    assert seen["data"]["thing4"].endswith(str(number[0]))
    assert seen["page"] == f"pages/messages/index?message={number[0]}"


def test_who_allowed_nothing_but_agreed_to_text_messages_gets_one(
    connected: Simulator, texting: None, recipients: Recipients, delivered: Deliver
) -> None:
    connected.user("first")
    person = recipients.person("first")
    recipients.account(person, connected.openid("first"), "13900000001")
    recipients.agree(person)
    recipients.owe([person])
    delivered()
    assert recipients.trail() == [("subscribe", "skipped", "no-consent"), ("sms", "sent", "")]
    assert recipients.states() == [("delivered", "sms")]
    assert connected.journal("/cgi-bin/message/subscribe/send") == []
    (said,) = recipients.texts()
    assert "编号" in said


def test_nobody_gets_a_text_message_who_did_not_agree_or_agrees_no_more(
    connected: Simulator, texting: None, recipients: Recipients, delivered: Deliver
) -> None:
    never = recipients.texted("first", agrees=False)
    once = recipients.texted("second")
    recipients.execute(
        "INSERT INTO consent_withdrawal (consent_id, at, channel, by)"
        " SELECT id, '2026-02-01', 'mini_program', '测试' FROM consent"
    )
    recipients.owe([never, once])
    delivered()
    assert recipients.texts() == []
    assert recipients.ended() == {"handed_on": 2}
    assert [one for one in recipients.trail() if one[0] == "sms"] == [
        ("sms", "skipped", "no-consent")
    ] * 2


def test_a_child_is_told_through_the_guardian_and_then_the_family(
    connected: Simulator, texting: None, recipients: Recipients, delivered: Deliver
) -> None:
    guardian = recipients.reached(connected, "guardian")
    child = recipients.person("child", guardian_id=guardian)
    aunt = recipients.texted("aunt")
    nephew = recipients.person("nephew")
    recipients.execute(
        "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis, recorded_by,"
        " from_on) SELECT nextval('row_id'), id, :nephew, '姑姑', 'written', '测试', '2026-01-01'"
        " FROM resident WHERE person_id = :aunt",
        nephew=nephew,
        aunt=aunt,
    )
    recipients.owe([child, nephew])
    delivered()
    assert recipients.states() == [("delivered", "subscribe"), ("delivered", "sms")]
    assert len(connected.inbox("guardian", "subscribe")) == 1


def test_that_somebody_may_act_for_a_person_is_not_told_to_that_somebody(
    connected: Simulator, texting: None, recipients: Recipients, delivered: Deliver
) -> None:
    aunt = recipients.texted("aunt")
    nephew = recipients.person("nephew")
    recipients.execute(
        "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis, recorded_by,"
        " from_on) SELECT nextval('row_id'), id, :nephew, '姑姑', 'written', '测试', '2026-01-01'"
        " FROM resident WHERE person_id = :aunt",
        nephew=nephew,
        aunt=aunt,
    )
    recipients.owe([nephew], "delegated")
    delivered()
    assert recipients.ended() == {"handed_on": 1}
    assert recipients.texts() == []


@pytest.mark.parametrize("deed", ["replace_account", "close_account"])
def test_that_an_account_was_replaced_is_told_by_that_account_and_one_that_was_left_is_forgotten(
    connected: Simulator, recipients: Recipients, delivered: Deliver, deed: str
) -> None:
    connected.user("first")
    connected.subscribe("first", {PROGRESS: "accept"})
    person = recipients.person("first")
    former = recipients.account(person, connected.openid("first"))
    recipients.allow(former, template=PROGRESS)
    recipients.execute(f"SELECT {deed}(:former)", former=former)
    recipients.account(person, connected.openid("first"))  # the new one is not asked
    recipients.owe([person], "account_replaced")
    delivered()
    replaced = deed == "replace_account"
    assert recipients.ended() == {"delivered" if replaced else "handed_on": 1}
    assert len(connected.inbox("first", "subscribe")) == replaced
    assert recipients.balance() == [(1, int(replaced))]


def test_the_former_account_is_told_of_nothing_else(
    connected: Simulator, recipients: Recipients, delivered: Deliver
) -> None:
    person = recipients.reached(connected, "first")
    recipients.execute("SELECT replace_account(id) FROM resident")
    recipients.owe([person])
    delivered()
    assert recipients.ended() == {"handed_on": 1}


def test_who_was_merged_into_another_is_told_through_the_accounts_of_both(
    connected: Simulator, recipients: Recipients, delivered: Deliver
) -> None:
    before = recipients.reached(connected, "first")
    now = recipients.person("second")
    recipients.execute(
        "INSERT INTO person_merge (merged_id, revision, person_id, file_id)"
        " VALUES (:before, 1, :now, 1)",
        before=before,
        now=now,
    )
    recipients.owe([before])
    delivered()
    assert recipients.states() == [("delivered", "subscribe")]


def test_who_has_neither_is_told_by_the_coordinator_where_the_person_lives(
    connected: Simulator, texting: None, recipients: Recipients, delivered: Deliver
) -> None:
    person = recipients.person("first")
    recipients.owe([person])
    delivered()
    assert recipients.states() == [("handed_on", "task")]
    query = "SELECT kind, person_id, area, role FROM work_item"
    assert recipients.rows(query) == [("tell_person", person, 320281101001, "village_coordinator")]


def test_of_whom_no_place_is_known_the_message_fails_and_is_counted(
    recipients: Recipients, delivered: Deliver
) -> None:
    recipients.owe([recipients.person("first", area=0)])
    delivered()
    assert recipients.ended() == {"failed": 1}


def test_a_person_who_died_gets_no_message_but_the_family_is_visited(
    connected: Simulator, texting: None, recipients: Recipients, delivered: Deliver
) -> None:
    person = recipients.reached(connected, "first")
    recipients.execute("UPDATE person SET died_on = '2026-11-01'")
    recipients.owe([person])
    delivered()
    assert recipients.states() == [("handed_on", "task")]
    assert connected.inbox("first") == []


def test_an_exit_is_told_by_the_visit_that_was_ordered_with_it(
    recipients: Recipients, delivered: Deliver
) -> None:
    recipients.owe([recipients.person("first")], "exit")
    delivered()
    assert recipients.states() == [("handed_on", "task")]
    assert recipients.work() == []
    assert recipients.trail()[-1] == ("task", "sent", "visited")


def test_a_refusal_of_wechat_goes_on_at_once_and_is_never_tried_again(
    connected: Simulator, texting: None, recipients: Recipients, delivered: Deliver
) -> None:
    person = recipients.reached(connected, "first", accepts=3)
    connected.refuse("first", RESULT)
    recipients.owe([person])
    delivered()
    assert recipients.trail()[0] == ("subscribe", "refused", "wechat-43101")
    assert recipients.states() == [("handed_on", "task")]
    assert recipients.balance() == [(0, 0)]
    assert len(connected.journal("/cgi-bin/message/subscribe/send")) == 1


def test_at_night_only_what_cannot_wait_is_sent(
    connected: Simulator, recipients: Recipients, delivered: Deliver, clock: Clock
) -> None:
    night = NOON.replace(hour=23)
    clock.moment = night
    person = recipients.reached(connected, "first")
    recipients.owe([person], "grant", night)
    recipients.owe([recipients.person("second")], "delegated", night)
    delivered()
    assert recipients.states() == [("waiting", "subscribe"), ("handed_on", "task")]
    clock.moment = night.replace(day=night.day + 1, hour=8, minute=0)
    delivered()
    assert recipients.states() == [("delivered", "subscribe"), ("handed_on", "task")]
