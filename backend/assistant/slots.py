"""要素 (slots): who, where, when and which sums somebody named, for an estimate."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from msgspec import Struct

from backend.assistant.amounts import Amount, amounts_in
from backend.assistant.days import day_in
from backend.assistant.places import registered_in
from backend.assistant.understanding import Slots
from backend.kernel.yaml_file import YamlFile
from backend.policies.book import PolicyBook, Vocabulary
from backend.policies.search.words import normalise

_HERE: Final = Path(__file__).parent
_NEAR: Final = 4
_NEAR_AFTER: Final = 10
"""Characters before and after a category in which it may be denied."""
_PIECE: Final = re.compile(r"[,。;、\s]")
_OWN: Final = "own"
_IN_SCOPE: Final = "in_scope"
_TOTAL: Final = "total"


class SlotsShape(Struct, forbid_unknown_fields=True):
    """The file."""

    categories: dict[str, list[str]]
    denied_before: list[str]
    denied_after: list[str]
    settings: dict[str, list[str]]
    sums: dict[str, list[str]]
    agreed: list[str]
    refused: list[str]
    unknown: list[str]
    nobody: list[str]
    nothing: list[str]
    back: list[str]
    restart: list[str]
    resume: list[str]
    stop: list[str]
    beside: list[str]


@cache
def slot_words() -> SlotsShape:
    """The project's own; raises `FileError` with file, line and reason."""
    return YamlFile(_HERE / "slots.yaml", "slots.yaml").convert(SlotsShape)


class SlotReader:
    """Reads heard texts (`Hearing`), with the names and places of a policy book."""

    def __init__(self, book: PolicyBook) -> None:
        self._book = book
        self._words = slot_words()
        self._categories = _codes(_category_words(book.vocabulary, self._words))
        self._category = _longest(self._categories)
        self._sums = _codes(self._words.sums)
        self._sum = _longest(self._sums)

    def read(self, heard: str, today: date) -> Slots:
        """Everything that is named; several categories at once are all held."""
        sums = dict(self._named_sums(heard))
        special = (_TOTAL, _IN_SCOPE, _OWN)
        return Slots(
            categories=self.categories(heard),
            setting=self.setting(heard),
            day=day_in(heard, today),
            total=sums.get(_TOTAL),
            in_scope=sums.get(_IN_SCOPE),
            own=sums.get(_OWN),
            paid={layer: fen for layer, fen in sums.items() if layer not in special},
            area=registered_in(heard, self._book),
        )

    def categories(self, heard: str) -> tuple[str, ...]:
        """The categories that are named and not denied."""
        named = (
            self._categories[match[0]]
            for match in self._category.finditer(heard)
            if not self._denied(heard, match)
        )
        return tuple(dict.fromkeys(named))

    def setting(self, heard: str) -> str | None:
        """How the person was treated."""
        for code, words in self._words.settings.items():
            if any(word in heard for word in words):
                return code
        return None

    def _denied(self, heard: str, match: re.Match[str]) -> bool:
        before = heard[max(0, match.start() - _NEAR) : match.start()]
        after = _PIECE.split(heard[match.end() : match.end() + _NEAR_AFTER])[0]
        return any(before.endswith(word) for word in self._words.denied_before) or any(
            word in after for word in self._words.denied_after
        )

    def _named_sums(self, heard: str) -> Iterator[tuple[str, int]]:
        """Each sum with what it is; the first one that says nothing of itself is the total."""
        found = list(amounts_in(heard))
        named = [self._kind(heard, found, place) for place in range(len(found))]
        if None in named and _TOTAL not in named:
            named[named.index(None)] = _TOTAL
        for kind, amount in zip(named, found, strict=True):
            if kind is not None and kind != "ignored":
                yield kind, amount.fen

    def _kind(self, heard: str, found: Sequence[Amount], place: int) -> str | None:
        amount = found[place]
        start = found[place - 1].end if place else 0
        end = found[place + 1].start if place + 1 < len(found) else len(heard)
        before = self._sum.findall(heard[start : amount.start])
        if before:
            return self._sums[before[-1]]
        after = self._sum.search(_PIECE.split(heard[amount.end : end])[0])
        return self._sums[after[0]] if after else None


def _category_words(vocabulary: Vocabulary, words: SlotsShape) -> Mapping[str, Sequence[str]]:
    return {
        code: (*shape.aliases, shape.name, *words.categories.get(code, ()))
        for code, shape in vocabulary.categories.items()
        if not shape.child or code in words.categories
    }


def _codes(words: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Word → its code; a word of several codes (困境儿童) has none."""
    counted: dict[str, set[str]] = {}
    for code, listed in words.items():
        for word in listed:
            counted.setdefault(normalise(word), set()).add(code)
    return {word: codes.pop() for word, codes in counted.items() if len(codes) == 1}


def _longest(words: Mapping[str, str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))))
