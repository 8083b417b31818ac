"""Filters, places, words that mean the same, and what is said when nothing is found."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from backend.policies.book import PolicyBook, UnknownArea, UnknownPolicy
from backend.policies.search.find import Found, Search, find_clauses

DAY = date(2024, 6, 1)


def search(book: PolicyBook, text: str, on: date = DAY, **options: Any) -> Found:
    return find_clauses(book, Search(text, on, **options))


def clauses(book: PolicyBook, text: str, **options: Any) -> list[tuple[str, str]]:
    return [(hit.policy.id, hit.clause.anchor) for hit in search(book, text, **options).hits]


def first(book: PolicyBook, text: str, **options: Any) -> tuple[str, str]:
    return clauses(book, text, **options)[0]


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("吃低保的能报几成", "最低生活保障对象救助比例"),
        ("看病要不要先交钱", "住院押金"),
        ("定金", "押金"),
        ("门特", "门诊特殊病"),
        ("新农合谁交", "资助参保"),
        ("封顶多少", "年度限额"),
        ("门槛费", "起付线"),
    ],
)
def test_residents_words_find_what_officials_terms_find(
    book: PolicyBook, said: str, written: str
) -> None:
    policy = "yueqing-2022-41"
    assert first(book, said, policy=policy) in clauses(book, written, policy=policy)[:2]


@pytest.mark.parametrize("typed", ["押金", "压金", "亚金", "住院 押金", "ＹＪ押金", "押金？！😀"])
def test_slips_and_signs_do_not_hide_the_answer(book: PolicyBook, typed: str) -> None:
    assert first(book, typed, policy="wuxi-2022-98") == ("wuxi-2022-98", "七(十五)")


@pytest.mark.parametrize("amount", ["三十万", "30万", "300000", "300,000元", "３０万元"])
def test_an_amount_is_found_however_it_is_written(book: PolicyBook, amount: str) -> None:
    assert first(book, f"限额{amount}", policy="wuxi-2022-98") == ("wuxi-2022-98", "四(六)")


def test_a_policy_filter_keeps_the_others_out(book: PolicyBook) -> None:
    found = search(book, "无锡住院押金", policy="yueqing-2022-41")
    assert {hit.policy.id for hit in found.hits} == {"yueqing-2022-41"}


def test_an_area_searches_the_policy_that_decides_there(book: PolicyBook) -> None:
    found = search(book, "押金", area="320281")
    assert {hit.policy.id for hit in found.hits} == {"wuxi-2022-98"}


def test_an_area_without_a_policy_in_force_searches_those_that_concern_it(
    book: PolicyBook,
) -> None:
    found = search(book, "押金", on=date(2026, 6, 1), area="330382")
    assert [hit.state for hit in found.hits] == ["expired"] * len(found.hits)
    assert found.hits[0].clause.anchor == "6"


def test_an_area_and_a_policy_must_both_hold(book: PolicyBook) -> None:
    found = search(book, "押金", area="320281", policy="yueqing-2022-41")
    assert not found.hits
    assert found.advice is not None


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("江阴住院要交押金吗", "wuxi-2022-98"),
        ("樂清住院要交押金嗎", "yueqing-2022-41"),
        ("亭湖区体检", "tinghu-trial"),
        ("盐城体检", "tinghu-trial"),
        ("张家港慈善", "zhangjiagang-2024"),
    ],
)
def test_a_place_in_the_question_brings_its_policy_first(
    book: PolicyBook, text: str, policy: str
) -> None:
    assert first(book, text)[0] == policy


def test_a_place_alone_is_a_question_too(book: PolicyBook) -> None:
    assert first(book, "江阴") == ("wuxi-2022-98", "四(四)")


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_no_question_is_answered_with_what_to_write(book: PolicyBook, text: str) -> None:
    found = search(book, text)
    assert not found.hits
    assert found.advice is not None
    assert found.advice.startswith("请写下")


@pytest.mark.parametrize("text", ["今天天气真好", "qwerty", "😀😀", "？？。", "\ud800", "0"])
def test_nonsense_finds_nothing_and_says_what_to_do(book: PolicyBook, text: str) -> None:
    found = search(book, text)
    assert not found.hits
    assert found.advice is not None


def test_an_area_without_any_policy_says_so(book: PolicyBook) -> None:
    found = search(book, "押金", area="110101")
    assert not found.hits
    assert found.advice is not None
    assert "还没有收录" in found.advice


def test_only_the_beginning_of_a_very_long_question_is_read(book: PolicyBook) -> None:
    filler = "，" * 200
    assert not search(book, filler + "押金").hits
    assert search(book, "押金" + filler * 100).hits


def test_an_unknown_policy_or_area_is_refused(book: PolicyBook) -> None:
    with pytest.raises(UnknownPolicy):
        search(book, "押金", policy="nowhere")
    with pytest.raises(UnknownArea):
        search(book, "押金", area="999999")


def test_each_clause_comes_once_and_at_most_as_many_as_wanted(book: PolicyBook) -> None:
    found = clauses(book, "低保 医疗救助 比例 住院 报销", limit=50)
    assert len(found) == len(set(found)) > 10
    assert clauses(book, "低保 医疗救助 比例 住院 报销", limit=2) == found[:2]


def test_the_figures_that_matched_are_shown_as_of_the_day(book: PolicyBook) -> None:
    before = search(book, "特困人员救助比例", on=date(2025, 6, 1), policy="plan-2026")
    after = search(book, "特困人员救助比例", on=date(2026, 6, 1), policy="plan-2026")
    shown = {figure.code: figure.text for figure in after.hits[0].matched.parameters}
    assert shown["medical_assistance.rate.extreme_poverty"] == "90%"
    assert before.hits[0].state == "not_yet"


def test_a_word_of_an_entitlement_shows_the_entitlement(book: PolicyBook) -> None:
    hit = search(book, "羊癫疯免费筛查", policy="yueqing-2022-41").hits[0]
    assert hit.matched.entitlements[0].code == "screening_epilepsy"


def test_marks_stand_on_the_matched_words(book: PolicyBook) -> None:
    excerpt = search(book, "要不要交押金", policy="wuxi-2022-98").hits[0].excerpt
    assert "押金" in [excerpt.text[mark.start : mark.end] for mark in excerpt.marks]


def test_the_same_question_is_always_answered_alike(book: PolicyBook) -> None:
    assert search(book, "大病能报多少") == search(book, "大病能报多少")
