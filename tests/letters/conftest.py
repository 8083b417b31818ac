from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.kernel import clock, keys
from backend.kernel.crypto import Keyring
from backend.letters import seals
from backend.letters.sealing import OwnSeal
from tests.support import signing
from tests.support.accounts import Accounts
from tests.support.letters import seal_keys
from tests.support.register import Register
from tests.support.signing import Desk
from tests.support.townsfolk import Townsfolk


@pytest.fixture
def keyring(tmp_path: Path) -> Iterator[Keyring]:
    made = Keyring.open_or_create(tmp_path / "keys.json")
    with keys.bound(made):
        yield made


@pytest.fixture
def own_seal(tmp_path: Path) -> Iterator[OwnSeal]:
    provider = OwnSeal(seal_keys(tmp_path), clock.now)
    with seals.bound(provider):
        yield provider


@pytest.fixture
def town(database: Engine, keyring: Keyring, accounts: Accounts) -> Townsfolk:
    return Townsfolk(database, keyring, accounts, Register(database))


@pytest.fixture
def desk(
    database: Engine, app_database: Engine, town: Townsfolk, accounts: Accounts, own_seal: OwnSeal
) -> Desk:
    return signing.desk(database, app_database, town, accounts)
