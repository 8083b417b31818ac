"""Talks with the chat, line by line, and what must come of them (tests/cases/conversations.yaml)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.from_yaml import from_yaml

CASES = Path(__file__).parents[1] / "cases" / "conversations.yaml"
AREA = "320281104001"
"""Where whoever is known is registered: 江阴."""


@dataclass(frozen=True)
class Line:
    """What somebody says, so many `times`, and what must come of it; see the file."""

    say: str
    times: int = 1
    intent: str | None = None
    has: list[str] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)
    asks: str | None = None
    hands_over: str | None = None


@dataclass(frozen=True)
class Conversation:
    """`known`: a person whose name is confirmed."""

    name: str
    lines: list[Line]
    known: bool = False


def conversations() -> list[Conversation]:
    """Those of the file."""
    return [_conversation(one) for one in from_yaml(CASES)]


def _conversation(entry: dict[str, Any]) -> Conversation:
    lines = [Line(**one) for one in entry["lines"]]
    return Conversation(entry["name"], lines, entry.get("known", False))
