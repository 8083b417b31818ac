from __future__ import annotations

import pytest

from backend.assistant.by_words import ByWords
from backend.policies.book import PolicyBook
from backend.policies.catalogue import load_catalogue


@pytest.fixture(scope="session")
def book() -> PolicyBook:
    """The project's own policies."""
    return load_catalogue()


@pytest.fixture(scope="session")
def by_words(book: PolicyBook) -> ByWords:
    """The understanding that runs without a language model."""
    return ByWords(book)
