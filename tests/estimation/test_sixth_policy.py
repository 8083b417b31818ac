"""A sixth policy, added by data alone: the readings that the five real policies do not take."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import pytest

from backend.estimation.case import Assumptions, Bill, Case, Identity, Person
from backend.estimation.estimate import BillEstimate, estimate_payments
from backend.estimation.terms import Rules
from backend.kernel.money import format_yuan
from backend.policies.catalogue import load_catalogue
from tests.oracle.generate import random_request
from tests.support.batches import differences
from tests.support.cases import case_of, identity_of
from tests.support.catalogues import SIXTH_POLICY

POLICY = "invented-2020"


@pytest.fixture(scope="module")
def sixth() -> Rules:
    return Rules(load_catalogue([SIXTH_POLICY]))


def bill(id_: str, day: date, yuan: int, setting: str = "inpatient", **more: object) -> Bill:
    return Bill(id_, setting, day, day, yuan * 100, yuan * 100, **more)


def settle(
    rules: Rules, categories: list[str], *bills: Bill, declined: bool = False
) -> tuple[BillEstimate, ...]:
    identities = tuple(Identity(code, date(2020, 1, 1)) for code in categories)
    person = Person(identities, declined)
    return estimate_payments(Case(person, bills, policy=POLICY), rules).bills


def paid(estimate: BillEstimate, layer: str = "medical_assistance") -> str:
    return next(format_yuan(p.amount) for p in estimate.payments if p.layer == layer)


SPRING, AUTUMN = date(2024, 3, 1), date(2024, 9, 1)


def test_the_five_real_policies_stay_beside_it(sixth: Rules) -> None:
    assert len(sixth.book.policies) == 6


def test_a_figure_that_changes_in_the_year_holds_from_its_day(sixth: Rules) -> None:
    before, after = settle(
        sixth, ["extreme_poverty"], bill("a", SPRING, 1000), bill("b", AUTUMN, 1000)
    )
    assert (paid(before), paid(after)) == ("500.00", "600.00")


def test_the_best_row_depends_on_the_year_so_far(sixth: Rules) -> None:
    first, second = settle(
        sixth,
        ["extreme_poverty", "subsistence_allowance"],
        bill("a", SPRING, 2000),
        bill("b", date(2024, 4, 1), 1000),
    )
    assert (paid(first), identity_of(first)) == ("1000.00", "extreme_poverty")
    assert (paid(second), identity_of(second)) == ("900.00", "subsistence_allowance")


def test_bands_may_fall_and_an_unlimited_row_passes_the_limit(sixth: Rules) -> None:
    (one,) = settle(sixth, ["subsistence_marginal"], bill("a", SPRING, 300_000))
    assert paid(one) == "91600.00"  # 5,000 × 80% + 292,000 × 30%


def test_given_income_sets_the_deductible(sixth: Rules) -> None:
    person = Person((Identity("subsistence_marginal", date(2020, 1, 1)),))
    figures = Assumptions(disposable_income_per_head=2_000_000)
    case = Case(person, (bill("a", SPRING, 2000),), policy=POLICY, assumptions=figures)
    assert paid(estimate_payments(case, sixth).bills[0]) == "800.00"


def test_a_row_that_does_not_use_the_pool_leaves_it_to_others(sixth: Rules) -> None:
    _, second = settle(
        sixth,
        ["subsistence_allowance"],
        bill("a", SPRING, 200_000),
        bill("b", date(2024, 4, 1), 1000),
    )
    assert paid(second) == "900.00"


def test_nested_limits_cut_at_the_nearer_one(sixth: Rules) -> None:
    (one,) = settle(sixth, ["extreme_poverty"], bill("a", SPRING, 10_000, "outpatient"))
    assert paid(one) == "3000.00"


def test_first_bill_deductible_falls_once_and_no_more(sixth: Rules) -> None:
    first, second = settle(
        sixth,
        ["illness_impoverished"],
        bill("a", SPRING, 300),
        bill("b", date(2024, 4, 1), 1000),
    )
    assert (paid(first), paid(second)) == ("0.00", "500.00")


def test_second_aid_gathers_bills_it_does_not_pay_on(sixth: Rules) -> None:
    first, second = settle(
        sixth,
        ["extreme_poverty"],
        bill("a", SPRING, 40_000),
        bill("b", date(2024, 4, 1), 1000, referred=True),
    )
    assert paid(first, "tilt_assistance") == "0.00"
    assert paid(second, "tilt_assistance") == "250.00"


def test_second_aid_works_on_the_whole_personal_burden(sixth: Rules) -> None:
    whole = replace(bill("a", SPRING, 40_000, referred=True), in_scope=2_000_000)
    (one,) = settle(sixth, ["extreme_poverty"], whole)
    assert paid(one) == "10000.00"
    assert paid(one, "tilt_assistance") == "10000.00"  # (40,000 − 10,000 − 10,000) × 50%


def test_a_pool_shared_with_a_layer_before_is_one_pool(sixth: Rules) -> None:
    (one,) = settle(sixth, ["extreme_poverty"], bill("a", SPRING, 100_000, referred=True))
    assert paid(one) == "50000.00"
    assert paid(one, "tilt_assistance") == "10000.00"


def test_the_share_may_come_before_the_cut(sixth: Rules) -> None:
    (one,) = settle(
        sixth, ["extreme_poverty"], bill("a", SPRING, 100_000, referred=True), declined=True
    )
    assert paid(one, "tilt_assistance") == "6666.00"  # 20,000 × 33.33%


def test_an_identity_that_is_lost_counts_to_the_day_where_the_policy_says_so(sixth: Rules) -> None:
    person = Person((Identity("extreme_poverty", date(2020, 1, 1), date(2024, 3, 10)),))
    late = bill("a", date(2024, 3, 11), 1000)
    estimate = estimate_payments(Case(person, (late,), policy=POLICY), sixth)
    assert paid(estimate.bills[0]) == "0.00"


def test_it_decides_in_its_own_area(sixth: Rules) -> None:
    person = Person((Identity("extreme_poverty", date(2020, 1, 1)),))
    case = Case(person, (bill("a", SPRING, 1000),), area="331081")
    assert paid(estimate_payments(case, sixth).bills[0]) == "500.00"


@pytest.mark.parametrize("seed", range(6))
def test_a_batch_under_it_is_settled_as_its_cases_one_by_one(sixth: Rules, seed: int) -> None:
    """Changing figures, rows that cannot be ranked, shared pools: the general path."""
    rng = random.Random(f"sixth {seed}")
    cases = []
    while len(cases) < 300:
        case = case_of(random_request(rng) | {"policy": POLICY})
        cases.append(replace(case, area=None, policy=POLICY, assumptions=Assumptions()))
    assert differences(cases, sixth) == []
    with_income = [
        replace(case, assumptions=Assumptions(disposable_income_per_head=rng.randrange(10_000_000)))
        for case in cases
    ]
    assert differences(with_income, sixth) == []
