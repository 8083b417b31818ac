"""From the catalogue's words to the engine's tables: figures of the day, masks, scales."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from backend.estimation.case import Assumptions, SeriousIllnessBase
from backend.estimation.rules import Scale
from backend.estimation.tables import (
    Covers,
    LayerTerms,
    PoolTerms,
    RowTerms,
    TableTerms,
    Terms,
)
from backend.kernel.money import RATE_UNIT, half_up
from backend.policies.benefit_shapes import LayerShape, RowShape, TableShape
from backend.policies.book import Vocabulary
from backend.policies.policy import Policy


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
                PoolTerms(
                    pool,
                    Covers.of(pool.covers),
                    self.value(pool.limit),
                    (pool.shared_with or shape.layer, pool.code),
                )
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
        income = shape.deductible.income if shape.deductible is not None else None
        return RowTerms(
            shape,
            self.mask(shape.categories),
            Scale(deductible, steps, first_bill, plain),
            self.floor(shape, steps),
            self.value(income) if income is not None and self.income is None else None,
        )

    def floor(self, shape: RowShape, steps: tuple[tuple[int, int], ...]) -> bool:
        """The document says 不低于 of the rate that is used."""
        stated = shape.rate or (shape.from_base.at_least if shape.from_base else None)
        if stated is None or not self.policy.parameters[stated].shape.floor:
            return False
        return sum(rise for _, rise in steps) == self.value(stated)

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
