from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.kernel.crypto import Keyring
from tests.support.accounts import Accounts
from tests.support.case_world import CaseWorld, county
from tests.support.register import Register
from tests.support.townsfolk import Townsfolk


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.open_or_create(tmp_path / "keys.json")


@pytest.fixture
def register(database: Engine) -> Register:
    return Register(database)


@pytest.fixture
def town(database: Engine, keyring: Keyring, accounts: Accounts, register: Register) -> Townsfolk:
    return Townsfolk(database, keyring, accounts, register)


@pytest.fixture
def world(database: Engine, app_database: Engine, town: Townsfolk, keyring: Keyring) -> CaseWorld:
    return county(database, app_database, town, keyring)
