"""Why a layer pays what it pays, in sentences that people can follow."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.estimation.estimate import Payment, estimate_payments
from backend.estimation.explained import Explained
from backend.estimation.terms import Rules
from backend.policies.catalogue import load_catalogue
from tests.oracle.generate import random_request
from tests.support.cases import case_of
from tests.support.catalogues import SIXTH_POLICY

GOLDEN = Path(__file__).parents[1] / "cases" / "estimates.json"


def requests() -> Iterator[dict[str, Any]]:
    yield from (case["request"] for case in json.loads(GOLDEN.read_text("utf-8")))
    rng = random.Random("sentences")
    yield from (random_request(rng) for _ in range(500))


def computed(rules: Rules, request: dict[str, Any]) -> Iterator[tuple[Payment, Explained]]:
    for bill in estimate_payments(case_of(request), rules).bills:
        for payment in bill.payments:
            if payment.explained is not None:
                yield payment, payment.explained


def bill(**more: Any) -> dict[str, Any]:
    return {
        "id": "b1",
        "setting": "inpatient",
        "admitted_on": "2024-03-01",
        "discharged_on": "2024-03-09",
        "total": "152000.00",
        "in_scope": "148000.00",
        "paid": {"basic": "30000.00"},
    } | more


def request(policy: str, categories: list[str], *bills: dict[str, Any], **more: Any) -> Any:
    identities = [{"category": code, "from": "2020-01-01"} for code in categories]
    return {"policy": policy, "person": {"identities": identities}, "bills": list(bills)} | more


def sentences(rules: Rules, asked: dict[str, Any], layer: str, place: int = 0) -> list[str]:
    payments = estimate_payments(case_of(asked), rules).bills[place].payments
    explained = next(p.explained for p in payments if p.layer == layer)
    assert explained is not None
    return [step.text for step in explained.steps]


def test_the_last_amount_of_the_steps_is_what_is_paid(rules: Rules) -> None:
    seen = 0
    for asked in requests():
        for payment, explained in computed(rules, asked):
            amounts = [step.amount for step in explained.steps if step.amount is not None]
            assert amounts[-1] == payment.amount, (asked, explained.steps)
            seen += 1
    assert seen > 2000


def test_it_is_so_for_rules_that_no_real_policy_has(rules: Rules) -> None:
    sixth = Rules(load_catalogue([SIXTH_POLICY]))
    for asked in requests():
        asked = {**asked, "policy": "invented-2020"}
        asked.pop("area", None)
        for payment, explained in computed(sixth, asked):
            amounts = [step.amount for step in explained.steps if step.amount is not None]
            assert amounts[-1] == payment.amount, (asked, explained.steps)


def test_sentences_are_whole_and_cite_a_clause(rules: Rules) -> None:
    for asked in requests():
        for _, explained in computed(rules, asked):
            assert explained.steps
            for step in explained.steps:
                assert re.fullmatch(r"[^\s].*。", step.text), step.text
                assert "None" not in step.text
                assert "_" not in step.text
            policy_id, _, version = explained.rule_version.partition("@")
            assert explained.clause in rules.book.policy(policy_id).clauses
            assert re.fullmatch(r"[0-9a-f]{12}", version)


def test_the_same_case_gives_the_same_sentences(rules: Rules) -> None:
    again = Rules(load_catalogue())
    for asked in requests():
        assert estimate_payments(case_of(asked), rules) == estimate_payments(case_of(asked), again)


def test_a_rate_without_deductible_is_one_equation(rules: Rules) -> None:
    asked = request("wuxi-2022-98", ["subsistence_allowance"], bill())
    assert sentences(rules, asked, "medical_assistance") == [
        "政策范围内费用 148000.00 元，前面各项已付 30000.00 元，剩下 118000.00 元。",
        "按最低生活保障对象的身份，没有起付线，按 85% 支付：118000.00 × 85% = 100300.00 元。",
    ]


def test_other_identities_are_shown_with_what_they_would_have_given(rules: Rules) -> None:
    asked = request("wuxi-2022-98", ["severely_disabled", "subsistence_allowance"], bill())
    assert sentences(rules, asked, "medical_assistance")[-1] == (
        "有几个身份时用得钱最多的一个，不重复计算。其他身份：重度残疾人可得 82600.00 元。"
    )
    (explained,) = [e for p, e in computed(rules, asked) if p.layer == "medical_assistance"]
    assert [(o.identity, o.amount) for o in explained.others] == [("severely_disabled", 8260000)]


def test_a_yearly_deductible_says_what_was_used_before(rules: Rules) -> None:
    first = bill(in_scope="31000.00", discharged_on="2024-03-02")
    second = bill(id="b2", in_scope="40000.00", referred=True, in_province=True)
    both = [first | {"referred": True, "in_province": True}, second]
    asked = request("wuxi-2022-98", ["severely_disabled"], *both)
    assert sentences(rules, asked, "tilt_assistance")[1] == (
        "按重度残疾人的身份，年度起付线 6000.00 元，以前的费用已用去 0.00 元，还没有超过起付线，这笔不付。"
    )
    assert sentences(rules, asked, "tilt_assistance", 1)[1] == (
        "按重度残疾人的身份，年度起付线 6000.00 元，以前的费用已用去 300.00 元，"
        "还没有超过起付线，这笔不付。"
    )


def test_bands_are_written_out(rules: Rules) -> None:
    asked = request(
        "plan-2026",
        ["illness_impoverished"],
        bill(admitted_on="2026-03-01", discharged_on="2026-03-09", paid={"basic": "90000.00"}),
    )
    assert sentences(rules, asked, "medical_assistance")[-1] == (
        "全年累计分档计算：起付线以上的头 10000.00 元不付，"
        "10000.00 元至 30000.00 元的部分 20000.00 × 50% + "
        "30000.00 元以上的部分 22000.00 × 60% = 23200.00 元。"
    )


def test_a_limit_that_cuts_is_named_with_what_is_left(rules: Rules) -> None:
    asked = request(
        "wuxi-2022-98",
        ["subsistence_allowance"],
        bill(setting="outpatient", total="14800.00", in_scope="14800.00", paid={}),
    )
    assert sentences(rules, asked, "medical_assistance")[-1] == (
        "普通门诊年度限额 10000.00 元，本年还剩 10000.00 元，只能付 10000.00 元。"
    )


def test_half_for_who_declined_the_service(rules: Rules) -> None:
    asked = request("tinghu-trial", ["orphan"], bill(in_scope="14800.00", paid={}))
    asked["person"]["declined_health_service"] = True
    assert sentences(rules, asked, "special_assistance")[-1] == (
        "放弃了基础健康服务，按 50% 救助：2950.00 元。"
    )


@pytest.mark.parametrize(
    ("policy", "categories", "more", "layer", "sentence"),
    [
        ("wuxi-2022-98", [], {}, "medical_assistance", "没有填写救助身份，这笔费用没有医疗救助。"),
        (
            "wuxi-2022-98",
            ["expenditure_poor"],
            {},
            "medical_assistance",
            "支出型困难家庭成员不在医疗救助的对象范围内，这笔费用没有医疗救助。",
        ),
        (
            "wuxi-2022-98",
            ["orphan"],
            {"designated": False},
            "medical_assistance",
            "不是医保定点医药机构的费用，医疗救助不能支付。请到定点机构就医。",
        ),
        (
            "wuxi-2022-98",
            ["orphan"],
            {"in_province": True},
            "tilt_assistance",
            "没有经过规范转诊，这笔费用没有倾斜救助。以后请先到基层医院看，再由医院转诊。",
        ),
        (
            "plan-2026",
            ["extreme_poverty"],
            {"setting": "outpatient", "discharged_on": "2026-03-09"},
            "medical_assistance",
            "普通门诊不在救助范围内。住院、门诊慢特病、日间手术和家庭病床的费用可以救助。",
        ),
    ],
)
def test_nothing_paid_comes_with_the_reason(
    rules: Rules, policy: str, categories: list[str], more: Any, layer: str, sentence: str
) -> None:
    assert sentences(rules, request(policy, categories, bill(**more)), layer) == [sentence]


def test_an_identity_that_ended_is_said_to_have_ended(rules: Rules) -> None:
    asked = request("wuxi-2022-98", ["orphan"], bill())
    asked["person"]["identities"][0]["to"] = "2024-01-31"
    assert sentences(rules, asked, "medical_assistance") == [
        "这笔费用发生时没有有效的救助身份，没有医疗救助。"
    ]


def test_a_floor_says_at_least(rules: Rules) -> None:
    floors = {
        (payment.layer, explained.at_least)
        for payment, explained in computed(
            rules, request("yueqing-2022-41", ["subsistence_allowance"], bill(referred=True))
        )
    }
    assert ("medical_assistance", True) in floors
    asked = request("wuxi-2022-98", ["subsistence_allowance"], bill())
    assert not any(explained.at_least for _, explained in computed(rules, asked))


def test_readings_of_unclear_clauses_are_named(rules: Rules) -> None:
    asked = request("plan-2026", ["illness_impoverished"], bill(discharged_on="2026-03-09"))
    named = {r.id for p, e in computed(rules, asked) for r in e.readings}
    assert "first-band-literal" in named


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            request("yueqing-2022-41", ["orphan"], bill(discharged_on="2026-01-01")),
            "2026-01-01 的费用：《乐清医保纾困方案》这一天已经失效：最后一天是 2025-12-31。"
            "2025-12-31 及以前出院（就诊）的费用仍按它办，以后的费用不再适用。"
            "这笔费用没有计算救助。",
        ),
        (
            {**request("", ["orphan"], bill()), "policy": None, "area": "320902"},
            "2024-03-09 在江苏省盐城市亭湖区没有可以确定有效的政策。"
            "《亭湖区健康救助实施方案（试行）》文件没有写明从哪天到哪天有效，"
            "当地也还没有确认，所以不能说这一天是不是有效。请先向当地主管部门确认。"
            "这笔费用没有计算救助。想按它试算，请直接选这个政策。",
        ),
        (
            {**request("", ["orphan"], bill()), "policy": None, "area": "110101"},
            "还没有收录北京市东城区的政策。请向当地医保部门询问。这笔费用没有计算救助。",
        ),
    ],
)
def test_a_bill_that_no_policy_decides_says_why(
    rules: Rules, asked: dict[str, Any], sentence: str
) -> None:
    (found,) = estimate_payments(case_of(asked), rules).bills
    assert sentence in found.notes
    assert all(payment.given for payment in found.payments)


def test_people_for_whom_other_rules_hold_are_told_so(rules: Rules) -> None:
    (found,) = estimate_payments(
        case_of(request("wuxi-2022-98", ["poverty_monitored"], bill())), rules
    ).bills
    assert found.notes
    assert "过渡期" in found.notes[0]


def test_assumed_figures_are_said(rules: Rules) -> None:
    asked = request("plan-2026", ["subsistence_marginal"], bill(discharged_on="2026-03-09"))
    notes = estimate_payments(case_of(asked), rules).notes
    assert "没有填上年度居民人均可支配收入，按 60000.00 元计算。" in notes
    named = request("tinghu-trial", ["orphan"], bill())
    assert "结果只供试算参考" in estimate_payments(case_of(named), rules).notes[0]


def test_who_is_told_otherwise_is_shown_no_zero(rules: Rules) -> None:
    for policy, category in (("wuxi-2022-98", "poverty_monitored"), ("plan-2026", "orphan")):
        asked = request(policy, [category], bill(discharged_on="2026-03-09", referred=True))
        (found,) = estimate_payments(case_of(asked), rules).bills
        assert [payment.layer for payment in found.payments] == ["basic"]
        assert found.notes


def test_derived_figures_say_what_they_are_derived_from(rules: Rules) -> None:
    base = {"serious_illness_base": {"deductible": "20000.01", "rate": "0.97"}}
    asked = request("zhangjiagang-2024", ["orphan"], bill(), assumptions=base)
    texts = sentences(rules, asked, "serious_illness")
    assert "年度起付线 10000.01 元（当地起付线 20000.01 元的 50%）" in texts[1]
    assert "按 100% 支付（当地 97%，提高 5 个百分点，最多 100%）" in texts[2]
    asked = request("plan-2026", ["subsistence_marginal"], bill(discharged_on="2026-03-09"))
    texts = sentences(rules, asked, "medical_assistance")
    assert "年度起付线 3000.00 元（人均可支配收入 60000.00 元的 5%）" in texts[1]


def test_a_floor_is_named_only_where_it_is_the_rate_used(rules: Rules) -> None:
    for rate, least in (("0.60", True), ("0.97", False)):
        base = {"serious_illness_base": {"deductible": "20000.00", "rate": rate}}
        asked = request("yueqing-2022-41", ["orphan"], bill(), assumptions=base)
        (explained,) = [e for p, e in computed(rules, asked) if p.layer == "serious_illness"]
        assert explained.at_least is least


def test_counting_back_is_said_and_marked(rules: Rules) -> None:
    asked = request("tinghu-trial", ["expenditure_poor_seriously_ill"], bill())
    asked["person"]["identities"][0] |= {"from": "2024-06-01", "applied_on": "2024-05-01"}
    texts = sentences(rules, asked, "special_assistance")
    assert "追溯" in texts[1]
    (explained,) = [e for _, e in computed(rules, asked)]
    assert "seriously-ill-category" in {reading.id for reading in explained.readings}
    asked["person"]["identities"][0] |= {"from": "2024-01-01"}
    assert not any("追溯" in text for text in sentences(rules, asked, "special_assistance"))


def test_day_surgery_read_as_a_stay_is_marked_and_a_stay_is_not(rules: Rules) -> None:
    marked = {}
    for setting in ("inpatient", "day_surgery"):
        asked = request("yueqing-2022-41", ["orphan"], bill(setting=setting))
        marked[setting] = {r.id for _, e in computed(rules, asked) for r in e.readings}
    assert "stays-include-day-surgery" in marked["day_surgery"] - marked["inpatient"]


def test_what_stays_under_tinghus_deductible_is_dealt_with_in_january(rules: Rules) -> None:
    asked = request("tinghu-trial", ["orphan"], bill(in_scope="31000.00"))
    assert sentences(rules, asked, "special_assistance")[-1].endswith(
        "还没有超过起付线，这次先不付，到明年 1 月一次性办理。"
    )


def test_the_whole_burden_is_named_where_a_layer_works_on_it(rules: Rules) -> None:
    sixth = Rules(load_catalogue([SIXTH_POLICY]))
    asked = request("invented-2020", ["extreme_poverty"], bill(referred=True))
    assert sentences(sixth, asked, "tilt_assistance")[0] == (
        "总费用 152000.00 元，前面各项已付 89000.00 元，剩下 63000.00 元。"
    )


def test_missing_payments_before_assistance_are_said(rules: Rules) -> None:
    asked = request("yueqing-2022-41", ["orphan"], bill(paid={}))
    notes = estimate_payments(case_of(asked), rules).notes
    assert "有结算单没有填基本医保支付的金额，按没有支付计算。" in notes
    assert "有结算单没有填大病保险支付的金额，也没有当地的标准，按没有支付计算。" in notes


def test_without_an_identity_no_other_condition_is_named(rules: Rules) -> None:
    asked = request("wuxi-2022-98", [], bill())
    assert sentences(rules, asked, "tilt_assistance") == [
        "没有填写救助身份，这笔费用没有倾斜救助。"
    ]
