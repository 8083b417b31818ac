"""What a batch needs to know before its blocks start: terms by span, and tables to look up in."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from backend.estimation.case import Assumptions
from backend.estimation.columns import Batch, Fen
from backend.estimation.rules import Scale
from backend.estimation.tables import LayerTerms, TableTerms, Terms
from backend.estimation.terms import Rules, span_starts
from backend.policies.policy import Policy

Bits: TypeAlias = npt.NDArray[np.uint8]

NOBODY = 32
"""The place of the lowest bit when no category counts; also the `otherwise` row's place."""


@cache
def _month_ends() -> npt.NDArray[np.int32]:
    """Ordinal of a day → ordinal of the last day of its month, 1899 to 2101, from `_EPOCH` on."""
    ends = [
        date(year, month, monthrange(year, month)[1]).toordinal()
        for year in range(_EPOCH.year, 2102)
        for month in range(1, 13)
    ]
    days = np.arange(_EPOCH.toordinal(), ends[-1] + 1, dtype=np.int32)
    return np.asarray(ends, np.int32)[np.searchsorted(ends, days)]


_EPOCH = date(1899, 1, 1)


def month_end(days: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The last day of each day's month."""
    return _month_ends()[days - _EPOCH.toordinal()]


@dataclass(frozen=True)
class RankedRows:
    """Rows of a table whose first applying row is the best: looked up by the lowest counting bit.

    Every array has an entry a bit and one for `NOBODY`.
    """

    deductible: Any
    steps: tuple[tuple[Any, Any], ...]
    limited: npt.NDArray[np.bool_] | bool
    using: npt.NDArray[np.bool_] | bool
    plain: bool
    first_bill: bool

    def scale(self, places: Bits) -> Scale:
        """The scale of each bill's row."""
        steps = tuple((_at(above, places), _at(rise, places)) for above, rise in self.steps)
        return Scale(_at(self.deductible, places), steps, self.first_bill, self.plain)

    def limits(self, places: Bits) -> Any:
        """Whether the pools cut each bill's row."""
        return self.limited if isinstance(self.limited, bool) else self.limited[places]

    def uses(self, places: Bits) -> Any:
        """Whether what each bill's row pays uses the pools up."""
        return self.using if isinstance(self.using, bool) else self.using[places]


def _at(values: Any, places: Bits) -> Any:
    return values if isinstance(values, int) else values[places]


class TablePlan:
    """A table, and whether its rows can be ranked once for all."""

    def __init__(self, table: TableTerms, choice: str) -> None:
        self.terms = table
        self.first_row = choice == "first_row"
        self.ranked = _ranked(table, choice)
        self.uses_burden = any(not (r.scale.plain or r.scale.first_bill) for r in table.rows)
        self.uses_first = any(r.scale.first_bill for r in table.rows)


class LayerPlan:
    """A layer with its tables' plans."""

    def __init__(self, layer: LayerTerms) -> None:
        self.terms = layer
        self.tables = tuple(TablePlan(t, layer.shape.choice) for t in layer.tables)


class SpanPlan:
    """The terms of one span of days."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.layers = {code: LayerPlan(layer) for code, layer in terms.by_layer.items()}


class Plan:
    """A policy made ready for a batch."""

    def __init__(
        self, policy: Policy, rules: Rules, assumptions: Assumptions, batch: Batch
    ) -> None:
        self.policy = policy
        self.vocabulary = rules.book.vocabulary
        starts = span_starts(policy)
        self.span_starts = np.asarray([day.toordinal() for day in starts], np.int32)
        of = rules.terms_of(policy)
        days = [policy.first_day or date.min, *starts]
        income = batch.persons.income
        self.spans = tuple(SpanPlan(of.compile(day, assumptions, income)) for day in days)
        self.first_day = policy.first_day.toordinal() if policy.first_day else 0
        self.last_day = (policy.last_day or date.max).toordinal()

    @property
    def layers(self) -> tuple[str, ...]:
        """The codes of the layers that any span computes."""
        found = dict.fromkeys(code for span in self.spans for code in span.layers)
        return tuple(code for code in self.vocabulary.layers if code in found)

    @cached_property
    def bits(self) -> npt.NDArray[np.int32]:
        """Position of a category in the vocabulary → its bit as a mask."""
        bits = self.spans[0].terms.bits
        return np.asarray([1 << bits[code] for code in self.vocabulary.categories], np.int32)

    @cached_property
    def category_of_bit(self) -> npt.NDArray[np.int8]:
        """Bit → position of the category in the vocabulary; `NOBODY` → −1."""
        positions = np.full(NOBODY + 1, -1, np.int8)
        for code, bit in self.spans[0].terms.bits.items():
            positions[bit] = self.vocabulary.positions[code]
        return positions

    def codes(self, names: frozenset[str], known: Any) -> npt.NDArray[np.bool_]:
        """Position of a code → whether it is among the names."""
        return np.asarray([code in names for code in known], np.bool_)


def _ranked(table: TableTerms, choice: str) -> RankedRows | None:
    rows = [row for row in table.rows if not row.shape.otherwise]
    if any(not isinstance(row.scale.deductible, int) for row in rows):
        return None
    if any(low.mask >= (high.mask & -high.mask) for low, high in pairwise(rows)):
        return None
    if choice == "most" and not all(_dominates(first, second) for first, second in pairwise(rows)):
        return None
    if len({row.scale.first_bill for row in rows}) > 1:
        return None
    return _ranked_rows(table)


def _ranked_rows(table: TableTerms) -> RankedRows:
    places = NOBODY + 1
    bands = max(len(row.scale.steps) for row in table.rows)
    deductible = np.zeros(places, np.int64)
    steps = [(np.zeros(places, np.int64), np.zeros(places, np.int64)) for _ in range(bands)]
    limited = np.ones(places, np.bool_)
    using = np.ones(places, np.bool_)
    for row in table.rows:
        at = _places(row.mask) if row.mask else [NOBODY]
        deductible[at] = row.scale.deductible
        limited[at], using[at] = row.limited, row.shape.uses_pools
        for (above, rise), (row_above, row_rise) in zip(steps, row.scale.steps, strict=False):
            above[at], rise[at] = row_above, row_rise
    return RankedRows(
        deductible=_constant(deductible, table),
        steps=tuple((_constant(above, table), _constant(rise, table)) for above, rise in steps),
        limited=True if all(row.limited for row in table.rows) else limited,
        using=True if all(row.shape.uses_pools for row in table.rows) else using,
        plain=all(row.scale.plain for row in table.rows),
        first_bill=table.rows[0].scale.first_bill,
    )


def _places(mask: int) -> list[int]:
    return [bit for bit in range(NOBODY) if mask >> bit & 1]


def _constant(values: Fen, table: TableTerms) -> int | Fen:
    """One figure instead of a look-up where every row has the same."""
    used = [p for row in table.rows for p in (_places(row.mask) if row.mask else [NOBODY])]
    found = set(values[used].tolist())
    return int(found.pop()) if len(found) == 1 else values


def _dominates(first: Any, second: Any) -> bool:
    """The first row gives at least what the second gives, on any bill in any year."""
    if first.scale.first_bill != second.scale.first_bill or (first.limited and not second.limited):
        return False
    if first.scale.first_bill and first.scale.deductible > second.scale.deductible:
        return False
    marks = {_mark for row in (first, second) for _mark in _marks(row.scale)}
    return all(_rate_above(first.scale, x) >= _rate_above(second.scale, x) for x in marks)


def _marks(scale: Scale) -> list[int]:
    return [0, *(scale.deductible + above for above, _ in scale.steps)]


def _rate_above(scale: Scale, burden: int) -> int:
    """The rate at which the next fen of the year's burden is paid."""
    return sum(rise for above, rise in scale.steps if burden >= scale.deductible + above)
