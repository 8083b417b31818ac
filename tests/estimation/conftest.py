"""The rules of the project's own catalogue, read once."""

from __future__ import annotations

import pytest

from backend.estimation.terms import Rules
from backend.policies.catalogue import load_catalogue


@pytest.fixture(scope="session")
def rules() -> Rules:
    return Rules(load_catalogue())
