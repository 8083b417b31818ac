from __future__ import annotations

from datetime import date

import pytest

from backend.policies.book import PolicyBook
from backend.policies.figures import Wording, figures_day, parameter_on, parameters_on

DAY = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("policy", "code", "value", "text"),
    [
        ("wuxi-2022-98", "tilt_assistance.deductible", "6000.00", "6000.00 元"),
        ("wuxi-2022-98", "medical_assistance.rate.fully_aided", "0.85", "85%"),
        ("wuxi-2022-98", "medical_assistance.rate.full", "1", "100%"),
        ("zhangjiagang-2024", "medical_assistance.rate.others", "0.85", "不低于 85%"),
        ("zhangjiagang-2024", "serious_illness.rate.plus", "0.05", "5 个百分点"),
        ("zhangjiagang-2024", "duty.pairing.due", "2024-09-30", "2024-09-30"),
        ("plan-2026", "first_review.working_days", "7", "7 个工作日"),
        ("plan-2026", "groups.named", "9", "9"),
        ("tinghu-trial", "identity.retroactive.months", "12", "12 个月"),
        ("yueqing-2022-41", "health_check.age.senior", "65", "65 周岁"),
    ],
)
def test_a_figure_is_a_plain_value_and_words(
    book: PolicyBook, policy: str, code: str, value: str, text: str
) -> None:
    found = parameter_on(book.policy(policy), code, DAY)
    assert (found.value, found.text) == (value, text)


def test_what_held_before_the_plan_is_its_history(book: PolicyBook) -> None:
    found = parameter_on(
        book.policy("plan-2026"), "medical_assistance.rate.extreme_poverty", date(2025, 12, 31)
    )
    assert found.text == "85%"
    assert [(one.from_, one.to, one.text) for one in found.history] == [
        (None, date(2025, 12, 31), "85%"),
        (date(2026, 1, 1), None, "90%"),
    ]
    assert found.in_use is not None
    assert found.in_use.note == "计划实施以前"


def test_before_its_first_day_a_figure_says_when_it_begins(book: PolicyBook) -> None:
    found = parameter_on(
        book.policy("plan-2026"), "medical_assistance.limit.shared", date(2025, 12, 31)
    )
    assert (found.value, found.text) == (None, "2026-01-01 起为 150000.00 元")


def test_the_words_of_a_policy_that_has_not_begun_are_those_it_begins_with(
    book: PolicyBook,
) -> None:
    plan, early = book.policy("plan-2026"), date(2025, 1, 1)
    assert figures_day(plan, early) == date(2026, 1, 1)
    assert Wording(plan, early).text("medical_assistance.rate.extreme_poverty") == "90%"


def test_a_policy_without_known_days_shows_the_figures_of_the_day_asked(book: PolicyBook) -> None:
    assert figures_day(book.policy("tinghu-trial"), date(1999, 1, 1)) == date(1999, 1, 1)


def test_every_parameter_cites_a_clause_of_its_policy(book: PolicyBook) -> None:
    lost = [
        (policy.id, one.code)
        for policy in book.policies.values()
        for one in parameters_on(policy, DAY)
        if one.clause not in policy.clauses
    ]
    assert lost == []
