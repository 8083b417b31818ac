from __future__ import annotations

from datetime import date
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
    """The catalogue, with Tinghu's days as a locality would confirm them."""
    return load_catalogue().with_confirmed({"tinghu-trial": (date(2022, 3, 1), date(2024, 2, 29))})


@pytest.fixture
def homes(worker_database: Engine, tmp_path: Path) -> Households:
    return Households(Register(worker_database), Keyring.open_or_create(tmp_path / "keys.json"))
