"""How a block's bills stand together: years, waves, and the identities that count on each bill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from backend.estimation.columns import NO_DAY, Batch, Days, Flags, Places
from backend.estimation.plan import Plan, month_end

FAR = date.max.toordinal()


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


def counting_masks(plan: Plan, batch: Batch, part: slice) -> npt.NDArray[np.uint32]:
    """For each bill of the block, a bit for each category that counts on it."""
    bills, identities = batch.bills, batch.identities
    person = bills.person[part]
    low, high = int(person[0]), int(person[-1])
    begin, end = np.searchsorted(identities.person, (low, high + 1)).tolist()
    masks = np.zeros(len(person), np.uint32)
    if begin == end:
        return masks
    held = np.bincount(identities.person[begin:end] - low, minlength=high - low + 1)
    first = np.cumsum(held) - held
    owner = person - low
    starts, ends = _spans(plan, batch, slice(begin, end))
    bits = plan.bits[identities.category[begin:end]].astype(np.uint32)
    needed = _first_needed(plan, batch, part)
    discharged = bills.discharged_on[part]
    for n in range(int(held.max())):
        if int(held.min()) > n:
            rows = first[owner] + n
            counts = (starts[rows] <= discharged) & (needed <= ends[rows])
            masks |= np.where(counts, bits[rows], np.uint32(0))
        else:
            at = np.flatnonzero(held[owner] > n)
            rows = first[owner[at]] + n
            counts = (starts[rows] <= discharged[at]) & (needed[at] <= ends[rows])
            masks[at] |= np.where(counts, bits[rows], np.uint32(0))
    return masks


def _first_needed(plan: Plan, batch: Batch, part: slice) -> Days:
    """The day up to which an identity must have lasted: a stay's first day, else the last."""
    bills = batch.bills
    rules = plan.policy.benefits.identities
    stays = plan.codes(frozenset(rules.stay_settings), plan.vocabulary.settings)
    stay = stays[bills.setting[part]]
    return np.where(stay, bills.admitted_on[part], bills.discharged_on[part])


def _spans(plan: Plan, batch: Batch, part: slice) -> tuple[Days, Days]:
    """First and last day on which each identity counts: see `identities.py`, by columns."""
    identities = batch.identities
    starts, to = identities.from_[part], identities.to[part]
    rules = plan.policy.benefits.identities
    ends = np.where(to == NO_DAY, np.int32(FAR), to)
    if rules.lost_counts_to == "end_of_month":
        known = np.where(to == NO_DAY, starts, to)
        ends = np.where(to == NO_DAY, np.int32(FAR), month_end(known))
    for rule, months in zip(rules.retroactive, plan.spans[0].terms.retroactive_months, strict=True):
        asked = identities.applied_on[part]
        named = plan.codes(frozenset(rule.categories), plan.vocabulary.categories)
        applies = named[identities.category[part]] & (asked != NO_DAY)
        earlier = months_before(np.where(applies, asked, starts), months)
        starts = np.where(applies, np.minimum(starts, earlier), starts)
    return starts, ends


def months_before(days: Days, months: int) -> Days:
    """The same day `months` earlier; a day that the month lacks becomes its last."""
    epoch = date(1970, 1, 1).toordinal()
    stamps = (days - epoch).astype("datetime64[D]")
    month = stamps.astype("datetime64[M]")
    day_of_month = stamps - month.astype("datetime64[D]")
    target = month - np.timedelta64(months, "M")
    last = (target + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    moved = np.minimum(target.astype("datetime64[D]") + day_of_month, last)
    ordinals: Days = (moved.astype(np.int64) + epoch).astype(np.int32)
    return ordinals
