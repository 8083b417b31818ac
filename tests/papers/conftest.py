"""What the tests of papers share: somebody with a draft, a store in a folder, keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.kernel import keys
from backend.kernel.crypto import Keyring
from backend.kernel.database import engine_for
from backend.papers import store
from backend.papers.store import FolderStore
from tests.support.accounts import Accounts
from tests.support.handing_in import HandingIn, draft_of
from tests.support.register import Register
from tests.support.townsfolk import Townsfolk


@pytest.fixture
def keyring(tmp_path: Path) -> Iterator[Keyring]:
    """Keys of the test's own, bound."""
    ring = Keyring.open_or_create(tmp_path / "keys.json")
    with keys.bound(ring):
        yield ring


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[FolderStore]:
    """The store of this test, bound."""
    chosen = FolderStore(tmp_path / "papers")
    with store.bound(chosen):
        yield chosen


@pytest.fixture
def town(database: Engine, keyring: Keyring, accounts: Accounts) -> Townsfolk:
    return Townsfolk(database, keyring, accounts, Register(database))


@pytest.fixture
def jia(
    town: Townsfolk, folder: FolderStore, app_database: Engine, database_url: str
) -> Iterator[HandingIn]:
    """Somebody with a draft."""
    who = town.person("测试甲")
    resident = town.accounts.resident(who.id)
    token = town.accounts.resident_session(resident)
    worker = engine_for(database_url, role="worker")
    case = draft_of(town, who, resident)
    yield HandingIn(app_database, worker, town, who, resident, token, case)
    worker.dispose()
