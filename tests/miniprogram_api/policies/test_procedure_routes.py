"""What can be applied for in a place, asked over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from backend.policies.catalogue import load_catalogue
from tests.miniprogram_api.policies.conftest import Ask

ON = "2026-11-23"


def kinds(answer: Any) -> dict[str, Any]:
    return {one["kind"]: one for one in answer["kinds"]}


def test_a_place_is_told_its_kinds_by_the_policy_that_decides(ask: Ask) -> None:
    answer = ask("/procedures", area="320281", on=ON)
    title = load_catalogue().policy("wuxi-2022-98").document.short_title
    assert (answer["policy"], answer["sentence"]) == ("wuxi-2022-98", f"按《{title}》申请。")
    assert answer["decision"]["decides"] == "wuxi-2022-98"
    assert {one["policy"] for one in answer["kinds"]} == {"wuxi-2022-98"}
    choices = [one["choices"] for one in kinds(answer)["recognition"]["fields"] if one["choices"]]
    assert {"code": "subsistence_marginal", "label": "低保边缘家庭成员"} in choices[0]


def test_what_a_field_takes_is_told_before_it_is_filled_in(ask: Ask) -> None:
    shown = kinds(ask("/procedures", area="320281", on=ON))
    bounds = {
        one["code"]: (one["least"], one["most"], one["past"])
        for kind in ("temporary_relief", "chronic_certification")
        for one in shown[kind]["fields"]
    }
    assert bounds["household_size"] == (1, 30, False)
    assert bounds["needed"] == (1, None, False)
    assert bounds["since"] == (None, None, True)


@pytest.mark.parametrize(
    ("area", "on", "policy", "said"),
    [
        ("330382", ON, "yueqing-2022-41", "已经失效，它施行期间的事项仍按它的办法申请"),
        ("330382", "2024-06-01", "yueqing-2022-41", "按《"),
        ("320902", ON, "plan-2026", "没有可以确定有效的政策，先按"),
        ("110105", ON, "plan-2026", "没有可以确定有效的政策，先按"),
        ("320582120002", ON, "zhangjiagang-2024", "按《"),
    ],
)
def test_it_is_said_whose_procedures_hold_and_why(
    ask: Ask, area: str, on: str, policy: str, said: str
) -> None:
    answer = ask("/procedures", area=area, on=on)
    assert answer["policy"] == policy
    assert said in answer["sentence"]


def test_every_period_says_what_it_rests_on(ask: Ask) -> None:
    for area in ("320281", "330382", "320582", "110105"):
        for one in ask("/procedures", area=area, on=ON)["kinds"]:
            assert all(period["basis"] and period["counted_from"] for period in one["periods"])


def test_a_stated_period_cites_its_clause_and_another_its_default(ask: Ask) -> None:
    stated = kinds(ask("/procedures", area="110105", on=ON))["recognition"]["periods"][0]
    assert (stated["clock"], stated["working_days"], stated["clause"]) == ("first_review", 7, "三")
    other = kinds(ask("/procedures", area="320281", on=ON))["recognition"]["periods"][0]
    assert (other["working_days"], other["clause"]) == (7, None)
    assert "自己的政策没有写的地方都照办" in other["basis"]


def test_what_is_read_is_marked_with_how(ask: Ask) -> None:
    found = kinds(ask("/procedures", area="320281", on=ON))
    assert "多少天办完，用产品的缺省办法" in found["objection"]["reading_text"]
    assert found["referral"]["reading_text"] is None


def test_a_claim_names_its_layer_and_what_is_filed_is_decided_by_the_township(ask: Ask) -> None:
    found = kinds(ask("/procedures", area="330382", on=ON))
    assert found["high_cost_relief"]["layer"] == {
        "code": "high_cost_relief",
        "name": "高额费用化解",
    }
    assert found["referral"]["decides"] == "township"
    assert found["recognition"]["decides"] == "county"
    assert (found["charity"]["letter"], found["charity"]["consent"]) == (
        "referral_consent", "sharing_beyond_duty",
    )  # fmt: skip


def test_the_version_is_that_of_the_procedures(ask: Ask) -> None:
    answer = ask("/procedures", area="320281", on=ON)
    assert answer["version"] == load_catalogue().procedures_version("wuxi-2022-98")


def test_who_has_the_answer_already_is_told_so(client: FlaskClient) -> None:
    asked = {"area": "320281", "on": ON}
    tag = client.get("/api/v1/procedures", query_string=asked).headers["ETag"]
    again = client.get("/api/v1/procedures", query_string=asked, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [({}, "/area"), ({"area": "999999"}, "/area"), ({"area": "320281", "on": "soon"}, "/on")],
)
def test_a_faulty_question_is_refused_by_field(
    ask: Ask, query: dict[str, str], pointer: str
) -> None:
    problem = ask("/procedures", status=422, **query)
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]
