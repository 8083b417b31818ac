"""The website in its own role, with the simulator of WeChat, and invented people."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from backend.kernel import database as kernel_database
from backend.kernel.crypto import Keyring
from backend.kernel.settings import Settings
from backend.kernel.settings_wechat import SIMULATOR_SECRET, WeChatSettings
from miniprogram_api.app import create_app
from tests.support.accounts import Accounts
from tests.support.register import Register
from tests.support.townsfolk import Townsfolk, Townsman
from tests.support.wechat import APPID, Simulator


@dataclass
class Site:
    """The website as programs use it. `lines`: its log."""

    client: FlaskClient
    simulator: Simulator
    lines: io.BytesIO

    def ask(self, method: str, path: str, token: str = "", body: Any = None) -> Any:
        """A request to /api/v1."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        options = {} if body is None else {"json": body}
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **options)

    def log_in(self, user: str = "resident1") -> str:
        """As the mini-program does it; the token."""
        answer = self.ask("POST", "/sessions", body={"code": self.simulator.login(user)})
        assert answer.status_code == 201, answer.json
        return str(answer.json["token"])

    @property
    def log(self) -> str:
        """Everything logged."""
        return self.lines.getvalue().decode()


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.open_or_create(tmp_path / "keys.json")


@pytest.fixture
def town(database: Engine, keyring: Keyring, accounts: Accounts) -> Townsfolk:
    return Townsfolk(database, keyring, accounts, Register(database))


@pytest.fixture
def jia(town: Townsfolk) -> Townsman:
    return town.person("测试甲")


@pytest.fixture
def site(
    keyring: Keyring, app_database: Engine, tmp_path: Path, wechat_simulator: Simulator
) -> Iterator[Site]:
    wechat = WeChatSettings(APPID, SIMULATOR_SECRET, wechat_simulator.api)
    settings = Settings(keys=tmp_path / "keys.json", wechat=wechat, account_requests=100_000)
    lines = io.BytesIO()
    with kernel_database.bound(app_database):
        client = create_app(settings, log_stream=lines).test_client()
        yield Site(client, wechat_simulator, lines)
