"""按词听懂 (by words): `Understand` by the words of a text alone, without a language model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from backend.assistant.likeness import Likeness, examples
from backend.assistant.slots import SlotReader
from backend.assistant.traits import Reader
from backend.assistant.understanding import Intent, Understood
from backend.policies.book import PolicyBook

_LEAST_LEFT: Final = 2
"""Characters beside a greeting that make it more than one."""
_SHORT: Final = 3
"""Characters that may be a greeting of their own (`早`, `哈哈`)."""
_LEAST_NUMBER: Final = 3
_BREATHS: Final = re.compile(
    r"[。？?!;\n]|[,\s](?:另外|顺便|再问|再就是|还想问|对了|还有(?!没有|别的|其他|什么|啥))"
)
_AT_ONCE: Final[frozenset[Intent]] = frozenset({"emergency", "fraud"})
"""Intents that a single sign decides, wherever in the text it stands."""
_EMPTY: Final[frozenset[Intent]] = frozenset({"greeting", "out_of_scope"})
_SECOND: Final[frozenset[Intent]] = frozenset(
    {"progress", "estimate", "policy", "settings", "my_details", "access", "lost_paper", "person"}
)
"""Intents that may come second in one breath."""


class ByWords:
    """The signs of intents.yaml and the likeness to examples.yaml, over one rule book."""

    def __init__(self, book: PolicyBook) -> None:
        self._reader = Reader(book)
        self._likeness = Likeness(self._reader, examples())
        self._slots = SlotReader(book)

    def __call__(self, text: str, today: date) -> Understood:
        """As `Understand` says."""
        heard = self._reader.hear(text)
        slots = self._slots.read(heard, today)
        intent = self._intent(heard)
        sure = self._reader.sign(heard) == intent
        if intent in _AT_ONCE:
            return Understood(intent, slots, sure=sure)
        asked = [(self._intent(piece), piece) for piece in _pieces(heard)]
        asked = [one for one in asked if one[0] not in _EMPTY]
        if len(asked) < 2:
            return Understood(intent, slots, sure=sure)
        others = (one for one in asked[1:] if one[0] != asked[0][0] and one[0] in _SECOND)
        return Understood(asked[0][0], slots, next(others, None), sure=sure)

    def _intent(self, heard: str) -> Intent:
        if not any(map(str.isalpha, heard)):
            # An answer, a telephone, somebody's number; of the welcome's list, the welcome again.
            return "out_of_scope" if len(heard.strip()) >= _LEAST_NUMBER else "greeting"
        shown = self._reader.sign(heard)
        if shown in _AT_ONCE:
            return shown
        if self._only_greets(heard):
            return "greeting"
        # Likeness alone calls no ambulance: 算了 and 病了 stand in examples of danger too.
        alarming = self._reader.words.alarms(heard)
        but: tuple[Intent, ...] = () if alarming else ("emergency",)
        most = self._likeness.most(self._reader.traits(heard), but)
        if most == "greeting" and not self._greets(heard):
            return "out_of_scope"
        return most

    def _greets(self, heard: str) -> bool:
        return self._reader.words.holds("hello", heard) or len(heard) <= _SHORT

    def _only_greets(self, heard: str) -> bool:
        words = self._reader.words
        rest = words.replaced("hello", heard)
        said = "".join(filter(str.isalnum, words.replaced("filler", rest)))
        return rest != heard and len(said) < _LEAST_LEFT


def _pieces(text: str) -> Iterator[str]:
    return (piece for piece in _BREATHS.split(text) if piece.strip())
