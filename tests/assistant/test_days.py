from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.assistant.days import day_in
from backend.policies.search.words import normalise

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("去年", date(2025, 12, 31)),
        ("去年三月", date(2025, 3, 31)),
        ("上个月", date(2026, 10, 31)),
        ("上上个月", date(2026, 9, 30)),
        ("昨天", date(2026, 11, 20)),
        ("刚出院", TODAY),
        ("三月九号", date(2026, 3, 9)),
        ("十二月", date(2025, 12, 31)),
        ("十一月", TODAY),
        ("2024.3.9", date(2024, 3, 9)),
        ("２０２４年３月９日", date(2024, 3, 9)),
        ("20240309", date(2024, 3, 9)),
        ("2024-3", date(2024, 3, 31)),
        ("2024 3 9", date(2024, 3, 9)),
        ("2024", date(2024, 12, 31)),
        ("去年三月住院，明年还要住", date(2025, 3, 31)),
        ("2024年", date(2024, 12, 31)),
        ("今年", TODAY),
        ("前年12月", date(2024, 12, 31)),
    ],
)
def test_days_are_understood_as_people_say_them(said: str, day: date) -> None:
    assert day_in(normalise(said), TODAY) == day


@pytest.mark.parametrize(
    "said",
    [
        "2027年1月1日",
        "2027年",
        "明年三月",
        "明年3月9日",
        "后年",
        "来年五月",
        "我住院了",
        "2024年2月30日",
        "十三月",
    ],
)
def test_days_to_come_and_days_that_are_none_are_asked_again(said: str) -> None:
    assert day_in(normalise(said), TODAY) is None


@pytest.mark.parametrize("said", ["花了2024", "2012块", "一共32012元", "总费用12023"])
def test_a_sum_is_no_year(said: str) -> None:
    assert day_in(normalise(said), TODAY) is None


@given(st.text(), st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 12, 31)))
def test_no_text_names_a_day_to_come(text: str, today: date) -> None:
    day = day_in(normalise(text), today)
    assert day is None or day <= today
