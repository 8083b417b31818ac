"""电话: mobile and landline numbers, and what is only put in to fill the cell."""

from __future__ import annotations

import pytest

from backend.citizens.phone import normalise, why_not


@pytest.mark.parametrize(
    "written",
    [
        "13812345678",
        "+86 138-1234-5678",
        "１９９０００００００１",
        "0510-86861234",
        "(010)62345678",
        "86861234",
    ],
)
def test_numbers_that_people_have_are_taken(written: str) -> None:
    assert why_not(normalise(written)) is None


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("11111111111", "占位"),
        ("00000000", "占位"),
        ("12812345678", "不是 11 位手机号"),
        ("1381234567", "不是 11 位手机号"),
        ("138123456789", "不是 11 位手机号"),
        ("无", "不该有的字符"),
        ("1.38123E+10", "不该有的字符"),
    ],
)
def test_numbers_that_cannot_be_are_refused(written: str, says: str) -> None:
    assert says in (why_not(normalise(written)) or "")
