"""The project's catalogue, read once; the same with what a place decided for itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from backend.policies.book import PolicyBook
from backend.policies.catalogue import load_catalogue


@pytest.fixture(scope="session")
def book() -> PolicyBook:
    return load_catalogue()


@pytest.fixture
def with_localities(tmp_path: Path) -> Callable[[str], PolicyBook]:
    """The catalogue with a localities.yaml of the given text."""

    def load(text: str) -> PolicyBook:
        home = tmp_path / "place"
        home.mkdir(exist_ok=True)
        (home / "localities.yaml").write_text(text, encoding="utf-8")
        return load_catalogue([home])

    return load
