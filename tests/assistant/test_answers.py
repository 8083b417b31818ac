from __future__ import annotations

from datetime import date

import pytest

from backend.assistant.answers import NO_DECISION, NOT_FOUND, WHICH_PLACE, answer_policy
from backend.policies.book import PolicyBook
from backend.policies.search.find import Search, find_clauses
from tests.support.chat_bounds import said
from tests.support.questions import judging_questions
from tests.support.utterances import DAY, Utterance, utterances

TODAY = date(2026, 11, 21)
ASKED = [one for one in utterances("open") if one.clauses]


@pytest.mark.parametrize("one", ASKED, ids=[one.say for one in ASKED])
def test_a_question_is_answered_in_the_words_of_a_clause(one: Utterance, book: PolicyBook) -> None:
    policy = book.policy(one.policy or "")
    answer = answer_policy(one.say, policy.area, book, DAY)
    hits = find_clauses(book, Search(one.say, DAY, area=policy.area, limit=1)).hits
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


def test_while_the_place_is_not_known_it_is_asked(book: PolicyBook) -> None:
    answer = answer_policy("低保户住院能报多少", None, book, TODAY)
    assert (answer.text, answer.card) == (WHICH_PLACE, None)


@pytest.mark.parametrize("question", ["我能不能享受救助", "住院押金要不要", "水电费有补贴吗"])
def test_no_policy_that_has_ended_answers_whose_place_is_not_known(
    book: PolicyBook, question: str
) -> None:
    assert not answer_policy(question, None, book, TODAY).found


@pytest.mark.parametrize("area", [None, "320281", "320582"])
@pytest.mark.parametrize("question", said("unanswered"))
def test_what_no_policy_speaks_of_is_answered_by_no_clause(
    book: PolicyBook, question: str, area: str | None
) -> None:
    assert answer_policy(question, area, book, TODAY).text == NOT_FOUND


def test_most_of_what_was_thought_of_later_is_answered_by_no_clause_either(
    book: PolicyBook,
) -> None:
    asked = said("later")
    found = [answer_policy(one, "320281", book, TODAY).found for one in asked]
    assert sum(found) <= len(asked) * 0.2


@pytest.mark.parametrize("question", said("answered"))
def test_an_illness_that_no_clause_names_is_answered_by_the_clause_for_all(
    book: PolicyBook, question: str
) -> None:
    answer = answer_policy(question, "320281", book, TODAY)
    assert answer.found, answer.text


@pytest.mark.parametrize(("kind", "least"), [("open", 1.0), ("blind", 0.9)])
def test_what_the_policies_do_speak_of_is_still_answered(
    book: PolicyBook, kind: str, least: float
) -> None:
    asked = [
        (one.ask, book.policy(one.policy).area) for one in judging_questions(kind) if one.policy
    ]
    placed = [(ask, area) for ask, area in asked if area is not None]
    answered = [answer_policy(ask, area, book, DAY).found for ask, area in placed]
    assert sum(answered) >= len(placed) * least


def test_a_policy_that_has_ended_says_so(book: PolicyBook) -> None:
    answer = answer_policy("高血压的药能免费领吗", "330382", book, TODAY)
    assert "已经失效" in answer.text
