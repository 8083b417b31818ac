"""特征 (traits): what an utterance is compared by: its characters, words, ideas and signs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from backend.assistant.amounts import amounts_in
from backend.assistant.hearing import Hearing
from backend.assistant.lexicon import Lexicon, lexicon
from backend.assistant.understanding import Intent
from backend.policies.book import PolicyBook
from backend.policies.search.index import index_of
from backend.policies.search.words import Term, terms_of

Traits = Mapping[str, int]
"""Trait → how much it counts."""

SIGN: Final = 4
KNOWN: Final = 3
GROUP: Final = 2
_STEP: Final = 1.7
_MOST_STEPS: Final = 4
"""The best clause's score is told in so many steps of this size."""
_QUARTERS: Final = 3.99
_SUM: Final = "¥"
_RELATIVE: Final = "亲"


class Reader:
    """Reads utterances, with the words of the assistant and the ideas of the policies."""

    def __init__(self, book: PolicyBook) -> None:
        self.words: Final[Lexicon] = lexicon()
        self._index = index_of(book)
        self._hear = Hearing([*self.words.meant(), *self._index.synonyms.vocabulary])

    def hear(self, text: str) -> str:
        """The text as everything else here reads it: normalised, slips put right."""
        return self._hear(text)

    def sign(self, heard: str) -> Intent | None:
        """What the first sign that applies shows."""
        signs = (
            sign.intent
            for sign in self.words.signs
            if all(self.words.holds(group, heard) for group in sign.all)
            and not any(self.words.holds(group, heard) for group in sign.unless)
            and (not sign.amount or any(amounts_in(heard)))
        )
        return next(signs, None)

    def traits(self, heard: str) -> Traits:
        """Everything by which a heard text resembles others; each trait once."""
        return dict(self._traits(heard))

    def _traits(self, heard: str) -> Iterator[tuple[str, int]]:
        characters = [one for one in self._plain(heard) if one.isalnum() or one == _SUM]
        ideas = list(self._index.synonyms.ideas(heard, asked=True))
        yield from ((f"pair {a}{b}", 1) for a, b in pairwise(["^", *characters, "$"]))
        yield from ((f"character {one}", 1) for one in characters)
        yield from ((f"word {term.text}", 1) for term in terms_of(heard) if term.kind == "word")
        yield from ((f"idea {idea.text}", 1) for idea in ideas)
        yield from ((f"group {name}", GROUP) for name in self.words.groups_in(heard))
        yield f"sign {self.sign(heard)}", SIGN
        yield f"sum {any(amounts_in(heard))}", GROUP
        yield f"clause {self._answered(heard)}", GROUP
        yield f"known {self._known(heard, ideas)}", KNOWN
        yield f"length {min(_MOST_STEPS, len(characters) // 4)}", 1

    def _plain(self, heard: str) -> str:
        """Every sum as one character, and every relative as another."""
        parts, at = [], 0
        for amount in amounts_in(heard):
            parts += [heard[at : amount.start], _SUM]
            at = amount.end
        return self.words.replaced("kin", "".join([*parts, heard[at:]]), _RELATIVE)

    def _answered(self, heard: str) -> int:
        """How well some clause answers, in steps."""
        scores = self._index.scores(self._index.question(heard))
        return min(_MOST_STEPS, int(max(scores.values(), default=0.0) / _STEP))

    def _known(self, heard: str, ideas: Sequence[Term]) -> int:
        """The quarters of the text that stand in words known here."""
        known = {place for span in self.words.spans(heard) for place in range(*span)}
        known.update(place for idea in ideas for place in range(idea.start, idea.end))
        places = [place for place, one in enumerate(heard) if one.isalnum()]
        return int(sum(place in known for place in places) / max(1, len(places)) * _QUARTERS)
