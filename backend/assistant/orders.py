"""口令 (orders): words that lead an estimate and answer nothing: `上一步`, `重新来`, `不算了`."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from backend.assistant.slots import slot_words

_LONGEST: Final = 12
"""Characters of a text that is an order and nothing else."""


def orders(words: list[str], heard: str) -> bool:
    """Whether the text is one of the words, and no more than goes with it: `上一步`, `我不算了吧`;
    not `死了算了`, not `低保取消了`."""
    said = re.sub(r"\W", "", heard)
    return len(said) <= _LONGEST and _order(tuple(words)).fullmatch(said) is not None


def is_order(heard: str) -> bool:
    """Whether the text only leads the talk, or only says that something is not known."""
    words = slot_words()
    groups = (words.stop, words.back, words.restart, words.resume, words.unknown)
    return any(orders(group, heard) for group in groups)


@cache
def _order(words: tuple[str, ...]) -> re.Pattern[str]:
    word, beside = "|".join(words), "|".join(slot_words().beside)
    return re.compile(f"(?:{beside})*(?:{word})(?:{beside}|{word})*")
