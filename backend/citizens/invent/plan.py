"""计划 (plan): how many people, where, which years; every draw follows from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from backend.citizens.invent.arrays import Days
from backend.kernel import areas

PLACES: Final = ("320200", "320582", "330382", "320902")
"""无锡 with its counties, 张家港, 乐清, 亭湖: the places of the policies."""
YEAR: Final = 2024
BILLS_EACH: Final = 3
MOST_IN_A_COUNTY: Final = 5_000_000
"""Above it, identity numbers born on one day in one county run out (999 a day)."""


class CannotInvent(ValueError):
    """The people asked for cannot be made up; a Chinese sentence says what to change."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make up. `counties`: six digits each, ascending; `years`: in which bills fall."""

    people: int
    seed: int
    counties: tuple[str, ...]
    years: tuple[int, ...] = (YEAR,)
    bills: int = 0

    @property
    def first_day(self) -> int:
        """1 January of the first year, as an ordinal."""
        return date(self.years[0], 1, 1).toordinal()

    @property
    def last_day(self) -> int:
        """31 December of the last year, as an ordinal."""
        return date(self.years[-1], 12, 31).toordinal()

    def days(self) -> Days:
        """Every day of the years, ascending, as ordinals."""
        spans = [
            np.arange(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
            for year in self.years
        ]
        return np.concatenate(spans).astype(np.int32)

    def random(self, *part: int) -> np.random.Generator:
        """The source of chance for one part of the work."""
        return np.random.default_rng((self.seed, *part))


def plan(people: int, seed: int, places: tuple[str, ...], years: tuple[int, ...]) -> Plan:
    """A plan for all counties of the places. Raises `CannotInvent`, saying what to change."""
    counties = tuple(sorted({county for place in places for county in counties_of(place)}))
    if people > MOST_IN_A_COUNTY * len(counties):
        raise CannotInvent(f"每个县最多编造 {MOST_IN_A_COUNTY} 人：请减少人数，或者多给几个地区。")
    return Plan(people, seed, counties, tuple(sorted(set(years))), people * BILLS_EACH)


def counties_of(place: str) -> tuple[str, ...]:
    """The counties of a place, or itself where it is one. Raises `CannotInvent`."""
    if not areas.is_area(place):
        raise CannotInvent(f"没有“{place}”这个行政区划：请填 GB/T 2260 代码，例如 320281。")
    below = areas.below(place)
    return tuple(one for one in below if not one.endswith("00")) or (place[:6],)
