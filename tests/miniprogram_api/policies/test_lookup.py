from __future__ import annotations

from urllib.parse import quote

import pytest
import time_machine

from tests.miniprogram_api.policies.conftest import Ask

POLICIES = ["plan-2026", "tinghu-trial", "wuxi-2022-98", "yueqing-2022-41", "zhangjiagang-2024"]


def test_without_an_area_all_policies_are_listed_with_their_state(ask: Ask) -> None:
    answer = ask("/policies", on="2024-06-01")
    assert answer["decision"] is None
    assert {one["id"]: one["state"] for one in answer["policies"]} == {
        "plan-2026": "not_yet",
        "tinghu-trial": "unconfirmed",
        "wuxi-2022-98": "in_force",
        "yueqing-2022-41": "in_force",
        "zhangjiagang-2024": "in_force",
    }


def test_an_area_is_told_which_policy_decides(ask: Ask) -> None:
    answer = ask("/policies", area="320281", on="2024-06-01")
    assert answer["decision"]["decides"] == "wuxi-2022-98"
    assert [one["id"] for one in answer["policies"]] == ["wuxi-2022-98"]


def test_an_expired_policy_is_told_with_its_last_day(ask: Ask) -> None:
    answer = ask("/policies", area="330382", on="2026-01-01")
    assert (answer["decision"]["decides"], answer["decision"]["state"]) == (None, "expired")
    assert "最后一天是 2025-12-31" in answer["decision"]["sentence"]
    assert answer["policies"][0]["last_day"] == "2025-12-31"


def test_days_that_nobody_stated_are_unconfirmed(ask: Ask) -> None:
    answer = ask("/policies", area="320902", on="2024-06-01")
    assert (answer["decision"]["decides"], answer["decision"]["state"]) == (None, "unconfirmed")
    assert answer["policies"][0]["first_day"] is None


@time_machine.travel("2026-01-01T00:30:00+08:00")
def test_a_day_left_out_is_today_in_china(ask: Ask) -> None:
    answer = ask("/policies", area="330382")
    assert (answer["on"], answer["decision"]["state"]) == ("2026-01-01", "expired")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"area": "999999"}, "/area"),
        ({"area": "32"}, "/area"),
        ({"area": "32028x"}, "/area"),
        ({"on": "2024-02-30"}, "/on"),
        ({"on": "yesterday"}, "/on"),
        ({"when": "2024-01-01"}, "/when"),
    ],
)
def test_a_faulty_question_is_refused_by_field(
    ask: Ask, query: dict[str, str], pointer: str
) -> None:
    problem = ask("/policies", status=422, **query)
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_is_told_whole(ask: Ask, policy: str) -> None:
    answer = ask(f"/policies/{policy}", on="2026-06-01")
    assert (answer["on"], answer["id"]) == ("2026-06-01", policy)
    anchors = [clause["anchor"] for clause in answer["clauses"]]
    cited = [*answer["parameters"], *answer["entitlements"], *answer["services"]]
    assert {one["clause"] for one in [*cited, *answer["layers"]]} <= set(anchors)
    assert all(answer[part] for part in ("beneficiaries", "layers", "readings", "summary"))


def test_a_policy_tells_its_document(ask: Ask) -> None:
    answer = ask("/policies/yueqing-2022-41", on="2024-06-01")
    told = {
        "number": "乐政办发〔2022〕41号",
        "other_numbers": ["CYQD01-2022-0017"],
        "area": {"code": "330382", "name": "乐清市"},
        "issued": "2022-08-12",
        "in_force_from": "2022-09-16",
        "in_force_to": "2025-12-31",
        "applies_from": "2022-01-01",
        "state": "in_force",
        "dates": "stated",
    }
    assert {name: answer[name] for name in told} == told


def test_a_parameter_has_its_value_of_the_day_and_its_history(ask: Ask) -> None:
    plan = ask("/policies/plan-2026", on="2026-06-01")
    rate = next(
        one
        for one in plan["parameters"]
        if one["code"] == "medical_assistance.rate.extreme_poverty"
    )
    assert (rate["value"], rate["text"], rate["clause"]) == ("0.9", "90%", "二")
    before = {"from": None, "to": "2025-12-31", "value": "0.85", "text": "85%"}
    assert rate["history"][0] == {**before, "note": "计划实施以前"}


def test_a_policy_not_yet_in_force_shows_the_figures_that_it_begins_with(ask: Ask) -> None:
    plan = ask("/policies/plan-2026", on="2025-06-01")
    assert (plan["state"], plan["figures_on"]) == ("not_yet", "2026-01-01")
    assert [row["rate"] for row in plan["layers"]][:2] == ["90%", "75%"]


@pytest.mark.parametrize("anchor", ["四(六)", "附则"])
def test_a_clause_is_found_by_its_anchor(ask: Ask, anchor: str) -> None:
    answer = ask(f"/policies/wuxi-2022-98/clauses/{quote(anchor)}", on="2024-06-01")
    assert (answer["anchor"], answer["cited_as"]) == (anchor, "锡政办发〔2022〕98号")
    assert answer["policy"]["state"] == "in_force"


def test_a_clause_brings_its_figures_and_readings(ask: Ask) -> None:
    answer = ask("/policies/wuxi-2022-98/clauses/四(七)", on="2024-06-01")
    assert [one["value"] for one in answer["parameters"]] == ["6000.00", "0.6", "0.1"]
    assert [one["id"] for one in answer["readings"]] == ["tilt-own-bills", "tilt-outside-pool"]


@pytest.mark.parametrize(
    ("path", "kind", "pointer"),
    [
        ("/policies/nowhere-1", "/problems/unknown-policy", "/policy"),
        ("/policies/nowhere-1/clauses/一", "/problems/unknown-policy", "/policy"),
        ("/policies/plan-2026/clauses/九", "/problems/unknown-clause", "/anchor"),
    ],
)
def test_what_does_not_exist_is_absent(ask: Ask, path: str, kind: str, pointer: str) -> None:
    problem = ask(path, status=404)
    assert (problem["type"], problem["errors"][0]["pointer"]) == (kind, pointer)
    assert "请从这些里选" in problem["errors"][0]["detail"]


def test_the_areas_with_policies_are_listed(ask: Ask) -> None:
    areas = {one["code"]: one for one in ask("/areas")["areas"]}
    assert set(areas) == {"320200", "320582", "320902", "330382"}
    assert areas["320582"]["name"] == "江苏省苏州市张家港市"
    assert [one["id"] for one in areas["330382"]["policies"]] == ["yueqing-2022-41"]


def test_the_vocabulary_bears_the_names_of_the_day(ask: Ask) -> None:
    names = {}
    for day in ("2024-09-30", "2024-10-01"):
        words = ask("/vocabulary", on=day)
        names[day] = {one["code"]: one["name"] for one in words["categories"]}["expenditure_poor"]
    assert names == {"2024-09-30": "支出型困难家庭成员", "2024-10-01": "刚性支出困难家庭成员"}
    assert len(words["categories"]) == 19
    assert [one["code"] for one in words["layers"]][:3] == [
        "basic",
        "serious_illness",
        "medical_assistance",
    ]
    assert words["settings"][2] == {"code": "inpatient", "name": "住院"}
    assert words["categories"][0]["departments"] == [{"code": "civil_affairs", "name": "民政部门"}]


def test_how_every_policy_is_computed_can_be_looked_up(ask: Ask) -> None:
    conventions = {one["code"]: one for one in ask("/vocabulary")["conventions"]}
    assert "四舍五入" in conventions["rounding"]["residents"]
    assert "f(C + b) − f(C)" in conventions["yearly-function"]["staff"]
    assert all(one["heading"] and one["residents"] for one in conventions.values())
