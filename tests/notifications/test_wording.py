"""What messages say: nothing that a neighbour may not read, in as many words as fit."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from backend.applications.moves import MOVES
from backend.applications.steps import GRANTED_IN_KIND, event_of
from backend.kernel.settings import PROJECT
from backend.notifications.events import EVENTS
from backend.notifications.fields import fitted
from backend.notifications.wechat_templates import Slots
from backend.notifications.wording import (
    TEMPLATES,
    Said,
    as_sms,
    in_inbox,
    on_wechat,
    titles,
    to_tell,
)
from tests.support.recipients import TEMPLATES as AT_WECHAT

LONGEST = 999_999_999_999
KINDS_WRITTEN = re.compile(
    r"""(?:Notice\([\w.]+, "(\w+)"|'(\w+)'(?: AS kind|, :cause| FROM entitlement))"""
)
ON_LOCK_SCREEN = re.compile(
    r"[0-9,.]+ ?元|¥|金额|病|诊断|癌|药|身份证|姓名|低保|特困|残疾|孤儿|艾滋"
)


def said(event: str) -> Said:
    return Said(event, date(2026, 12, 31), LONGEST)


def test_every_event_has_its_texts_and_every_text_an_event() -> None:
    assert {event.template for event in EVENTS.values()} == set(TEMPLATES)


def test_every_event_ends_with_somebody_who_tells_the_person() -> None:
    """So nothing ends unsaid but where nobody knows where a person lives."""
    assert {event.channels[-1] for event in EVENTS.values()} == {"task"}


def test_every_kind_of_notice_that_the_program_owes_is_an_event() -> None:
    found: set[str] = set()
    for name in ("matching/release.py", "calendars/exits.py", "accounts/handovers.py"):
        for match in KINDS_WRITTEN.finditer(Path(PROJECT / "backend" / name).read_text("utf-8")):
            found |= {one for one in match.groups() if one}
    told = {"grant", "entitlement", "other_rules", "exit", "delegated", "delegation_over"}
    assert found == told
    assert found <= set(EVENTS)


def test_every_step_of_a_case_that_is_told_is_an_event_and_every_such_event_is_of_a_step() -> None:
    told = {event_of(deed, to_state) for deed, _, to_state in MOVES} - {None}
    assert told == {event for event in EVENTS if event.startswith("application_")}


def test_who_is_granted_something_without_money_is_told_nothing_of_an_account() -> None:
    both = (GRANTED_IN_KIND, "application_granted")
    assert {name: "账户" in str(said(name).template) for name in both} == {
        GRANTED_IN_KIND: False,
        "application_granted": True,
    }


def test_news_of_a_case_reach_the_person_first_and_then_whoever_acts_for_the_person() -> None:
    audiences = {one.audience for name, one in EVENTS.items() if name.startswith("application_")}
    assert audiences == {("person", "guardian", "family", "delegate")}


@pytest.mark.parametrize("event", EVENTS)
def test_wechat_takes_every_text_uncut_at_the_longest_number(event: str) -> None:
    made = {one.title: one for one in AT_WECHAT}[said(event).template.wechat.title]
    slots = dict(re.findall(r"(.+?):\{\{(\w+)\.DATA\}\}", made.content))
    filled = Slots(made.id, slots, {}, False).fill(said(event))
    assert filled == {slots[name]: text for name, text in on_wechat(said(event)).items()}
    assert all(fitted(key, text) == text for key, text in filled.items())


@pytest.mark.parametrize("event", EVENTS)
def test_a_number_is_never_shown_bare(event: str) -> None:
    """Without the word before it nobody knows what it is."""
    told = said(event).template
    for text in (*told.wechat.fields.values(), told.sms, told.tell):
        assert text.count("{serial}") == text.count("编号{serial}")


@pytest.mark.parametrize("event", EVENTS)
def test_a_locked_screen_shows_no_illness_amount_identity_or_name(event: str) -> None:
    shown = [*on_wechat(said(event)).values(), as_sms(said(event))]
    assert [text for text in shown if ON_LOCK_SCREEN.search(text.replace("12393", ""))] == []


@pytest.mark.parametrize("event", EVENTS)
def test_a_text_message_is_one_and_carries_the_number_of_the_message(event: str) -> None:
    assert len(as_sms(said(event))) <= 70
    assert str(LONGEST) in as_sms(said(event))
    assert str(LONGEST) in to_tell(said(event))
    assert any(str(LONGEST) in text for text in on_wechat(said(event)).values())


@pytest.mark.parametrize("event", EVENTS)
def test_elder_wording_is_shorter_and_without_words_of_the_office(event: str) -> None:
    normal, elder = in_inbox(said(event), "normal"), in_inbox(said(event), "elder")
    assert len(elder.text) < len(normal.text)
    assert not re.search(r"政策|文件|终止|适用|明细清单|系统", elder.title + elder.text)


def test_who_is_asked_for_more_is_told_that_the_case_ends_without_it() -> None:
    asked = said("application_supplement")
    assert "要重新申请" in as_sms(asked)
    for text in (in_inbox(asked, "elder").text, to_tell(asked)):
        assert "到期没补，这件就停了，要重新申请" in text


def test_the_titles_are_those_to_be_set_up_at_wechat() -> None:
    assert titles() == {one.title for one in AT_WECHAT}
