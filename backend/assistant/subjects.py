"""话题 (subjects): words of a question that a policy knows nothing about (`打胎`, `拘留`)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import rjieba
from msgspec import Struct

from backend.assistant.likeness import examples
from backend.assistant.understanding import Intent
from backend.kernel import areas
from backend.kernel.yaml_file import YamlFile
from backend.policies.book import PolicyBook
from backend.policies.once_a_book import once_a_book
from backend.policies.search.index import index_of
from backend.policies.search.words import normalise
from backend.policies.shapes import ClauseShape

_HERE: Final = Path(__file__).parent
_HAN: Final = re.compile(r"[㐀-鿿]{2,}")
_OF_GRAMMAR: Final = frozenset("mqrdcpuxeyotf")
"""First letters of the parts of speech that name nothing: numbers, pronouns, adverbs."""
_NOT_OURS: Final[frozenset[Intent]] = frozenset({"out_of_scope"})


class SubjectsShape(Struct, forbid_unknown_fields=True):
    """The file."""

    illness: list[str]
    general: list[str]
    elsewhere: list[str]


@once_a_book
def subjects_of(book: PolicyBook) -> Subjects:
    """The subjects of the book."""
    return Subjects(book)


class Subjects:
    """What the policies speak of, and what residents say of it; only read, from any thread."""

    def __init__(self, book: PolicyBook) -> None:
        shape = YamlFile(_HERE / "subjects.yaml", "subjects.yaml").convert(SubjectsShape)
        self._index = index_of(book)
        self._illness = _any_of(shape.illness)
        self._elsewhere = _any_of(shape.elsewhere)
        ours = (texts for intent, texts in examples().items() if intent not in _NOT_OURS)
        said = (normalise(one) for texts in ours for one in texts)
        self._general = frozenset(shape.general).union(*(rjieba.cut(one, False) for one in said))

    def elsewhere(self, question: str, clause: ClauseShape) -> bool:
        """Whether a question is about what others decide or nobody pays, and the clause is not."""
        told = normalise(" ".join((clause.heading, clause.residents, *clause.keywords)))
        return any(match[0] not in told for match in self._elsewhere.finditer(normalise(question)))

    def strange(self, question: str, policy: str) -> tuple[str, ...]:
        """The words that say what a question is about, unknown to the policy and to residents."""
        text = normalise(question)
        known = self._known_places(text, policy)
        return tuple(
            word
            for word, start, end in rjieba.tokenize(text, "default", False)
            if not known.issuperset(range(start, end)) and self._is_strange(word, policy)
        )

    def _is_strange(self, word: str, policy: str) -> bool:
        if not _HAN.fullmatch(word) or word in self._general or self._illness.search(word):
            return False
        if self._holds(word, policy) or areas.bearing(word):
            return False
        return rjieba.tag(word)[0][1][0] not in _OF_GRAMMAR

    def _known_places(self, text: str, policy: str) -> frozenset[int]:
        """Where in a text ideas stand that the policy has, by any of their words."""
        ideas = self._index.synonyms.ideas(text, asked=True)
        held = (idea for idea in ideas if self._holds(idea.text, policy))
        return frozenset(place for idea in held for place in range(idea.start, idea.end))

    def _holds(self, term: str, policy: str) -> bool:
        return policy in self._index.holding(term)


def _any_of(words: list[str]) -> re.Pattern[str]:
    ordered = sorted(map(normalise, words), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered)))
