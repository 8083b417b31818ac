"""Comparison, changes and entitlements over HTTP."""

from __future__ import annotations

import pytest

from tests.miniprogram_api.policies.conftest import Ask


def test_two_policies_stand_side_by_side(ask: Ask) -> None:
    answer = ask("/policies/compare", left="wuxi-2022-98", right="plan-2026", on="2026-06-01")
    assert (answer["left"]["id"], answer["right"]["id"]) == ("wuxi-2022-98", "plan-2026")
    rows = {row["code"]: row for row in answer["rows"]}
    assert rows["medical_assistance.extreme_poverty.rate"] == {
        "section": "medical_assistance",
        "code": "medical_assistance.extreme_poverty.rate",
        "name": "特困人员：比例",
        "left": {"text": "100%", "clauses": ["四(六)"]},
        "right": {"text": "90%", "clauses": ["二"]},
        "same": False,
    }
    assert rows["tilt_assistance.rate"]["right"] == {"text": "没有规定", "clauses": []}
    assert rows["medical_assistance.extreme_poverty.deductible"]["same"] is True


def test_comparing_with_a_policy_that_does_not_exist_is_a_fault_of_the_question(ask: Ask) -> None:
    problem = ask("/policies/compare", status=422, left="wuxi-2022-98", right="nowhere")
    assert [fault["pointer"] for fault in problem["errors"]] == ["/right"]


def test_what_the_new_year_changed_is_told(ask: Ask) -> None:
    answer = ask("/policies/changes", from_="2025-12-31", to="2026-01-01")
    states = {
        one["after"]["id"]: (one["before"]["state"], one["after"]["state"])
        for one in answer["policies"]
    }
    assert states == {
        "plan-2026": ("not_yet", "in_force"),
        "yueqing-2022-41": ("in_force", "expired"),
    }
    rate = next(
        one
        for one in answer["parameters"]
        if one["code"] == "medical_assistance.rate.extreme_poverty"
    )
    assert (rate["before"]["text"], rate["after"]["text"]) == ("85%", "90%")
    assert (rate["policy"], rate["clause"]) == ("plan-2026", "二")


def test_an_area_is_told_who_decided_before_and_after(ask: Ask) -> None:
    answer = ask("/policies/changes", area="330382", from_="2025-12-31", to="2026-01-01")
    assert [one["decides"] for one in answer["decisions"]] == ["yueqing-2022-41", None]


def test_one_policy_alone_can_be_asked_for(ask: Ask) -> None:
    answer = ask("/policies/changes", policy="wuxi-2022-98", from_="2020-01-01", to="2030-01-01")
    assert {one["policy"] for one in answer["parameters"]} == {"wuxi-2022-98"}
    assert answer["decisions"] == []


def test_between_a_day_and_itself_nothing_changed(ask: Ask) -> None:
    answer = ask("/policies/changes", from_="2026-01-01", to="2026-01-01")
    assert answer["policies"] == answer["parameters"] == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"to": "2026-01-01"}, "/from"),
        ({"from_": "2026-01-02", "to": "2026-01-01"}, "/to"),
        ({"from_": "2026-01-01", "to": "2026-01-02", "policy": "nowhere"}, "/policy"),
        ({"from_": "2026-01-01", "to": "2026-01-02", "area": "999999"}, "/area"),
        (
            {
                "from_": "2026-01-01",
                "to": "2026-01-02",
                "area": "320281",
                "policy": "plan-2026",
            },
            "/policy",
        ),
    ],
)
def test_a_faulty_question_about_changes_is_refused(
    ask: Ask, query: dict[str, str], pointer: str
) -> None:
    problem = ask("/policies/changes", status=422, **query)
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


def test_a_category_is_told_what_it_gets_in_its_area(ask: Ask) -> None:
    answer = ask("/entitlements", area="320281", category="subsistence_allowance", on="2024-06-01")
    entitled = answer["entitled"]
    assert answer["category"] == {"code": "subsistence_allowance", "name": "最低生活保障对象"}
    assert answer["decision"]["decides"] == entitled["policy"]["id"] == "wuxi-2022-98"
    assert [(row["layer"]["code"], row["rate"]) for row in entitled["money"]] == [
        ("medical_assistance", "85%"),
        ("tilt_assistance", "60%"),
    ]
    assert [one["code"] for one in entitled["in_kind"]] == [
        "premium_aid_full",
        "deposit_waiver",
        "one_stop_settlement",
    ]
    assert entitled["in_kind"][0]["delivery_text"] == "不用申请，自动给"


def test_people_under_other_rules_are_told_so(ask: Ask) -> None:
    answer = ask("/entitlements", area="320200", category="poverty_monitored", on="2024-06-01")
    assert answer["entitled"]["covered"] is False
    assert answer["entitled"]["notices"][0]["kind"] == "other_rules"


@pytest.mark.parametrize(
    ("area", "state"), [("330382", "expired"), ("320902", "unconfirmed"), ("110101", "none")]
)
def test_where_no_policy_decides_nothing_is_promised(ask: Ask, area: str, state: str) -> None:
    answer = ask("/entitlements", area=area, category="orphan", on="2026-06-01")
    assert (answer["decision"]["state"], answer["entitled"]) == (state, None)


def test_a_policy_can_be_named_instead_of_an_area(ask: Ask) -> None:
    answer = ask("/entitlements", policy="tinghu-trial", category="orphan", on="2024-06-01")
    assert answer["decision"] is None
    assert answer["entitled"]["policy"]["state"] == "unconfirmed"
    assert {row["layer"]["code"] for row in answer["entitled"]["money"]} == {"special_assistance"}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"category": "orphan"}, "/area"),
        ({"category": "orphan", "area": "320281", "policy": "plan-2026"}, "/area"),
        ({"category": "rich", "area": "320281"}, "/category"),
        ({"area": "320281"}, "/category"),
        ({"category": "orphan", "policy": "nowhere"}, "/policy"),
    ],
)
def test_a_faulty_question_about_entitlements_is_refused(
    ask: Ask, query: dict[str, str], pointer: str
) -> None:
    problem = ask("/entitlements", status=422, **query)
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]
