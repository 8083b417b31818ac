from __future__ import annotations

import json
import logging
import re
import socket
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from gunicorn.http.errors import InvalidHeader, InvalidRequestLine, LimitRequestLine
from gunicorn.workers.base import Worker

from miniprogram_api.observability import request_id_from
from tests.miniprogram_api.conftest import Log
from tests.miniprogram_api.trial import EXAMPLE

CANARY = "110101199003071233"


def test_each_request_writes_one_line_with_its_route_and_id(client: FlaskClient, log: Log) -> None:
    answer = client.get("/api/v1/trial/items/abc?x=1")
    (line,) = log.lines
    assert line["event"] == "request"
    assert (line["method"], line["route"], line["status"]) == (
        "GET",
        "/api/v1/trial/items/<item>",
        409,
    )
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert 0 < line["duration_ms"] < 10_000


def test_nothing_that_a_caller_sends_reaches_the_log(client: FlaskClient, log: Log) -> None:
    headers = {
        "Authorization": f"Bearer {CANARY}",
        "X-Request-ID": CANARY,
        "User-Agent": CANARY,
        "Referer": CANARY,
        "Cookie": f"a={CANARY}",
    }
    client.get(f"/api/v1/trial/items/{CANARY}", headers=headers)
    client.get(f"/{CANARY}?q={CANARY}", headers=headers)
    client.get(f"/api/v1/trial/search?words={CANARY}", headers=headers)
    client.post("/api/v1/trial/orders", json={**EXAMPLE, "note": CANARY}, headers=headers)
    client.post("/api/v1/trial/orders", json={CANARY: CANARY}, headers=headers)
    client.post("/api/v1/trial/orders", data=CANARY + "{", content_type="application/json")
    client.open("/healthz", method=CANARY)
    assert len(log.lines) == 7
    assert CANARY not in log.text


def test_unknown_addresses_share_one_route(client: FlaskClient, log: Log) -> None:
    client.get("/a")
    client.get("/b")
    assert {line["route"] for line in log.lines} == {"(unknown)"}


@pytest.mark.parametrize("sent", ["a" * 8, "A-9" * 20, "0f8fad5b-d9cb-469f-a165-70867728950e"])
def test_a_request_id_that_was_sent_is_kept(client: FlaskClient, sent: str) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": sent})
    assert answer.headers["X-Request-ID"] == sent


@pytest.mark.parametrize(
    "sent", ["", "short", "a" * 65, "has space", "semi;colon", CANARY, "13800138000", "é" * 8]
)
def test_another_one_is_replaced(sent: str) -> None:
    assert re.fullmatch(r"[a-p]{32}", request_id_from(sent))


def test_a_new_id_is_made_each_time() -> None:
    assert request_id_from(None) != request_id_from(None)


def test_the_domains_own_log_lines_are_json_masked(client: FlaskClient, log: Log) -> None:
    logging.getLogger("backend.trial").warning(
        "bill refused", extra={"id_number": CANARY, "detail": f"for {CANARY}", "count": 2}
    )
    (line,) = log.lines
    assert line["event"] == "bill refused"
    assert (line["level"], line["logger"], line["count"]) == ("warning", "backend.trial", 2)
    assert line["id_number"] == "***"
    assert CANARY not in log.text


def test_chinese_stays_readable_and_lines_stay_lines(client: FlaskClient, log: Log) -> None:
    logging.getLogger("backend.trial").warning("two\nlines", extra={"place": "无锡"})
    assert "无锡" in log.text
    assert log.text.count("\n") == 1
    assert json.loads(log.text)["event"] == "two\nlines"


@pytest.mark.parametrize("kind", [InvalidRequestLine, InvalidHeader, LimitRequestLine])
def test_what_gunicorn_quotes_of_a_bad_request_does_not_reach_the_log(
    app: Flask, log: Log, kind: type[Exception]
) -> None:
    worker = SimpleNamespace(log=logging.getLogger("gunicorn.error"))
    fault = kind("张三", 1) if kind is LimitRequestLine else kind("张三")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Worker.handle_error(worker, None, ours, ("203.0.113.9", 1), fault)
    (line,) = log.lines
    assert (line["event"], line["level"]) == ("Invalid request", "warning")
    assert "203.0.113.9" not in log.text
    assert "张三" not in log.text


def test_the_address_of_a_request_that_gunicorn_cannot_handle_does_not_reach_it(
    app: Flask, log: Log
) -> None:
    logging.getLogger("gunicorn.error").error("Error handling request %s %s", "GET", "/?q=张三")
    (line,) = log.lines
    assert line["event"] == "Error handling request"
    assert "张三" not in log.text
