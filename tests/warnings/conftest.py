from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.kernel.crypto import Keyring
from backend.policies.book import PolicyBook
from backend.policies.catalogue import load_catalogue
from tests.support.households import Households
from tests.support.register import Register


@pytest.fixture(scope="session")
def book() -> PolicyBook:
    return load_catalogue()


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.open_or_create(tmp_path / "keys.json")


@pytest.fixture
def homes(worker_database: Engine, keyring: Keyring) -> Households:
    return Households(Register(worker_database), keyring)
