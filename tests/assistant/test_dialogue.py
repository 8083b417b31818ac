"""An estimate step by step: it comes to what POST estimates answers for the same case."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.assistant.asking import FLAGS, PAYERS, Asking, choices_of
from backend.assistant.by_words import ByWords
from backend.assistant.dialogue import AT_START, STOPPED, Dialogue, Turn
from backend.assistant.outcome import BASIC_UNKNOWN, ONLY_AN_ESTIMATE, TAKEN_AS
from backend.assistant.sheet import Sheet
from backend.assistant.wording import yuan
from backend.estimation.case import Bill
from backend.estimation.questions import Questions
from backend.estimation.terms import Rules
from backend.kernel.areas import area_name
from backend.kernel.money import parse_yuan
from backend.kernel.settings import PROJECT
from backend.policies.book import PolicyBook
from backend.policies.search.words import normalise

TODAY = date(2026, 11, 21)
SAID = {
    "basic": "基本医保",
    "serious_illness": "大病保险",
    "medical_assistance": "医疗救助",
    "commercial": "商业保险",
    "mutual_aid": "互助",
    "charity": "慈善",
}
Json = dict[str, Any]


def golden() -> Iterator[Json]:
    """The golden cases that can be told in the chat: one bill, identities held for long."""
    for case in json.loads((PROJECT / "tests/cases/estimates.json").read_text("utf-8")):
        request = case["request"]
        bill, held = request["bills"][0], request["person"].get("identities", [])
        told = (
            len(request["bills"]) == 1
            and "in_force" not in case["id"]  # what is told of other days is tested below
            and not request.get("assumptions")
            and request.get("policy", "plan-2026") != "plan-2026"
            and bill["discharged_on"] <= TODAY.isoformat()
            and all(one["to"] is None and one["from"] <= bill["admitted_on"] for one in held)
            and bill.get("paid", {}).keys() <= SAID.keys()
            and set(bill.get("paid", {})) >= {"basic"}
        )
        if told:
            yield case


class Talk:
    """One estimate, question by question, as a resident would go through it."""

    def __init__(self, rules: Rules, by_words: ByWords) -> None:
        self._understand = by_words
        self.dialogue = Dialogue(rules, TODAY)
        self.asking = Asking(rules.book, TODAY)
        self.turn = Turn("", Sheet())

    def start(self, said: str, area: str | None = None) -> Turn:
        self.turn = self.dialogue.start(self._understand(said, TODAY).slots, area)
        return self.turn

    def say(self, said: str) -> Turn:
        assert self.turn.sheet is not None, self.turn.text
        slots = self._understand(said, TODAY).slots
        self.turn = self.dialogue.answer(self.turn.sheet, normalise(said), slots)
        return self.turn

    @property
    def asked(self) -> str | None:
        """The code of the open question."""
        assert self.turn.sheet is not None
        return self.asking.next(self.turn.sheet)


@pytest.fixture
def talk(rules: Rules, by_words: ByWords) -> Talk:
    return Talk(rules, by_words)


def answers(case: Json, book: PolicyBook, questions: Questions | None, asked: str) -> str:
    """What a resident who knows the case says to a question."""
    request = case["request"]
    bill, person = request["bills"][0], request["person"]
    if asked == "place":
        return area_name(book.policy(request["policy"]).area or "") or ""
    if asked in FLAGS:
        return "是的" if bill.get(asked, asked == "designated") else "不是"
    if asked in SAID:
        paid = bill["paid"]
        every = [f"{SAID[layer]}{paid[layer]}元" for layer in paid] if asked == "basic" else []
        return "，".join(every) or (f"{paid[asked]}元" if asked in paid else "没有")
    if asked in ("who", "setting", "disease_group"):
        assert questions is not None
        codes = {
            "who": [one["category"] for one in person.get("identities", [])],
            "setting": [bill["setting"]],
            "disease_group": [bill.get("disease_group", "general")],
        }[asked]
        listed = [choice.code for choice in choices_of(asked, questions)]
        return "和".join(str(listed.index(code) + 1) for code in codes) or "都不是"
    year, month, day = bill["discharged_on"].split("-")
    return {
        "day": f"{year}年{int(month)}月{int(day)}日",
        "total": f"{bill['total']}元",
        "in_scope": f"{bill['in_scope']}元",
        "declined": "放弃了，有的" if person.get("declined_health_service") else "没有",
        "rare_drug": "没有",
    }[asked]


@pytest.mark.parametrize("case", list(golden()), ids=lambda case: case["id"])
def test_the_result_is_that_of_the_same_case_elsewhere(
    case: Json, talk: Talk, book: PolicyBook
) -> None:
    turn = talk.start("算一下")
    while turn.sheet is not None:
        asked = talk.asked
        assert asked is not None
        turn = talk.say(answers(case, book, talk.asking.questions(turn.sheet), asked))
        assert turn.understood, (asked, turn.text)
    expected = case["expect"][0]
    for layer, amount in expected["payments"].items():
        name = book.vocabulary.layers[layer]
        money = yuan(parse_yuan(amount))
        assert f"{name}付 {money}" in turn.text or f"{name}至少付 {money}" in turn.text
    assert f"自己要付 {yuan(parse_yuan(expected['personal_burden']))}" in turn.text
    assert ONLY_AN_ESTIMATE in turn.text


def test_enough_golden_cases_can_be_told_in_the_chat() -> None:
    assert len(list(golden())) >= 60


def test_what_was_said_at_the_start_is_not_asked_again(talk: Talk) -> None:
    talk.start("去年住院花了三万二，低保，江阴的，医保报了两万一")
    assert talk.asked == "serious_illness"


def test_the_place_of_a_known_person_is_not_asked(talk: Talk) -> None:
    talk.start("算一下", area="320281104001")
    assert talk.asked == "who"


def test_one_thing_is_asked_at_a_time(talk: Talk) -> None:
    talk.start("算一下")
    asked = []
    for said in ("江阴", "低保", "住院", "去年三月", "三万二", "两万一", "没有", "不知道", "是"):
        asked.append(talk.asked)
        talk.say(said)
    assert asked == [
        "place", "who", "setting", "day", "total", "basic", "serious_illness", "in_scope",
        "referred",
    ]  # fmt: skip


def test_an_answer_can_be_taken_back(talk: Talk) -> None:
    talk.start("低保，住院，江阴")
    talk.say("去年三月")
    assert talk.asked == "total"
    talk.say("上一步")
    assert talk.asked == "day"
    talk.say("今年三月")
    assert talk.turn.sheet is not None
    assert talk.turn.sheet.day == date(2026, 3, 31)


def test_the_first_question_has_none_before_it(talk: Talk) -> None:
    talk.start("算一下")
    assert AT_START in talk.say("上一步").text


def test_it_can_begin_anew(talk: Talk) -> None:
    talk.start("低保，住院，江阴")
    talk.say("重新来")
    assert talk.asked == "place"


def test_it_can_be_left(talk: Talk) -> None:
    talk.start("算一下")
    turn = talk.say("算了不算了")
    assert (turn.text, turn.sheet) == (STOPPED, None)


def test_losing_the_allowance_is_no_order_to_stop(talk: Talk) -> None:
    talk.start("算一下，江阴")
    turn = talk.say("低保今年三月被取消了，现在都不是")
    assert turn.sheet is not None
    assert turn.sheet.categories == ()


def test_what_one_paid_oneself_answers_what_insurance_paid(talk: Talk) -> None:
    talk.start("低保，去年三月住院，江阴，总共三万")
    talk.say("我自己掏了一万")
    assert talk.turn.sheet is not None
    assert talk.turn.sheet.paid == {"basic": 2_000_000}


def test_what_follows_from_the_own_part_is_only_taken_when_confirmed(talk: Talk) -> None:
    turn = talk.start("低保，去年三月住院，江阴，总共三万，自己掏了一万")
    assert "20,000 元，对吗" in turn.text
    talk.say("对")
    assert talk.turn.sheet is not None
    assert talk.turn.sheet.paid == {"basic": 2_000_000}


def test_who_cannot_say_what_insurance_paid_is_told_where_it_stands_then_warned(talk: Talk) -> None:
    talk.start("低保，去年三月住院，江阴，总共三万")
    assert "统筹基金支付" in talk.say("不知道").text
    talk.say("真的不知道")
    assert talk.asked == "serious_illness"
    for said in ("没有", "不知道", "不知道", "不知道", "不知道"):
        talk.say(said)
    assert BASIC_UNKNOWN in talk.turn.text


def test_no_sum_at_all_is_asked_again(talk: Talk) -> None:
    talk.start("低保，去年三月住院，江阴，总共三万")
    assert not talk.say("呵呵啦啦").understood
    assert talk.asked == "basic"


@pytest.mark.parametrize("said", ["2025-03-09", "-5000", "负五千"])
def test_a_day_or_less_than_nothing_is_no_cost(talk: Talk, said: str) -> None:
    talk.start("低保，去年三月住院，江阴")
    assert talk.asked == "total"
    assert not talk.say(said).understood
    assert talk.asked == "total"


def test_a_day_to_come_is_asked_again(talk: Talk) -> None:
    talk.start("低保，住院，江阴")
    assert not talk.say("明年三月").understood
    assert talk.asked == "day"


@pytest.mark.parametrize(
    ("begun", "said", "told"),
    [
        ("总共三万", "五万", "50,000 元 比总费用 30,000 元 还多"),
        ("总共三万，医保报了两万", "一万五", "前面说的报了 20,000 元，再加 15,000 元"),
        ("医保报了两万", "一万五", "总费用 15,000 元，比前面说的报掉的 20,000 元 还少"),
        ("总共三万，医保报了四万，大病报了两千", "两万", "42,000 元，比总费用 30,000 元 还多"),
        ("总共三万，医保报了两万，大病报了两千", "四万", "40,000 元 比总费用 30,000 元 还多"),
    ],
)
def test_a_sum_that_cannot_be_is_told_why(talk: Talk, begun: str, said: str, told: str) -> None:
    asked = talk.start(f"低保，去年三月住院，江阴，{begun}").sheet and talk.asked
    turn = talk.say(said)
    assert told in turn.text
    assert (turn.understood, talk.asked) == (True, asked)


def test_whoever_belongs_to_no_category_is_told_so(talk: Talk) -> None:
    talk.start("江阴，去年三月住院，三万")
    for said in ("都不是", "两万", "没有", "不知道"):
        talk.say(said)
    assert "不在救助对象里" in talk.turn.text
    assert talk.turn.computed


def test_a_place_without_a_policy_is_not_estimated_by_another_ones(talk: Talk) -> None:
    talk.start("算一下")
    turn = talk.say("哈尔滨")
    assert "没有收录" in turn.text
    assert not turn.computed


def test_a_policy_that_has_ended_gives_nothing_and_says_so(talk: Talk) -> None:
    talk.start("乐清，低保，住院，今年三月，三万")
    for said in ("两万", "没有", "不知道", "是", "是"):
        talk.say(said)
    assert "没有计算救助" in talk.turn.text


def test_every_flag_of_a_bill_has_a_question_and_what_is_taken_for_it(book: PolicyBook) -> None:
    assert FLAGS.keys() == book.vocabulary.flags.keys()
    assert FLAGS.keys() | PAYERS.keys() - {"basic"} <= TAKEN_AS.keys()
    # `designated` alone holds unless somebody says otherwise.
    bill = Bill("1", "inpatient", TODAY, TODAY, 1, 1)
    taken = {flag for flag in FLAGS if TAKEN_AS[flag].startswith("是")}
    assert taken == {flag for flag in FLAGS if getattr(bill, flag)}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=30) | st.sampled_from(["1", "是", "没有", "三万", "去年"])))
def test_no_answer_breaks_an_estimate(rules: Rules, by_words: ByWords, said: list[str]) -> None:
    talk = Talk(rules, by_words)
    talk.start("江阴，住院")
    for one in said:
        if talk.turn.sheet is None:
            return
        talk.say(one)
        assert talk.turn.text
