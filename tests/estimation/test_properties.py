"""What must hold for any person and any bills, whatever the figures (Hypothesis)."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from backend.estimation.case import Assumptions, Bill, Case, Identity, Person, SeriousIllnessBase
from backend.estimation.estimate import BillEstimate, Estimate, estimate_payments
from backend.estimation.terms import Rules

DAYS = {
    "zhangjiagang-2024": (date(2024, 1, 1), date(2025, 12, 31)),
    "yueqing-2022-41": (date(2022, 1, 1), date(2025, 12, 31)),
    "wuxi-2022-98": (date(2023, 1, 1), date(2025, 12, 31)),
    "tinghu-trial": (date(2023, 1, 1), date(2025, 12, 31)),
    "plan-2026": (date(2026, 1, 1), date(2026, 12, 31)),
}
CATEGORIES = (
    "extreme_poverty",
    "subsistence_allowance",
    "subsistence_marginal",
    "orphan",
    "child_poor_family",
    "destitute_worker",
    "severely_disabled",
    "expenditure_poor_seriously_ill",
    "illness_impoverished",
    "other_hardship",
)
EXAMPLES = int(os.environ.get("SHUKUN_PROPERTY_EXAMPLES", "150"))
many = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def bills(draw: st.DrawFn, policy: str, number: int) -> Bill:
    first, last = DAYS[policy]
    day = first + timedelta(draw(st.integers(0, (last - first).days)))
    in_scope = draw(st.integers(0, 60_000_000))
    outside = draw(st.integers(0, 2_000_000))
    drug = draw(st.sampled_from([0, 0, 3_000_000])) if policy == "plan-2026" else 0
    return Bill(
        id=f"b{number}",
        setting=draw(st.sampled_from(("outpatient", "chronic_outpatient", "inpatient"))),
        admitted_on=day - timedelta(draw(st.integers(0, 40))),
        discharged_on=day,
        total=in_scope + outside + drug,
        in_scope=in_scope,
        paid={"basic": draw(st.integers(0, in_scope))},
        referred=draw(st.booleans()),
        in_province=draw(st.booleans()),
        followed_guidance=draw(st.booleans()),
        designated=draw(st.sampled_from((True, True, False))),
        disease_group=draw(st.sampled_from(("general", "major", "rare_regulated"))),
        rare_drug=drug,
    )


def identities() -> SearchStrategy[Identity]:
    return st.builds(
        Identity,
        st.sampled_from(CATEGORIES),
        st.dates(date(2021, 1, 1), date(2026, 6, 1)),
        st.none(),
    )


@st.composite
def cases(draw: st.DrawFn, most: int = 5) -> Case:
    policy = draw(st.sampled_from(list(DAYS)))
    count = draw(st.integers(1, most))
    base = SeriousIllnessBase(2_000_000, 6_000)
    return Case(
        Person(tuple(draw(st.lists(identities(), max_size=3))), draw(st.booleans())),
        tuple(draw(bills(policy, number)) for number in range(count)),
        policy=policy,
        assumptions=Assumptions(draw(st.sampled_from((None, base)))),
    )


def computed(estimate: Estimate | BillEstimate, layer: str | None = None) -> int:
    found = estimate.bills if isinstance(estimate, Estimate) else (estimate,)
    return sum(
        payment.amount
        for bill in found
        for payment in bill.payments
        if not payment.given and layer in (None, payment.layer)
    )


@many
@given(case=cases())
def test_nothing_is_paid_beyond_the_burden_or_the_total(rules: Rules, case: Case) -> None:
    for bill in estimate_payments(case, rules).bills:
        assert all(payment.amount >= 0 for payment in bill.payments)
        assert bill.personal_burden >= 0
        in_scope = sum(p.amount for p in bill.payments if p.layer != "rare_drug_assistance")
        assert in_scope <= bill.bill.in_scope


@many
@given(case=cases())
def test_layers_and_what_is_left_add_up_to_the_total(rules: Rules, case: Case) -> None:
    estimate = estimate_payments(case, rules)
    for bill in estimate.bills:
        assert sum(p.amount for p in bill.payments) + bill.personal_burden == bill.bill.total
    for year in estimate.years:
        of_year = [b for b in estimate.bills if b.bill.discharged_on.year == year.year]
        assert sum(year.totals.values()) == sum(p.amount for b in of_year for p in b.payments)


@many
@given(case=cases(most=12))
def test_no_yearly_limit_is_passed(rules: Rules, case: Case) -> None:
    limits = {
        "zhangjiagang-2024": {"medical_assistance": 30_000_000},
        "wuxi-2022-98": {"medical_assistance": 31_000_000},
        "plan-2026": {"medical_assistance": 15_000_000, "rare_drug_assistance": 30_000_000},
        "tinghu-trial": {"special_assistance": 22_000_000},
    }
    estimate = estimate_payments(case, rules)
    for year in estimate.years:
        for layer, limit in limits.get(case.policy or "", {}).items():
            assert year.totals.get(layer, 0) <= limit


@many
@given(case=cases(most=1), more=st.integers(1, 5_000_000))
def test_more_cost_never_brings_less_aid(rules: Rules, case: Case, more: int) -> None:
    (bill,) = case.bills
    dearer = replace(bill, total=bill.total + more, in_scope=bill.in_scope + more)
    before = computed(estimate_payments(case, rules))
    after = computed(estimate_payments(replace(case, bills=(dearer,)), rules))
    assert before <= after <= before + more


@many
@given(case=cases())
def test_another_year_changes_nothing(rules: Rules, case: Case) -> None:
    whole = {b.bill.id: b for b in estimate_payments(case, rules).bills}
    for year in {bill.discharged_on.year for bill in case.bills}:
        alone = tuple(bill for bill in case.bills if bill.discharged_on.year == year)
        for bill in estimate_payments(replace(case, bills=alone), rules).bills:
            assert bill == whole[bill.bill.id]


@many
@given(case=cases(), order=st.randoms())
def test_the_order_in_which_bills_are_named_changes_nothing(
    rules: Rules, case: Case, order: Any
) -> None:
    shuffled = list(case.bills)
    order.shuffle(shuffled)
    assert estimate_payments(replace(case, bills=tuple(shuffled)), rules) == estimate_payments(
        case, rules
    )


@many
@given(case=cases(most=1))
def test_several_identities_give_at_least_what_any_one_gives(rules: Rules, case: Case) -> None:
    layer = "special_assistance" if case.policy == "tinghu-trial" else "medical_assistance"
    together = computed(estimate_payments(case, rules), layer)
    for identity in case.person.identities:
        alone = replace(case, person=replace(case.person, identities=(identity,)))
        assert together >= computed(estimate_payments(alone, rules), layer)


@many
@given(case=cases())
def test_feeding_the_answer_back_changes_nothing(rules: Rules, case: Case) -> None:
    """What was computed, given as paid, is taken as it is and leaves the same burdens."""
    first = estimate_payments(case, rules)
    given_back = tuple(
        replace(bill.bill, paid={p.layer: p.amount for p in bill.payments}) for bill in first.bills
    )
    if case.policy == "tinghu-trial" and case.person.declined_health_service:
        return  # the cap is used up by amounts before halving, but by given ones as given
    second = estimate_payments(replace(case, bills=given_back), rules)
    for before, after in zip(first.bills, second.bills, strict=True):
        assert before.personal_burden == after.personal_burden
        assert before.in_scope_burden == after.in_scope_burden
        assert all(payment.given for payment in after.payments)
