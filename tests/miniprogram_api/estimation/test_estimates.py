"""What an estimate takes and answers beside the money."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

Json = dict[str, Any]
Estimate = Callable[[Json], Json]


def payment_of(answer: Json, layer: str, bill: int = 0) -> Json:
    found: list[Json] = [p for p in answer["bills"][bill]["payments"] if p["layer"] == layer]
    assert len(found) == 1
    return found[0]


def test_the_contracts_request_gets_the_contracts_answer(
    estimate: Estimate, request_body: Json
) -> None:
    answer = estimate(request_body)
    bill = answer["bills"][0]
    paid = {payment["layer"]: payment["amount"] for payment in bill["payments"]}
    expected = {
        "basic": "30000.00",
        "medical_assistance": "100300.00",
        "tilt_assistance": "7020.00",
    }
    assert paid == expected
    assert (bill["in_scope_burden"], bill["personal_burden"]) == ("10680.00", "14680.00")
    assert answer["years"] == [
        {
            "year": 2024,
            "totals": expected,
            "in_scope_burden": "10680.00",
            "personal_burden": "14680.00",
        }
    ]
    assistance = payment_of(answer, "medical_assistance")
    assert assistance["identity"] == "subsistence_allowance"
    assert assistance["citation"] == {"document": "锡政办发〔2022〕98号", "clause": "四(六)"}
    assert assistance["rule_version"].startswith("wuxi-2022-98@")
    assert payment_of(answer, "basic") == {
        "layer": "basic",
        "name": "基本医保",
        "amount": "30000.00",
        "source": "given",
    }


def test_only_the_policy_and_the_bills_are_needed(estimate: Estimate, request_body: Json) -> None:
    needed = ("id", "setting", "admitted_on", "discharged_on", "total", "in_scope")
    bill = {name: request_body["bills"][0][name] for name in needed}
    answer = estimate({"policy": "wuxi-2022-98", "bills": [bill]})
    assert answer["bills"][0]["personal_burden"] == "152000.00"
    reason = payment_of(answer, "medical_assistance")["steps"][0]["text"]
    assert reason == "没有填写救助身份，这笔费用没有医疗救助。"


def test_flags_left_out_are_false_and_the_hospital_designated(
    estimate: Estimate, request_body: Json
) -> None:
    bill = request_body["bills"][0]
    for flag in ("referred", "in_province", "in_county", "followed_guidance"):
        bill[flag] = False
    bill["designated"] = True
    said = estimate(request_body)
    for flag in ("referred", "in_province", "in_county", "followed_guidance", "designated"):
        del bill[flag]
    del bill["disease_group"], bill["rare_drug"]
    assert estimate(request_body) == said


@pytest.mark.parametrize("field", ["from", "to", "applied_on"])
def test_days_of_an_identity_may_be_null_or_left_out(
    estimate: Estimate, request_body: Json, field: str
) -> None:
    identity = request_body["person"]["identities"][0]
    identity[field] = None
    null = estimate(request_body)
    del identity[field]
    assert estimate(request_body) == null
    assert payment_of(null, "medical_assistance")["amount"] == "100300.00"


def test_null_stands_for_no_policy_no_area_and_no_assumption(
    estimate: Estimate, request_body: Json
) -> None:
    del request_body["assumptions"]
    plain = estimate(request_body)
    request_body["area"] = None
    request_body["assumptions"] = {
        "serious_illness_base": None,
        "disposable_income_per_head": None,
    }
    assert estimate(request_body) == plain


def test_bills_come_back_by_day_of_discharge_then_by_id_as_text(
    estimate: Estimate, request_body: Json
) -> None:
    bill = request_body["bills"][0]
    sent = [("b9", "2024-03-09"), ("b10", "2024-03-09"), ("z", "2024-03-02"), ("a", "2025-01-01")]
    request_body["bills"] = [{**bill, "id": id_, "discharged_on": day} for id_, day in sent]
    answer = estimate(request_body)
    assert [one["id"] for one in answer["bills"]] == ["z", "b10", "b9", "a"]
    assert [year["year"] for year in answer["years"]] == [2024, 2025]
    request_body["bills"].reverse()
    assert estimate(request_body) == answer


def test_an_area_chooses_the_policy_of_each_bills_day(
    estimate: Estimate, request_body: Json
) -> None:
    bill = request_body["bills"][0]
    old = {**bill, "id": "old", "admitted_on": "2022-03-01", "discharged_on": "2022-03-09"}
    request_body |= {"policy": None, "area": "320281", "bills": [bill, old]}
    early, now = estimate(request_body)["bills"]
    assert early["policy"]["state"] == "not_yet"
    assert [payment["source"] for payment in early["payments"]] == ["given"]
    assert "施行" in early["notes"][0]
    assert now["policy"] == {
        "id": "wuxi-2022-98",
        "title": "无锡市重特大疾病医疗救助实施意见",
        "state": "in_force",
    }
    assert payment_of({"bills": [now]}, "medical_assistance")["amount"] == "100300.00"


def test_a_village_counts_as_its_county(estimate: Estimate, request_body: Json) -> None:
    del request_body["policy"]
    county = estimate({**request_body, "area": "320281"})
    assert estimate({**request_body, "area": "320281001001"}) == county


def test_an_area_without_a_policy_is_answered_truthfully(
    estimate: Estimate, request_body: Json
) -> None:
    request_body |= {"policy": None, "area": "110101"}
    bill = estimate(request_body)["bills"][0]
    assert bill["policy"] is None
    assert [payment["layer"] for payment in bill["payments"]] == ["basic"]
    assert "没有收录" in bill["notes"][0]


def test_payments_outside_the_scope_come_back_as_given(
    estimate: Estimate, request_body: Json
) -> None:
    request_body["bills"][0]["paid"]["out_of_scope"] = "1000.00"
    answer = estimate(request_body)
    outside = payment_of(answer, "out_of_scope")
    assert (outside["amount"], outside["source"]) == ("1000.00", "given")
    bill = answer["bills"][0]
    assert (bill["in_scope_burden"], bill["personal_burden"]) == ("10680.00", "13680.00")


def test_a_layer_that_pays_nothing_says_why(estimate: Estimate, request_body: Json) -> None:
    request_body["bills"][0]["referred"] = False
    tilt = payment_of(estimate(request_body), "tilt_assistance")
    assert (tilt["amount"], tilt["source"]) == ("0.00", "computed")
    assert "规范转诊" in tilt["steps"][0]["text"]
    assert "identity" not in tilt


def test_the_other_identities_are_told_with_what_they_would_give(
    estimate: Estimate, request_body: Json
) -> None:
    request_body["person"]["identities"].append(
        {"category": "extreme_poverty", "from": "2023-01-01"}
    )
    assistance = payment_of(estimate(request_body), "medical_assistance")
    assert (assistance["identity"], assistance["amount"]) == ("extreme_poverty", "118000.00")
    assert assistance["others"] == [{"identity": "subsistence_allowance", "amount": "100300.00"}]


def test_a_serious_illness_base_is_used_and_said(estimate: Estimate, request_body: Json) -> None:
    request_body["policy"] = "zhangjiagang-2024"
    answer = estimate(request_body)
    assert payment_of(answer, "serious_illness")["source"] == "computed"
    assert any("20000.00 元" in note and "60%" in note for note in answer["notes"])


def test_the_same_request_gets_the_same_bytes(client: FlaskClient, request_body: Json) -> None:
    first, second = (client.post("/api/v1/estimates", json=request_body).data for _ in range(2))
    assert first == second
