"""A website on a database with matched people, as it runs: in the role that sees an area only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from backend.kernel import database as kernel_database
from backend.kernel.database import transaction
from backend.kernel.settings import Settings
from backend.matching.release import release_run
from backend.matching.runs import StartRun, compute_part, finish_run, start_run
from miniprogram_api.app import create_app
from miniprogram_api.credentials import COOKIE
from tests.miniprogram_api.conftest import Log
from tests.support.accounts import EVERYWHERE, Accounts
from tests.support.register import Register

LOW = "subsistence_allowance"


@pytest.fixture
def register(database: Engine) -> Register:
    return Register(database)


@dataclass(frozen=True)
class Site:
    """`get` is asked in the website's own role; the test itself stays the owner."""

    client: FlaskClient
    engine: Engine
    token: str

    def get(self, path: str, token: str | None = None) -> Any:
        """What the API answers to staff."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        with kernel_database.bound(self.engine):
            return self.client.get(f"/api/v1{path}", headers=headers)

    def page(self, path: str) -> Any:
        """What a browser sees that was let in."""
        with kernel_database.bound(self.engine):
            self.client.set_cookie(COOKIE, self.token)
            return self.client.get(path, headers={"Accept": "text/html"})


@pytest.fixture
def site(app_database: Engine, accounts: Accounts, log: Log) -> Site:
    app = create_app(Settings(), log_stream=log.stream)
    token = accounts.staff_token("city_officer", EVERYWHERE)
    return Site(app.test_client(), app_database, token)


@pytest.fixture
def poor(register: Register) -> Register:
    """Somebody on 低保 with a bill of 2024 in Jiangyin."""
    register.person("甲")
    register.identity("甲", LOW, "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    return register


def matched(area: str = "320281", year: int = 2024, *officers: str, finish: bool = True) -> int:
    """A run of the area and year, released by the officers; its number."""
    with transaction() as session:
        begun = start_run(session, StartRun(area, year, date(year, 12, 31), "经办"))
    for number in begun.parts if finish else ():
        with transaction() as session:
            compute_part(session, begun.run_id, number)
    with transaction() as session:
        finish_run(session, begun.run_id)
        for officer in officers:
            release_run(session, begun.run_id, officer, date(2025, 1, 6))
    return begun.run_id
