"""词表 (the lexicon): groups of words and the signs made of them, read from intents.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from msgspec import Struct

from backend.assistant.understanding import Intent
from backend.kernel.yaml_file import FileError, YamlFile
from backend.policies.search.words import normalise

_HERE: Final = Path(__file__).parent
_MEANT: Final = ("domain", "human", "query", "stage", "compute", "paper", "detail", "message")
_GAP: Final = ".{0,6}?"


class SignShape(Struct, forbid_unknown_fields=True):
    """What shows an intent: a word of each group in `all`, none of those in `unless`; `amount`:
    a sum of money too."""

    intent: Intent
    all: list[str]
    unless: list[str] = []
    amount: bool = False


class InsteadShape(Struct, forbid_unknown_fields=True):
    """`ask`: what is asked of the policies where one of the words stands and nothing answers."""

    words: list[str]
    ask: str


class LexiconShape(Struct, forbid_unknown_fields=True):
    """The file. `alarm`: what no group is, but stands in every text that is like an emergency."""

    alarm: list[str]
    instead: list[InsteadShape]
    words: dict[str, list[str]]
    signs: list[SignShape]


class Lexicon:
    """The groups, ready to be looked for in normalised texts."""

    def __init__(self, shape: LexiconShape) -> None:
        self.signs = tuple(shape.signs)
        self.words: Mapping[str, tuple[str, ...]] = {
            name: tuple(map(normalise, words)) for name, words in shape.words.items()
        }
        self._instead = [
            (_pattern(tuple(map(normalise, one.words))), one.ask) for one in shape.instead
        ]
        self._alarm = _pattern(tuple(map(normalise, shape.alarm)))
        self._patterns = {name: _pattern(words) for name, words in self.words.items()}

    def holds(self, group: str, text: str) -> bool:
        """Whether a word of the group stands in the text."""
        return self._patterns[group].search(text) is not None

    def alarms(self, text: str) -> bool:
        """Whether the text may be about a danger at all."""
        return self._alarm.search(text) is not None

    def instead(self, text: str) -> str | None:
        """What may be asked of the policies where no clause answers the text."""
        return next((ask for words, ask in self._instead if words.search(text)), None)

    def groups_in(self, text: str) -> Iterator[str]:
        """The groups of which a word stands in the text."""
        return (name for name in self._patterns if self.holds(name, text))

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where words of any group but the fillers stand, from and up to."""
        for name, pattern in self._patterns.items():
            if name != "filler":
                yield from (match.span() for match in pattern.finditer(text))

    def replaced(self, group: str, text: str, by: str = "") -> str:
        """The text with another one for each word of the group."""
        return self._patterns[group].sub(by, text)

    def meant(self) -> Iterator[str]:
        """Words that people may have meant where what they typed only sounds like them."""
        for group in _MEANT:
            yield from (word for word in self.words[group] if "+" not in word)


@cache
def lexicon() -> Lexicon:
    """The project's own; raises `FileError` with file, line and reason."""
    file = YamlFile(_HERE / "intents.yaml", "intents.yaml")
    shape = file.convert(LexiconShape)
    faults = [
        file.fault(f"没有这组词：{name}", "signs", place)
        for place, sign in enumerate(shape.signs)
        for name in (*sign.all, *sign.unless)
        if name not in shape.words
    ]
    if faults:
        raise FileError(faults)
    return Lexicon(shape)


def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Longer words first, so that the longest of a place is found."""
    ordered = sorted(words, key=len, reverse=True)
    return re.compile("|".join(_whole(word) for word in ordered))


def _whole(word: str) -> str:
    """A word as it is looked for: a number (`12345`) not within a longer one (a telephone)."""
    before = r"(?<!\d)" if word[0].isdecimal() else ""
    after = r"(?!\d)" if word[-1].isdecimal() else ""
    return before + _GAP.join(map(re.escape, word.split("+"))) + after
