"""错听 (hearing): puts right what was typed or heard by sound: `就助` and `旧住款` for 救助.

Characters that belong to a word of the dictionary are changed only where a longer word has a
single slip, so that what somebody wrote correctly stays: `就住院了` holds the word 住院.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from operator import ne
from typing import Final

import rjieba

from backend.policies.search.sounds import sound_of
from backend.policies.search.words import normalise

LENGTHS: Final = (4, 3, 2)
_GRAMMAR: Final = frozenset("的了吗呢啊吧么呀嘛我你您他她它们不没有在都")
LONGEST: Final = 200
"""Characters of an utterance that are read."""


class Hearing:
    """`words`: what people may have meant; those of two to four Chinese characters count."""

    def __init__(self, words: Iterable[str]) -> None:
        self._written = frozenset(words)
        self._meant: defaultdict[int, dict[str, str]] = defaultdict(dict)
        for word in sorted(self._written):
            sound = sound_of(word) if len(word) in LENGTHS else None
            if sound is not None:
                self._meant[len(word)].setdefault(sound, word)

    def __call__(self, text: str) -> str:
        """The text as `normalise` gives it, at most `LONGEST` characters, with slips put right."""
        text = normalise(text[:LONGEST])
        free = _free(text)
        for length in LENGTHS:
            for start in range(len(text) - length + 1):
                typed = text[start : start + length]
                heard = self._heard(typed, loose=all(free[start : start + length]))
                text = text[:start] + heard + text[start + length :]
        return text

    def _heard(self, typed: str, *, loose: bool) -> str:
        """What was meant; where it is not `loose`, longer words with a single slip alone."""
        if typed in self._written or _GRAMMAR.intersection(typed):
            return typed
        meant = self._meant[len(typed)].get(sound_of(typed) or "", typed)
        slips = sum(map(ne, typed, meant))
        few = slips < len(typed) if loose else slips == 1 and len(typed) > 2
        return meant if few else typed


def _free(text: str) -> list[bool]:
    """Which characters belong to no word of the dictionary."""
    free: list[bool] = []
    for word in rjieba.cut(text, False):
        free += [len(word) == 1] * len(word)
    return free
