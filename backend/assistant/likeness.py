"""相似 (likeness): which intent's examples an utterance resembles most (naive Bayes over traits).

The examples are data (examples.yaml), so a locality's way of speaking is added by adding to them.
The same text always gets the same answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from math import log
from pathlib import Path
from typing import Final, Protocol

from backend.assistant.traits import Traits
from backend.assistant.understanding import Intent
from backend.kernel.yaml_file import YamlFile

_HERE: Final = Path(__file__).parent
UNSEEN: Final = 0.2
"""What a trait counts that no example of an intent has."""
PRIOR: Final = 0.3
"""How much it matters that an intent has more examples."""

Examples = Mapping[Intent, Iterable[str]]


class Reads(Protocol):
    """What of `Reader` is needed here."""

    def hear(self, text: str) -> str:
        """The text as it is read."""

    def traits(self, heard: str) -> Traits:
        """What it is compared by."""


class Likeness:
    """Learnt once from examples; then only read, from any thread."""

    def __init__(self, reader: Reads, examples: Examples) -> None:
        seen = {
            intent: [reader.traits(reader.hear(one)) for one in texts]
            for intent, texts in examples.items()
        }
        counted = {intent: _sum(traits) for intent, traits in seen.items()}
        known = {trait for counts in counted.values() for trait in counts}
        every = sum(map(len, seen.values()))
        self._start: dict[Intent, float] = {}
        self._worth: dict[str, dict[Intent, float]] = {trait: {} for trait in known}
        for intent, counts in counted.items():
            total = log(counts.total() + UNSEEN * len(known))
            self._start[intent] = PRIOR * log(len(seen[intent]) / every)
            for trait in known:
                self._worth[trait][intent] = log(counts[trait] + UNSEEN) - total

    def most(self, traits: Traits, but: Collection[Intent] = ()) -> Intent:
        """The intent whose examples are most like this; none of `but`."""
        scores = dict(self._start)
        for trait, count in traits.items():
            for intent, worth in self._worth.get(trait, {}).items():
                scores[intent] += count * worth
        return max(scores.keys() - but, key=lambda intent: scores[intent])


def examples() -> dict[Intent, list[str]]:
    """The project's own; raises `FileError` with file, line and reason."""
    return YamlFile(_HERE / "examples.yaml", "examples.yaml").convert(dict[Intent, list[str]])


def _sum(traits: Iterable[Traits]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for one in traits:
        counts.update(one)
    return counts
