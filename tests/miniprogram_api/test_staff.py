"""Who gets in: programs by the token, browsers by the cookie that is given for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import Engine

from backend.kernel.settings import Settings
from miniprogram_api.app import create_app
from miniprogram_api.staff import COOKIE

TOKEN = "a-token-of-staff-for-these-tests-only"
NOW = "2026-06-15T04:00:00Z"


@pytest.fixture
def client(database: Engine) -> FlaskClient:
    return create_app(Settings(staff_token=TOKEN)).test_client()


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(NOW, tick=False) as coordinates:
        yield coordinates


def sign_in(client: FlaskClient, token: str = TOKEN) -> int:
    status: int = client.post("/staff", data={"token": token}).status_code
    return status


def cookie_of(client: FlaskClient) -> str:
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    value: str = cookie.value
    return value


@pytest.mark.parametrize(
    "sent",
    [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer 口令", TOKEN],
)
def test_without_the_token_the_api_answers_401_and_what_to_do(
    client: FlaskClient, sent: str | None
) -> None:
    headers = {} if sent is None else {"Authorization": sent.encode().decode("latin-1")}
    answer = client.get("/api/v1/runs", headers=headers)
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert answer.json["type"] == "/problems/not-signed-in"
    assert "口令" in answer.json["detail"]


def test_with_it_the_api_answers(client: FlaskClient) -> None:
    for word in ("Bearer", "bearer"):
        headers = {"Authorization": f"{word} {TOKEN}"}
        assert client.get("/api/v1/runs", headers=headers).status_code == 200


def test_without_one_set_nobody_gets_in_and_it_is_said_what_to_set(database: Engine) -> None:
    client = create_app(Settings()).test_client()
    for sent in ({}, {"Authorization": "Bearer None"}, {"Authorization": "Bearer "}):
        answer = client.get("/api/v1/runs", headers=sent)
        assert answer.status_code == 401
        assert "SHUKUN_STAFF_TOKEN" in answer.json["detail"]
    assert sign_in(client, "None") == sign_in(client, "") == 422
    assert "SHUKUN_STAFF_TOKEN" in client.get("/staff").text


def test_what_is_public_stays_public(client: FlaskClient) -> None:
    assert client.get("/api/v1/areas").status_code == 200


def test_the_document_names_the_token_where_it_is_needed(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    assert document["components"]["securitySchemes"]["staff"]["scheme"] == "bearer"
    operation = document["paths"]["/api/v1/runs"]["get"]
    assert operation["security"] == [{"staff": []}]
    assert "401" in operation["responses"]
    assert "security" not in document["paths"]["/api/v1/areas"]["get"]


def test_a_browser_is_led_to_the_door_and_let_in(client: FlaskClient) -> None:
    answer = client.get("/runs")
    assert (answer.status_code, answer.location) == (303, "/staff")
    answer = client.post("/staff", data={"token": f" {TOKEN} "})
    assert (answer.status_code, answer.location) == (303, "/runs")
    given = answer.headers["Set-Cookie"]
    assert "HttpOnly" in given
    assert "SameSite=Strict" in given
    assert "Expires" not in given
    assert "Max-Age" not in given
    assert TOKEN not in given
    assert client.get("/runs").status_code == 200


def test_over_https_the_cookie_keeps_to_https(client: FlaskClient) -> None:
    answer = client.post("/staff", data={"token": TOKEN}, base_url="https://localhost")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_a_wrong_token_is_refused_and_never_repeated(client: FlaskClient) -> None:
    answer = client.post("/staff", data={"token": "wrong-and-secret"})
    assert answer.status_code == 422
    assert "口令不对" in answer.text
    assert "wrong-and-secret" not in answer.text
    assert "Set-Cookie" not in answer.headers


def test_the_cookie_opens_pages_only_and_the_token_the_api_only(client: FlaskClient) -> None:
    sign_in(client)
    assert client.get("/api/v1/runs").status_code == 401
    client.delete_cookie(COOKIE)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get("/runs", headers=headers).status_code == 303


def test_who_leaves_is_out(client: FlaskClient) -> None:
    sign_in(client)
    assert client.post("/staff/leave").location == "/staff"
    assert client.get("/runs").status_code == 303


def test_after_a_working_day_the_token_is_asked_again(
    client: FlaskClient, clock: time_machine.Coordinates
) -> None:
    sign_in(client)
    clock.shift(12 * 3600 - 1)
    assert client.get("/runs").status_code == 200
    clock.shift(2)
    assert client.get("/runs").status_code == 303


@pytest.mark.usefixtures("clock")
def test_a_cookie_that_was_not_given_here_is_worth_nothing(
    client: FlaskClient, database: Engine
) -> None:
    sign_in(client)
    until, seal = cookie_of(client).split(".")
    for value in (
        f"{int(until) + 1}.{seal}", f"{until}.", until, seal, "", ".", f"{until}.{seal[:-1]}",
        f"{until}.{seal}.", f"x.{seal}", f"{until}.{'é' * 64}", f"-{until}.{seal}", "9" * 3000,
    ):  # fmt: skip
        client.set_cookie(COOKIE, value)
        assert client.get("/runs").status_code == 303, value
    other = create_app(Settings(staff_token=TOKEN + "!")).test_client()
    other.set_cookie(COOKIE, f"{until}.{seal}")
    assert other.get("/runs").status_code == 303
