"""A policy's benefits on a day, as the numbers and bit masks that the engine computes with."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from backend.estimation.case import Assumptions, SeriousIllnessBase
from backend.estimation.rules import Scale
from backend.kernel.money import RATE_UNIT, half_up, parse_rate, parse_yuan
from backend.policies.book import PolicyBook, Vocabulary
from backend.policies.policy import Policy
from backend.policies.shapes import CoversShape, LayerShape, PoolShape, RowShape, TableShape


@dataclass(frozen=True)
class Covers:
    """Which bills: sets of codes, empty for any; flags that must be true."""

    settings: frozenset[str]
    flags: tuple[str, ...]
    groups: frozenset[str]

    @classmethod
    def of(cls, shape: CoversShape) -> Covers:
        """From the catalogue."""
        return cls(
            frozenset(shape.settings or ()),
            tuple(shape.flags),
            frozenset(shape.disease_groups or ()),
        )

    def misses(self, bill: Any) -> str | None:
        """What keeps the bill out: a flag's code, `"settings"` or `"disease_groups"`; or None."""
        for flag in self.flags:
            if not getattr(bill, flag):
                return flag
        if self.settings and bill.setting not in self.settings:
            return "settings"
        if self.groups and bill.disease_group not in self.groups:
            return "disease_groups"
        return None

    @property
    def everything(self) -> bool:
        """Covers any bill."""
        return not (self.settings or self.flags or self.groups)


@dataclass(frozen=True)
class RowTerms:
    """A row with its figures of the day. `mask`: a bit for each category."""

    shape: RowShape
    mask: int
    scale: Scale
    floor: bool
    income_assumed: bool

    @property
    def limited(self) -> bool:
        """The pools cut what this row gives."""
        return self.shape.limited


@dataclass(frozen=True)
class TableTerms:
    """A table of rows and the bills it covers."""

    shape: TableShape
    covers: Covers
    rows: tuple[RowTerms, ...]

    @cached_property
    def mask(self) -> int:
        """Every category of the table."""
        mask = 0
        for row in self.rows:
            mask |= row.mask
        return mask


@dataclass(frozen=True)
class PoolTerms:
    """A yearly limit (fen) and the bills it covers."""

    shape: PoolShape
    covers: Covers
    limit: int


@dataclass(frozen=True)
class LayerTerms:
    """One computed layer with its figures of the day. `keeps`: 1/10,000, where there is a share."""

    shape: LayerShape
    covers: Covers
    tables: tuple[TableTerms, ...]
    pools: tuple[PoolTerms, ...]
    keeps: int | None

    @property
    def code(self) -> str:
        """The layer's code."""
        return self.shape.layer

    @property
    def computable(self) -> bool:
        """False where it needs a base that nobody gave: then it is an input."""
        return bool(self.tables)


@dataclass(frozen=True)
class Terms:
    """A policy's terms on the days of one span, under given assumptions."""

    policy: Policy
    layers: tuple[LayerTerms, ...]
    retroactive_months: tuple[int, ...]
    """Months of each retroactive rule, in the order of the catalogue."""
    order: tuple[str, ...]
    """Every layer's code, in the order of payment."""
    bits: Mapping[str, int]
    """Category → its bit in the masks: first named in the policy's tables, lowest bit."""

    @cached_property
    def by_layer(self) -> dict[str, LayerTerms]:
        """The layers that can be computed."""
        return {layer.code: layer for layer in self.layers if layer.computable}


def span_starts(policy: Policy) -> tuple[date, ...]:
    """The days on which a figure of the policy changes, oldest first."""
    days = {
        value.from_
        for parameter in policy.parameters.values()
        for value in parameter.values[1:]
        if value.from_ is not None
    }
    return tuple(sorted(days))


class TermsOf:
    """The terms of one policy, by day; made once for each span, base and income."""

    def __init__(self, policy: Policy, vocabulary: Vocabulary) -> None:
        self.policy = policy
        self._vocabulary = vocabulary
        self._starts = span_starts(policy)
        self._made: dict[tuple[int, Assumptions], Terms] = {}

    def span(self, day: date) -> int:
        """The number of the span that holds the day."""
        return bisect_right(self._starts, day)

    def on(self, day: date, assumptions: Assumptions) -> Terms:
        """The terms of the day."""
        key = (self.span(day), assumptions)
        found = self._made.get(key)
        if found is None:
            found = self.compile(day, assumptions)
            if len(self._made) < 1024:
                self._made[key] = found
        return found

    def compile(self, day: date, assumptions: Assumptions, income: Any = None) -> Terms:
        """Terms made afresh; `income`: a column of fen, an entry a person, instead of one figure."""
        compiler = TermsCompiler(self.policy, self._vocabulary, day, assumptions)
        if income is not None:
            compiler.income = income
        return compiler.terms()


class TermsCompiler:
    """Turns a policy's benefits into the terms of one day."""

    def __init__(
        self, policy: Policy, vocabulary: Vocabulary, day: date, assumptions: Assumptions
    ) -> None:
        self.policy = policy
        self.vocabulary = vocabulary
        self.day = day
        self.base: SeriousIllnessBase | None = assumptions.serious_illness_base
        self.income: Any = assumptions.disposable_income_per_head
        self.bits = _bits(policy.benefits.layers, vocabulary)

    def terms(self) -> Terms:
        benefits = self.policy.benefits
        months = tuple(self.value(rule.months) for rule in benefits.identities.retroactive)
        layers = tuple(map(self.layer, benefits.layers))
        order = tuple(self.vocabulary.layers)
        return Terms(self.policy, layers, months, order, self.bits)

    def layer(self, shape: LayerShape) -> LayerTerms:
        missing = shape.needs == "serious_illness_base" and self.base is None
        keeps = self.value(shape.reduction.keeps) if shape.reduction else None
        return LayerTerms(
            shape,
            Covers.of(shape.covers),
            () if missing else tuple(map(self.table, shape.tables)),
            tuple(
                PoolTerms(pool, Covers.of(pool.covers), self.value(pool.limit))
                for pool in shape.pools
            ),
            keeps,
        )

    def table(self, shape: TableShape) -> TableTerms:
        return TableTerms(shape, Covers.of(shape.covers), tuple(map(self.row, shape.rows)))

    def row(self, shape: RowShape) -> RowTerms:
        deductible = self.deductible(shape)
        steps = _steps(self.bands(shape))
        first_bill = shape.deductible is not None and shape.deductible.kind == "first_bill"
        no_deductible = isinstance(deductible, int) and deductible == 0
        plain = no_deductible and len(steps) == 1 and steps[0][0] == 0
        floor = shape.rate is not None and self.policy.parameters[shape.rate].shape.floor
        by_income = shape.deductible is not None and shape.deductible.income is not None
        return RowTerms(
            shape,
            self.mask(shape.categories),
            Scale(deductible, steps, first_bill, plain),
            floor,
            by_income and self.income is None,
        )

    def deductible(self, shape: RowShape) -> Any:
        rule = shape.deductible
        if rule is None:
            return 0 if shape.from_base is None or self.base is None else self.base.deductible
        value = self.value(rule.value)
        if rule.income is not None:
            income = self.value(rule.income) if self.income is None else self.income
            return half_up(income * value)
        if rule.kind == "base_share":
            return 0 if self.base is None else half_up(self.base.deductible * value)
        return value

    def bands(self, shape: RowShape) -> list[tuple[int, int]]:
        if shape.from_base is not None:
            return [(0, self.rate_from_base(shape))]
        if shape.rate is not None:
            return [(0, self.value(shape.rate))]
        return [
            (0 if band.above is None else self.value(band.above), self.value(band.rate))
            for band in shape.bands
        ]

    def rate_from_base(self, shape: RowShape) -> int:
        rate = self.base.rate if self.base is not None else 0
        if shape.from_base is not None and shape.from_base.plus is not None:
            rate = min(rate + self.value(shape.from_base.plus), RATE_UNIT)
        if shape.from_base is not None and shape.from_base.at_least is not None:
            rate = max(rate, self.value(shape.from_base.at_least))
        return rate

    def mask(self, categories: Iterable[str]) -> int:
        mask = 0
        for category in categories:
            mask |= 1 << self.bits[category]
        return mask

    def value(self, code: str) -> int:
        dated = self.policy.parameters[code].on(self.day)
        if dated is None or isinstance(dated.value, date):
            raise LookupError(f"{self.policy.id}: {code} has no figure on {self.day}")
        return dated.value


def _bits(layers: list[LayerShape], vocabulary: Vocabulary) -> dict[str, int]:
    """Medical assistance names its categories first: its order of rows decides ties."""
    ordered = sorted(layers, key=lambda layer: layer.layer != "medical_assistance")
    named = [
        category
        for layer in ordered
        for table in layer.tables
        for row in table.rows
        for category in row.categories
    ]
    return {code: bit for bit, code in enumerate(dict.fromkeys([*named, *vocabulary.categories]))}


def _steps(bands: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    steps = []
    rate = 0
    for above, banded in bands:
        steps.append((above, banded - rate))
        rate = banded
    return tuple(steps)


class Rules:
    """The policy book, ready for estimating: terms by policy and day."""

    def __init__(self, book: PolicyBook) -> None:
        self.book = book
        self._terms = {
            policy.id: TermsOf(policy, book.vocabulary) for policy in book.policies.values()
        }

    def terms_of(self, policy: Policy) -> TermsOf:
        """The terms of a policy of the book."""
        return self._terms[policy.id]

    def assumptions(self, given: Assumptions, area: str | None, day: date) -> Assumptions:
        """What was given, completed by what the locality configured for the day."""
        if given.serious_illness_base is not None:
            return given
        configured = self.book.serious_illness_base(area, day)
        if configured is None:
            return given
        deductible, rate, source = configured
        base = SeriousIllnessBase(parse_yuan(deductible), parse_rate(rate), source)
        return Assumptions(base, given.disposable_income_per_head)
