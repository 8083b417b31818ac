from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest

from backend.policies.book import PolicyBook
from backend.policies.comparison import NOT_STATED, ComparedRow, compare_policies

DAY = date(2026, 6, 1)
POLICIES = ("plan-2026", "tinghu-trial", "wuxi-2022-98", "yueqing-2022-41", "zhangjiagang-2024")


def rows(book: PolicyBook, left: str, right: str, day: date = DAY) -> dict[str, ComparedRow]:
    found = compare_policies(book.policy(left), book.policy(right), book.vocabulary, day)
    assert len({row.code for row in found.rows}) == len(found.rows)
    return {row.code: row for row in found.rows}


@pytest.mark.parametrize(("left", "right"), list(permutations(POLICIES, 2)))
def test_swapping_the_policies_swaps_only_the_sides(
    book: PolicyBook, left: str, right: str
) -> None:
    one, other = rows(book, left, right), rows(book, right, left)
    assert list(one) == list(other)
    for code, row in one.items():
        assert (row.left, row.right, row.name, row.section) == (
            other[code].right,
            other[code].left,
            other[code].name,
            other[code].section,
        )


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_is_the_same_as_itself(book: PolicyBook, policy: str) -> None:
    assert all(row.same for row in rows(book, policy, policy).values())


@pytest.mark.parametrize(
    ("code", "wuxi", "plan"),
    [
        ("medical_assistance.extreme_poverty.rate", "100%", "90%"),
        ("medical_assistance.extreme_poverty.deductible", "没有起付线", "没有起付线"),
        ("medical_assistance.subsistence_allowance.deductible", "没有起付线", "一年 1500.00 元"),
        (
            "medical_assistance.illness_impoverished.rate",
            "没有列为救助对象",
            "超过起付线的金额中，",
        ),
        ("medical_assistance.poverty_monitored.rate", "另有规定", "没有写比例"),
        ("medical_assistance.orphan.limits", "普通门诊年度限额 10000.00 元；", "没有写比例"),
        ("tilt_assistance.rate", "60%", NOT_STATED),
        ("rare_drug_assistance.limits", NOT_STATED, "罕见病用药年度限额 300000.00 元"),
        ("entitlements.premium_aid", "全额资助参保", NOT_STATED),
        ("deadlines.first_review", NOT_STATED, "自受理之日起 7 个工作日内"),
        ("document.number", "锡政办发〔2022〕98号", NOT_STATED),
        ("document.area", "江苏省无锡市", "采用它的地方"),
    ],
)
def test_a_row_says_what_each_policy_states(
    book: PolicyBook, code: str, wuxi: str, plan: str
) -> None:
    row = rows(book, "wuxi-2022-98", "plan-2026")[code]
    assert row.left.text.startswith(wuxi)
    assert row.right.text.startswith(plan)
    assert row.same == (row.left.text == row.right.text)


def test_what_differs_by_people_is_told_by_people(book: PolicyBook) -> None:
    row = rows(book, "tinghu-trial", "wuxi-2022-98")["special_assistance.deductible"]
    assert "一般疾病、慢性病·一类人群：一年 3000.00 元" in row.left.text
    assert row.left.clauses == ("三(一)2",)
    assert row.right.text == NOT_STATED


def test_a_layer_entered_as_it_was_paid_is_told_beside_one_that_is_computed(
    book: PolicyBook,
) -> None:
    compared = rows(book, "yueqing-2022-41", "wuxi-2022-98", date(2024, 6, 1))
    assert compared["serious_illness.rate"].left.text == "当地大病保险的比例，不低于 80%"
    assert "按结算单上的金额计算" in compared["serious_illness.rate"].right.text
    assert compared["serious_illness.basis"].left.text == "按文件的规定计算"


def test_medical_assistance_left_to_the_city_is_not_told_as_nothing(book: PolicyBook) -> None:
    row = rows(book, "tinghu-trial", "wuxi-2022-98")["medical_assistance.orphan.rate"]
    assert "按结算单上的金额计算" in row.left.text
    assert row.right.text == "100%"


def test_every_clause_that_a_row_cites_exists(book: PolicyBook) -> None:
    for left, right in permutations(POLICIES, 2):
        for row in rows(book, left, right).values():
            assert set(row.left.clauses) <= set(book.policy(left).clauses)
            assert set(row.right.clauses) <= set(book.policy(right).clauses)


def test_the_rows_use_the_figures_of_the_day(book: PolicyBook) -> None:
    row = rows(book, "plan-2026", "yueqing-2022-41", date(2022, 6, 1))["document.state"]
    assert "还没有开始适用" in row.left.text
    assert "这一天有效" in row.right.text
