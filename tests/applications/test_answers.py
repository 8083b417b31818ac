"""What may be written into a field: figures however they are typed, nothing that cannot be."""

from __future__ import annotations

from datetime import date

import pytest

from backend.applications.answers import AnswerWrong, checked
from backend.policies.catalogue import load_catalogue
from backend.policies.procedures import Field

TODAY = date(2026, 11, 23)
BOOK = load_catalogue()


def field(kind: str, code: str) -> Field:
    return BOOK.procedure("wuxi-2022-98", kind).fields[code]


FIELDS = {
    "phone": field("temporary_relief", "phone"),
    "people": field("temporary_relief", "household_size"),
    "needed": field("temporary_relief", "needed"),
    "income": field("temporary_relief", "income"),
    "since": field("chronic_certification", "since"),
    "words": field("temporary_relief", "what_happened"),
}


@pytest.mark.parametrize(
    ("code", "typed", "kept"),
    [
        ("phone", "１９９ ０００００００９", "19900000009"),
        ("phone", "0510-81234567", "051081234567"),
        ("people", "３", "3"),
        ("people", "30", "30"),
        ("needed", "１２０００元", "12000.00"),
        ("needed", "￥１２，０００．５", "12000.50"),
        ("needed", "012000", "12000.00"),
        ("needed", "1", "1.00"),
        ("income", "0", "0.00"),
        ("income", "100000000", "100000000.00"),
        ("since", "２０２６－１１－２３", "2026-11-23"),
        ("words", "摔伤（住院）", "摔伤（住院）"),
    ],
)
def test_figures_are_taken_however_they_are_typed(code: str, typed: str, kept: str) -> None:
    assert checked(FIELDS[code], typed, TODAY) == kept


@pytest.mark.parametrize(
    ("code", "typed", "told"),
    [
        ("phone", "123", "11 位手机号"),
        ("phone", "1990000099六", "11 位手机号"),
        ("phone", "0", "11 位手机号"),
        ("people", "0", "最少填 1"),
        ("people", "999", "最多填 30"),
        ("needed", "0", "不少于 1 元"),
        ("needed", "0.99", "不少于 1 元"),
        ("income", "100000000.01", "金额太大，最多 100000000 元"),
        ("income", "9" * 40, "金额太大"),
        ("income", "1.2万", "单位元"),
        ("since", "2026-11-24", "还没有到这一天"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write(code: str, typed: str, told: str) -> None:
    with pytest.raises(AnswerWrong) as refusal:
        checked(FIELDS[code], typed, TODAY)
    (fault,) = refusal.value.faults
    assert told in fault.detail
    assert "请" in fault.detail
