"""How people ask, judged by the clauses that answer."""

from __future__ import annotations

import pytest
from zhconv_rs import zhconv

from backend.policies.book import PolicyBook
from backend.policies.search.find import find_clauses
from tests.support.questions import Question, judging_questions, practice_questions

JUDGED = [*judging_questions("blind"), *judging_questions("open")]
PRACTICE = practice_questions()


def missed(book: PolicyBook, questions: list[Question]) -> list[str]:
    """The questions without the right clause among the first three."""
    return [question.ask for question in questions if not answered(book, question)]


def answered(book: PolicyBook, question: Question) -> bool:
    hits = find_clauses(book, question.search).hits[:3]
    found = [(hit.policy.id, hit.clause.anchor) for hit in hits]
    return question.place_of_answer(found) is not None


def test_nineteen_of_twenty_questions_have_their_answer_among_the_first_three(
    book: PolicyBook,
) -> None:
    assert len(missed(book, JUDGED)) <= 0.05 * len(JUDGED)


def test_what_was_found_while_tuning_is_still_found(book: PolicyBook) -> None:
    assert len(missed(book, PRACTICE)) <= 0.02 * len(PRACTICE)


def test_traditional_characters_find_what_simplified_ones_find(book: PolicyBook) -> None:
    traditional = [
        Question(zhconv(question.ask, "zh-Hant"), question.policy, question.answers)
        for question in PRACTICE
    ]
    assert len(missed(book, traditional)) <= 0.03 * len(traditional)


def test_every_question_names_clauses_that_exist(book: PolicyBook) -> None:
    for question in (*JUDGED, *PRACTICE):
        for policy, anchor in question.answers:
            assert anchor in book.policy(policy).clauses


@pytest.mark.parametrize("drop", [1, 4])
def test_nine_of_ten_answers_survive_a_lost_character(book: PolicyBook, drop: int) -> None:
    slipped = [
        Question(question.ask[:drop] + question.ask[drop + 1 :], question.policy, question.answers)
        for question in PRACTICE
    ]
    assert len(missed(book, slipped)) <= 0.1 * len(slipped)
