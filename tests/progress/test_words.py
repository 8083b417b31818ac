"""Every state, step, desk and period has words for everybody who reads them."""

from __future__ import annotations

import re
from datetime import date

import pytest

from backend.applications.clocks import NAMES
from backend.applications.moves import MOVES, STATES
from backend.policies.procedures import KINDS
from backend.progress.words import WORDS, Mode, holder, of_step, period, to_do

READERS: tuple[Mode, ...] = ("normal", "elder", "staff")
INNER = {"return", "escalate"}
OFFICE_WORDS = re.compile(r"政策|文件|终止|适用|系统|补正|受理|初审|异议|期限")
PERSONAL = re.compile(r"[0-9,.]+ ?元|¥|诊断|癌|药|身份证|姓名|低保|特困|残疾|孤儿")


def test_every_step_of_every_move_has_words_for_those_who_are_shown_it() -> None:
    for deed, _, to_state in MOVES:
        words = of_step(deed, to_state)
        readers = ("staff",) if words.inner else READERS
        assert all(words.to(reader) for reader in readers), deed


def test_the_office_keeps_to_itself_what_it_returns_and_escalates() -> None:
    moves = {(deed, to_state) for deed, _, to_state in MOVES}
    assert {deed for deed, to_state in moves if of_step(deed, to_state).inner} == INNER


def test_no_words_are_left_of_a_step_that_no_longer_exists() -> None:
    moves = {(deed, to_state) for deed, _, to_state in MOVES}
    known = {deed for deed, _ in moves} | {f"{deed}/{to_state}" for deed, to_state in moves}
    assert set(WORDS.steps) <= known


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("state", STATES)
def test_every_state_says_what_happens_who_has_it_and_what_to_do(state: str, reader: Mode) -> None:
    said = WORDS.states[state].to(reader)
    assert said.name
    assert said.now
    assert said.todo
    assert holder(state, STATES[state].desk, reader)


def test_the_words_know_no_other_states_and_periods_than_there_are() -> None:
    assert set(WORDS.states) == set(STATES)
    assert set(WORDS.clocks) == set(NAMES)


@pytest.mark.parametrize("desk", ["applicant", "township_reviewer", "county_officer",
                                  "city_officer", "system", "nobody"])  # fmt: skip
def test_a_case_that_was_escalated_is_named_by_the_desk_that_has_it(desk: str) -> None:
    for reader in READERS:
        assert holder("submitted", desk, reader) == WORDS.desks[desk].to(reader)


@pytest.mark.parametrize("clock", NAMES)
def test_a_period_names_its_last_day_once(clock: str) -> None:
    for reader in READERS:
        told = period(clock, date(2026, 12, 2), WORDS.provisional, reader)
        assert told.count("2026年12月2日") == 1
        assert "变动" in told or "会变" in told


def test_elder_wording_is_without_words_of_the_office() -> None:
    for state in WORDS.states.values():
        said = state.elder
        later = "".join(one.elder for one in state.after.values())
        assert not OFFICE_WORDS.search(said.name + said.now + said.todo + later)
    for step in WORDS.steps.values():
        assert not OFFICE_WORDS.search(step.elder)
    for named in (*WORDS.clocks.values(), *WORDS.desks.values()):
        assert not OFFICE_WORDS.search(named.elder)
    for added in (WORDS.provisional, WORDS.stopped, WORDS.late, WORDS.missed):
        assert not OFFICE_WORDS.search(added.elder)


@pytest.mark.parametrize("reader", ["normal", "elder"])
def test_who_is_asked_for_more_reads_that_the_case_ends_without_it(reader: Mode) -> None:
    assert "到期没补，这件就停了，要重新申请" in to_do("supplement", "ask", reader)


@pytest.mark.parametrize("reader", READERS)
def test_after_an_appeal_that_failed_something_is_left_to_do(reader: Mode) -> None:
    told = to_do("closed", "uphold", reader)
    assert told != to_do("closed", "close", reader)
    assert ("12393" if reader == "elder" else "行政复议或者提起行政诉讼") in told


def test_only_deeds_that_lead_into_a_state_have_words_of_their_own_there() -> None:
    moves = {(to_state, deed) for deed, _, to_state in MOVES}
    assert {(state, deed) for state, words in WORDS.states.items() for deed in words.after} <= moves


def test_words_tell_nothing_personal() -> None:
    said = [step.to(reader) for step in WORDS.steps.values() for reader in READERS]
    for state in WORDS.states.values():
        for reader in READERS:
            one = state.to(reader)
            said += [one.name, one.now, one.todo]
    assert [text for text in said if PERSONAL.search(text)] == []


def test_every_kind_of_application_has_a_name_to_be_called_by() -> None:
    assert all(KINDS.values())
