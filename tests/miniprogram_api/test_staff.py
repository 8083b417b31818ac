"""How staff come in: programs by the API with a bearer, browsers by the page with a cookie."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from backend.kernel import database as kernel_database
from backend.kernel.crypto import Keyring
from backend.kernel.settings import Settings
from miniprogram_api import limiting
from miniprogram_api.accounts import signing_in
from miniprogram_api.app import create_app
from miniprogram_api.credentials import COOKIE
from tests.support.accounts import Accounts
from tests.support.office_staff import Person, employ

NEW = "another-one-8-made-up"
WORK = "/work"


@pytest.fixture
def officer(database: Engine, tmp_path: Path) -> Person:
    keyring = Keyring.open_or_create(tmp_path / "keys.json")
    return employ(database, keyring, "S1001", "county_officer")


@pytest.fixture
def lines() -> io.BytesIO:
    return io.BytesIO()


@pytest.fixture
def client(
    officer: Person, app_database: Engine, tmp_path: Path, lines: io.BytesIO
) -> Iterator[FlaskClient]:
    """The website in its own role."""
    settings = Settings(keys=tmp_path / "keys.json")
    with kernel_database.bound(app_database):
        yield create_app(settings, log_stream=lines).test_client()


def body(officer: Person, **other: Any) -> dict[str, Any]:
    typed = officer.typed()
    own = {"staff_no": typed.staff_no, "password": typed.password, "code": typed.code}
    return own | other


def sign_in(client: FlaskClient, officer: Person, **other: Any) -> Any:
    return client.post("/api/v1/staff/session", json=body(officer, **other))


def get(client: FlaskClient, path: str, token: str) -> Any:
    return client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})


def enter(client: FlaskClient, officer: Person, **other: Any) -> Any:
    officer.used_no_code()
    return client.post("/staff", data=body(officer, **other))


def test_a_program_signs_in_and_out(client: FlaskClient, officer: Person) -> None:
    answer = sign_in(client, officer)
    assert answer.status_code == 201
    token = answer.json["token"]
    assert get(client, "/runs", token).status_code == 200
    who = get(client, "/staff/session", token).json
    assert who["staff_no"] == "S1001"
    assert who["duty"] == who["duties"][0]
    assert (who["duty"]["role"], who["duty"]["area"]) == ("county_officer", "320281")
    headers = {"Authorization": f"Bearer {token}"}
    assert client.delete("/api/v1/staff/session", headers=headers).status_code == 204
    assert get(client, "/runs", token).status_code == 401


def test_a_program_goes_on_in_another_duty(
    client: FlaskClient, officer: Person, accounts: Accounts
) -> None:
    accounts.duty(officer.id, "city_officer", "320200")
    opened = sign_in(client, officer).json
    other = next(one for one in opened["duties"] if one["role"] == "city_officer")
    headers = {"Authorization": f"Bearer {opened['token']}"}
    changed = client.post(
        "/api/v1/staff/session/duty", json={"duty": other["id"]}, headers=headers
    ).json
    assert get(client, "/runs", opened["token"]).status_code == 401
    assert get(client, "/staff/session", changed["token"]).json["duty"] == other
    headers = {"Authorization": f"Bearer {changed['token']}"}
    refused = client.post("/api/v1/staff/session/duty", json={"duty": 4711}, headers=headers)
    assert refused.json["type"] == "/problems/no-duty"


@pytest.mark.parametrize(
    ("other", "status", "kind"),
    [
        ({"password": "guess"}, 422, "sign-in-refused"),
        ({"staff_no": "S9999"}, 422, "sign-in-refused"),
        ({"code": "000000"}, 422, "sign-in-refused"),
        ({"duty": 4711}, 409, "no-duty"),
        ({"new_password": "short"}, 422, "weak-password"),
        ({"code": "12345"}, 422, "invalid-body"),
        ({"staff_no": None}, 422, "invalid-body"),
        ({"more": 1}, 422, "invalid-body"),
    ],
)
def test_what_is_not_right_is_refused_with_what_to_do(
    client: FlaskClient, officer: Person, other: dict[str, Any], status: int, kind: str
) -> None:
    answer = sign_in(client, officer, **other)
    assert (answer.status_code, answer.json["type"]) == (status, f"/problems/{kind}")
    assert answer.json["errors"][0]["detail"]


def test_known_and_unknown_numbers_are_refused_in_the_same_bytes(
    client: FlaskClient, officer: Person
) -> None:
    answers = [sign_in(client, officer, password="x", staff_no=no) for no in ("S1001", "S9999")]
    plain = [{**answer.json, "instance": ""} for answer in answers]
    assert plain[0] == plain[1]
    assert answers[0].content_length == answers[1].content_length


def test_the_first_password_is_changed_at_the_first_sign_in(
    client: FlaskClient, officer: Person, accounts: Accounts
) -> None:
    accounts.change("UPDATE staff SET must_change = true")
    assert sign_in(client, officer).json["type"] == "/problems/password-must-change"
    assert sign_in(client, officer, new_password=NEW).status_code == 201


@pytest.mark.parametrize(
    "sent",
    [None, "", "Bearer", "Bearer ", "Bearer x", f"Bearer {'x' * 43}", "Basic eDp4", "Bearer 口令"],
)
def test_without_a_session_the_api_answers_401_and_what_to_do(
    client: FlaskClient, sent: str | None
) -> None:
    headers = {} if sent is None else {"Authorization": sent.encode().decode("latin-1")}
    answer = client.get("/api/v1/runs", headers=headers)
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert answer.json["type"] == "/problems/not-signed-in"
    assert "登录" in answer.json["detail"]


def test_a_role_that_may_not_is_told_so_and_written_down(
    client: FlaskClient, accounts: Accounts, database: Engine
) -> None:
    token = accounts.staff_token("family_doctor", "320281101001", "S2002")
    for path in ("/runs", "/runs/1"):
        answer = get(client, path, token)
        assert (answer.status_code, answer.json["type"]) == (403, "/problems/not-allowed")
    with database.connect() as connection:
        rows = connection.execute(
            text("SELECT actor, role, action, subject_id FROM audit_event ORDER BY id DESC LIMIT 2")
        ).all()
    assert [tuple(row) for row in rows] == [
        (
            "staff:S2002",
            "family_doctor",
            "denied.access",
            "GET /api/v1/runs/<int(max=999999999999):run>",
        ),
        ("staff:S2002", "family_doctor", "denied.access", "GET /api/v1/runs"),
    ]


def test_what_is_not_theirs_is_written_down_as_well(
    client: FlaskClient, officer: Person, database: Engine
) -> None:
    token = sign_in(client, officer).json["token"]
    assert get(client, "/runs/77", token).status_code == 404
    with database.connect() as connection:
        row = connection.execute(
            text("SELECT actor, action, detail FROM audit_event ORDER BY id DESC LIMIT 1")
        ).one()
    assert tuple(row) == ("staff:S1001", "denied.access", {"status": 404, "asked": {"run": "77"}})


def test_what_is_public_stays_public(client: FlaskClient) -> None:
    assert client.get("/api/v1/areas").status_code == 200
    assert get(client, "/areas", "x" * 43).status_code == 200


def test_the_document_names_the_session_where_it_is_needed(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    assert document["components"]["securitySchemes"]["staff"]["scheme"] == "bearer"
    operation = document["paths"]["/api/v1/runs"]["get"]
    assert operation["security"] == [{"staff": []}]
    assert {"401", "403", "429"} <= set(operation["responses"])
    assert "security" not in document["paths"]["/api/v1/areas"]["get"]


def test_a_browser_is_led_to_the_door_and_let_in(client: FlaskClient, officer: Person) -> None:
    answer = client.get("/runs")
    assert (answer.status_code, answer.location) == (303, "/staff")
    answer = enter(client, officer)
    assert (answer.status_code, answer.location) == (303, "/staff")
    given = answer.headers["Set-Cookie"]
    assert "HttpOnly" in given
    assert "SameSite=Strict" in given
    assert "Expires" not in given
    assert "Max-Age" not in given
    assert client.get("/runs").status_code == 200
    page = client.get("/staff").text
    assert "县级经办人员，江苏省无锡市江阴市：正在以此办事" in page


def test_over_https_the_cookie_keeps_to_https(client: FlaskClient, officer: Person) -> None:
    answer = client.post("/staff", data=body(officer), base_url="https://localhost")
    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "other", [{"password": "wrong-and-secret"}, {"code": "12345"}, {"new_password": "secret"}]
)
def test_what_was_typed_in_secret_never_comes_back(
    client: FlaskClient, officer: Person, other: dict[str, str]
) -> None:
    answer = enter(client, officer, **other)
    assert answer.status_code == 422
    assert "S1001" in answer.text
    assert "secret" not in answer.text
    assert "Set-Cookie" not in answer.headers


def test_the_cookie_opens_pages_only_and_the_bearer_the_api_only(
    client: FlaskClient, officer: Person
) -> None:
    enter(client, officer)
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    assert client.get("/api/v1/runs").status_code == 401
    client.delete_cookie(COOKIE)
    headers = {"Authorization": f"Bearer {cookie.value}"}
    assert client.get("/runs", headers=headers).status_code == 303


def test_a_browser_goes_on_in_another_duty(
    client: FlaskClient, officer: Person, accounts: Accounts
) -> None:
    other = accounts.duty(officer.id, "city_officer", "320200")
    enter(client, officer)
    assert client.post("/staff/duty", data={"duty": str(other)}).status_code == 303
    assert "市级经办人员，江苏省无锡市：正在以此办事" in client.get("/staff").text
    for wrong in ("", "x", "4711", "9" * 40):
        assert client.post("/staff/duty", data={"duty": wrong}).status_code == 409


def test_who_leaves_is_out_everywhere(client: FlaskClient, officer: Person) -> None:
    enter(client, officer)
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    assert client.post("/staff/leave").location == "/staff"
    assert client.get("/runs").status_code == 303
    client.set_cookie(COOKIE, cookie.value)
    assert client.get("/runs").status_code == 303
    assert client.post("/staff/leave").status_code == 303


def test_after_a_quarter_of_an_hour_the_browser_is_asked_again(
    client: FlaskClient, officer: Person, accounts: Accounts
) -> None:
    enter(client, officer)
    accounts.age(timedelta(minutes=14))
    assert client.get("/runs").status_code == 200
    accounts.age(timedelta(minutes=14))
    assert client.get("/runs").status_code == 200
    accounts.age(timedelta(minutes=15))
    assert client.get("/runs").status_code == 303
    accounts.age(-timedelta(minutes=15))  # as though the clock were set back
    assert client.get("/runs").status_code == 303


def test_a_resident_is_no_member_of_staff(client: FlaskClient, accounts: Accounts) -> None:
    token = accounts.resident_token()
    assert get(client, "/runs", token).status_code == 403
    client.set_cookie(COOKIE, token)
    assert client.get("/runs", headers={"Accept": "text/html"}).status_code == 403
    assert "工号" in client.get("/staff").text


@pytest.mark.parametrize(
    ("role", "area", "shown", "not_found"),
    [
        ("village_coordinator", "320281101001", [WORK], f"{WORK}/77"),
        ("township_reviewer", "320281101", [WORK], f"{WORK}/abc"),
        ("county_officer", "320281", [WORK, "/runs"], "/runs/abc"),
        ("auditor", "320281", [], "/nothing"),
        ("family_doctor", "320281101001", [], "/staff/nothing"),
        ("system_admin", "320281", [], "/runs/abc"),
    ],
)
def test_a_browser_sees_a_menu_of_what_the_role_may_open_and_chinese_pages_for_the_rest(
    role: str, area: str, shown: list[str], not_found: str, client: FlaskClient, accounts: Accounts
) -> None:
    """Asked as browsers and other programs without a wish for JSON do."""
    client.set_cookie(COOKIE, accounts.staff_token(role, area))
    page = client.get("/staff").text
    for path in (WORK, "/runs"):
        offered = f'href="{path}"' in page
        answer = client.get(path)
        assert offered == (path in shown)
        assert answer.status_code == (200 if path in shown else 403)
        assert answer.mimetype == "text/html"
        assert 'lang="zh-CN"' in answer.text
    assert ("还没有要办的事" in page) == (not shown)
    answer = client.get(not_found)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "没有" in answer.text


def test_no_secret_stands_in_a_log_line(
    client: FlaskClient, officer: Person, lines: io.BytesIO
) -> None:
    typed = body(officer)
    token = sign_in(client, officer).json["token"]
    get(client, "/runs", token)
    enter(client, officer)
    sign_in(client, officer, password="wrong-and-secret")
    written = lines.getvalue().decode()
    assert len(written.splitlines()) >= 4
    for secret in (token, typed["password"], "wrong-and-secret", "S1001", officer.secret):
        assert secret not in written
    assert {json.loads(line)["event"] for line in written.splitlines()} == {"request"}


def test_one_address_may_try_often_but_not_for_ever(
    client: FlaskClient, officer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_in, "ONE", limiting.Limit("few", 3, 600))
    statuses = [sign_in(client, officer, password="x").status_code for _ in range(4)]
    assert statuses == [422, 422, 422, 429]
    answer = sign_in(client, officer)
    assert answer.json["type"] == "/problems/too-many-requests"
    assert 1 <= int(answer.headers["Retry-After"]) <= 1200
    forged = client.post(
        "/api/v1/staff/session", json=body(officer), headers={"X-Forwarded-For": "203.0.113.9"}
    )
    assert forged.status_code == 429
