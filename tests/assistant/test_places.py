"""Whose rules are asked about: no place is answered by another one's clause."""

from __future__ import annotations

from datetime import date

import pytest

from backend.assistant.answers import WHICH_PLACE
from backend.assistant.by_words import ByWords
from backend.assistant.places import place_alone, registered_in
from backend.assistant.replies import Known, Memory
from backend.assistant.speaker import Speaker
from backend.policies.book import PolicyBook
from backend.policies.search.words import normalise
from tests.support.chat_bounds import named, said

TODAY = date(2026, 11, 21)
NOBODY = Known()
OF_JIANGYIN = Known(person=True, area="320281104001")


@pytest.mark.parametrize("known", [NOBODY, OF_JIANGYIN], ids=["unknown", "of-jiangyin"])
@pytest.mark.parametrize(("say", "place"), named("places", "place"))
def test_a_place_without_a_policy_gets_no_other_places_clause(
    speaker: Speaker, say: str, place: str, known: Known
) -> None:
    reply = speaker.reply(say, Memory(), known)
    assert reply.texts[0].startswith(place)
    assert "还没有收录" in reply.texts[0]
    assert reply.card is None


@pytest.mark.parametrize(("say", "within"), named("larger", "within"))
def test_of_a_larger_place_it_is_said_where_in_it_there_is_a_policy(
    speaker: Speaker, say: str, within: str
) -> None:
    reply = speaker.reply(say, Memory(), NOBODY)
    assert within in reply.texts[0]
    assert reply.card is None


@pytest.mark.parametrize("say", said("stays"))
def test_where_somebody_is_treated_or_works_is_not_where_they_are_registered(
    speaker: Speaker, by_words: ByWords, say: str
) -> None:
    assert by_words(say, TODAY).slots.area is None
    assert "没有收录" not in speaker.reply(say, Memory(), NOBODY).texts[0]
    assert "没有收录" not in speaker.reply(say, Memory(), OF_JIANGYIN).texts[0]


def test_who_is_treated_elsewhere_is_of_the_place_they_name_as_theirs(book: PolicyBook) -> None:
    for say in ("江阴低保户转到上海看病怎么报", "江阴人在上海住院能报吗", "在上海打工，户口江阴"):
        assert registered_in(say, book) == "320281"


@pytest.mark.parametrize("say", said("words"))
def test_a_word_is_no_county(by_words: ByWords, say: str) -> None:
    assert by_words(say, TODAY).slots.area is None


def test_the_place_of_a_question_is_kept_for_the_next(speaker: Speaker) -> None:
    first = speaker.reply("乐清低保住院报多少", Memory(), NOBODY)
    second = speaker.reply("住院要交押金吗", first.memory, NOBODY)
    assert second.card is not None
    assert "yueqing-2022-41" in second.card.path


def test_a_city_named_after_the_question_is_asked_for_its_own_rules(speaker: Speaker) -> None:
    asked = speaker.reply("住院要交押金吗", Memory(), NOBODY)
    assert asked.texts == (WHICH_PLACE,)
    assert speaker.reply("郑州呢", asked.memory, NOBODY).texts[0].startswith("郑州市")
    first = speaker.reply("住院要交押金吗", Memory(), OF_JIANGYIN)
    assert speaker.reply("郑州呢", first.memory, OF_JIANGYIN).texts[0].startswith("郑州市")


@pytest.mark.parametrize(
    ("say", "code"),
    [
        ("江阴", "320281"),
        ("我户口在江苏省无锡市江阴市", "320281"),
        ("我们是江阴周庄镇的", "320281"),
        ("那上海呢？", "310000"),
        ("江阴低保报多少", None),
        ("不知道", None),
    ],
)
def test_only_a_place_is_an_answer_to_where(say: str, code: str | None) -> None:
    assert place_alone(normalise(say)) == code


def test_an_estimate_for_a_larger_place_asks_which_part_of_it(speaker: Speaker) -> None:
    started = speaker.reply("算一下，低保住院三万", Memory(), NOBODY)
    narrower = speaker.reply("苏州", started.memory, NOBODY)
    assert "张家港市" in narrower.texts[0]
    assert narrower.memory.sheet is not None
    assert "哪天" in speaker.reply("张家港", narrower.memory, NOBODY).texts[0]


def test_an_estimate_for_a_place_without_a_policy_ends_so(speaker: Speaker) -> None:
    reply = speaker.reply("算一下，郑州低保住院三万", Memory(), NOBODY)
    assert reply.texts[0].startswith("郑州市的医疗救助政策这里还没有收录")
    assert reply.memory.sheet is None
