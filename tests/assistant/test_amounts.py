from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backend.assistant.amounts import amount_answered, amounts_in
from backend.kernel.money import MAX_FEN
from backend.policies.search.words import normalise


@pytest.mark.parametrize(
    ("said", "yuan"),
    [
        ("三万二", 32_000),
        ("2万1", 21_000),
        ("1万8千6", 18_600),
        ("一万八千六", 18_600),
        ("万把块", 10_000),
        ("两千来块", 2_000),
        ("3.2w", 32_000),
        ("6w8", 68_000),
        ("五万多", 50_000),
        ("3万500", 30_500),
        ("十万零八百", 100_800),
        ("一千零五", 1_005),
        ("两百五", 250),
        ("十二万三千四百五十六", 123_456),
        ("一百二十万", 1_200_000),
        ("１２，３４５元", 12_345),
        ("32000", 32_000),
        ("50块", 50),
    ],
)
def test_sums_are_understood_as_people_say_them(said: str, yuan: int) -> None:
    assert [amount.fen for amount in amounts_in(normalise(said))] == [yuan * 100]


@pytest.mark.parametrize(
    "said",
    ["十几万", "几万块", "两三千", "三四万", "万一", "千万别", "一级", "三月", "2024年", "第三次"],
)
def test_what_is_vague_or_no_sum_is_not_taken_for_one(said: str) -> None:
    assert list(amounts_in(normalise(said))) == []


@pytest.mark.parametrize(
    "said", ["20240309", "13812345678", "打12345", "打120", "320281199001011234"]
)
def test_days_telephones_and_numbers_of_people_are_no_sums(said: str) -> None:
    assert list(amounts_in(normalise(said))) == []


@pytest.mark.parametrize(
    "said",
    [
        "2025-03-09",
        "2025.3.9",
        "2025/03/09",
        "2025 3 9",
        "2025年03-09",
        "2025.3",
        "2025-03-09到2025-03-12",
    ],
)
def test_no_part_of_a_day_is_a_sum(said: str) -> None:
    assert list(amounts_in(normalise(said))) == []
    assert amount_answered(normalise(said)) is None


@pytest.mark.parametrize("said", ["-5000", "－5000", "总费用-32000元", "负五千", "负 5000"])
def test_less_than_nothing_is_no_sum(said: str) -> None:
    assert amount_answered(normalise(said)) is None


@pytest.mark.parametrize("said", ["3000-5000", "三万到五万", "2万~3万", "1/3", "血压 160/100"])
def test_a_range_or_a_part_is_no_sum(said: str) -> None:
    assert amount_answered(normalise(said)) is None


def test_a_day_beside_a_sum_leaves_the_sum() -> None:
    said = normalise("2025-03-09出院，总费用：32,000.50元，自负5000")
    assert [amount.fen for amount in amounts_in(said)] == [3_200_050, 500_000]


def test_a_bare_small_number_counts_as_an_answer_about_money() -> None:
    assert [amount_answered(said) for said in ("88", "0", "零", "五")] == [8_800, 0, 0, 500]


def test_an_answer_with_two_sums_is_asked_again() -> None:
    assert amount_answered("医保报了3万,大病8千") is None


@given(st.text())
def test_no_text_breaks_the_reading_of_sums(text: str) -> None:
    for amount in amounts_in(normalise(text)):
        assert 0 <= amount.fen <= MAX_FEN
        assert 0 <= amount.start < amount.end <= len(text)


@given(st.integers(min_value=100, max_value=99_999_999))
@example(20_240_309)
@example(12_345)
def test_a_sum_in_digits_is_just_that_sum(yuan: int) -> None:
    said = f"花了{yuan}元"
    assert [amount.fen for amount in amounts_in(said)] == [yuan * 100]
