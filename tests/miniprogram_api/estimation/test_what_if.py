from __future__ import annotations

from copy import deepcopy
from typing import Any
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from miniprogram_api.estimation.what_if_routes import ASKED

Json = dict[str, Any]
NUMBERS = "/api/v1/estimates/what-if"
PICTURE = "/api/v1/estimates/what-if.svg"


@pytest.fixture
def question() -> Json:
    return deepcopy(ASKED)


def asked(client: FlaskClient, question: Json) -> Json:
    answer = client.post(NUMBERS, json=question)
    assert answer.status_code == 200, answer.text
    body: Json = answer.get_json()
    return body


def test_the_curve_agrees_with_the_estimate_at_the_present_cost(
    client: FlaskClient, question: Json
) -> None:
    estimate = client.post("/api/v1/estimates", json=question["estimate"]).get_json()
    present = asked(client, question)["curve"]["present"]
    bill, year = estimate["bills"][0], estimate["years"][0]
    assert present["total"] == "152000.00"
    assert present["payments"] == {paid["layer"]: paid["amount"] for paid in bill["payments"]}
    assert present["personal_burden"] == bill["personal_burden"] == "14680.00"
    assert present["year"] == year


def test_the_points_run_over_the_range_that_was_asked(client: FlaskClient, question: Json) -> None:
    question["cost"] = {"from": "100.00", "to": "200.00", "points": 3}
    points = asked(client, question)["curve"]["points"]
    assert [point["total"] for point in points] == ["100.00", "150.00", "200.00"]
    assert points[1]["payments"]["basic"] == "29.61"


def test_where_no_range_starts_it_starts_at_nothing(client: FlaskClient, question: Json) -> None:
    question["cost"] = {"to": "60.00"}
    points = asked(client, question)["curve"]["points"]
    assert len(points) == 61
    assert points[0]["total"] == "0.00"


def test_layers_come_with_their_names_in_the_order_of_payment(
    client: FlaskClient, question: Json
) -> None:
    layers = asked(client, question)["curve"]["layers"]
    assert [layer["name"] for layer in layers] == ["基本医保", "医疗救助", "倾斜救助"]


def test_each_circumstance_has_its_difference_and_sentence(
    client: FlaskClient, question: Json
) -> None:
    answer = asked(client, question)
    found = {item["change"]: item for item in answer["circumstances"]}
    assert found["referred"]["text"] == "如果没有经过规范转诊，自己多付 7020.00 元。"
    assert found["referred"]["value"] is False
    assert found["referred"]["difference"] == "7020.00"
    assert "categories" not in found["referred"]
    best = answer["circumstances"][0]
    assert best["categories"] == ["extreme_poverty", "orphan", "unattended_child"]
    assert best["difference"] == best["year_difference"] == "-10680.00"
    assert "value" not in best
    assert answer["summary"].startswith("现在总费用 152000.00 元")


def test_the_picture_is_svg_that_stands_alone(client: FlaskClient, question: Json) -> None:
    answer = client.post(PICTURE, json=question)
    assert answer.status_code == 200
    assert answer.mimetype == "image/svg+xml"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    root = ElementTree.fromstring(answer.data)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize("path", [NUMBERS, PICTURE])
@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"bill": "b9"}, "/bill"),
        ({"bill": ""}, "/bill"),
        ({"bill": None}, "/bill"),
        ({"cost": {"from": "5.00", "to": "5.00"}}, "/cost/to"),
        ({"cost": {"from": "6.00", "to": "5.00"}}, "/cost/to"),
        ({"cost": {"to": "0.01"}}, "/cost/to"),
        ({"cost": {"to": "-1.00"}}, "/cost/to"),
        ({"cost": {"to": 5}}, "/cost/to"),
        ({"cost": {"to": "200000000.00"}}, "/cost/to"),
        ({"cost": {}}, "/cost/to"),
        ({"cost": []}, "/cost"),
        ({"cost": {"to": "5.00", "points": 1}}, "/cost/points"),
        ({"cost": {"to": "5.00", "points": 202}}, "/cost/points"),
        ({"cost": {"to": "5.00", "points": 2.5}}, "/cost/points"),
        ({"more": 1}, "/more"),
    ],
)
def test_a_question_at_fault_is_refused_by_field(
    client: FlaskClient, question: Json, path: str, change: Json, pointer: str
) -> None:
    answer = client.post(path, json={**question, **change})
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert [fault["pointer"] for fault in answer.get_json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"policy": "none-such"}, "/estimate/policy"),
        ({"policy": None, "area": "000000"}, "/estimate/area"),
        ({"policy": None}, "/estimate/policy"),
        ({"bills": []}, "/estimate/bills"),
    ],
)
def test_faults_of_the_estimate_point_into_it(
    client: FlaskClient, question: Json, change: Json, pointer: str
) -> None:
    question["estimate"].update(change)
    answer = client.post(NUMBERS, json=question)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.get_json()["errors"]] == [pointer]


def test_payments_above_the_total_point_at_the_bill_within_the_estimate(
    client: FlaskClient, question: Json
) -> None:
    question["estimate"]["bills"][0]["paid"] = {"basic": "152000.01"}
    answer = client.post(PICTURE, json=question)
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "/estimate/bills/0/paid"


def test_a_bill_without_cost_is_asked_for_one(client: FlaskClient, question: Json) -> None:
    free = {"total": "0.00", "in_scope": "0.00", "paid": {}}
    question["estimate"]["bills"][0].update(free)
    answer = client.post(NUMBERS, json=question)
    assert answer.status_code == 422
    assert answer.get_json()["type"] == "/problems/invalid-what-if"
    assert answer.get_json()["errors"][0]["pointer"] == "/bill"
