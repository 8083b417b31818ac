from __future__ import annotations

from datetime import date

import pytest

from backend.policies.book import PolicyBook
from backend.policies.description import (
    Description,
    UnknownClause,
    describe_clause,
    describe_policy,
    service_rules,
)

DAY = date(2026, 6, 1)


def of(book: PolicyBook, policy: str, day: date = DAY) -> Description:
    return describe_policy(book.policy(policy), book.vocabulary, day)


def test_everything_in_a_policy_stands_under_one_of_its_clauses(book: PolicyBook) -> None:
    for policy in book.policies.values():
        described = of(book, policy.id)
        assert sum(len(one.parameters) for one in described.clauses) == len(policy.parameters)
        assert sum(len(one.readings) for one in described.clauses) == len(policy.readings)
        assert sum(len(one.entitlements) for one in described.clauses) == len(policy.entitlements)
        assert sum(len(one.services) for one in described.clauses) == len(policy.services)


@pytest.mark.parametrize(
    ("policy", "code", "deadline"),
    [
        ("plan-2026", "first_review", "自受理之日起 7 个工作日内"),
        ("plan-2026", "home_visit", "自预警之日起 5 个工作日内"),
        ("plan-2026", "monthly_cross_check", "每月"),
        ("plan-2026", "commitment_letter", None),
        ("tinghu-trial", "approval", "自受理之日起 30 个工作日内"),
        ("yueqing-2022-41", "enrolment_on_recognition", "自认定当月起 1 个月"),
        ("zhangjiagang-2024", "treatment_guidance_plans", "2024-09-30 以前"),
    ],
)
def test_a_deadline_is_told_with_the_figure_of_the_day(
    book: PolicyBook, policy: str, code: str, deadline: str | None
) -> None:
    rules = {one.shape.code: one for one in service_rules(book.policy(policy), DAY)}
    assert rules[code].deadline == deadline


def test_a_policy_that_has_not_begun_shows_what_it_will_bring(book: PolicyBook) -> None:
    early = of(book, "plan-2026", date(2025, 6, 1))
    assert early.standing.state == "not_yet"
    assert early.figures_on == date(2026, 1, 1)
    assert early.layers == of(book, "plan-2026").layers


def test_a_policy_in_force_or_expired_shows_the_figures_of_the_day(book: PolicyBook) -> None:
    assert of(book, "yueqing-2022-41").figures_on is None
    assert of(book, "wuxi-2022-98").figures_on is None


def test_days_that_a_place_confirmed_are_the_days_of_force(book: PolicyBook) -> None:
    confirmed = book.with_confirmed({"tinghu-trial": (date(2022, 3, 1), None)})
    described = of(confirmed, "tinghu-trial")
    assert (described.begins, described.ends) == (date(2022, 3, 1), None)
    assert described.in_force == "当地确认自 2022-03-01 起施行，没有写到哪天为止"


def test_a_clause_brings_all_that_cites_it(book: PolicyBook) -> None:
    clause = describe_clause(book.policy("wuxi-2022-98"), "四(七)", book.vocabulary, DAY)
    assert [one.code for one in clause.parameters] == [
        "tilt_assistance.deductible",
        "tilt_assistance.rate",
        "in_county_burden.aim",
    ]
    assert [row.layer.code for row in clause.layers] == ["tilt_assistance"]
    assert [one.id for one in clause.readings] == ["tilt-own-bills", "tilt-outside-pool"]


def test_a_clause_that_does_not_exist_is_refused_with_those_that_do(book: PolicyBook) -> None:
    with pytest.raises(UnknownClause) as caught:
        describe_clause(book.policy("plan-2026"), "六", book.vocabulary, DAY)
    [fault] = caught.value.faults
    assert fault.detail == "没有“六”这一条，请从这些里选：一、二、三、四、五。"
