"""资助参保 (premium aid): whose premium of residents' insurance is paid for a year, covered when.

The premium is paid once a person and year. Who was recognised before is covered from the first day
of the year (or of the policy), others from recognition or as long after it as `EnrolmentShape`
says. Who leaves stays covered to the end of the year and is not paid for in the next, unless a
taper period (渐退期) reaches into it (乐清 8; 无锡 三(二), 张家港 6: `premium-for-the-year`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from backend.estimation.columns import Days, Flags
from backend.kernel.copy import FAR_PAST
from backend.kernel.money import RATE_UNIT
from backend.matching.conditions import figure
from backend.matching.in_kind_columns import Held
from backend.matching.intervals import Intervals, month_after, month_end
from backend.policies.policy import Policy
from backend.policies.shapes import EnrolmentShape, EntitlementShape

KIND: Final = "premium_aid"


@dataclass(frozen=True)
class Aid:
    """A premium aid and the days of the year on which its policy is in force, both included.
    `place`: among the entitlements, in the order of the catalogue."""

    place: int
    policy: Policy
    shape: EntitlementShape
    first: int
    last: int

    @property
    def rule(self) -> EnrolmentShape:
        """Which days it covers."""
        return self.shape.enrolment or EnrolmentShape()

    @property
    def share(self) -> int:
        """The share of the premium, 1/10,000; a sum of money ranks behind every share."""
        code = self.shape.amount
        if code is None:
            return RATE_UNIT
        if self.policy.parameters[code].shape.unit != "rate":
            return 0
        return figure(self.policy, code, date.fromordinal(self.first))


def cover(aid: Aid, held: Held, tapering: Flags, year: int) -> Intervals:
    """The days of the year that each identity gives cover for, by person; some overlap.

    `held`: identities of the aid's categories, `tapering`: those with a right to a taper period.
    """
    year_end = date(year, 12, 31).toordinal()
    lost = np.where(tapering, np.maximum(held.to, held.taper_until), held.to)
    paid_for = (held.from_ <= aid.last) & (lost >= aid.first)
    to = np.full(len(lost), year_end, np.int32)
    if aid.rule.lost_covers_to == "end_of_month":
        to = np.minimum(to, month_end(lost))
    from_ = np.maximum(_begins(aid, held.from_), aid.first)
    rows = paid_for & (from_ <= to)
    return Intervals(held.person, from_.astype(np.int32), to.astype(np.int32)).take(rows)


def _begins(aid: Aid, recognised: Days) -> Days:
    """The first day of cover, by the figure of the day of recognition."""
    code = aid.rule.begins_after
    if code is None:
        return recognised
    parameter = aid.policy.parameters[code]
    asked = np.clip(recognised, aid.first, aid.last)
    begins = recognised
    for place, value in enumerate(parameter.values):
        start = value.from_.toordinal() if value.from_ and place else FAR_PAST
        if isinstance(value.value, int):
            later = _after(recognised, value.value, parameter.shape.unit == "months")
            begins = np.where(asked >= start, later, begins)
    return begins


def _after(days: Days, count: int, months: bool) -> Days:
    if not months:
        return days + np.int32(count)
    return month_after(days, count) if count else days


@dataclass(frozen=True)
class PaidFor:
    """Days of cover under one aid."""

    place: int
    share: int
    days: Intervals


def one_a_year(paid: Sequence[PaidFor]) -> Iterator[tuple[int, Intervals]]:
    """One interval a person, from the first day of cover to the last, by the place of the aid.

    Of several aids the one that pays the greatest share; of equal ones that which covered first, so
    that an identity gained later pays no second time; then the first in the catalogue (full before
    fixed).
    """
    if not paid:
        return
    person = np.concatenate([one.days.person for one in paid])
    from_ = np.concatenate([one.days.from_ for one in paid])
    to = np.concatenate([one.days.to for one in paid])
    counts = [len(one.days) for one in paid]
    place = np.repeat([one.place for one in paid], counts)
    share = np.repeat([one.share for one in paid], counts)
    order = np.lexsort((place, from_, -share, person))
    person = person[order]
    first = np.flatnonzero(np.append(True, person[1:] != person[:-1])[: len(person)])
    if len(first) == 0:
        return
    begins = np.minimum.reduceat(from_[order], first)
    ends = np.maximum.reduceat(to[order], first)
    whole, chosen = Intervals(person[first], begins, ends), place[order][first]
    for one in np.unique(chosen).tolist():
        yield one, whole.take(chosen == one)
