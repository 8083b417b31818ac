from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import default_exceptions
from werkzeug.test import TestResponse

from miniprogram_api import problems
from tests.miniprogram_api.conftest import Log
from tests.miniprogram_api.trial import EXAMPLE

ORDERS = "/api/v1/trial/orders"
JSON = {"Content-Type": "application/json"}


def problem_of(answer: TestResponse) -> dict[str, Any]:
    assert answer.mimetype == "application/problem+json"
    body: dict[str, Any] = answer.get_json(force=True)
    assert body["status"] == answer.status_code
    assert body["instance"] == answer.headers["X-Request-ID"]
    for words in (body["title"], body["detail"]):
        assert re.search(r"[\u4e00-\u9fff]", words), words
    return body


def test_a_good_body_is_answered(client: FlaskClient) -> None:
    answer = client.post(ORDERS, json=EXAMPLE)
    assert (answer.status_code, answer.get_json()) == (200, {"count": 1})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b'{"items": NaN}',
        b'{"items": 1e999}',
        b'{"items": ' + b"9" * 5000 + b"}",
        b"[" * 15_000,
        b"\xef\xbb\xbf{}",
        '{"note": "张三"}'.encode("gb18030"),
        '{"note": "张三"}'.encode("utf-16"),
        rb'{"note": "\ud800"}',
        b"<xml/>",
    ],
    ids=lambda body: body[:12].hex(),
)
def test_what_is_no_json_is_refused_with_400(client: FlaskClient, body: bytes) -> None:
    answer = client.post(ORDERS, data=body, headers=JSON)
    assert answer.status_code == 400
    assert problem_of(answer)["type"] == "/problems/malformed-request"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=gbk"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {},
    ],
    ids=str,
)
def test_another_content_type_is_refused_with_415(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    answer = client.post(ORDERS, data=json.dumps(EXAMPLE), headers=headers)
    assert answer.status_code == 415
    assert "application/json" in problem_of(answer)["detail"]


def test_a_utf8_charset_is_taken(client: FlaskClient) -> None:
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    assert client.post(ORDERS, data=json.dumps(EXAMPLE), headers=headers).status_code == 200


def test_a_body_above_the_limit_is_refused_with_413(client: FlaskClient) -> None:
    answer = client.post(ORDERS, data=b" " * 20_001, headers=JSON)
    assert answer.status_code == 413
    assert problem_of(answer)["title"] == "提交的内容过大"


def test_a_chunked_body_above_the_limit_is_refused_too(app: Flask, client: FlaskClient) -> None:
    environ = {
        "CONTENT_LENGTH": "",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input_terminated": True,
        "wsgi.input": io.BytesIO(b" " * 20_001),
    }
    answer = client.post(ORDERS, headers=JSON, environ_overrides=environ)
    assert answer.status_code == 413


def test_a_view_may_take_larger_bodies(client: FlaskClient) -> None:
    body = json.dumps(EXAMPLE).encode() + b" " * 20_001
    assert client.post("/api/v1/trial/large-orders", data=body, headers=JSON).status_code == 200
    too_large = client.post("/api/v1/trial/large-orders", data=body * 2, headers=JSON)
    assert too_large.status_code == 413


def test_every_fault_of_a_body_is_named(client: FlaskClient) -> None:
    sent = {"items": [{"id": "a", "total": "1.5", "on": "2023-02-29"}], "extra": 1}
    answer = client.post(ORDERS, json=sent)
    body = problem_of(answer)
    assert (answer.status_code, body["type"]) == (422, "/problems/invalid-body")
    assert [fault["pointer"] for fault in body["errors"]] == [
        "/extra",
        "/items/0/on",
        "/items/0/setting",
        "/items/0/total",
    ]
    assert all(re.search(r"[\u4e00-\u9fff]", fault["detail"]) for fault in body["errors"])


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("words=x&on=2023-02-29", ["/on"]),
        ("", ["/words"]),
        ("words=x&exact=1", ["/exact"]),
        ("words=x&most=51", ["/most"]),
        ("words=x&most=1.0", ["/most"]),
        ("words=x&other=1", ["/other"]),
        ("words=x&words=y", ["/words"]),
        ("words=%00", ["/words"]),
    ],
)
def test_every_fault_of_a_query_is_named(
    client: FlaskClient, query: str, pointers: list[str]
) -> None:
    answer = client.get(f"/api/v1/trial/search?{query}")
    body = problem_of(answer)
    assert (answer.status_code, body["type"]) == (422, "/problems/invalid-parameters")
    assert [fault["pointer"] for fault in body["errors"]] == pointers


def test_a_good_query_is_answered(client: FlaskClient) -> None:
    query = "words=%E4%BD%8E%E4%BF%9D&exact=true&most=5&on=2024-02-29"
    assert client.get(f"/api/v1/trial/search?{query}").get_json() == {"count": 2}


def test_a_domain_error_becomes_its_problem(client: FlaskClient) -> None:
    answer = client.get("/api/v1/trial/items/abc")
    body = problem_of(answer)
    assert (answer.status_code, body["type"], body["title"]) == (
        409,
        "/problems/item-lost",
        "项目已不在",
    )
    assert body["errors"] == [{"pointer": "/item", "detail": "没有这一项：3 个字。"}]


def test_an_unknown_address_is_404_and_a_wrong_method_405_with_allow(client: FlaskClient) -> None:
    assert problem_of(client.get("/api/v1/nothing"))["type"] == "/problems/not-found"
    answer = client.delete(ORDERS)
    assert problem_of(answer)["status"] == 405
    assert set(answer.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "X" * 300])
def test_a_strange_method_is_405(client: FlaskClient, method: str) -> None:
    assert client.open("/healthz", method=method).status_code == 405


def test_head_and_options_work(client: FlaskClient) -> None:
    head = client.head("/api/v1/trial/search?words=x")
    assert (head.status_code, head.data) == (200, b"")
    options = client.options(ORDERS)
    assert options.status_code == 200
    assert "POST" in options.headers["Allow"]


def test_a_crash_tells_its_number_and_nothing_else(client: FlaskClient, log: Log) -> None:
    answer = client.get("/api/v1/crash")
    body = problem_of(answer)
    assert answer.status_code == 500
    assert "bills" not in answer.text
    assert "instance" in body["detail"]
    crash = next(line for line in log.lines if line["event"] == "unhandled error")
    assert crash["request_id"] == body["instance"]
    assert "RuntimeError" in crash["exception"]
    assert "110101199003071233" not in log.text
    assert "13800138000" not in log.text


def test_a_browser_gets_a_page_for_people_outside_the_api(client: FlaskClient) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = client.get("/no-such-page", headers=browser)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "没有找到" in page.text
    assert client.get("/api/v1/no", headers=browser).mimetype == "application/problem+json"
    for anything in ({}, {"Accept": "*/*"}):
        assert client.get("/no-such-page", headers=anything).mimetype == "text/html"
    program = {"Accept": "application/json"}
    assert client.get("/no-such-page", headers=program).mimetype == "application/problem+json"


def test_every_type_leads_to_a_page_that_explains_it(client: FlaskClient) -> None:
    for problem in problems.every_problem().values():
        page = client.get(f"/problems/{problem.code}")
        assert page.status_code == 200
        assert problem.title in page.text
    assert client.get("/problems/none").status_code == 404


def test_every_status_that_the_framework_raises_has_chinese_words() -> None:
    unusual = {418, 421, 424, 451, 505}
    assert set(default_exceptions) - unusual <= set(problems.FRAMEWORK)
    assert problems.for_status(424).status == 400
    assert problems.for_status(505).status == 500


def test_problem_codes_are_unique() -> None:
    tables = [problems.INVALID_BODY, problems.INVALID_PARAMETERS, *problems.FRAMEWORK.values()]
    codes = [problem.code for problem in tables] + list(problems.DOMAIN)
    assert len(codes) == len(set(codes))


def test_no_advice_speaks_of_the_fields_of_an_answer() -> None:
    own = (problems.INVALID_BODY, problems.INVALID_PARAMETERS, *problems.DOMAIN.values())
    assert [one.code for one in own if "errors" in one.advice] == []
