"""村居 (places): townships and villages of the counties, in invented numbers."""

from __future__ import annotations

from typing import Final

import numpy as np

from backend.citizens.invent.arrays import Chosen, Places, Random, between

_STREETS: Final = tuple(range(1, 7))
_TOWNS: Final = tuple(range(100, 108))
_COMMUNITIES: Final = tuple(range(1, 9))
_VILLAGES: Final = tuple(range(200, 212))
RURAL_FROM: Final = 200
"""Villages are numbered from here on, communities of residents below."""


def villages_of(county: str) -> Places:
    """The twelve-digit codes of the county's villages and communities, ascending."""
    codes = [
        int(county) * 1_000_000 + township * 1_000 + village
        for townships, villages in (
            (_STREETS, _COMMUNITIES),
            (_TOWNS, (*_COMMUNITIES[:2], *_VILLAGES)),
        )
        for township in townships
        for village in villages
    ]
    return np.array(codes, np.int64)


def registered(random: Random, county: str, households: int) -> Places:
    """Where each household is registered, ascending."""
    villages = villages_of(county)
    return villages[np.sort(random.integers(0, len(villages), households))]


def lived_in(random: Random, registered_in: Places, counties: tuple[str, ...]) -> Places:
    """Where people live: most where they are registered, the others in any of the counties."""
    count = len(registered_in)
    villages = np.stack([villages_of(county) for county in counties])
    away = villages[
        random.integers(0, len(counties), count), random.integers(0, villages.shape[1], count)
    ]
    return np.where(random.random(count) < 0.85, registered_in, away)


def rural(random: Random, registered_in: Places) -> Chosen:
    """Rural people: nearly all of the villages, few of the communities."""
    in_village = registered_in % 1_000 >= RURAL_FROM
    return random.random(len(registered_in)) < np.where(in_village, 0.97, 0.08)


def county_sizes(random: Random, counties: int, people: int) -> Places:
    """How many people each county has: some more, some fewer, `people` in all."""
    shares = between(random, 60, 140, counties).astype(float)
    edges = np.rint(np.cumsum(shares) / shares.sum() * people).astype(np.int64)
    return np.diff(np.concatenate([[0], edges]))
