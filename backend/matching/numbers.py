"""编号 (numbers): the codes of the catalogue as the numbers that rows hold, both ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from backend.citizens.codes import Codes
from backend.policies.book import PolicyBook

Places = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Numbers:
    """`*_places`: number of a code → its position in the vocabulary, −1 where it has none.

    `category_numbers`: position of a category → its number (the last entry is for no category).
    """

    layers: Mapping[str, int]
    policies: Mapping[str, int]
    entitlements: Mapping[str, int]
    deliveries: Mapping[str, int]
    categories: tuple[str, ...]
    settings: tuple[str, ...]
    groups: tuple[str, ...]
    category_places: Places
    category_numbers: npt.NDArray[np.int16]
    setting_places: Places
    group_places: Places

    def number_of_category(self, code: str | None) -> int:
        """−1 for none."""
        return -1 if code is None else int(self.category_numbers[self.categories.index(code)])


def numbers_of(session: Session, book: PolicyBook) -> Numbers:
    """The numbers of every code in the book; new codes get one."""
    return _numbers(book, Codes.given(session, _codes(book)))


def numbers_as_known(session: Session, book: PolicyBook) -> Numbers:
    """The same, and nothing is written: codes that no row can hold yet have numbers of no row."""
    given: dict[str, dict[str, int]] = {}
    for kind, codes in _codes(book).items():
        known = Codes.all(session, kind)
        new = [code for code in dict.fromkeys(codes) if code not in known]
        last = max(known.values(), default=0)
        given[kind] = known | {code: last + place for place, code in enumerate(new, start=1)}
    return _numbers(book, given)


def _codes(book: PolicyBook) -> Mapping[str, Iterable[str]]:
    words = book.vocabulary
    entitlements = [one for policy in book.policies.values() for one in policy.entitlements]
    return {
        "category": words.categories,
        "setting": words.settings,
        "disease_group": words.disease_groups,
        "layer": words.layers,
        "policy": book.policies,
        "entitlement": [one.code for one in entitlements],
        "delivery": [one.delivery for one in entitlements],
    }


def _numbers(book: PolicyBook, given: Mapping[str, Mapping[str, int]]) -> Numbers:
    words = book.vocabulary
    own = [given["category"][code] for code in words.categories]
    return Numbers(
        layers=given["layer"],
        policies=given["policy"],
        entitlements=given["entitlement"],
        deliveries=given["delivery"],
        categories=tuple(words.categories),
        settings=tuple(words.settings),
        groups=tuple(words.disease_groups),
        category_places=_places(given["category"], words.categories),
        category_numbers=np.asarray([*own, -1], np.int16),
        setting_places=_places(given["setting"], words.settings),
        group_places=_places(given["disease_group"], words.disease_groups),
    )


def _places(known: Mapping[str, int], codes: Iterable[str]) -> Places:
    """By number; numbers of codes that the vocabulary has no more are −1."""
    order = list(codes)
    places = np.full(max(known.values(), default=0) + 1, -1, np.int8)
    for code, number in known.items():
        places[number] = order.index(code) if code in order else -1
    return places
