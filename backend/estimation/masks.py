"""The identities that count on each bill of a block, as bits: see `identities.py` for one bill."""

from __future__ import annotations

from datetime import date
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from backend.estimation.columns import NO_DAY, Batch, Days
from backend.estimation.plan import NOBODY, Bits, Plan, month_end

Masks: TypeAlias = npt.NDArray[np.uint32]

FAR = date.max.toordinal()


def counting_masks(plan: Plan, batch: Batch, part: slice) -> Masks:
    """For each bill of the block, a bit for each category that counts on it."""
    bills, identities = batch.bills, batch.identities
    person = bills.person[part]
    low, high = int(person[0]), int(person[-1])
    # Persons in another type would copy the whole column for every block.
    between = np.array((low, high + 1), identities.person.dtype)
    begin, end = np.searchsorted(identities.person, between).tolist()
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
    stays = plan.codes(rules.stays, plan.vocabulary.settings)
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


def lowest_bit(masks: Masks) -> Bits:
    """The place of the lowest bit set; `NOBODY` (32) where none is: 0 − 1 wraps to all ones."""
    lowest = masks & (~masks + np.uint32(1))
    return np.bitwise_count(lowest - np.uint32(1))


def first_named(held: Masks, categories: list[str], plan: Plan) -> Any:
    """The bit of the category named first in the row among those held; `NOBODY` where none."""
    bits = plan.spans[0].terms.bits
    places = np.full(len(held), NOBODY, np.intp)
    for code in reversed(categories):
        bit = bits[code]
        places = np.where((held >> np.uint32(bit)) & np.uint32(1) != 0, bit, places)
    return places
