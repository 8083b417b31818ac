"""到期事项 (duties): what a policy's calendar asks for on a day, from its parameters.

A layer has a year-end review where its policy states `LAYER.year_end_review.month`, a summary by
institution where it states `LAYER.summary.months`, a yearly settlement where it states
`LAYER.settlement.month` and `.day` (Tinghu 三(一)2, 四(二)).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from backend.policies.book import PolicyBook
from backend.policies.policy import Policy

DutyKind = Literal["review", "month", "year"]

NAMES: dict[DutyKind, str] = {"review": "年终复核名单", "month": "按月汇总", "year": "年度结算"}


@dataclass(frozen=True, slots=True)
class Duty:
    """Something due. `area`: the policy's (6 digits); `through`: the last day of discharge that
    counts."""

    kind: DutyKind
    policy: str
    layer: str
    area: str
    through: date

    @property
    def period(self) -> str:
        """`2023`, or `2023-05` for a month."""
        return f"{self.through:%Y-%m}" if self.kind == "month" else f"{self.through:%Y}"

    @property
    def year(self) -> int:
        """The calendar year that it concerns."""
        return self.through.year


def duties_on(book: PolicyBook, on: date) -> Iterator[Duty]:
    """What is due on the day or was shortly before: whoever does it does each period once.

    Left out are policies whose days of force are unconfirmed, and years in which they held on no
    day.
    """
    for policy in book.policies.values():
        if policy.area is None or policy.unconfirmed:
            continue
        for layer in policy.benefits.layers:
            for kind, through in _due(policy, layer.layer, on):
                if _held_in(policy, through.year):
                    yield Duty(kind, policy.id, layer.layer, policy.area, through)


def _due(policy: Policy, layer: str, on: date) -> Iterator[tuple[DutyKind, date]]:
    yield from _review(policy, layer, on)
    yield from _summary(policy, layer, on)
    yield from _settlement(policy, layer, on)


def _review(policy: Policy, layer: str, on: date) -> Iterator[tuple[DutyKind, date]]:
    """In its month: the year before."""
    if _figure(policy, f"{layer}.year_end_review.month", on) == on.month:
        yield "review", date(on.year - 1, 12, 31)


def _summary(policy: Policy, layer: str, on: date) -> Iterator[tuple[DutyKind, date]]:
    """Throughout a month: the month before, where the interval in use then ends with it."""
    last = on.replace(day=1) - timedelta(days=1)
    months = _figure(policy, f"{layer}.summary.months", last)
    if months and last.month % months == 0:
        yield "month", last


def _settlement(policy: Policy, layer: str, on: date) -> Iterator[tuple[DutyKind, date]]:
    """From its day on; in January that of the year before too, if nobody worked since."""
    before = [date(on.year - 1, 12, 31)] if on.month == 1 else []
    for known in (*before, on):
        month = _figure(policy, f"{layer}.settlement.month", known)
        day = _figure(policy, f"{layer}.settlement.day", known)
        if month and day:
            last = monthrange(known.year, month)[1]
            through = date(known.year, month, min(day, last))
            if through <= on:
                yield "year", through


def _figure(policy: Policy, code: str, on: date) -> int | None:
    parameter = policy.parameters.get(code)
    dated = None if parameter is None else parameter.on(on)
    return dated.value if dated is not None and isinstance(dated.value, int) else None


def _held_in(policy: Policy, year: int) -> bool:
    first, last = policy.first_day or date.min, policy.last_day or date.max
    return first <= date(year, 12, 31) and date(year, 1, 1) <= last
