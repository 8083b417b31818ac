from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.kernel.crypto import Keyring
from tests.support.register import Register


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.open_or_create(tmp_path / "keys.json")


@pytest.fixture
def register(database: Engine) -> Register:
    return Register(database)
