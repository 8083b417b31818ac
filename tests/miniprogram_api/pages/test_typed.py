from __future__ import annotations

from datetime import date

import pytest

from miniprogram_api.pages.typed import Unreadable, amount, day, percent


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("152000", 15_200_000),
        ("152,000", 15_200_000),
        ("1,234,567.8", 123_456_780),
        ("１２３４", 123_400),
        ("１，２３４．５６", 123_456),
        ("1234 元", 123_400),
        ("￥1234.50", 123_450),
        ("1 234", 123_400),
        ("0", 0),
        ("0012.05", 1_205),
        ("12.", 1_200),
        ("100000000", 10_000_000_000),
    ],
)
def test_amounts_are_taken_as_people_write_them(text: str, fen: int) -> None:
    assert amount(text) == fen


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("1万2", "写成数字"),
        ("1.5万", "写成数字"),
        ("三千", "写成数字"),
        ("-5", "负数"),
        ("12.345", "两位小数"),
        ("1,23", "只写数字"),
        ("12,34,567", "只写数字"),
        ("1.2.3", "只写数字"),
        ("NaN", "只写数字"),
        ("1e5", "只写数字"),
        ("大约一百", "写成数字"),
        ("100000000.01", "不能超过"),
        ("100000001", "不能超过"),
        ("9" * 30, "只写数字"),
        ("٣", "只写数字"),
    ],
)
def test_an_amount_that_cannot_be_read_says_how_to_write_it(text: str, word: str) -> None:
    with pytest.raises(Unreadable, match=word):
        amount(text)


@pytest.mark.parametrize(
    "text",
    [
        "20240309",
        "2024-03-09",
        "2024-3-9",
        "2024.3.9",
        "2024/3/9",
        "2024年3月9日",
        "２０２４年３月９号",
    ],
)
def test_days_are_taken_as_people_write_them(text: str) -> None:
    assert day(text) == date(2024, 3, 9)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("20240230", "没有这一天"),
        ("0000-1-1", "没有这一天"),
        ("3月9日", "按年月日"),
        ("24-3-9", "按年月日"),
        ("昨天", "按年月日"),
    ],
)
def test_a_day_that_cannot_be_read_says_how_to_write_it(text: str, word: str) -> None:
    with pytest.raises(Unreadable, match=word):
        day(text)


def test_a_percentage_may_carry_its_sign_and_decimals() -> None:
    assert [percent(text) for text in ("60", "60%", "６０％", "62.5", "100")] == [
        6000,
        6000,
        6000,
        6250,
        10_000,
    ]


@pytest.mark.parametrize("text", ["0.6", "0", "101", "六成", "60.123"])
def test_a_share_is_not_mistaken_for_a_percentage(text: str) -> None:
    with pytest.raises(Unreadable):
        percent(text)
