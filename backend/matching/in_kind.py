"""钱以外的待遇 (in kind): what everybody of a slice is due beside the money, from day to day.

A person is due an entitlement on the days on which an identity of its categories counts (once lost,
to the end of that month), while the person's own conditions hold, until death or moving away. What
the machine cannot decide is a question for a person, never a refusal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from backend.estimation.columns import Flags
from backend.matching.conditions import NO, YES, figure, insured_as, judged, of_age
from backend.matching.in_kind_columns import Due, Held, Numbers, People, Questions
from backend.matching.intervals import Intervals, common, joined, merged, month_end, year_of
from backend.matching.premium_aid import KIND as PREMIUM_AID
from backend.matching.premium_aid import Aid, PaidFor, cover, one_a_year
from backend.policies.book import Vocabulary
from backend.policies.entitlements import DELIVERIES
from backend.policies.policy import Policy
from backend.policies.shapes import ConditionsShape, EntitlementShape

__all__ = ["Due", "Found", "Held", "People", "PolicySpan", "Questions", "entitlements_due"]

PolicySpan: TypeAlias = tuple[Policy, int, int]
"""A policy with the first and the last day of the year on which it decides."""

_DELIVERY_PLACES: Final = {code: place for place, code in enumerate(DELIVERIES)}


class Found(NamedTuple):
    """`entitlements`: (policy id, entitlement code), which `due` and `questions` name by place."""

    entitlements: tuple[tuple[str, str], ...]
    due: Due
    questions: Questions


def entitlements_due(
    policy_spans: Sequence[PolicySpan],
    people: People,
    held: Held,
    vocabulary: Vocabulary,
    year: int,
) -> Found:
    """What each person is due in the year under the policies of their registered area, by person.

    `policy_spans`: apart from each other. Raises `UnknownDiagnosis`.
    """
    search = _Search(people, held, vocabulary, year)
    for span in policy_spans:
        search.under(*span)
    return search.found()


class _Search:
    """What the policies of the year give, gathered by the place of the entitlement."""

    def __init__(self, people: People, held: Held, vocabulary: Vocabulary, year: int) -> None:
        self.people = people
        self.held = held
        self.positions = vocabulary.positions
        self.year = year
        self.last_day = people.last_day
        self.insured = cache(lambda asked: insured_as(people, asked))
        self.places: dict[tuple[str, str], int] = {}
        self.shapes: list[EntitlementShape] = []
        self.days: dict[int, list[Intervals]] = {}
        self.paid: list[PaidFor] = []
        self.doubts: dict[int, list[tuple[Numbers, Numbers]]] = {}

    def under(self, policy: Policy, first: int, last: int) -> None:
        """Takes in what the policy gives on its days."""
        for shape in policy.entitlements:
            key = (policy.id, shape.code)
            if key not in self.places:
                self.places[key] = len(self.shapes)
                self.shapes.append(shape)
            if shape.kind == PREMIUM_AID:
                self._premium(Aid(self.places[key], policy, shape, first, last))
        for begin, end in _by_figures(policy, first, last):
            self._with_figures(policy, begin, end)

    def _with_figures(self, policy: Policy, first: int, last: int) -> None:
        found: dict[frozenset[str], Intervals] = {}
        for shape in policy.entitlements:
            if shape.kind != PREMIUM_AID:
                named = _categories(policy, shape)
                if named not in found:
                    found[named] = self._identity_days(policy, named, first, last)
                place = self.places[policy.id, shape.code]
                days = self._of_age(shape.conditions, policy, first, found[named])
                if shape.every is not None:
                    every = figure(policy, shape.every, date.fromordinal(first))
                    days = self._in_turn(every, named, days)
                certain = self._certain(place, shape.conditions, days)
                self.days.setdefault(place, []).append(certain)

    def _premium(self, aid: Aid) -> None:
        held = self.held.take(self._flags(_categories(aid.policy, aid.shape))[self.held.category])
        tapering = self._flags(aid.rule.taper)[held.category]
        days = cover(aid, held, tapering, self.year)
        days = days.clip(0, self.last_day[days.person])
        days = self._of_age(aid.shape.conditions, aid.policy, aid.first, days)
        certain = self._certain(aid.place, aid.shape.conditions, days)
        self.paid.append(PaidFor(aid.place, aid.share, certain))

    def _identity_days(
        self, policy: Policy, categories: frozenset[str], first: int, last: int
    ) -> Intervals:
        """The days in life on which an identity of the categories counts, by person."""
        rows = self._flags(categories)[self.held.category]
        to = self.held.to[rows]
        if policy.benefits.identities.lost_counts_to == "end_of_month":
            to = month_end(to)
        days = merged(Intervals(self.held.person[rows], self.held.from_[rows], to))
        return days.clip(first, np.minimum(last, self.last_day[days.person]))

    def _of_age(
        self, conditions: ConditionsShape, policy: Policy, day: int, days: Intervals
    ) -> Intervals:
        """The days on which the person is of the age asked, by the figures of the day."""
        if conditions.age_from is None and conditions.age_to is None:
            return days
        first, last = of_age(conditions, policy, date.fromordinal(day), self.people)
        return days.clip(first[days.person], last[days.person])

    def _in_turn(self, every: int, categories: frozenset[str], days: Intervals) -> Intervals:
        """The days of those whose turn the year is: counted from the first year in which they held
        an identity of the categories."""
        rows = self._flags(categories)[self.held.category]
        first = np.full(len(self.people), self.year, np.int32)
        np.minimum.at(first, self.held.person[rows], year_of(self.held.from_[rows]))
        return days.take((self.year - first[days.person]) % every == 0)

    def _certain(self, place: int, conditions: ConditionsShape, days: Intervals) -> Intervals:
        """The days that are due for certain; who is in doubt is kept for a person to decide."""
        insured = self.insured(tuple(conditions.insurance)) if conditions.insurance else None
        if insured is not None:
            days = common(days, insured.days)
        verdicts = judged(conditions, self.people, insured)[days.person]
        doubtful = (verdicts != YES) & (verdicts != NO)
        if doubtful.any():
            doubts = (days.person[doubtful], verdicts[doubtful])
            self.doubts.setdefault(place, []).append(doubts)
        return days.take(verdicts == YES)

    def _named(self, *whole: Intervals) -> Flags:
        """A flag a person: named by an interval."""
        named = np.zeros(len(self.people), np.bool_)
        for days in whole:
            named[days.person] = True
        return named

    def _flags(self, categories: Iterable[str]) -> Flags:
        """A flag a category, by its position in the vocabulary."""
        named = np.zeros(len(self.positions), np.bool_)
        for code in categories:
            named[self.positions[code]] = True
        return named

    def found(self) -> Found:
        """Everything gathered, by person."""
        days = {place: joined(parts) for place, parts in self.days.items()}
        days.update(one_a_year(self.paid))
        self._one_of_two(days)
        due = _due(days, [_DELIVERY_PLACES[shape.delivery] for shape in self.shapes])
        return Found(tuple(self.places), due, self._questions(days))

    def _one_of_two(self, days: dict[int, Intervals]) -> None:
        """Takes away what somebody is due, or in doubt about, who gets another in its place."""
        for (policy, _), place in self.places.items():
            other = self.shapes[place].instead_of
            if other is not None:
                given, behind = self._named(days[place]), self.places[policy, other]
                days[behind] = days[behind].take(~given[days[behind].person])
                self.doubts[behind] = [
                    (person[~given[person]], reason[~given[person]])
                    for person, reason in self.doubts.get(behind, ())
                ]

    def _questions(self, days: Mapping[int, Intervals]) -> Questions:
        """Who is in doubt and not due it for certain; premium aids are one thing."""
        aids = {place for place, shape in enumerate(self.shapes) if shape.kind == PREMIUM_AID}
        groups = [aids, *({place} for place in self.doubts if place not in aids)]
        rows = [row for places in groups for row in self._doubtful(places, days)]
        person, place, reason = (
            np.concatenate([np.empty(0, kind), *(row[column] for row in rows)])
            for column, kind in enumerate((np.int32, np.int16, np.int8))
        )
        order = np.lexsort((place, person))
        return Questions(person[order], place[order], reason[order])

    def _doubtful(
        self, places: set[int], days: Mapping[int, Intervals]
    ) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
        """(person, place, reason) of doubts about one of the places, one a person."""
        settled = self._named(*(days[place] for place in places if place in days))
        for place in sorted(places):
            for persons, reasons in self.doubts.get(place, ()):
                asked, first = np.unique(persons, return_index=True)
                rows = ~settled[asked]
                asked = asked[rows]
                settled[asked] = True
                yield asked, np.full(len(asked), place, np.int16), reasons[first][rows]


def _categories(policy: Policy, shape: EntitlementShape) -> frozenset[str]:
    everybody = shape.categories == "all"
    return frozenset(policy.document.beneficiaries if everybody else shape.categories)


def _by_figures(policy: Policy, first: int, last: int) -> Iterator[tuple[int, int]]:
    """The days cut where an age or a number of years that an entitlement names gets another."""
    named = [
        code
        for shape in policy.entitlements
        for code in (shape.conditions.age_from, shape.conditions.age_to, shape.every)
    ]
    turns = {
        value.from_.toordinal()
        for code in named
        if code is not None
        for value in policy.parameters[code].values
        if value.from_ is not None and first < value.from_.toordinal() <= last
    }
    for begin, behind in pairwise([first, *sorted(turns), last + 1]):
        yield begin, behind - 1


def _due(days: Mapping[int, Intervals], deliveries: Sequence[int]) -> Due:
    """The intervals of every entitlement, by person; a person's in the order of the catalogue."""
    places = sorted(days)
    counts = [len(days[place]) for place in places]
    person, from_, to = (
        np.concatenate([np.empty(0, np.int32), *(getattr(days[one], column) for one in places)])
        for column in ("person", "from_", "to")
    )
    place = np.repeat(np.asarray(places, np.int16), counts)
    order = np.argsort(person, kind="stable")
    delivery = np.asarray(deliveries, np.int8)[place[order]]
    return Due(person[order], place[order], from_[order], to[order], delivery)
