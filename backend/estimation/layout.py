"""How a block's bills stand together: years, and waves of bills of different years."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from backend.estimation.columns import Days, Flags, Places


@dataclass(frozen=True)
class Wave:
    """Bills of which no two are of one person's year. `bills`: their places in the block; `years`:
    the place of each bill's year; slices where every year has the same number of bills."""

    bills: Any
    years: Any

    def take(self, at: npt.NDArray[np.intp]) -> Wave:
        """The wave's bills at these places of the wave."""
        return Wave(_take(self.bills, at), _take(self.years, at))

    def where(self, chosen: Flags) -> Wave:
        """The wave's bills that are chosen; `chosen` has an entry a bill of the block."""
        return self.take(np.flatnonzero(chosen[self.bills]))


def _take(places: Any, at: npt.NDArray[np.intp]) -> Any:
    if isinstance(places, slice):
        return (places.start or 0) + at * (places.step or 1)
    return places[at]


@dataclass(frozen=True)
class Layout:
    """The years of a block: where each starts and how many bills it has."""

    starts: npt.NDArray[np.intp]
    sizes: npt.NDArray[np.intp]

    @property
    def years(self) -> int:
        """How many years stand in the block."""
        return len(self.starts)

    @classmethod
    def of(cls, person: Places, discharged: Days) -> Layout:
        """From the columns of the block, ordered by person and day."""
        year = calendar_years(discharged)
        new = np.empty(len(person), np.bool_)
        new[0] = True
        np.not_equal(person[1:], person[:-1], out=new[1:])
        if year is not None:
            new[1:] |= year[1:] != year[:-1]
        starts = np.flatnonzero(new)
        return cls(starts, np.diff(starts, append=len(person)))

    def waves(self) -> Iterator[Wave]:
        """First bills of all years, second bills, and so on."""
        longest = int(self.sizes.max())
        if int(self.sizes.min()) == longest:
            for n in range(longest):
                yield Wave(slice(n, None, longest), slice(None))
            return
        for n in range(longest):
            years = np.flatnonzero(self.sizes > n)
            yield Wave(self.starts[years] + n, years)


def calendar_years(days: Days) -> npt.NDArray[np.int16] | None:
    """The calendar year of each day, counted from the block's first; None: all the same."""
    first = date.fromordinal(int(days.min())).year
    last = date.fromordinal(int(days.max())).year
    if first == last:
        return None
    years = np.zeros(len(days), np.int16)
    for year in range(first + 1, last + 1):
        years += days >= date(year, 1, 1).toordinal()
    return years
