"""Many requests in one body."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.miniprogram_api.estimation.test_bad_input import pointers_of, problem_of

Json = dict[str, Any]

URL = "/api/v1/estimates/batch"


def answers_to(client: FlaskClient, requests: list[Any]) -> list[Json]:
    answer = client.post(URL, json={"requests": requests})
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.get_json()["answers"]
    return found


def test_each_request_is_answered_as_it_is_alone(client: FlaskClient, request_body: Json) -> None:
    other = {**request_body, "policy": "yueqing-2022-41"}
    alone = [client.post("/api/v1/estimates", json=one).get_json() for one in (request_body, other)]
    assert answers_to(client, [request_body, other]) == alone


def test_a_bad_request_is_answered_with_its_own_problem(
    client: FlaskClient, request_body: Json
) -> None:
    bad_field = {**request_body, "bills": [{**request_body["bills"][0], "total": "-1.00"}]}
    bad_case = {**request_body, "policy": "wuxi-1999"}
    first, field, case, nothing, last = answers_to(
        client, [request_body, bad_field, bad_case, None, request_body]
    )
    assert first == last == client.post("/api/v1/estimates", json=request_body).get_json()
    assert list(field) == list(case) == list(nothing) == ["problem"]
    assert [one["problem"]["status"] for one in (field, case, nothing)] == [422, 422, 422]
    assert field["problem"]["type"] == "/problems/invalid-body"
    assert pointers_of(field["problem"]) == ["/bills/0/total"]
    assert case["problem"]["type"] == "/problems/invalid-case"
    assert pointers_of(case["problem"]) == ["/policy"]
    assert pointers_of(nothing["problem"]) == [""]


def test_a_problem_in_a_batch_is_the_problem_alone(client: FlaskClient, request_body: Json) -> None:
    bad = {**request_body, "policy": None}
    alone = client.post("/api/v1/estimates", json=bad).get_json(force=True)
    among = answers_to(client, [bad])[0]["problem"]
    assert {**among, "instance": ""} == {**alone, "instance": ""}


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/requests"]),
        ({"requests": None}, ["/requests"]),
        ({"requests": {}}, ["/requests"]),
        ({"requests": []}, ["/requests"]),
        ({"requests": [{}] * 1001}, ["/requests"]),
        ({"requests": [{}], "other": 1}, ["/other"]),
        ([{}], [""]),
    ],
    ids=["left out", "null", "object", "empty", "1001", "unknown field", "list"],
)
def test_a_batch_that_is_none_is_refused_whole(
    client: FlaskClient, body: Any, pointers: list[str]
) -> None:
    assert pointers_of(problem_of(client.post(URL, json=body), 422)) == pointers


def test_more_bills_than_a_machine_should_explain_at_once_are_refused(
    client: FlaskClient, request_body: Json
) -> None:
    few = {**request_body, "bills": [{}] * 366}
    problem = problem_of(client.post(URL, json={"requests": [few] * 55}), 422)
    assert pointers_of(problem) == ["/requests"]
    assert "20000" in problem["errors"][0]["detail"]
    assert len(answers_to(client, [few] * 54)) == 54


def test_a_thousand_requests_are_answered_in_their_order(
    client: FlaskClient, request_body: Json
) -> None:
    bill = request_body["bills"][0]
    requests = [{**request_body, "bills": [{**bill, "id": f"b{n}"}]} for n in range(1000)]
    answers = answers_to(client, requests)
    assert [answer["bills"][0]["id"] for answer in answers] == [f"b{n}" for n in range(1000)]


def test_a_body_of_several_megabytes_is_taken(client: FlaskClient, request_body: Json) -> None:
    bills = [{**request_body["bills"][0], "id": f"b{place}"} for place in range(300)]
    requests = [{**request_body, "bills": bills}] * 20
    assert len(answers_to(client, requests)) == 20
