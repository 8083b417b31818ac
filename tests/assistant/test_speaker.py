from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.assistant import sayings
from backend.assistant.answers import NO_DECISION, WHICH_PLACE
from backend.assistant.by_words import ByWords
from backend.assistant.progress import NO_ACCOUNT, NO_FAMILY, NOT_KNOWN, NOTHING, SOURCE, Stage
from backend.assistant.replies import Known, Memory, Reply
from backend.assistant.speaker import Speaker
from backend.assistant.understanding import Intent, Slots, Understood
from backend.assistant.wording import LONGEST, shortened
from backend.estimation.terms import Rules
from tests.assistant.conftest import TODAY

NOBODY = Known()
SOMEBODY = Known(person=True, area="320281104001")
MOST_MESSAGES = 5


class Talk:
    """A conversation that remembers, and that lies in a list once it was handed over."""

    def __init__(self, speaker: Speaker, known: Known = NOBODY) -> None:
        self._speaker, self._known = speaker, known
        self.memory = Memory()

    def say(self, said: str) -> Reply:
        reply = self._speaker.reply(said, self.memory, self._known)
        self.memory = reply.memory
        if reply.hand_over is not None:
            self._known = replace(self._known, handed_over=True)
        return reply


def test_a_place_named_afterwards_answers_the_question_again(speaker: Speaker) -> None:
    talk = Talk(speaker)
    assert talk.say("低保户住院能报多少").texts == (WHICH_PLACE,)
    reply = talk.say("乐清")
    assert reply.card is not None
    assert "yueqing-2022-41" in reply.card.path


def test_the_registered_place_goes_before_what_was_said(speaker: Speaker) -> None:
    reply = Talk(speaker, SOMEBODY).say("住院要交押金吗")
    assert reply.card is not None
    assert "wuxi-2022-98" in reply.card.path


def test_two_questions_in_one_breath_are_both_answered(speaker: Speaker) -> None:
    stages = (Stage(True, "paid", 2, date(2026, 10, 3)),)
    known = Known(True, "320281104001", stages)
    reply = Talk(speaker, known).say("我的钱到了没，另外住院要交押金吗？")
    progress, policy = reply.texts
    assert "2 笔已经付到登记的账户，最近一次是2026年10月3日" in progress
    assert NO_DECISION in policy


def test_progress_tells_stages_apart_by_whose_they_are(speaker: Speaker) -> None:
    stages = (Stage(True, "held", 1, None), Stage(False, "account", 1, None))
    said = Talk(speaker, Known(True, None, stages)).say("我的救助进度").texts[0]
    assert said.startswith("您本人：1 笔在等工作人员核实")
    assert f"您代办的家人：{NO_ACCOUNT}" in said
    assert said.endswith(SOURCE)


def test_who_asks_for_a_relative_is_told_of_the_family_alone(speaker: Speaker) -> None:
    own, others = Stage(True, "held", 1, None), Stage(False, "account", 1, None)
    said = Talk(speaker, Known(True, None, (own, others))).say("查一下我爸的钱").texts[0]
    assert said == f"您代办的家人：{NO_ACCOUNT}。\n{SOURCE}"
    assert Talk(speaker, Known(True, None, (own,))).say("查一下我爸的钱").texts == (NO_FAMILY,)


def test_progress_is_for_known_people_alone(speaker: Speaker) -> None:
    assert Talk(speaker).say("我的钱到了没").texts == (NOT_KNOWN,)
    assert Talk(speaker, SOMEBODY).say("我的钱到了没").texts == (NOTHING,)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("我爸喘不上气了", sayings.AMBULANCE),
        ("有人要我报验证码，真的假的", sayings.SWINDLE),
        ("短信太多了能不能少发", sayings.SETTINGS),
        ("化解清单找不着了", sayings.LOST),
        ("给我讲个笑话", sayings.OUT_OF_SCOPE),
        ("你好", sayings.WELCOME),
        ("谢谢啊", sayings.THANKS),
    ],
)
def test_what_needs_no_policy_is_answered_by_a_fixed_word(
    speaker: Speaker, said: str, answer: str
) -> None:
    assert Talk(speaker).say(said).texts == (answer,)


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("转人工", "asked"),
        ("凭什么他家有我家没有", "complaint"),
        ("我换了银行卡", "details"),
        ("活着没意思，不想拖累孩子", "emergency"),
    ],
)
def test_what_only_a_person_can_do_is_handed_over(speaker: Speaker, said: str, cause: str) -> None:
    reply = Talk(speaker, SOMEBODY).say(said)
    assert (reply.hand_over, reply.area) == (cause, "320281104001")
    assert "江阴市的工作人员" in reply.texts[0]


def test_without_a_place_it_is_asked_twice_then_a_telephone_is_named(speaker: Speaker) -> None:
    talk = Talk(speaker)
    assert sayings.WHERE_FOR_PERSON in talk.say("转人工").texts[0]
    assert talk.say("嗯嗯啊啊").texts == (sayings.WHERE_AGAIN,)
    assert "12393" in talk.say("不晓得").texts[0]
    assert talk.memory.waiting == ""


def test_another_question_is_answered_though_the_place_was_asked(speaker: Speaker) -> None:
    talk = Talk(speaker)
    talk.say("转人工")
    assert talk.say("住院要交押金吗").texts == (WHICH_PLACE,)


def test_a_place_whose_staff_do_not_use_this_gets_no_conversation(speaker: Speaker) -> None:
    talk = Talk(speaker)
    talk.say("转人工")
    reply = talk.say("哈尔滨")
    assert reply.hand_over is None
    assert sayings.NOT_SERVED in reply.texts[0]


def test_a_conversation_is_handed_over_once_but_for_an_emergency(speaker: Speaker) -> None:
    talk = Talk(speaker, Known(True, "320281104001", handed_over=True))
    assert sayings.ALREADY in talk.say("人工").texts[0]
    assert talk.say("不想活了").hand_over == "emergency"


def test_an_emergency_is_handed_over_before_the_place_is_known_and_again_when_it_is(
    speaker: Speaker,
) -> None:
    talk = Talk(speaker)
    first = talk.say("我不想活了")
    assert (first.hand_over, first.area) == ("emergency", "320200")
    assert sayings.WHERE_IN_DANGER in first.texts[0]
    for said in ("不知道", "随便"):
        reply = talk.say(said)
        assert reply.texts == (sayings.WHERE_AGAIN_IN_DANGER,)
        assert reply.hand_over is None
    there = talk.say("江阴")
    assert (there.hand_over, there.area) == ("emergency", "320281")
    assert there.texts == (sayings.HANDED_IN_DANGER.format("江阴市"),)
    assert talk.say("江阴").hand_over is None


@pytest.mark.parametrize(
    "between",
    [
        ("住院要交押金吗",),
        ("人工",),
        ("算一下",),
        ("不知道", "随便", "住院要交押金吗"),
        ("你好", "谢谢"),
    ],
)
def test_an_emergency_waits_for_its_place_whatever_is_said_between(
    speaker: Speaker, between: tuple[str, ...]
) -> None:
    talk = Talk(speaker)
    for said in ("我不想活了", *between):
        talk.say(said)
    there = talk.say("江阴")
    assert (there.hand_over, there.area) == ("emergency", "320281")


@pytest.mark.parametrize(
    "said", ["人工，我在江阴", "我在江阴，我吞了安眠药", "我在江阴，有人要我报验证码"]
)
def test_a_place_named_beside_what_is_answered_at_once_gets_the_emergency(
    speaker: Speaker, said: str
) -> None:
    talk = Talk(speaker)
    talk.say("我不想活了")
    there = talk.say(said)
    assert (there.hand_over, there.area) == ("emergency", "320281")
    assert sayings.HANDED_IN_DANGER.format("江阴市") in there.texts
    assert talk.memory == Memory(area="320281")
    assert "我没认出这个地方" not in talk.say("在吗").texts[0]


def test_the_ambulance_is_named_before_the_hand_over(speaker: Speaker) -> None:
    talk = Talk(speaker)
    talk.say("我不想活了")
    assert talk.say("我在江阴，我吞了安眠药").texts[0] == sayings.AMBULANCE


def test_an_emergency_whose_item_was_closed_meanwhile_is_no_matter_of_working_days(
    speaker: Speaker,
) -> None:
    memory = Memory(waiting="place_for_person", cause="emergency")
    there = speaker.reply("人工，我在江阴", memory, NOBODY)
    assert there.hand_over == "emergency"
    assert there.texts == (sayings.HANDED_IN_DANGER.format("江阴市"),)


@pytest.mark.parametrize("said", ["算了", "不说了", "不用了"])
def test_who_is_in_danger_and_says_no_more_is_told_whom_to_call(
    speaker: Speaker, said: str
) -> None:
    talk = Talk(speaker)
    talk.say("我不想活了")
    assert talk.say(said).texts == (sayings.LEFT_IN_DANGER,)
    assert "12356" in sayings.LEFT_IN_DANGER
    assert talk.memory.waiting == ""
    assert talk.say("江阴").hand_over == "emergency"


def test_a_hand_over_closes_the_question_for_the_place(speaker: Speaker) -> None:
    talk = Talk(speaker)
    talk.say("人工")
    assert talk.say("人工，我在江阴").hand_over == "asked"
    assert talk.memory.waiting == ""
    assert "我没认出这个地方" not in talk.say("在吗").texts[0]
    assert talk.say("我儿子在无锡").hand_over is None


def test_a_place_answered_late_opens_no_second_list(speaker: Speaker) -> None:
    """A fault of ours may have handed the conversation over while the place was asked."""
    memory = Memory(waiting="place_for_person", cause="asked")
    reply = speaker.reply("无锡", memory, Known(handed_over=True))
    assert (reply.hand_over, reply.texts) == (None, (sayings.ALREADY,))
    assert reply.memory.waiting == ""


def test_an_emergency_of_a_place_whose_staff_do_not_use_this_goes_to_those_named_for_it(
    by_words: ByWords, rules: Rules
) -> None:
    speaker = Speaker(by_words, rules, TODAY, "330382")
    beijing = Known(person=True, area="110101001000")
    for talk in (Talk(speaker, beijing), Talk(speaker)):
        reply = talk.say("我在哈尔滨市，不想活了")
        assert (reply.hand_over, reply.area) == ("emergency", "330382")
        assert reply.texts == (sayings.COMFORT + sayings.HANDED_IN_DANGER.format("乐清市"),)


def test_nobody_in_danger_is_told_to_wait_for_a_working_day(speaker: Speaker) -> None:
    for known in (NOBODY, SOMEBODY):
        text = Talk(speaker, known).say("我不想活了").texts[0]
        assert "工作日" not in text
        assert "不要只等回复" in text


def test_a_question_in_between_is_answered_and_the_estimate_goes_on(speaker: Speaker) -> None:
    talk = Talk(speaker)
    talk.say("算一下，江阴")
    answer, again = talk.say("低保能报几成？").texts
    assert NO_DECISION in answer
    assert again.startswith("我们接着算")
    assert "怎么看的病" in talk.say("低保").texts[0]


def test_a_complaint_in_between_leaves_the_estimate_where_it_lies_with_staff_already(
    speaker: Speaker,
) -> None:
    talk = Talk(speaker, Known(True, "320281104001", handed_over=True))
    talk.say("算一下")
    told, again = talk.say("你们工作人员态度太差了，我要投诉").texts
    assert sayings.ALREADY in told
    assert again.startswith("我们接着算")
    assert "怎么看的病" in talk.say("低保").texts[0]


def test_a_telephone_in_an_estimate_hands_nothing_over(speaker: Speaker) -> None:
    talk = Talk(speaker, SOMEBODY)
    talk.say("算一下，低保，去年三月住院")
    reply = talk.say("13812345678")
    assert (reply.intent, reply.hand_over) == ("estimate", None)
    assert talk.memory.sheet is not None


def test_asking_for_a_person_ends_an_estimate(speaker: Speaker) -> None:
    talk = Talk(speaker)
    talk.say("算一下，江阴")
    assert talk.say("人工").hand_over == "asked"
    assert talk.memory.sheet is None


def test_danger_is_answered_in_the_middle_of_an_estimate(speaker: Speaker) -> None:
    talk = Talk(speaker)
    talk.say("算一下，江阴")
    assert talk.say("我妈晕倒了叫不醒").texts == (sayings.AMBULANCE,)


def test_nobody_is_told_that_they_are_entitled(speaker: Speaker) -> None:
    for said in ("我妈残疾一级没工作，看病能不能救助", "我家收入低够不够条件"):
        assert Talk(speaker).say(said).texts == (WHICH_PLACE,)
        assert NO_DECISION in Talk(speaker, SOMEBODY).say(said).texts[0]


def test_the_seam_takes_another_understanding(rules: Rules) -> None:
    def model(text: str, today: date) -> Understood:
        """What a language model would say; it cannot make an answer up."""
        intent: Intent = "policy"
        return Understood(intent, Slots(area="320281"))

    reply = Speaker(model, rules, date(2026, 11, 21)).reply("押金？", Memory(), NOBODY)
    assert reply.card is not None
    assert "wuxi-2022-98" in reply.card.path


def test_long_texts_end_with_a_sentence() -> None:
    assert shortened("一句话。" * 300) == "一句话。" * 150
    assert len(shortened("长" * 900)) == LONGEST


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.text(max_size=40) | st.sampled_from(["算一下", "江阴", "人工", "钱到了没", "不想活了"])
    )
)
def test_whatever_is_said_the_reply_fits_into_wechats_window(
    speaker: Speaker, said: list[str]
) -> None:
    talk = Talk(speaker)
    for one in said:
        reply = talk.say(one)
        assert 1 <= len(reply.parts) <= MOST_MESSAGES
        for text in reply.texts:
            assert 0 < len(text.encode()) <= 2_048
