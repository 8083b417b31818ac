"""Every way of filling in an estimate wrongly: a problem in Chinese that names the field."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

Json = dict[str, Any]

URL = "/api/v1/estimates"
LEFT_OUT = object()

NO_MONEY = {
    "number": 1234.5,
    "whole number": 1234,
    "negative": "-1.00",
    "negative zero": "-0.00",
    "plus": "+1.00",
    "no decimals": "1234",
    "one decimal": "1234.5",
    "three decimals": "1234.567",
    "20 digits": "12345678901234567890.00",
    "above the limit": "100000000.01",
    "thousands": "1,234.50",
    "NaN": "NaN",
    "infinity": "Infinity",
    "exponent": "1e3",
    "full width": "１２.００",
    "Arabic digits": "١٢.٠٠",
    "space": " 1.00",
    "line break": "1.00\n",
    "null byte": "1.00\x00",
    "leading zero": "01.00",
    "unit": "1.00元",
    "empty": "",
    "null": None,
    "boolean": True,
    "list": ["1.00"],
    "object": {"yuan": "1.00"},
}
NO_DAY = {
    "number": 20240301,
    "29 February": "2023-02-29",
    "31 April": "2024-04-31",
    "month 13": "2024-13-01",
    "day 0": "2024-03-00",
    "basic format": "20240301",
    "slashes": "2024/03/01",
    "short": "2024-3-1",
    "Chinese": "2024年3月1日",
    "time": "2024-03-01T00:00:00Z",
    "year 10000": "10000-01-01",
    "year 0": "0000-01-01",
    "too early": "1899-12-31",
    "too late": "2101-01-01",
    "full width": "２０２４-03-01",
    "week": "2024-W10-5",
    "empty": "",
    "boolean": False,
    "list": [],
}
NO_FLAG = {"text": "true", "one": 1, "zero": 0, "Chinese": "是", "null": None, "list": []}
NO_CODE = {"unknown": "ward", "capitals": "INPATIENT", "Chinese": "住院", "number": 1, "null": None}
NO_OBJECT = {"text": "x", "number": 1, "list": [], "boolean": True}


def changes() -> list[Any]:
    """(changes by pointer, pointers at fault); each with a name."""
    table: list[Any] = []

    def add(name: str, sent: dict[str, Any], *pointers: str) -> None:
        table.append(pytest.param(sent, pointers, id=name))

    for name, value in NO_MONEY.items():
        add(f"total: {name}", {"/bills/0/total": value}, "/bills/0/total")
        add(f"in_scope: {name}", {"/bills/0/in_scope": value}, "/bills/0/in_scope")
        add(f"paid: {name}", {"/bills/0/paid/basic": value}, "/bills/0/paid/basic")
    for field in ("/bills/0/rare_drug", "/assumptions/serious_illness_base/deductible"):
        for name in ("number", "negative", "three decimals", "20 digits", "null"):
            add(f"{field}: {name}", {field: NO_MONEY[name]}, field)
    income = "/assumptions/disposable_income_per_head"
    for name in ("number", "negative", "three decimals", "20 digits", "NaN"):
        add(f"income: {name}", {income: NO_MONEY[name]}, income)
    rate = "/assumptions/serious_illness_base/rate"
    for value in (0.6, "60%", "1.01", "-0.1", "0.12345", "NaN", "", None, "六成"):
        add(f"rate: {value}", {rate: value}, rate)
    for name, value in NO_DAY.items():
        add(f"admitted_on: {name}", {"/bills/0/admitted_on": value}, "/bills/0/admitted_on")
        add(f"discharged_on: {name}", {"/bills/0/discharged_on": value}, "/bills/0/discharged_on")
    for field in ("from", "to", "applied_on"):
        at = f"/person/identities/0/{field}"
        for name in ("number", "29 February", "slashes", "year 0"):
            add(f"{field}: {name}", {at: NO_DAY[name]}, at)
    for field in ("referred", "in_province", "in_county", "followed_guidance", "designated"):
        for name, value in NO_FLAG.items():
            add(f"{field}: {name}", {f"/bills/0/{field}": value}, f"/bills/0/{field}")
    declined = "/person/declined_health_service"
    add("declined: text", {declined: "false"}, declined)
    for field in ("/bills/0/setting", "/bills/0/disease_group", "/person/identities/0/category"):
        for name, value in NO_CODE.items():
            add(f"{field}: {name}", {field: value}, field)
    for field in ("/person", "/assumptions", "/bills/0", "/bills/0/paid", "/person/identities/0"):
        for name, value in NO_OBJECT.items():
            add(f"{field}: {name}", {field: value}, field)
    for name, value in {"object": {}, "text": "b1", "null": None, "empty": []}.items():
        add(f"bills: {name}", {"/bills": value}, "/bills")
    for name, value in {"object": {}, "text": "x", "null": None}.items():
        add(f"identities: {name}", {"/person/identities": value}, "/person/identities")
    for name, value in {
        "number": 1, "empty": "", "65 characters": "b" * 65, "null byte": "b\x00", "tab": "b\t",
        "null": None, "list": ["b1"],
    }.items():  # fmt: skip
        add(f"id: {name}", {"/bills/0/id": value}, "/bills/0/id")
    for name, value in {"unknown": "wuxi-1999", "number": 1, "empty": "", "list": []}.items():
        add(f"policy: {name}", {"/policy": value}, "/policy")
    for value in ("999999", "3202", "江阴市", "32028１", 320281, "", "320281\n"):
        add(f"area: {value!r}", {"/policy": None, "/area": value}, "/area")
    add("neither policy nor area", {"/policy": LEFT_OUT}, "/policy")
    add("both policy and area", {"/area": "320281"}, "/policy")
    for field in ("id", "setting", "admitted_on", "discharged_on", "total", "in_scope"):
        add(f"{field} left out", {f"/bills/0/{field}": LEFT_OUT}, f"/bills/0/{field}")
    add("category left out", {"/person/identities/0/category": LEFT_OUT},
        "/person/identities/0/category")  # fmt: skip
    add("bills left out", {"/bills": LEFT_OUT}, "/bills")
    for at in ("", "/person", "/person/identities/0", "/assumptions", "/bills/0"):
        add(f"unknown field in {at or '/'}", {f"{at}/note": "x"}, f"{at}/note")
    add("unknown layer", {"/bills/0/paid/lottery": "1.00"}, "/bills/0/paid/lottery")
    add("a name to escape", {"/bills/0/~0~1": 1}, "/bills/0/~0~1")
    add("discharge before admission", {"/bills/0/discharged_on": "2024-02-29"},
        "/bills/0/discharged_on")  # fmt: skip
    add("in_scope above total", {"/bills/0/in_scope": "152000.01"}, "/bills/0/in_scope")
    add("in_scope and rare drug above total", {"/bills/0/rare_drug": "4000.01"},
        "/bills/0/in_scope")  # fmt: skip
    add("paid above total", {"/bills/0/paid/basic": "152000.01"}, "/bills/0/paid")
    add("paid together above total", {"/bills/0/paid/basic": "100000.00",
        "/bills/0/paid/out_of_scope": "52000.01"}, "/bills/0/paid")  # fmt: skip
    add("identity ends before it begins", {"/person/identities/0/to": "2022-12-31"},
        "/person/identities/0/to")  # fmt: skip
    add("two faults", {"/bills/0/total": "1", "/policy": 1}, "/bills/0/total", "/policy")
    return table


def changed(body: Json, sent: dict[str, Any]) -> Json:
    for pointer, value in sent.items():
        *way, last = pointer.split("/")[1:]
        place: Any = body
        for key in way:
            place = place[int(key)] if isinstance(place, list) else place[key]
        key: Any = last.replace("~1", "/").replace("~0", "~")
        if isinstance(place, list):
            place[int(key)] = value
        elif value is LEFT_OUT:
            del place[key]
        else:
            place[key] = value
    return body


def problem_of(answer: TestResponse, status: int) -> Json:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    body: Json = answer.get_json(force=True)
    for words in (body["title"], body["detail"], *(e["detail"] for e in body.get("errors", ()))):
        assert re.search(r"[\u4e00-\u9fff]", words), words
    return body


def pointers_of(problem: Json) -> list[str]:
    return [error["pointer"] for error in problem["errors"]]


@pytest.mark.parametrize(("sent", "pointers"), changes())
def test_a_wrong_field_is_named(
    client: FlaskClient, request_body: Json, sent: dict[str, Any], pointers: tuple[str, ...]
) -> None:
    answer = client.post(URL, json=changed(request_body, sent))
    assert pointers_of(problem_of(answer, 422)) == list(pointers)


def bills_of(body: Json, number: int) -> list[Json]:
    return [{**body["bills"][0], "id": f"b{place}"} for place in range(number)]


def test_366_bills_are_taken_and_367_are_not(client: FlaskClient, request_body: Json) -> None:
    bills = bills_of(request_body, 367)
    answer = client.post(URL, json={**request_body, "bills": bills[:366]})
    assert len(answer.get_json()["bills"]) == 366
    refused = client.post(URL, json={**request_body, "bills": bills})
    assert pointers_of(problem_of(refused, 422)) == ["/bills"]


def test_of_two_bills_with_one_id_the_second_is_named(
    client: FlaskClient, request_body: Json
) -> None:
    bills = [*bills_of(request_body, 3), {**request_body["bills"][0], "id": "b1"}]
    answer = client.post(URL, json={**request_body, "bills": bills})
    assert pointers_of(problem_of(answer, 422)) == ["/bills/3/id"]


def test_a_fault_among_many_bills_is_named_by_its_place(
    client: FlaskClient, request_body: Json
) -> None:
    bills = bills_of(request_body, 20)
    bills[7]["total"] = "x"
    bills[13]["setting"] = "x"
    answer = client.post(URL, json={**request_body, "bills": bills})
    assert pointers_of(problem_of(answer, 422)) == ["/bills/13/setting", "/bills/7/total"]


def test_a_year_of_identities_is_taken_and_more_are_not(
    client: FlaskClient, request_body: Json
) -> None:
    identity = request_body["person"]["identities"][0]
    request_body["person"]["identities"] = [identity] * 366
    assert client.post(URL, json=request_body).status_code == 200
    request_body["person"]["identities"] = [identity] * 367
    answer = client.post(URL, json=request_body)
    assert pointers_of(problem_of(answer, 422)) == ["/person/identities"]


@pytest.mark.parametrize("body", ["x", 1, None, [], [{}], True], ids=str)
def test_a_body_that_is_no_object_is_refused(client: FlaskClient, body: Any) -> None:
    answer = client.post(URL, data=msgspec.json.encode(body), content_type="application/json")
    assert pointers_of(problem_of(answer, 422)) == [""]


WHOLE = '{"policy": "wuxi-2022-98", "bills": [{"id": "张三"}]}'
UNREADABLE = {
    "empty": (b"", 400),
    "cut off": (WHOLE.encode()[:-2], 400),
    "two values": (b"{}{}", 400),
    "a name twice": (WHOLE.replace("{", '{"bills": [], ', 1).encode(), 400),
    "a name twice within": (b'{"bills": [{"total": "1.00", "total": "2.00"}]}', 400),
    "trailing comma": (b'{"bills": [],}', 400),
    "single quotes": (b"{'bills': []}", 400),
    "comment": (b'{"bills": [] /* none */}', 400),
    "NaN": (b'{"bills": [{"total": NaN}]}', 400),
    "Infinity": (b'{"bills": [{"total": Infinity}]}', 400),
    "huge exponent": (b'{"bills": 1e999999}', 400),
    "huge integer": (b'{"bills": ' + b"9" * 5000 + b"}", 400),
    "lone surrogate": (rb'{"policy": "\ud800"}', 400),
    "raw null byte": (b'{"policy": "\x00"}', 400),
    "only a null byte": (b"\x00", 400),
    "GBK": (WHOLE.encode("gbk"), 400),
    "GB18030": (WHOLE.encode("gb18030"), 400),
    "UTF-16": (WHOLE.encode("utf-16"), 400),
    "UTF-32": (WHOLE.encode("utf-32"), 400),
    "byte order mark": (WHOLE.encode("utf-8-sig"), 400),
    "Latin-1": (b'{"policy": "\xe9"}', 400),
    "overlong UTF-8": (b'{"policy": "\xc0\xaf"}', 400),
    "XML": (b"<estimate/>", 400),
    "form": (b"policy=wuxi-2022-98", 400),
    "arrays 100,000 deep": (b"[" * 100_000 + b"]" * 100_000, 400),
    "objects 50,000 deep": (b'{"bills":' * 50_000 + b"1" + b"}" * 50_000, 400),
    "10 MB of spaces": (b" " * 10_485_760, 413),
    "10 MB of text": (b'{"policy": "' + b"x" * 10_485_760 + b'"}', 413),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_body_is_refused(client: FlaskClient, name: str) -> None:
    body, status = UNREADABLE[name]
    for url in (URL, f"{URL}/batch"):
        problem_of(client.post(url, data=body, content_type="application/json"), status)


def test_nesting_that_can_be_read_is_refused_by_field(
    client: FlaskClient, request_body: Json
) -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    request_body["bills"][0]["paid"] = {"basic": deep}
    answer = client.post(URL, json=request_body)
    assert pointers_of(problem_of(answer, 422)) == ["/bills/0/paid/basic"]


def test_many_faults_are_told_up_to_a_hundred(client: FlaskClient, request_body: Json) -> None:
    answer = client.post(URL, json={**request_body, "bills": [{}] * 366})
    told = pointers_of(problem_of(answer, 422))
    assert len(told) == 100
    # Of the first bills: the rest is not looked at, which would cost seconds in a batch.
    assert {int(pointer.split("/")[2]) for pointer in told} == set(range(17))


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", ""])
def test_another_content_type_is_refused(client: FlaskClient, kind: str) -> None:
    problem_of(client.post(URL, data=b"{}", content_type=kind), 415)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_refused(client: FlaskClient, method: str) -> None:
    problem_of(client.open(URL, method=method), 405)
