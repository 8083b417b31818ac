from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.assistant.by_words import ByWords
from backend.assistant.likeness import Likeness, examples
from backend.assistant.traits import Reader, Traits
from backend.assistant.understanding import INTENTS, Intent
from backend.policies.book import PolicyBook
from tests.benchmarks.chat import slots_right
from tests.support.questions import judging_questions
from tests.support.utterances import dangers, utterances

TODAY = date(2024, 6, 1)
PARTS = 10
OPEN = utterances("open")


@pytest.mark.parametrize("said", OPEN, ids=[one.say for one in OPEN])
def test_the_utterances_for_practice_are_understood(by_words: ByWords, said: object) -> None:
    one = next(one for one in OPEN if one is said)
    understood = by_words(one.say, TODAY)
    assert understood.intent == one.intent
    assert (understood.also[0] if understood.also else None) == one.also
    assert slots_right(understood.slots, one)


def test_questions_of_policy_are_taken_for_such(by_words: ByWords) -> None:
    asked = [by_words(one.ask, TODAY).intent for one in judging_questions("open")]
    assert sum(intent in ("policy", "estimate") for intent in asked) >= len(asked) * 0.9


class _Remembered:
    """The traits of the examples, taken once."""

    def __init__(self, reader: Reader) -> None:
        self.seen = {
            text: reader.traits(reader.hear(text)) for one in examples().values() for text in one
        }

    def hear(self, text: str) -> str:
        return text

    def traits(self, heard: str) -> Traits:
        return self.seen[heard]


def share_right(remembered: _Remembered, ignored: str = "") -> float:
    """Of examples that were left out of the learning, those that are understood."""
    flat = [(text, intent) for intent, texts in examples().items() for text in texts]
    right = 0
    for part in range(PARTS):
        learnt: dict[Intent, list[str]] = {intent: [] for intent in INTENTS}
        for text, intent in (one for n, one in enumerate(flat) if n % PARTS != part):
            learnt[intent].append(text)
        likeness = Likeness(remembered, learnt)
        for text, intent in flat[part::PARTS]:
            traits = {k: v for k, v in remembered.seen[text].items() if k[:4] != ignored}
            right += likeness.most(traits) == intent
    return right / len(flat)


def test_an_utterance_never_met_is_understood_by_its_likeness_to_others(book: PolicyBook) -> None:
    remembered = _Remembered(Reader(book))
    assert share_right(remembered) >= 0.85
    # Control: without the pairs of characters the share falls, so the measure notices a loss.
    assert share_right(remembered, "pair") < share_right(remembered)


def test_every_intent_has_examples_and_each_stands_there_once() -> None:
    found: Mapping[Intent, list[str]] = examples()
    assert set(found) == set(INTENTS)
    flat = [text for texts in found.values() for text in texts]
    assert len(set(flat)) == len(flat)


def test_no_blind_utterance_is_an_example() -> None:
    flat = {text for texts in examples().values() for text in texts}
    for kind in ("blind", "later", "later_harder"):
        assert flat.isdisjoint(one.say for one in utterances(kind))


@pytest.mark.parametrize("kind", ["later", "later_harder"])
def test_of_what_was_written_later_nine_in_ten_are_understood(by_words: ByWords, kind: str) -> None:
    said = utterances(kind)
    assert len(said) == 20
    assert sum(by_words(one.say, TODAY).intent == one.intent for one in said) >= 18


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("低边 门诊 1800", "estimate"), ("住院 26000 五保", "estimate"),
        ("孤儿 住院 总共3万", "estimate"), ("审核好了没有", "progress"),
        ("民政的入户调查做了没", "progress"), ("村里评议过了吗", "progress"),
        ("公示一般要几天", "policy"), ("低保 门诊 能报吗", "policy"),
    ],
)  # fmt: skip
def test_what_is_said_in_a_few_words_without_a_verb_is_understood(
    by_words: ByWords, said: str, intent: str
) -> None:
    assert by_words(said, TODAY).intent == intent


@pytest.mark.parametrize(
    "said",
    [
        "我爸喘不上气了",
        "不想活了，钱也花光了",
        "能不能安乐死",
        "家里人昏过去叫不醒，对了低保能报多少",
    ],
)
def test_danger_goes_before_anything_else(by_words: ByWords, said: str) -> None:
    assert by_words(said, TODAY).intent == "emergency"


@pytest.mark.parametrize("said", dangers())
def test_every_danger_is_recognised(by_words: ByWords, said: str) -> None:
    assert by_words(said, TODAY).intent == "emergency"


def test_what_an_ambulance_costs_is_a_question_like_others(by_words: ByWords) -> None:
    assert by_words("去年叫救护车的费用能报销吗", TODAY).intent == "policy"


@pytest.mark.parametrize(
    "said", ["13812345678", "12345", "0510-86123456", "320281199001011234", "32000", "120"]
)
def test_digits_alone_are_no_intent(by_words: ByWords, said: str) -> None:
    assert by_words(said, TODAY).intent == "out_of_scope"


def test_a_number_within_a_longer_one_is_no_sign(by_words: ByWords) -> None:
    assert by_words("我的号码13812345678", TODAY).intent != "complaint"
    assert by_words("我要打12345", TODAY).intent == "complaint"
    assert by_words("打1200块够吗", TODAY).intent != "emergency"


def test_a_second_question_is_heard_with_its_words(by_words: ByWords) -> None:
    understood = by_words("我的钱到账了没，另外住院要交押金吗？", TODAY)
    assert understood.intent == "progress"
    assert understood.also == ("policy", "住院要交押金吗")


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_no_text_breaks_the_understanding(by_words: ByWords, text: str) -> None:
    assert by_words(text, TODAY).intent in INTENTS
