"""What staff may ask for by which code, and which deeds a case of its kind has."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from backend.applications.cases import Case
from backend.applications.deciding import UnknownReason, check_reason, moves_open_to
from backend.applications.steps import Step
from tests.support.procedures import procedure

PLAIN = Case(
    1, 2, 320281101001, "recognition", "wuxi-2022-98", "", "", "accepted", 2, "township_reviewer",
    0, "", 3, None, "self", False, False, False, None, datetime(2026, 11, 1, tzinfo=UTC), None, None,
)  # fmt: skip


@pytest.mark.parametrize("code", ["zzz_not_a_reason", "", "subsistence"])
@pytest.mark.parametrize("deed", ["ask", "refuse"])
def test_a_code_that_the_procedure_does_not_have_is_refused_with_those_it_has(
    deed: str, code: str
) -> None:
    with pytest.raises(UnknownReason) as refusal:
        check_reason(Step(deed, code, "测试说明"), procedure())
    (fault,) = refusal.value.faults
    assert "收入超过标准（income_above）" in fault.detail
    assert ("收入证明（income_proof）" in fault.detail) == (deed == "ask")


@pytest.mark.parametrize("code", ["other", "income_above", "income_proof", "people"])
def test_more_is_asked_for_by_a_reason_a_paper_or_a_field(code: str) -> None:
    check_reason(Step("ask", code, "测试说明"), procedure())


@pytest.mark.parametrize(
    ("case", "own"),
    [
        (PLAIN, set()),
        (replace(PLAIN, filing=True), {"file"}),
        (replace(PLAIN, fast_lane=True), {"help"}),
    ],
    ids=["plain", "filing", "fast lane"],
)
def test_a_case_has_the_deeds_of_its_kind(case: Case, own: set[str]) -> None:
    assert set(moves_open_to(case)) == {"ask", "review"} | own


def test_a_case_with_a_notice_is_approved_like_any_other() -> None:
    reviewed = replace(PLAIN, state="reviewed")
    told = [set(moves_open_to(replace(reviewed, notice=notice))) for notice in (True, False)]
    assert told == [{"ask", "return", "approve", "refuse"}] * 2
