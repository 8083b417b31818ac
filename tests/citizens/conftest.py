from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.kernel.crypto import Keyring
from tests.support.delivery import Office


@pytest.fixture
def office(worker_database: Engine, tmp_path: Path) -> Office:
    """Loads files as commands do."""
    return Office(worker_database, tmp_path, Keyring.open_or_create(tmp_path / "keys.json"))
