"""适用的政策 (spans): which policy decides in a county on each day of a year."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import groupby

from backend.estimation.case import Assumptions, SeriousIllnessBase
from backend.estimation.terms import Rules
from backend.policies.policy import Policy


@dataclass(frozen=True)
class Span:
    """Days of a year, as ordinals, both included, on which one policy decides."""

    policy: Policy
    first: int
    last: int


@lru_cache(maxsize=256)
def spans_of(rules: Rules, county: str, year: int) -> tuple[Span, ...]:
    """The year's days by policy; days without a policy in force are left out."""
    return tuple(_spans(rules, county, year))


def _spans(rules: Rules, county: str, year: int) -> Iterator[Span]:
    decided = ((rules.book.of_area(county, day), day.toordinal()) for day in _days(year))
    for policy, days in groupby(decided, key=lambda one: one[0]):
        ordinals = [day for _, day in days]
        if policy is not None:
            yield Span(policy, ordinals[0], ordinals[-1])


def bases_of(
    rules: Rules, county: str, spans: tuple[Span, ...]
) -> tuple[SeriousIllnessBase | None, ...]:
    """The locality's serious-illness insurance on the days of the spans: each that holds once."""
    return _bases(rules, county, tuple((span.first, span.last) for span in spans))


@lru_cache(maxsize=256)
def _bases(
    rules: Rules, county: str, spans: tuple[tuple[int, int], ...]
) -> tuple[SeriousIllnessBase | None, ...]:
    days = (day for first, last in spans for day in range(first, last + 1))
    found = (
        rules.assumptions(Assumptions(), county, date.fromordinal(day)).serious_illness_base
        for day in days
    )
    return tuple(dict.fromkeys(found))


def pays_without_identity(rules: Rules, policy: Policy, county: str, day: date) -> bool:
    """Whether a layer computes something for people on whose bills no identity counts."""
    assumptions = rules.assumptions(Assumptions(), county, day)
    terms = rules.terms_of(policy).on(day, assumptions)
    tables = (table for layer in terms.by_layer.values() for table in layer.tables)
    return any(row.shape.otherwise for table in tables for row in table.rows)


def _days(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)
