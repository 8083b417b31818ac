from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import pytest

from backend.estimation.case import Bill, Case, Identity, Person
from backend.estimation.circumstances import Circumstance, changed_circumstances
from backend.estimation.estimate import estimate_payments
from backend.estimation.terms import Rules
from backend.estimation.what_if import InvalidWhatIf
from tests.oracle.generate import random_request
from tests.support.cases import case_of

BILL = Bill(
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
HELD = Identity("subsistence_allowance", date(2023, 1, 1))
CASE = Case(Person((HELD,)), (BILL,), policy="wuxi-2022-98")


def sentences(case: Case, rules: Rules, bill_id: str = "b1") -> list[str]:
    return [found.text for found in changed_circumstances(case, rules, bill_id)]


def with_bill(**changes: object) -> Case:
    return replace(CASE, bills=(replace(BILL, **changes),))


def test_each_circumstance_is_told_in_a_sentence_the_most_helpful_first(rules: Rules) -> None:
    assert sentences(CASE, rules) == [
        "如果身份换成“特困人员”、“孤儿”或“事实无人抚养儿童”，自己少付 10680.00 元。",
        "如果没有经过规范转诊，自己多付 7020.00 元。",
        "如果不在本省就医，自己多付 7020.00 元。",
        "如果身份换成“低保边缘家庭成员”、“重度残疾人”、“支出型困难家庭中的大重病患者”、"
        "“临时救助对象中的大重病患者”或“其他特殊困难人员”，自己多付 7080.00 元。",
        "如果不在定点医药机构就医，自己多付 107320.00 元。",
        "如果身份换成“父母监护缺失或无力监护的儿童”、“重残、重病及流浪儿童”、"
        "“贫困家庭儿童和其他需要帮助的儿童”、“重点优抚对象”、“20世纪60年代精减退职职工”"
        "或“总工会核定的特困职工”，结果不变。",
    ]


def test_referral_is_worth_what_tilt_pays(rules: Rules) -> None:
    found = changed_circumstances(with_bill(referred=False), rules, "b1")
    first = next(item for item in found if item.change.what == "referred")
    assert first.text == "如果经过规范转诊，自己少付 7020.00 元。"
    assert (first.difference, first.matters, first.change.value) == (-702_000, True, True)
    assert first.outcome.payments["tilt_assistance"] == 702_000


def test_a_change_that_is_not_enough_alone_says_what_else_is_lacking(rules: Rules) -> None:
    told = sentences(with_bill(referred=False, in_province=False), rules)
    assert "如果经过规范转诊，结果不变：不在本省看病，这笔费用没有倾斜救助。" in told


def test_who_has_no_identity_is_told_what_recognition_would_give(rules: Rules) -> None:
    told = sentences(replace(CASE, person=Person()), rules)
    assert "如果被认定为“特困人员”、“孤儿”或“事实无人抚养儿童”，自己少付 118000.00 元。" in told
    assert not any("身份换成" in text for text in told)


def test_an_identity_that_does_not_count_on_the_bill_may_be_recognised_anew(rules: Rules) -> None:
    lost = replace(CASE, person=Person((replace(HELD, to=date(2023, 6, 1)),)))
    found = changed_circumstances(lost, rules, "b1")
    assert any("subsistence_allowance" in item.change.categories for item in found)


def test_declining_the_health_service_matters_where_the_policy_halves(rules: Rules) -> None:
    person = Person((Identity("subsistence_allowance", date(2023, 1, 1)),))
    tinghu = Case(person, (BILL,), policy="tinghu-trial")
    found = changed_circumstances(tinghu, rules, "b1")
    declined = next(item for item in found if item.change.what == "declined_health_service")
    assert declined.text.startswith("如果放弃基础健康服务，自己多付 ")
    kept = next(
        item
        for item in changed_circumstances(
            replace(tinghu, person=replace(person, declined_health_service=True)), rules, "b1"
        )
        if item.change.what == "declined_health_service"
    )
    assert kept.difference == -declined.difference < 0
    assert not any(
        item.change.what == "declined_health_service"
        for item in changed_circumstances(CASE, rules, "b1")
    )


def test_the_year_is_told_where_it_differs_from_the_bill(rules: Rules) -> None:
    later = replace(BILL, id="b2", admitted_on=date(2024, 8, 1), discharged_on=date(2024, 8, 9))
    case = replace(CASE, bills=(BILL, later))
    found = changed_circumstances(case, rules, "b1")
    referral = next(item for item in found if item.change.what == "referred")
    assert referral.difference != referral.year_difference
    assert "；全年算下来，自己" in referral.text


def test_a_layer_already_settled_leaves_nothing_to_change(rules: Rules) -> None:
    settled = {"basic": 3_000_000, "medical_assistance": 10_000_000, "tilt_assistance": 0}
    found = changed_circumstances(with_bill(paid=settled), rules, "b1")
    assert found
    assert not any(item.matters for item in found)
    assert all("结果不变" in item.text for item in found)


def test_nothing_is_told_where_no_policy_decides(rules: Rules) -> None:
    assert changed_circumstances(Case(Person((HELD,)), (BILL,), area="110101"), rules, "b1") == ()


def test_an_unknown_bill_is_refused(rules: Rules) -> None:
    with pytest.raises(InvalidWhatIf):
        changed_circumstances(CASE, rules, "b9")


def changed_case(case: Case, item: Circumstance, bill_id: str, category: str | None) -> Case:
    if category is not None:
        only = Identity(category, date(1950, 1, 1))
        return replace(case, person=replace(case.person, identities=(only,)))
    if item.change.what == "declined_health_service":
        return replace(case, person=replace(case.person, declined_health_service=item.change.value))
    bills = [
        replace(bill, **{item.change.what: item.change.value}) if bill.id == bill_id else bill
        for bill in case.bills
    ]
    return replace(case, bills=tuple(bills))


def test_every_difference_equals_that_of_the_changed_case_for_each_category(rules: Rules) -> None:
    rng = random.Random("circumstances")
    seen: set[str] = set()
    for _ in range(80):
        case = case_of(random_request(rng))
        bill = rng.choice(case.bills)
        now = burdens(case, bill, rules)
        found = changed_circumstances(case, rules, bill.id)
        matters = [item.matters for item in found]
        assert matters == sorted(matters, reverse=True)
        for item in found:
            seen.add(item.change.what)
            for category in item.change.categories or (None,):
                then = burdens(changed_case(case, item, bill.id, category), bill, rules)
                assert then[0] - now[0] == item.difference
                assert then[1] - now[1] == item.year_difference
    expected = {"referred", "in_province", "designated", "followed_guidance"}
    assert seen == {*expected, "declined_health_service", "category"}


def burdens(case: Case, bill: Bill, rules: Rules) -> tuple[int, int]:
    estimate = estimate_payments(case, rules)
    own = next(found.personal_burden for found in estimate.bills if found.bill.id == bill.id)
    year = next(y for y in estimate.years if y.year == bill.discharged_on.year)
    return own, year.personal_burden
