"""Where the chat must answer with a clause, and where it must not (tests/cases/chat_bounds.yaml)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tests.support.from_yaml import from_yaml

CASES = Path(__file__).parents[1] / "cases" / "chat_bounds.yaml"


def said(kind: str) -> list[str]:
    """What somebody wrote: `stays`, `words`, `unanswered`, `later`, `answered`."""
    return [str(one) for one in _cases()[kind]]


def named(kind: str, what: str) -> list[tuple[str, str]]:
    """What somebody wrote, and the place that it names: of `places` or `larger`."""
    return [(str(one["say"]), str(one[what])) for one in _cases()[kind]]


@cache
def _cases() -> dict[str, Any]:
    cases: dict[str, Any] = from_yaml(CASES)
    return cases
