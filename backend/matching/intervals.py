"""区间 (intervals): days of many people at once, from day to day, both included, as columns.

Days are proleptic ordinals from `FAR_PAST` to `FAR_FUTURE`; people are places in a slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from backend.estimation.columns import Days, Places
from backend.estimation.masks import months_before
from backend.kernel.copy import FAR_FUTURE

DayBound: TypeAlias = Days | int
Rows: TypeAlias = npt.NDArray[Any]
"""Places of rows, or a flag a row."""

_APART: Final = 1 << 23
"""Between two people's days on one axis: more than there are days."""
_EPOCH: Final = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Intervals:
    """One entry an interval, in the order of people. `from_` is not after `to`."""

    person: Places
    from_: Days
    to: Days

    def __len__(self) -> int:
        return len(self.person)

    def take(self, rows: Rows) -> Intervals:
        """Some of the intervals."""
        return Intervals(self.person[rows], self.from_[rows], self.to[rows])

    def clip(self, first: DayBound, last: DayBound) -> Intervals:
        """What lies within the days, one bound for all or one an interval; the rest falls away."""
        from_, to = np.maximum(self.from_, first), np.minimum(self.to, last)
        left = Intervals(self.person, from_.astype(np.int32), to.astype(np.int32))
        empty = left.from_ > left.to
        return left.take(~empty) if empty.any() else left


def joined(parts: Sequence[Intervals]) -> Intervals:
    """The parts as one; overlapping and adjacent intervals of a person become one interval."""
    if not parts:
        return Intervals(*(np.empty(0, np.int32) for _ in range(3)))
    whole = Intervals(
        np.concatenate([part.person for part in parts]),
        np.concatenate([part.from_ for part in parts]),
        np.concatenate([part.to for part in parts]),
    )
    return merged(whole)


def merged(whole: Intervals) -> Intervals:
    """Overlapping and adjacent intervals of a person as one, by person and first day."""
    if len(whole) == 0:
        return whole
    offset = whole.person.astype(np.int64) * _APART
    order = np.argsort(offset + whole.from_, kind="stable")
    offset = offset[order]
    begins = offset + whole.from_[order]
    reach = np.maximum.accumulate(offset + whole.to[order])
    opens = np.concatenate(([True], begins[1:] > reach[:-1] + 1))
    first = np.flatnonzero(opens)
    last = np.append(first[1:], len(order)) - 1
    return Intervals(
        whole.person[order][first],
        whole.from_[order][first],
        (reach[last] - offset[last]).astype(np.int32),
    )


def common(one: Intervals, other: Intervals) -> Intervals:
    """The days that lie in both, an interval for each two that meet; both in order of people."""
    begin = np.searchsorted(other.person, one.person, side="left")
    count = np.searchsorted(other.person, one.person, side="right") - begin
    rows = np.repeat(np.arange(len(one)), count)
    beside = begin[rows] + np.arange(len(rows)) - (np.cumsum(count) - count)[rows]
    return one.take(rows).clip(other.from_[beside], other.to[beside])


def month_end(days: Days) -> Days:
    """The last day of each day's month; an open end stays open."""
    months = (days - np.int64(_EPOCH)).astype("datetime64[D]").astype("datetime64[M]")
    following = (months + 1).astype("datetime64[D]").astype(np.int64)
    return np.where(days == FAR_FUTURE, FAR_FUTURE, following + (_EPOCH - 1)).astype(np.int32)


def year_of(days: Days) -> Days:
    """The calendar year of each day."""
    years = (days - np.int64(_EPOCH)).astype("datetime64[D]").astype("datetime64[Y]")
    return (years.astype(np.int64) + 1970).astype(np.int32)


def month_after(days: Days, months: int) -> Days:
    """The first day of the month so many months later."""
    later = month_end(months_before(days, -months))
    return month_end(months_before(later, 1)) + np.int32(1)


def birthday(born_on: Days, age: int) -> Days:
    """The day on which each age is reached.

    Born on 29 February, in a year without one: on the 28th, as 民法典 第202条 ends a term of years.
    """
    return months_before(born_on, -12 * age)
