"""What residents say, and what the assistant should have understood (tests/cases/utterances.yaml)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tests.support.from_yaml import from_yaml

CASES = Path(__file__).parents[1] / "cases" / "utterances.yaml"
DANGERS = Path(__file__).parents[1] / "cases" / "dangers.yaml"
DAY = date(2024, 6, 1)
"""As of which policies are asked."""


@dataclass(frozen=True)
class Utterance:
    """`slots`: as in the file; None where they do not matter. `clauses`: any of them answers."""

    say: str
    intent: str
    also: str | None
    slots: dict[str, str] | None
    policy: str | None
    clauses: frozenset[str]


def utterances(kind: str) -> list[Utterance]:
    """Those of the file: `open`, or `blind`, `later`, `later_harder`, never used for tuning."""
    return [_utterance(one) for one in from_yaml(CASES)[kind]]


def dangers() -> list[str]:
    """What must be taken for an emergency, besides."""
    return list(from_yaml(DANGERS))


def _utterance(entry: dict[str, Any]) -> Utterance:
    return Utterance(
        entry["say"],
        entry["intent"],
        entry.get("also"),
        entry.get("slots"),
        entry.get("policy"),
        frozenset(entry.get("clauses", ())),
    )
