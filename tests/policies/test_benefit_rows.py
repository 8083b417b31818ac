from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from backend.policies.benefit_rows import BenefitRow, benefit_rows, layer_inputs
from backend.policies.book import PolicyBook

DAY = date(2026, 6, 1)
ALL_STAYS = ("只限住院、门诊慢特病、日间手术、家庭病床",)


def rows_for(
    book: PolicyBook, policy: str, category: str, layer: str = "medical_assistance"
) -> list[BenefitRow]:
    return [
        row
        for row in benefit_rows(book.policy(policy), book.vocabulary, DAY)
        if row.layer.code == layer and category in [one.code for one in row.categories]
    ]


@pytest.mark.parametrize(
    ("policy", "category", "expected"),
    [
        ("wuxi-2022-98", "orphan", ("没有起付线", "100%", "四(六)")),
        ("wuxi-2022-98", "child_poor_family", ("没有起付线", "85%", "四(六)")),
        ("wuxi-2022-98", "destitute_worker", ("没有起付线", "85%", "四(六)")),
        ("wuxi-2022-98", "severely_disabled", ("没有起付线", "70%", "四(六)")),
        ("zhangjiagang-2024", "child_severe_or_stray", ("没有起付线", "100%", "7")),
        ("zhangjiagang-2024", "poverty_monitored", ("没有起付线", "不低于 85%", "7")),
        ("yueqing-2022-41", "subsistence_marginal", ("没有起付线", "不低于 80%", "9")),
        ("plan-2026", "extreme_poverty", ("没有起付线", "90%", "二")),
        ("plan-2026", "subsistence_allowance", ("一年 1500.00 元", "75%", "二")),
        (
            "plan-2026",
            "subsistence_marginal",
            (
                "一年，上年度居民人均可支配收入的 5%（收入按 60000.00 元算，是 3000.00 元）",
                "65%",
                "二",
            ),
        ),
    ],
)
def test_a_category_reads_its_deductible_and_rate(
    book: PolicyBook, policy: str, category: str, expected: tuple[str, ...]
) -> None:
    [row] = rows_for(book, policy, category)
    assert (row.deductible, row.rate, row.clause) == expected


def test_bands_say_what_each_part_of_the_excess_gets(book: PolicyBook) -> None:
    [row] = rows_for(book, "plan-2026", "illness_impoverished")
    assert row.rate == (
        "超过起付线的金额中，10000.00 元以内的部分不支付；"
        "10000.00 元至 30000.00 元的部分 50%；30000.00 元以上的部分 60%"
    )
    assert "first-band-literal" in [reading.id for reading in row.readings]


@pytest.mark.parametrize(
    ("policy", "category", "limits"),
    [
        (
            "wuxi-2022-98",
            "orphan",
            (
                "普通门诊年度限额 10000.00 元",
                "门诊慢特病和住院共用年度限额 300000.00 元",
            ),
        ),
        ("yueqing-2022-41", "extreme_poverty", ("没有年度限额",)),
        ("yueqing-2022-41", "orphan", ("门诊和住院共用年度限额 100000.00 元",)),
        ("plan-2026", "extreme_poverty", ("年度救助限额 150000.00 元",)),
    ],
)
def test_a_row_reads_its_yearly_limits(
    book: PolicyBook, policy: str, category: str, limits: tuple[str, ...]
) -> None:
    [row] = rows_for(book, policy, category)
    assert row.limits == limits


def test_a_disease_group_has_its_own_deductible_rate_and_limit(book: PolicyBook) -> None:
    rows = rows_for(book, "tinghu-trial", "destitute_worker", "special_assistance")
    said = [(row.covers, row.deductible, row.rate, row.limits) for row in rows]
    assert said == [
        (
            ("只限一般疾病、慢性病",),
            "一年 5000.00 元",
            "50%",
            ("一般疾病、慢性病年度封顶 50000.00 元",),
        ),
        (("只限重大疾病",), "当年第一次 5000.00 元", "50%", ("重大疾病年度封顶 70000.00 元",)),
        (
            ("只限有省市救助政策的罕见病",),
            "没有起付线",
            "70%",
            ("罕见病（有省市救助政策）年度封顶 100000.00 元",),
        ),
    ]
    assert "放弃基础健康服务的，按算出金额的 50%支付。" in rows[0].notes


@pytest.mark.parametrize(
    ("policy", "rate"),
    [
        ("zhangjiagang-2024", "当地大病保险的比例加 5 个百分点"),
        ("yueqing-2022-41", "当地大病保险的比例，不低于 80%"),
    ],
)
def test_serious_illness_insurance_is_told_by_the_places_base(
    book: PolicyBook, policy: str, rate: str
) -> None:
    [row] = rows_for(book, policy, "orphan", "serious_illness")
    assert (row.deductible, row.rate) == ("当地大病保险起付线的 50%", rate)
    others = [
        row for row in benefit_rows(book.policy(policy), book.vocabulary, DAY) if not row.categories
    ]
    assert [(one.deductible, one.rate) for one in others] == [
        ("当地大病保险的起付线", "当地大病保险的比例")
    ]


def test_what_a_layer_does_not_cover_is_told(book: PolicyBook) -> None:
    [plan] = rows_for(book, "plan-2026", "extreme_poverty")
    [tilt] = rows_for(book, "wuxi-2022-98", "orphan", "tilt_assistance")
    [drug] = rows_for(book, "plan-2026", "extreme_poverty", "rare_drug_assistance")
    assert plan.covers == ALL_STAYS
    assert tilt.covers == ("要符合：规范转诊、在本省就医、定点医药机构",)
    assert (tilt.deductible, tilt.rate, tilt.limits) == (
        "一年 6000.00 元",
        "60%",
        ("没有年度限额",),
    )
    assert drug.covers == ("只管罕见病特效药，在政策范围内费用以外另算",)


def test_a_layer_without_a_formula_says_what_amount_is_used(book: PolicyBook) -> None:
    inputs: dict[str, Any] = {
        one.layer.code: one.sentence
        for one in layer_inputs(book.policy("tinghu-trial"), book.vocabulary)
    }
    assert list(inputs)[:2] == ["serious_illness", "medical_assistance"]
    assert "按结算单上的金额计算" in inputs["medical_assistance"]


def test_a_category_bears_the_name_of_the_day(book: PolicyBook) -> None:
    names = {
        day: next(
            one.name
            for row in benefit_rows(book.policy("wuxi-2022-98"), book.vocabulary, day)
            for one in row.categories
            if one.code == "expenditure_poor_seriously_ill"
        )
        for day in (date(2024, 9, 30), date(2024, 10, 1))
    }
    assert list(names.values()) == [
        "支出型困难家庭中的大重病患者",
        "刚性支出困难家庭中的大重病患者",
    ]
