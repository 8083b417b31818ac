from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from backend.estimation.case import Bill, Case, Identity, Person
from backend.estimation.estimate import OUT_OF_SCOPE, Estimate, estimate_payments
from backend.estimation.terms import Rules
from backend.estimation.versions import Outcome
from backend.estimation.what_if import (
    CostCurve,
    CostRange,
    InvalidWhatIf,
    cost_curve,
    with_total,
)
from backend.kernel.money import MAX_FEN
from backend.policies.shared_shapes import SeriousIllnessBaseShape
from tests.oracle.generate import random_request
from tests.support.cases import case_of

INPATIENT = Bill(
    id="b1",
    setting="inpatient",
    admitted_on=date(2024, 3, 1),
    discharged_on=date(2024, 3, 9),
    total=15_200_000,
    in_scope=14_800_000,
    paid={"basic": 3_000_000},
    referred=True,
    in_province=True,
)
PERSON = Person((Identity("subsistence_allowance", date(2023, 1, 1)),))
CASE = Case(PERSON, (INPATIENT,), policy="wuxi-2022-98")


def expected(case: Case, rules: Rules, bill_id: str, version: Bill) -> Outcome:
    """The whole case estimated with the bill replaced."""
    bills = tuple(version if bill.id == bill_id else bill for bill in case.bills)
    return outcome(estimate_payments(replace(case, bills=bills), rules), bill_id)


def outcome(estimate: Estimate, bill_id: str) -> Outcome:
    found = next(bill for bill in estimate.bills if bill.bill.id == bill_id)
    year = next(y for y in estimate.years if y.year == found.bill.discharged_on.year)
    payments = {payment.layer: payment.amount for payment in found.payments}
    return Outcome(payments, found.in_scope_burden, found.personal_burden, year)


def check_points(curve: CostCurve, case: Case, rules: Rules) -> None:
    bill_id = curve.present.bill.id
    for point in (curve.present, *curve.points):
        assert point.outcome == expected(case, rules, bill_id, point.bill)
        assert tuple(point.outcome.payments) == curve.layers


@pytest.mark.parametrize("seed", range(4))
def test_every_point_equals_the_estimate_of_the_changed_case(rules: Rules, seed: int) -> None:
    rng = random.Random(f"what if {seed}")
    for _ in range(60):
        case = case_of(random_request(rng))
        payable = [bill for bill in case.bills if bill.total]
        if payable:
            bill, start = rng.choice(payable), rng.choice((0, rng.randrange(50_000_000)))
            costs = CostRange(start, start + rng.randrange(200, 100_000_000), rng.randint(2, 9))
            check_points(cost_curve(case, rules, bill.id, costs), case, rules)


@pytest.mark.parametrize("area", ["320281", "330382", "320902", "110101"])
def test_every_point_equals_the_estimate_where_an_area_decides_the_policy(
    rules: Rules, area: str
) -> None:
    days = (date(2025, 12, 30), date(2025, 6, 1), date(2026, 1, 2), date(2021, 5, 5))
    bills = tuple(
        replace(INPATIENT, id=f"b{n}", admitted_on=day, discharged_on=day)
        for n, day in enumerate(days)
    )
    case = Case(PERSON, bills, area=area)
    for bill in bills:
        curve = cost_curve(case, rules, bill.id, CostRange(0, 60_000_000, 7))
        check_points(curve, case, rules)


def test_a_base_that_changes_within_the_year_is_heeded_at_every_point(rules: Rules) -> None:
    bases = [
        SeriousIllnessBaseShape(
            area="330382", from_=first, to=last, deductible=deductible, rate="0.60", source="试"
        )
        for first, last, deductible in (
            (date(2024, 1, 1), date(2024, 6, 30), "20000.00"),
            (date(2024, 7, 1), date(2024, 12, 31), "30000.00"),
        )
    ]
    localities = structs.replace(rules.book.localities, serious_illness_bases=bases)
    changing = Rules(replace(rules.book, localities=localities))
    later = replace(
        INPATIENT, id="b2", admitted_on=date(2024, 8, 1), discharged_on=date(2024, 8, 9)
    )
    case = Case(PERSON, (INPATIENT, later), area="330382")
    curve = cost_curve(case, changing, "b1", CostRange(0, 60_000_000, 7))
    check_points(curve, case, changing)
    assert "serious_illness" in curve.layers


def test_costs_run_in_equal_steps_of_whole_fen_and_both_ends_are_points() -> None:
    assert CostRange(0, 10, 4).totals() == (0, 3, 7, 10)
    assert CostRange(100, 300, 3).totals() == (100, 200, 300)
    assert CostRange(0, MAX_FEN, 2).totals() == (0, MAX_FEN)


def test_the_amounts_of_the_bill_keep_their_share_of_the_total() -> None:
    bill = with_total(INPATIENT, 7_600_000, ("basic",))
    assert (bill.total, bill.in_scope, bill.paid) == (7_600_000, 7_400_000, {"basic": 1_500_000})
    assert with_total(INPATIENT, INPATIENT.total, ("basic",)) == INPATIENT


@given(
    parts=st.lists(st.integers(0, 2_000), min_size=4, max_size=4).filter(sum),
    total=st.integers(0, 5_000),
)
def test_shares_rounded_up_together_never_pass_the_total(parts: list[int], total: int) -> None:
    in_scope, drug, basic, outside = parts
    whole = max(in_scope + drug, basic + outside)
    paid = {"basic": basic, OUT_OF_SCOPE: outside}
    bill = replace(INPATIENT, total=whole, in_scope=in_scope, rare_drug=drug, paid=paid)
    scaled = with_total(bill, total, ("basic", OUT_OF_SCOPE))
    assert scaled.in_scope + scaled.rare_drug <= scaled.total == total
    assert sum(scaled.paid.values()) <= total
    assert scaled.paid.keys() == paid.keys()


def test_a_layer_settled_with_nothing_stays_settled(rules: Rules) -> None:
    settled = replace(INPATIENT, paid={"basic": 3_000_000, "medical_assistance": 0})
    curve = cost_curve(replace(CASE, bills=(settled,)), rules, "b1", CostRange(0, 30_000_000, 4))
    assert [point.outcome.payments["medical_assistance"] for point in curve.points] == [0] * 4


def test_other_bills_stay_as_they_are_and_feel_the_years_limit(rules: Rules) -> None:
    later = replace(
        INPATIENT, id="b2", admitted_on=date(2024, 8, 1), discharged_on=date(2024, 8, 9)
    )
    case = replace(CASE, bills=(INPATIENT, later))
    curve = cost_curve(case, rules, "b1", CostRange(15_200_000, 60_000_000, 2))
    first, last = curve.points[0].outcome, curve.points[-1].outcome
    assert first.year.totals["medical_assistance"] == 2 * 10_030_000
    assert last.payments["medical_assistance"] == last.year.totals["medical_assistance"]
    assert last.year.totals["medical_assistance"] == 30_000_000


def test_the_golden_bill_is_met_again_at_its_own_cost(rules: Rules) -> None:
    curve = cost_curve(CASE, rules, "b1", CostRange(0, 30_400_000, 3))
    assert curve.points[1].bill == curve.present.bill == INPATIENT
    assert curve.points[1].outcome == curve.present.outcome
    assert curve.present.outcome.personal_burden == 1_468_000
    assert curve.summary == (
        "现在总费用 152000.00 元，各项一共付 137320.00 元，自己付 14680.00 元。"
        "总费用是 0.00 元时自己付 0.00 元，总费用是 304000.00 元时自己付 25760.00 元。"
    )


def test_bills_no_policy_decides_keep_what_was_given(rules: Rules) -> None:
    case = Case(PERSON, (INPATIENT,), area="110101")
    curve = cost_curve(case, rules, "b1", CostRange(0, 15_200_000, 3))
    assert curve.layers == ("basic",)
    assert [point.outcome.personal_burden for point in curve.points] == [0, 6_100_000, 12_200_000]
    assert any("没有收录" in note for note in curve.notes)


@pytest.mark.parametrize(
    ("bill_id", "costs", "pointer"),
    [
        ("b9", CostRange(0, 100, 2), "/bill"),
        ("b1", CostRange(100, 100, 2), "/cost/to"),
        ("b1", CostRange(200, 100, 2), "/cost/to"),
        ("b1", CostRange(0, 3, 5), "/cost/to"),
        ("b1", CostRange(0, 100, 1), "/cost/points"),
        ("b1", CostRange(0, 1000, 202), "/cost/points"),
        ("b1", CostRange(-1, 100, 2), "/cost/from"),
        ("b1", CostRange(0, MAX_FEN + 1, 2), "/cost/to"),
    ],
)
def test_a_question_that_cannot_be_answered_names_what_to_change(
    rules: Rules, bill_id: str, costs: CostRange, pointer: str
) -> None:
    with pytest.raises(InvalidWhatIf) as refused:
        cost_curve(CASE, rules, bill_id, costs)
    assert pointer in [fault.pointer for fault in refused.value.faults]


def test_a_bill_without_cost_has_no_shares_to_keep(rules: Rules) -> None:
    free = replace(INPATIENT, total=0, in_scope=0, paid={})
    with pytest.raises(InvalidWhatIf) as refused:
        cost_curve(replace(CASE, bills=(free,)), rules, "b1", CostRange(0, 100, 2))
    assert [fault.pointer for fault in refused.value.faults] == ["/bill"]
