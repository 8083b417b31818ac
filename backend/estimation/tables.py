"""A policy's benefits on a day, as the numbers and bit masks that the engine computes with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from backend.estimation.rules import Scale
from backend.policies.benefit_shapes import CoversShape, LayerShape, PoolShape, RowShape, TableShape
from backend.policies.policy import Policy


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
    income_assumed: int | None
    """The income per head (fen) that its deductible was taken from, where none was given."""

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
    name: tuple[str, str]
    """Layer and code under which its use is remembered."""


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

    @cached_property
    def stays(self) -> frozenset[str]:
        """Settings that are settled as stays."""
        return self.policy.benefits.identities.stays

    @cached_property
    def rows_by_income(self) -> tuple[tuple[LayerTerms, RowTerms], ...]:
        """The rows whose deductible rests on an income that nobody gave."""
        return tuple(
            (layer, row)
            for layer in self.by_layer.values()
            for table in layer.tables
            for row in table.rows
            if row.income_assumed is not None
        )
