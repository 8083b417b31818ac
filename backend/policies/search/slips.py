"""错别字 (slips): puts right what was typed by sound (压金 for 押金), where no clause knows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from operator import ne
from typing import Final

from backend.policies.search.sounds import sound_of

LENGTHS: Final = (4, 3, 2)


class Slips:
    """`texts`: everything written, normalised; `words`: what a slip may have meant."""

    def __init__(self, texts: Iterable[str], words: Iterable[str]) -> None:
        known = sorted(words)
        self._meant: defaultdict[str, list[str]] = defaultdict(list)
        for word in known:
            sound = sound_of(word) if len(word) in LENGTHS else None
            if sound is not None:
                self._meant[sound].append(word)
        self._written = {pair for text in (*texts, *known) for pair in _pairs(text)}

    def corrected(self, text: str) -> str:
        """The text, of the same length, with single characters that only sound right put right."""
        for length in LENGTHS:
            for start in range(len(text) - length + 1):
                typed = text[start : start + length]
                if not self._written.issuperset(_pairs(typed)):
                    text = text[:start] + self._put_right(typed) + text[start + length :]
        return text

    def _put_right(self, typed: str) -> str:
        for meant in self._meant.get(sound_of(typed) or "", ()):
            if sum(map(ne, typed, meant)) == 1:
                return meant
        return typed


def _pairs(text: str) -> Iterator[str]:
    return map("".join, pairwise(text))
