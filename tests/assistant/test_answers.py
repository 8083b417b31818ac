from __future__ import annotations

from datetime import date

import pytest

from backend.assistant.answers import NO_DECISION, NOT_FOUND, WHICH_PLACE, answer_policy
from backend.policies.book import PolicyBook
from backend.policies.search.find import Search, find_clauses
from tests.support.utterances import DAY, Utterance, utterances

TODAY = date(2026, 11, 21)
ASKED = [one for one in utterances("open") if one.clauses]


@pytest.mark.parametrize("said", ASKED, ids=[one.say for one in ASKED])
def test_a_question_is_answered_in_the_words_of_a_clause(said: Utterance, book: PolicyBook) -> None:
    policy = book.policy(said.policy or "")
    answer = answer_policy(said.say, policy.area, book, DAY)
    hits = find_clauses(book, Search(said.say, DAY, area=policy.area, limit=1)).hits
    assert answer.text.startswith(hits[0].clause.residents[:40])
    assert f"《{policy.document.short_title}》" in answer.text
    assert NO_DECISION in answer.text


def test_every_sentence_of_an_answer_is_the_clauses_or_ours(book: PolicyBook) -> None:
    clause = next(
        one for one in book.policy("wuxi-2022-98").clauses.values() if one.anchor == "七(十五)"
    )
    answer = answer_policy("住院要交押金吗", "320281", book, TODAY)
    lines = answer.text.split("\n")
    assert lines[0] == clause.residents
    assert all(one.startswith(("依据：", "相关的还有：", NO_DECISION)) for one in lines[1:])


def test_the_card_opens_the_clause(book: PolicyBook) -> None:
    answer = answer_policy("住院要交押金吗", "320281", book, TODAY)
    assert answer.card is not None
    assert answer.card.path.startswith("pages/policy/clause?policy=wuxi-2022-98&anchor=")


@pytest.mark.parametrize("question", ["今天天气怎么样", "asdfgh", "", "。。。", "🙂🙂"])
def test_without_a_good_answer_that_is_said_and_a_person_is_offered(
    book: PolicyBook, question: str
) -> None:
    answer = answer_policy(question, "320281", book, TODAY)
    assert (answer.text, answer.card) == (NOT_FOUND, None)
    assert "人工" in answer.text


def test_a_place_without_a_policy_is_not_answered_by_another_ones(book: PolicyBook) -> None:
    answer = answer_policy("住院要交押金吗", "230100", book, TODAY)
    assert "还没有收录" in answer.text
    assert not answer.found


def test_while_the_place_is_not_known_it_is_said_whose_rule_it_is(book: PolicyBook) -> None:
    answer = answer_policy("无锡低保户住院能报多少", None, book, TODAY)
    assert "这是无锡市的规定" in answer.text
    assert WHICH_PLACE in answer.text


def test_a_policy_that_has_ended_says_so(book: PolicyBook) -> None:
    answer = answer_policy("高血压的药能免费领吗", "330382", book, TODAY)
    assert "已经失效" in answer.text
