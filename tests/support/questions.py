"""The questions by which the search is judged (tests/cases/questions.yaml)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from backend.policies.search.find import Search

FILE = Path(__file__).parents[1] / "cases" / "questions.yaml"
DAY = date(2024, 6, 1)


@dataclass(frozen=True)
class Question:
    """`policy`: the one the search is filtered to; None: the question names the place."""

    ask: str
    policy: str | None
    answers: frozenset[tuple[str, str]]

    @property
    def search(self) -> Search:
        """What is sought, as the person would."""
        return Search(self.ask, DAY, policy=self.policy)

    def place_of_answer(self, found: list[tuple[str, str]]) -> int | None:
        """Where the first right clause stands in the list, from 1; None: nowhere."""
        places = (place for place, one in enumerate(found, start=1) if one in self.answers)
        return next(places, None)


def questions(kind: str) -> list[Question]:
    """Those of a kind: `blind`, never used for tuning, or `open`."""
    listed = yaml.safe_load(FILE.read_text("utf-8"))[kind]
    return [_question(one) for one in listed]


def _question(entry: dict[str, object]) -> Question:
    policy = entry.get("policy") or entry["answer_in"]
    clauses = entry["clauses"]
    assert isinstance(policy, str)
    assert isinstance(clauses, list)
    answers = frozenset((policy, str(clause)) for clause in clauses)
    return Question(str(entry["ask"]), policy if "policy" in entry else None, answers)
