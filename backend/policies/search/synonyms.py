"""近义词 (synonyms): groups of words that mean the same here, kept as data (synonyms.yaml).

A group is one idea: a clause that holds any of its words is found by any other. Residents' words,
officials' terms, abbreviations and common slips stand side by side. The categories' names and
aliases are groups by themselves. A locality's folder may add a synonyms.yaml of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from backend.kernel.yaml_file import FileError, FileFault, YamlFile
from backend.policies.search.words import Term, normalise
from backend.policies.shared_shapes import SynonymsShape

FILE: Final = "synonyms.yaml"


@dataclass(frozen=True)
class _Words:
    """`ideas`: word → its ideas; `lengths`: first character → lengths of words, longest first."""

    ideas: Mapping[str, tuple[str, ...]]
    lengths: Mapping[str, tuple[int, ...]]


class Synonyms:
    """All groups, ready to find ideas in a text."""

    def __init__(self, groups: Sequence[SynonymsShape]) -> None:
        self.groups = tuple(groups)

    def ideas(self, text: str, *, asked: bool) -> Iterator[Term]:
        """The ideas in a normalised text; of words that stand inside each other the longest.

        `asked`: the text is a question, or written as people ask.
        """
        known = self._asked if asked else self._written
        covered = 0
        for start, first in enumerate(text):
            for length in known.lengths.get(first, ()):
                ideas = known.ideas.get(text[start : start + length])
                if ideas and start + length > covered:
                    covered = start + length
                    yield from (Term(idea, "idea", start, covered) for idea in ideas)
                    break

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Every word of every group, normalised."""
        return frozenset(self._asked.ideas)

    @cached_property
    def _written(self) -> _Words:
        return _words([group.words for group in self.groups])

    @cached_property
    def _asked(self) -> _Words:
        return _words([(*group.words, *group.asked) for group in self.groups])


def _words(groups: Sequence[Sequence[str]]) -> _Words:
    ideas: dict[str, tuple[str, ...]] = {}
    lengths: defaultdict[str, set[int]] = defaultdict(set)
    for number, group in enumerate(groups):
        for word in dict.fromkeys(map(normalise, group)):
            ideas[word] = (*ideas.get(word, ()), f"@{number}")
            lengths[word[0]].add(len(word))
    return _Words(ideas, {first: tuple(sorted(s, reverse=True)) for first, s in lengths.items()})


def load_synonyms(homes: Sequence[Path]) -> tuple[SynonymsShape, ...]:
    """The groups of every home that has the file. Raises `FileError`: file, line, reason."""
    groups: list[SynonymsShape] = []
    faults: list[FileFault] = []
    for home in homes:
        if (home / FILE).exists():
            file = YamlFile(home / FILE, FILE)
            found = file.convert(list[SynonymsShape])
            faults += _faults(found, file)
            groups += found
    if faults:
        raise FileError(faults)
    return tuple(groups)


def _faults(groups: Sequence[SynonymsShape], file: YamlFile) -> Iterator[FileFault]:
    for place, group in enumerate(groups):
        words = (*group.words, *group.asked)
        if not group.words or len(words) < 2:
            yield file.fault("一组至少写两个词，其中 words 至少一个", place)
        for word in words:
            if len(word.strip()) < 2:
                yield file.fault(f"“{word}”太短，至少两个字", place)
        for word in sorted({word for word in words if words.count(word) > 1}):
            yield file.fault(f"“{word}”在一组里写了两次", place)
