"""摘录 (excerpts): the sentences of a summary that answer best, the matched words marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from backend.policies.search.index import Question
from backend.policies.search.words import Term

LONGEST: Final = 100
"""Characters, unless one sentence alone is longer."""

MARKED: Final = frozenset({"word", "number", "idea"})

_SENTENCE: Final = re.compile(r"[^。！？；\n]+[。！？；\n]*")


class Mark(NamedTuple):
    """The characters from `start` up to `end`."""

    start: int
    end: int


@dataclass(frozen=True)
class Excerpt:
    """`marks`: the matched words in `text`, in order, apart from each other."""

    text: str
    marks: tuple[Mark, ...]


def excerpt(text: str, terms: Sequence[Term], question: Question) -> Excerpt:
    """From `text`, whose terms are given, the sentences around the best answer."""
    matched = [term for term in terms if term.text in question]
    start, end = _window(text, matched, question)
    marks = _merged(
        Mark(term.start - start, term.end - start)
        for term in matched
        if term.kind in MARKED and start <= term.start and term.end <= end
    )
    return Excerpt(text[start:end], tuple(marks))


def _window(text: str, matched: Sequence[Term], question: Question) -> tuple[int, int]:
    """The best sentence with as many as fit of those after it, then before it."""
    spans = [match.span() for match in _SENTENCE.finditer(text)] or [(0, len(text))]
    first = max(range(len(spans)), key=lambda number: _worth(spans[number], matched, question))
    last = first
    while last + 1 < len(spans) and spans[last + 1][1] - spans[first][0] <= LONGEST:
        last += 1
    while first > 0 and spans[last][1] - spans[first - 1][0] <= LONGEST:
        first -= 1
    return spans[first][0], spans[last][1]


def _worth(span: tuple[int, int], matched: Sequence[Term], question: Question) -> float:
    start, end = span
    inside = (term.text for term in matched if start <= term.start and term.end <= end)
    return sum(question[term] for term in dict.fromkeys(inside))


def _merged(marks: Iterable[Mark]) -> Iterator[Mark]:
    last: Mark | None = None
    for mark in sorted(marks):
        if last is None or mark.start > last.end:
            if last is not None:
                yield last
            last = mark
        else:
            last = Mark(last.start, max(last.end, mark.end))
    if last is not None:
        yield last
