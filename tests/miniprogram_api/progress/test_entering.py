"""A view that asks who calls in its own transaction refuses as every other does, and counts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, text

from backend.kernel import database as kernel_database
from backend.kernel.crypto import Keyring
from backend.kernel.settings import Settings
from miniprogram_api.app import create_app
from tests.support.accounts import Accounts
from tests.support.register import Register

pytestmark = pytest.mark.postgres

RESIDENTS, STAFF = "/api/v1/applications/999999999/progress", "/api/v1/cases/999999999/progress"
MOST = 30


@pytest.fixture
def app(database: Engine, tmp_path: Path) -> Flask:
    Keyring.open_or_create(tmp_path / "keys.json")
    with kernel_database.bound(database):
        return create_app(Settings(keys=tmp_path / "keys.json", account_requests=MOST))


def status(app: Flask, site: Engine, path: str, token: str = "") -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with kernel_database.bound(site):
        return app.test_client().get(path, headers=headers).status_code


def test_nobody_and_whose_session_is_over_are_asked_to_sign_in(
    app: Flask, app_database: Engine, accounts: Accounts, database: Engine
) -> None:
    assert status(app, app_database, STAFF) == 401
    assert status(app, app_database, STAFF, "x" * 43) == 401
    token = accounts.staff_token("county_officer", "320281")
    assert status(app, app_database, STAFF, token) == 404
    accounts.age(timedelta(minutes=16))
    assert status(app, app_database, STAFF, token) == 401
    with database.connect() as connection:
        ended = connection.execute(text("SELECT ended_at IS NOT NULL FROM account_session"))
        assert ended.scalar_one()  # no clock set back revives it


def test_who_may_not_is_refused_and_it_is_written_down(
    app: Flask, app_database: Engine, accounts: Accounts, database: Engine
) -> None:
    assert status(app, app_database, STAFF, accounts.staff_token("auditor", "320281")) == 403
    assert status(app, app_database, RESIDENTS, accounts.resident_token()) == 403
    with database.connect() as connection:
        query = text("SELECT count(*) FROM audit_event WHERE action = 'denied.access'")
        assert connection.execute(query).scalar_one() == 2


def test_requests_are_counted_whether_they_are_answered_or_refused(
    app: Flask, app_database: Engine, accounts: Accounts, database: Engine
) -> None:
    token = accounts.resident_token(Register(database).person("one"))
    got = [status(app, app_database, RESIDENTS, token) for _ in range(MOST + 1)]
    assert got == [404] * MOST + [429]


def test_a_session_that_is_used_stays_alive(
    app: Flask, app_database: Engine, accounts: Accounts, database: Engine
) -> None:
    token = accounts.staff_token("county_officer", "320281")
    accounts.age(timedelta(minutes=10))
    assert status(app, app_database, STAFF, token) == 404
    accounts.age(timedelta(minutes=10))
    assert status(app, app_database, STAFF, token) == 404
