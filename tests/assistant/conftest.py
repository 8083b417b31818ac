from __future__ import annotations

from datetime import date
from typing import Final

import pytest

from backend.assistant.by_words import ByWords
from backend.assistant.speaker import Speaker
from backend.estimation.terms import Rules
from backend.policies.book import PolicyBook
from backend.policies.catalogue import load_catalogue

TODAY: Final = date(2026, 11, 21)


@pytest.fixture(scope="session")
def book() -> PolicyBook:
    """The project's own policies."""
    return load_catalogue()


@pytest.fixture(scope="session")
def rules(book: PolicyBook) -> Rules:
    return Rules(book)


@pytest.fixture(scope="session")
def by_words(book: PolicyBook) -> ByWords:
    """The understanding that runs without a language model."""
    return ByWords(book)


@pytest.fixture(scope="session")
def speaker(by_words: ByWords, rules: Rules) -> Speaker:
    """Who answers on `TODAY`."""
    return Speaker(by_words, rules, TODAY)
