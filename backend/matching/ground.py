"""依据 (ground): what every step of matching a slice stands on."""

from __future__ import annotations

from dataclasses import dataclass

from backend.estimation.terms import Rules
from backend.matching.numbers import Numbers
from backend.matching.spans import Span


@dataclass(frozen=True)
class Ground:
    """The run, its rules (kept as `rules_id`), the county and the policies on its days."""

    run_id: int
    rules_id: int
    rules: Rules
    year: int
    county: str
    spans: tuple[Span, ...]
    numbers: Numbers
