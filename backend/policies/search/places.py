"""地名 (places): the policies that a question names, mostly by a place (江阴 → Wuxi's)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from backend.kernel import areas
from backend.policies.book import PolicyBook
from backend.policies.policy import Policy
from backend.policies.search.words import normalise

_KINDS: Final = ("省", "市", "县", "区")


class Places:
    """The places around the book's policies: their own, those below and those above."""

    def __init__(self, book: PolicyBook) -> None:
        self._policies: dict[str, frozenset[str]] = {}
        for policy in book.policies.values():
            for name in _names_of(policy):
                known = self._policies.get(name, frozenset())
                self._policies[name] = known | {policy.id}

    def named_in(self, text: str) -> frozenset[str]:
        """Ids of the policies that a normalised text names; of several places the nearest."""
        named = [policies for name, policies in self._policies.items() if name in text]
        fewest = min(map(len, named), default=0)
        return frozenset().union(*(policies for policies in named if len(policies) == fewest))

    def without_names(self, text: str) -> str:
        """The text without the names of places; the text itself where nothing else is in it."""
        rest = text
        for name in sorted(self._policies, key=len, reverse=True):
            rest = rest.replace(name, " ")
        return rest if rest.strip(" ，,。、的") else text


def _names_of(policy: Policy) -> Iterator[str]:
    document = policy.document
    yield from (normalise(name) for name in (document.title, document.number) if name)
    if policy.area is not None:
        for code in (*areas.chain(policy.area), *areas.below(policy.area)):
            yield from _names(code)


def _names(code: str) -> Iterator[str]:
    name = areas.area_short_name(code) or ""
    yield name
    if len(name) > 2 and name.endswith(_KINDS):
        yield name[:-1]
