"""GET /api/v1/search: clauses, what matched in them, and never an error for an odd question."""

from __future__ import annotations

import pytest

from tests.miniprogram_api.policies.conftest import Ask


def test_a_question_is_answered_with_clauses_and_what_matched(ask: Ask) -> None:
    answer = ask("/search", q="江阴门诊一年最多救助多少", on="2024-06-01")
    hit = answer["hits"][0]
    assert (hit["policy"], hit["anchor"], hit["state"]) == ("wuxi-2022-98", "四(六)", "in_force")
    figures = {figure["code"]: figure["text"] for figure in hit["matched"]["parameters"]}
    assert figures["medical_assistance.limit.outpatient"] == "10000.00 元"
    assert answer["advice"] is None


def test_marks_are_places_in_the_excerpt(ask: Ask) -> None:
    excerpt = ask("/search", q="押金", policy="wuxi-2022-98")["hits"][0]["excerpt"]
    marked = [excerpt["text"][mark["start"] : mark["end"]] for mark in excerpt["marks"]]
    assert "押金" in marked


@pytest.mark.parametrize("question", ["", " ", "😀", "押\n金\t\u0000", "<b>&\"'", "！" * 2000])
def test_an_odd_question_is_no_error(ask: Ask, question: str) -> None:
    answer = ask("/search", q=question)
    assert (answer["advice"] is None) == bool(answer["hits"])


def test_without_a_question_the_answer_says_what_to_write(ask: Ask) -> None:
    answer = ask("/search")
    assert answer["hits"] == []
    assert "请写下" in answer["advice"]


def test_an_expired_policy_says_so(ask: Ask) -> None:
    answer = ask("/search", q="押金", area="330382", on="2026-06-01")
    assert answer["hits"][0]["state"] == "expired"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"q": "押金", "area": "999999"}, "/area"),
        ({"q": "押金", "area": "江阴"}, "/area"),
        ({"q": "押金", "policy": "nowhere"}, "/policy"),
        ({"q": "押金", "on": "2024-02-30"}, "/on"),
        ({"q": "押金", "limit": "0"}, "/limit"),
        ({"q": "押金", "limit": "51"}, "/limit"),
        ({"q": "押" * 2001}, "/q"),
        ({"q": "押金", "page": "2"}, "/page"),
    ],
)
def test_a_filter_at_fault_is_named(ask: Ask, query: dict[str, str], pointer: str) -> None:
    problem = ask("/search", status=422, **query)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
