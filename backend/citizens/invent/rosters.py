"""名册 (rosters): who holds which identity, from when to when, and who looks after them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from backend.citizens.invent.arrays import (
    NO_DAY,
    Chosen,
    Days,
    Places,
    Random,
    between,
    day_column,
    month_end,
    one_of,
    words,
)
from backend.citizens.invent.plan import Plan
from backend.citizens.invent.register import Register, text

CATEGORIES: Final = (
    "extreme_poverty", "subsistence_allowance", "subsistence_marginal", "orphan",
    "unattended_child", "child_unsupervised", "child_severe_or_stray", "child_poor_family",
    "entitled_veteran", "retrenched_worker_1960s", "destitute_worker", "severely_disabled",
    "disabled_living_allowance", "expenditure_poor", "expenditure_poor_seriously_ill",
    "temporary_relief_seriously_ill", "illness_impoverished", "poverty_monitored",
    "other_hardship",
)  # fmt: skip
_DEPARTMENTS: Final = {
    "entitled_veteran": "veterans", "destitute_worker": "trade_union",
    "severely_disabled": "disabled_federation", "disabled_living_allowance": "disabled_federation",
    "poverty_monitored": "rural_revitalisation", "other_hardship": "local",
}  # fmt: skip
_FIRST: Final = tuple(_DEPARTMENTS.get(code, "civil_affairs") for code in CATEGORIES)
_SECOND: Final = tuple("healthcare_security" if d == "civil_affairs" else "local" if d != "local"
                       else "health" for d in _FIRST)  # fmt: skip
_AT: Final = {code: place for place, code in enumerate(CATEGORIES)}
_FAMILY: Final = ("subsistence_allowance", "subsistence_marginal", "expenditure_poor",
                  "poverty_monitored", "illness_impoverished", "other_hardship")  # fmt: skip
_FAMILY_SHARES: Final = (0.075, 0.065, 0.05, 0.035, 0.02, 0.02, 0.735)
_TAPERED: Final = (_AT["subsistence_allowance"], _AT["subsistence_marginal"])
_ILL: Final = _AT["expenditure_poor_seriously_ill"]


@dataclass(frozen=True)
class Held:
    """Identities, an entry each, by person. `department` 0: the usual one, 1: another beside it."""

    person: Places
    category: Places
    department: Places
    from_: Days
    to: Days

    def joined(self, other: Held) -> Held:
        """Both, by person, then category, department and day."""
        names = ("person", "category", "department", "from_", "to")
        parts = {n: np.concatenate([getattr(self, n), getattr(other, n)]) for n in names}
        order = np.lexsort([parts[n] for n in ("from_", "department", "category", "person")])
        return Held(**{n: values[order] for n, values in parts.items()})

    def where(self, chosen: Chosen) -> Held:
        """Only the chosen ones."""
        return Held(
            self.person[chosen], self.category[chosen], self.department[chosen],
            self.from_[chosen], self.to[chosen],
        )  # fmt: skip


def identities(plan: Plan, place: int, people: Register) -> Held:
    """Who holds what: gained and lost within the years, some twice, some by two departments."""
    random = plan.random(3, place)
    person, category = _recognised(random, plan, people)
    count = len(person)
    early = plan.first_day - between(random, 1, 2_000, count)
    within = between(random, plan.first_day, plan.last_day, count)
    from_ = np.where(random.random(count) < 0.7, early, within).astype(np.int32)
    to = _ends(random, plan, from_)
    first = Held(person, category, np.zeros(count, np.int64), from_, to)
    return first.joined(_again(random, first)).joined(_beside(random, first))


def identity_rows(plan: Plan, place: int, people: Register, held: Held) -> pl.DataFrame:
    """The rows of identities.csv."""
    random = plan.random(4, place)
    count = len(held.person)
    usual, other = words(_FIRST, held.category), words(_SECOND, held.category)
    certificates = "Z" + pl.Series(random.integers(10**7, 10**8, count)).cast(pl.String)
    return pl.DataFrame(
        {
            "id_number": text(people.number).gather(pl.Series(held.person)),
            "category": words(CATEGORIES, held.category),
            "department": other.zip_with(pl.Series(held.department == 1), usual),
            "from": day_column(held.from_),
            "to": day_column(held.to),
            "applied_on": day_column(_applied_on(random, held)),
            "certificate_no": certificates.set(pl.Series(random.random(count) < 0.3), ""),
            "taper_until": day_column(_taper_until(random, held)),
        }
    )


def assignment_rows(plan: Plan, place: int, people: Register, held: Held) -> pl.DataFrame:
    """The rows of assignments.csv: who looks after most of the people that hold an identity."""
    random = plan.random(5, place)
    person = np.unique(held.person)
    person = np.repeat(person[random.random(len(person)) < 0.6], 3)
    role = np.arange(len(person)) % 3
    from_ = np.repeat(plan.first_day - between(random, 0, 700, len(person) // 3), 3)
    ended = random.random(len(person)) < 0.06
    to = np.where(ended, from_ + between(random, 200, 900, len(person)), NO_DAY)
    staff = pl.Series(people.village[person] // 1_000).cast(pl.String)
    return pl.DataFrame(
        {
            "id_number": text(people.number).gather(pl.Series(person)),
            "role": words(("family_doctor", "cadre", "village_coordinator"), role),
            "staff_no": words(("D", "C", "V"), role) + staff,
            "from": day_column(from_),
            "to": day_column(to),
        }
    )


def _recognised(random: Random, plan: Plan, people: Register) -> tuple[Places, Places]:
    """Pairs of person and category, no pair twice, by person."""
    keys = [
        np.flatnonzero(chosen) * len(CATEGORIES) + _AT[code]
        for code, chosen in _chosen(random, people, people.age(plan.first_day))
    ]
    unusual = np.flatnonzero(random.random(len(people)) < 0.03) * len(CATEGORIES)
    keys.append(unusual + random.integers(0, len(CATEGORIES), len(unusual)))
    return np.divmod(np.unique(np.concatenate(keys)), len(CATEGORIES))


def _chosen(random: Random, people: Register, age: Places) -> list[tuple[str, Chosen]]:
    families = people.household - people.household.min(initial=0)
    hardship = one_of(random, _FAMILY_SHARES, int(families.max(initial=0)) + 1)[families]

    def some(share: float, among: Chosen) -> Chosen:
        return among & (random.random(len(people)) < share)

    everybody = np.ones(len(people), bool)
    child, old = age < 18, age >= 60
    alone = np.bincount(families, minlength=1)[families] == 1 if len(people) else everybody
    chosen = [(code, some(0.9, hardship == place)) for place, code in enumerate(_FAMILY)]
    chosen += [(code, some(0.015, child)) for code in CATEGORIES if code in _CHILDREN]
    return [
        *chosen,
        ("extreme_poverty", some(0.3, old & alone)),
        ("entitled_veteran", some(0.02, old)),
        ("retrenched_worker_1960s", some(0.04, age >= 78)),
        ("destitute_worker", some(0.03, people.insurance == 1)),
        ("severely_disabled", some(0.02, everybody)),
        ("disabled_living_allowance", some(0.015, everybody)),
        ("expenditure_poor_seriously_ill", some(0.2, hardship == 2) | some(0.01, everybody)),
        ("temporary_relief_seriously_ill", some(0.01, everybody)),
    ]


_CHILDREN: Final = frozenset(CATEGORIES[3:8])


def _ends(random: Random, plan: Plan, from_: Days) -> Days:
    """Most are still held; the others end within the years, a third on the last of a month."""
    count = len(from_)
    day = between(random, np.maximum(from_, plan.first_day), plan.last_day, count)
    day = np.where(random.random(count) < 0.33, month_end(day), day)
    return np.where(random.random(count) < 0.25, day, NO_DAY).astype(np.int32)


def _again(random: Random, first: Held) -> Held:
    """Some of those that were lost are recognised again, after a gap."""
    lost = first.where((first.to != NO_DAY) & (random.random(len(first.to)) < 0.15))
    from_ = lost.to + between(random, 2, 150, len(lost.to))
    still = np.full(len(from_), NO_DAY, np.int32)
    return Held(lost.person, lost.category, lost.department, from_.astype(np.int32), still)


def _beside(random: Random, first: Held) -> Held:
    """Some are on a second department's roster too, for days that overlap."""
    some = first.where(random.random(len(first.to)) < 0.05)
    count = len(some.to)
    from_ = some.from_ + between(random, -90, 90, count)
    to = np.where(random.random(count) < 0.4, from_ + between(random, 30, 500, count), NO_DAY)
    other = np.ones(count, np.int64)
    return Held(some.person, some.category, other, from_.astype(np.int32), to.astype(np.int32))


def _applied_on(random: Random, held: Held) -> Days:
    """Shortly before; for the seriously ill, whose help reaches back, up to a year later."""
    count = len(held.from_)
    ill = held.category == _ILL
    day = held.from_ - between(random, np.where(ill, -365, 0), 60, count)
    return np.where(random.random(count) < np.where(ill, 0.85, 0.45), day, NO_DAY).astype(np.int32)


def _taper_until(random: Random, held: Held) -> Days:
    """渐退期: for some of those that lose 低保 or 低边."""
    count = len(held.to)
    tapered = np.isin(held.category, _TAPERED) & (held.to != NO_DAY) & (random.random(count) < 0.4)
    until = held.to + between(random, 90, 365, count)
    return np.where(tapered, until, NO_DAY).astype(np.int32)
