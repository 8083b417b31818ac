"""Money is exact: strings of yuan outside, integer fen inside."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.money import (
    MAX_FEN,
    RATE_UNIT,
    format_percent,
    format_yuan,
    half_up,
    parse_rate,
    parse_yuan,
)


@given(st.integers(0, MAX_FEN))
def test_what_is_formatted_is_read_back(fen: int) -> None:
    assert parse_yuan(format_yuan(fen)) == fen


@given(st.integers(-(10**15), 10**15))
def test_yuan_are_what_decimal_says(fen: int) -> None:
    assert format_yuan(fen) == str(Decimal(fen).scaleb(-2).quantize(Decimal("0.01")))


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "0.00"), (5, "0.05"), (99, "0.99"), (100, "1.00"), (-5, "-0.05"), (123450, "1234.50")],
)
def test_small_and_negative_amounts(fen: int, text: str) -> None:
    assert format_yuan(fen) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "1.0", "1.000", "-1.00", "+1.00", " 1.00", "1.00 ", "01.00", ".50", "1."),
        *(
            "1,000.00",
            "1e3",
            "NaN",
            "Infinity",
            "１.００",
            "1.00\n",
            "100000000.01",
            "12345678901.00",
        ),
    ],
)
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="yuan"):
        parse_yuan(text)


def test_the_largest_amount_is_taken() -> None:
    assert parse_yuan("100000000.00") == MAX_FEN


@pytest.mark.parametrize(
    ("text", "rate"), [("0", 0), ("1", RATE_UNIT), ("0.85", 8500), ("0.1234", 1234), ("1.0", 10000)]
)
def test_rates_are_ten_thousandths(text: str, rate: int) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "1.1", "1.0001", "0.12345", "-0.5", "85%", "2", ".5", "٠"])
def test_anything_else_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match="rate"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("rate", "text"),
    [(8500, "85%"), (10000, "100%"), (1234, "12.34%"), (1250, "12.5%"), (5, "0.05%")],
)
def test_percent_is_written_as_people_read_it(rate: int, text: str) -> None:
    assert format_percent(rate) == text


@given(st.integers(0, 4 * 10**16), st.sampled_from([10_000, 2, 100, 3]))
def test_half_up_is_what_decimal_says(numerator: int, denominator: int) -> None:
    whole = Decimal(numerator) / Decimal(denominator)
    assert half_up(numerator, denominator) == int(whole.quantize(Decimal(1), ROUND_HALF_UP))


@given(st.lists(st.integers(0, 4 * 10**16), min_size=1))
def test_half_up_of_a_column_is_that_of_its_entries(numerators: list[int]) -> None:
    column = half_up(np.array(numerators, np.int64))
    assert column.tolist() == [half_up(numerator) for numerator in numerators]
