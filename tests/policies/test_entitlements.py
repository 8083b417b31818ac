from __future__ import annotations

from datetime import date

import pytest

from backend.policies.book import PolicyBook
from backend.policies.entitlements import (
    Entitled,
    entitlements_in_area,
    entitlements_in_kind,
    entitlements_of,
)

DAY = date(2024, 6, 1)


def of(book: PolicyBook, policy: str, category: str, day: date = DAY) -> Entitled:
    return entitlements_of(book.policy(policy), category, book.vocabulary, day)


@pytest.mark.parametrize(
    ("category", "code"),
    [("subsistence_allowance", "premium_aid_full"), ("severely_disabled", "premium_aid_fixed")],
)
def test_premium_aid_in_wuxi_is_full_or_fixed_by_category(
    book: PolicyBook, category: str, code: str
) -> None:
    codes = [one.code for one in of(book, "wuxi-2022-98", category).in_kind]
    assert [one for one in codes if one.startswith("premium_aid")] == [code]


def test_the_destitute_worker_of_wuxi_gets_no_premium_aid(book: PolicyBook) -> None:
    entitled = of(book, "wuxi-2022-98", "destitute_worker")
    assert [one.kind.code for one in entitled.in_kind] == ["deposit_waiver", "one_stop_settlement"]
    assert [row.rate for row in entitled.money] == ["85%", "60%"]


def test_the_deposit_waiver_is_for_stays_referred_after_a_first_visit_in_primary_care(
    book: PolicyBook,
) -> None:
    [waiver] = [
        one
        for one in of(book, "wuxi-2022-98", "orphan").in_kind
        if one.kind.code == "deposit_waiver"
    ]
    assert waiver.delivery.name == "不用申请，自动给"
    assert waiver.clause == "七(十五)"
    assert waiver.conditions == (
        "参加城乡居民医保或者参加职工医保",
        "只限住院",
        "先在基层医疗机构看，再由它转诊",
        "在医保定点医药机构",
        "在本市内",
    )


def test_ages_come_from_the_figures_of_the_day(book: PolicyBook) -> None:
    checks = [
        one.conditions
        for one in of(book, "yueqing-2022-41", "orphan").in_kind
        if one.kind.code == "health_check"
    ]
    assert checks == [("65 周岁及以上",), ("64 周岁及以下",)]


def test_screening_for_rural_women_says_whom_it_is_for(book: PolicyBook) -> None:
    conditions = {one.code: one.conditions for one in of(book, "yueqing-2022-41", "orphan").in_kind}
    assert conditions["screening_women"] == (
        "农村居民",
        "女性",
        "年龄没有写，由市卫生健康局的筛查方案定",
        "由工作人员判断",
    )


def test_a_category_of_tinghu_gets_what_everyone_covered_gets(book: PolicyBook) -> None:
    entitled = of(book, "tinghu-trial", "poverty_monitored")
    assert [one.kind.code for one in entitled.in_kind] == [
        "health_check",
        "family_doctor",
        "green_channel",
        "health_service_package",
        "emergency_relief",
        "temporary_relief",
    ]
    assert {row.layer.code for row in entitled.money} == {"special_assistance"}
    assert "medical_assistance" in [one.layer.code for one in entitled.inputs]


def test_people_under_other_rules_are_told_so(book: PolicyBook) -> None:
    entitled = of(book, "wuxi-2022-98", "poverty_monitored")
    assert not entitled.covered
    assert entitled.money == entitled.in_kind == ()
    assert entitled.sentence == "防止返贫监测对象另有规定，这份政策的比例和限额不适用，请看提示。"
    assert "过渡期" in entitled.notices[0].residents


def test_a_rate_that_is_not_stated_is_not_a_zero(book: PolicyBook) -> None:
    entitled = of(book, "plan-2026", "orphan", date(2026, 6, 1))
    assert entitled.sentence == "这份政策没有写孤儿救助多少，这不等于没有，请看提示。"
    assert [notice.kind for notice in entitled.notices] == ["rate_not_stated"]


def test_who_is_covered_only_with_another_identity_is_told_so(book: PolicyBook) -> None:
    entitled = of(book, "yueqing-2022-41", "illness_impoverished")
    assert not entitled.covered
    assert entitled.money == entitled.in_kind == ()
    assert "低保" in entitled.notices[0].residents


def test_who_is_not_covered_is_pointed_to_other_identities(book: PolicyBook) -> None:
    entitled = of(book, "yueqing-2022-41", "entitled_veteran")
    assert entitled.sentence == (
        "这份政策没有把重点优抚对象列为救助对象。如果同时有别的困难身份，请按那个身份查询。"
    )
    assert entitled.in_kind == entitled.money == entitled.inputs == ()


def test_every_entitlement_cites_a_clause_and_says_how_it_comes(book: PolicyBook) -> None:
    for policy in book.policies.values():
        for one in entitlements_in_kind(policy, book.vocabulary, DAY):
            assert one.clause in policy.clauses
            assert one.delivery.name
            assert one.who


def test_in_an_area_the_policy_that_decides_gives(book: PolicyBook) -> None:
    decision, entitled = entitlements_in_area(book, "320281", "orphan", DAY)
    assert entitled is not None
    assert entitled.policy is decision.decides
    assert entitled.policy.id == "wuxi-2022-98"


@pytest.mark.parametrize(
    ("area", "day", "state"),
    [("330382", date(2026, 1, 1), "expired"), ("320902", DAY, "unconfirmed")],
)
def test_where_no_policy_decides_nothing_is_promised(
    book: PolicyBook, area: str, day: date, state: str
) -> None:
    decision, entitled = entitlements_in_area(book, area, "orphan", day)
    assert (decision.state, entitled) == (state, None)
