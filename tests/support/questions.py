"""The questions by which the search is judged: how people ask, and the clauses that answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from backend.policies.search.find import Search
from tests.support.from_yaml import from_yaml

CASES = Path(__file__).parents[1] / "cases"
DAY = date(2024, 6, 1)

Clause = tuple[str, str]
"""Policy and anchor."""


@dataclass(frozen=True)
class Question:
    """`policy`: the one the search is filtered to; None: the question names the place."""

    ask: str
    policy: str | None
    answers: frozenset[Clause]

    @property
    def search(self) -> Search:
        """What is sought, as the person would."""
        return Search(self.ask, DAY, policy=self.policy)

    def place_of_answer(self, found: list[Clause]) -> int | None:
        """Where the first right clause stands in the list, from 1; None: nowhere."""
        places = (place for place, one in enumerate(found, start=1) if one in self.answers)
        return next(places, None)


def judging_questions(kind: str) -> list[Question]:
    """Those of questions.yaml: `blind`, never used for tuning, or `open`."""
    listed = from_yaml(CASES / "questions.yaml")[kind]
    return [_question(one) for one in listed]


def practice_questions() -> list[Question]:
    """Those made up while the search was tuned."""
    listed = from_yaml(CASES / "practice_questions.yaml")
    return [_question(one) for one in listed]


def _question(entry: dict[str, Any]) -> Question:
    policy = entry.get("policy") or entry["answer_in"]
    answers = frozenset((policy, clause) for clause in entry["clauses"])
    return Question(entry["ask"], entry.get("policy"), answers)
