"""One block of a batch: whole persons, a few ten thousand bills, settled wave by wave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from backend.estimation.columns import Batch, BatchEstimate, Fen, Flags
from backend.estimation.layout import Layout, Wave, counting_masks
from backend.estimation.plan import NOBODY, LayerPlan, Plan, SpanPlan, TablePlan
from backend.estimation.rules import (
    COLUMNS,
    NO_LIMIT,
    RowOutcome,
    Situation,
    burden_left,
    pool_left,
    row_outcome,
)
from backend.estimation.settle import RARE_DRUG
from backend.estimation.terms import Covers

Masks: TypeAlias = npt.NDArray[np.uint32]


@dataclass
class LayerMemory:
    """What a layer remembers of the years in the block: an entry a year and table or pool."""

    burdens: list[Fen]
    begun: list[Flags]
    used: list[Fen]


@dataclass
class WaveBills:
    """The bills of a wave, as the layers find them. `paid`: in-scope payments so far."""

    wave: Wave
    span: SpanPlan
    in_scope: Fen
    room: Fen
    paid: Any = 0
    masks: Any = field(default=None)


class Block:
    """Bills `start` to `stop` of the batch."""

    def __init__(
        self, plan: Plan, batch: Batch, estimate: BatchEstimate, start: int, stop: int
    ) -> None:
        self.plan = plan
        self.batch = batch
        self.estimate = estimate
        self.part = slice(start, stop)
        bills = batch.bills
        self.person = bills.person[self.part]
        self.discharged = bills.discharged_on[self.part]
        self.layout = Layout.of(self.person, self.discharged)
        self.masks = counting_masks(plan, batch, self.part)
        self.paid = {layer: column[self.part] for layer, column in bills.paid.items()}
        self.memories: dict[str, LayerMemory] = {}
        self._covered: dict[Covers, Any] = {}

    def settle(self) -> None:
        """Writes the block's part of the estimate."""
        bills = self.batch.bills
        in_scope = bills.in_scope[self.part]
        given = self._given()
        room = bills.total[self.part] - given
        for span_number, wave in self._waves():
            span = self.plan.spans[span_number]
            at = wave.bills
            view = WaveBills(wave, span, in_scope[at], room[at], masks=self.masks[at])
            self._settle_wave(view)
        self._burdens(in_scope, given)

    def _waves(self) -> Iterator[tuple[int, Wave]]:
        plan = self.plan
        if len(plan.span_starts) == 0:
            yield from ((0, wave) for wave in self.layout.waves())
            return
        spans = np.searchsorted(plan.span_starts, self.discharged, side="right")
        numbers = np.unique(spans).tolist()
        for wave in self.layout.waves():
            for number in numbers:
                yield number, wave.where(spans == number) if len(numbers) > 1 else wave

    def _settle_wave(self, view: WaveBills) -> None:
        for code in view.span.terms.order:
            given = self.paid[code][view.wave.bills] if code in self.paid else None
            layer = view.span.layers.get(code)
            if layer is not None:
                amount = self._layer(view, layer, given)
            elif given is not None:
                amount = np.maximum(given, 0)
            else:
                continue
            if code != RARE_DRUG:
                view.paid = view.paid + amount

    def _layer(self, view: WaveBills, layer: LayerPlan, given: Any) -> Fen:
        """What the layer pays on the bills of a wave, given or computed."""
        code = layer.terms.code
        if layer.terms.shape.base == "rare_drug":
            burden = self._rare_drug()[view.wave.bills]
        else:
            burden = burden_left(COLUMNS, view.in_scope, view.paid)
        computed = np.zeros(len(burden), np.int64)
        for place, table in enumerate(layer.tables):
            at = self._table_bills(view, layer, table)
            if at is None:
                computed = self._table(view, layer, place, burden, given)
            elif len(at):
                part = WaveBills(
                    view.wave.take(at), view.span, view.in_scope[at], view.room[at],
                    masks=view.masks[at],
                )  # fmt: skip
                own = None if given is None else given[at]
                computed[at] = self._table(part, layer, place, burden[at], own)
        self.estimate.computed[code][self.part][view.wave.bills] = computed
        view.room = view.room - computed
        return computed if given is None else np.where(given >= 0, given, computed)

    def _table_bills(self, view: WaveBills, layer: LayerPlan, table: TablePlan) -> Any:
        """The bills of the wave that the table covers, as places in it; None: all."""
        covers = table.terms.covers
        if covers.everything:
            return None
        return np.flatnonzero(self._covers(covers)[view.wave.bills])

    def _table(
        self, view: WaveBills, layer: LayerPlan, place: int, burden: Fen, given: Any
    ) -> Fen:
        """What one table computes on bills that it covers; remembers burden, first bill, pools."""
        table = layer.tables[place]
        memory = self._memory(layer)
        years = view.wave.years
        eligible = self._eligible(view, layer, table)
        pools = self._pools(layer, memory, view.wave)
        situation = Situation(
            burden=burden,
            before=memory.burdens[place][years] if table.uses_burden else 0,
            first=~memory.begun[place][years] if table.uses_first else False,
            left=[left for _, _, left in pools],
            room=np.maximum(view.room, 0),
            reduced=self._declined(view.wave) if layer.terms.keeps is not None else False,
            keeps=layer.terms.keeps,
        )
        outcome, counted = self._best(view, layer, table, situation)
        open_ = eligible if given is None else eligible & (given < 0)
        paid = np.where(open_, outcome.paid, 0)
        if counted is not None:
            identity = np.where(open_, counted, np.int8(-1))
            self.estimate.identity[self.part][view.wave.bills] = identity
        if table.uses_burden:
            memory.burdens[place][years] += np.where(eligible, burden, 0)
        if table.uses_first:
            memory.begun[place][years] |= eligible
        used = outcome.uses(COLUMNS, situation)
        used = used if given is None else np.where(given >= 0, given, used)
        for pool, covered, _ in pools:
            memory.used[pool][years] += np.where(eligible & covered, used, 0)
        return paid

    def _eligible(self, view: WaveBills, layer: LayerPlan, table: TablePlan) -> Flags:
        """Covered by the layer, in force, and an identity of the table counts (or none is asked)."""
        covers = layer.terms.covers
        covered = True if covers.everything else self._covers(covers)[view.wave.bills]
        in_force = self._in_force()
        if in_force is not None:
            covered = covered & in_force[view.wave.bills]
        if layer.terms.shape.everyone:
            return np.broadcast_to(covered, view.masks.shape)
        held = (view.masks & np.uint32(table.terms.mask)) != 0
        return held if covered is True else held & covered

    def _best(
        self, view: WaveBills, layer: LayerPlan, table: TablePlan, situation: Situation
    ) -> tuple[RowOutcome, Any]:
        """The outcome of the row that is used, and the category for medical assistance."""
        reports = layer.terms.code == "medical_assistance"
        if table.ranked is not None:
            masks = view.masks & np.uint32(table.terms.mask)
            places = _lowest_bit(masks)
            scale, limited = table.ranked.scale(places), table.ranked.limits(places)
            outcome = row_outcome(COLUMNS, scale, limited, situation)
            return outcome, self.plan.category_of_bit[places] if reports else None
        return self._compare(view, table, situation, reports, layer.terms.shape.choice)

    def _compare(
        self, view: WaveBills, table: TablePlan, situation: Situation, reports: bool, choice: str
    ) -> tuple[RowOutcome, Any]:
        best: RowOutcome | None = None
        best_paid = np.full(len(view.masks), -1, np.int64)
        counted = np.full(len(view.masks), -1, np.int8)
        for row in table.terms.rows:
            held = view.masks & np.uint32(row.mask)
            active = held != 0
            if row.shape.otherwise:
                active = (view.masks & np.uint32(table.terms.mask)) == 0
            scale = row.scale
            if not isinstance(scale.deductible, int):
                own = self.person[view.wave.bills]
                scale = _scale_of(scale, scale.deductible[own])
            outcome = row_outcome(COLUMNS, scale, row.limited, situation)
            better = active & (best_paid < (0 if choice == "first_row" else outcome.paid))
            best = outcome if best is None else _merged(better, outcome, best)
            best_paid = np.where(better, outcome.paid, best_paid)
            if reports:
                first = self.plan.category_of_bit[_first_named(held, row.shape.categories, self.plan)]
                counted = np.where(better, first, counted)
        if best is None:
            raise ValueError("a table without rows")
        return best, counted if reports else None

    # -- what the block knows of its bills ---------------------------------------------------

    def _pools(
        self, layer: LayerPlan, memory: LayerMemory, wave: Wave
    ) -> list[tuple[int, Any, Any]]:
        """Each pool: its number, whether it covers each bill, what it has left for each."""
        pools = []
        for number, pool in enumerate(layer.terms.pools):
            left = pool_left(COLUMNS, pool.limit, memory.used[number][wave.years])
            covered: Any = True
            if not pool.covers.everything:
                covered = self._covers(pool.covers)[wave.bills]
                left = np.where(covered, left, NO_LIMIT)
            pools.append((number, covered, left))
        return pools

    def _memory(self, layer: LayerPlan) -> LayerMemory:
        code, years = layer.terms.code, self.layout.years
        if code not in self.memories:
            self.memories[code] = LayerMemory(
                [np.zeros(years, np.int64) for _ in layer.tables],
                [np.zeros(years, np.bool_) for _ in layer.tables],
                [np.zeros(years, np.int64) for _ in layer.terms.pools],
            )
        return self.memories[code]

    def _covers(self, covers: Covers) -> Flags:
        if covers not in self._covered:
            bills, words = self.batch.bills, self.plan.vocabulary
            covered = np.ones(len(self.person), np.bool_)
            for flag in covers.flags:
                covered &= self._flag(flag)
            if covers.settings:
                known = self.plan.codes(covers.settings, words.settings)
                covered &= known[bills.setting[self.part]]
            if covers.groups:
                known = self.plan.codes(covers.groups, words.disease_groups)
                groups = bills.disease_group
                covered &= known[0 if groups is None else groups[self.part]]
            self._covered[covers] = covered
        return self._covered[covers]

    def _flag(self, flag: str) -> Any:
        column = self.batch.bills.flags.get(flag)
        return flag == "designated" if column is None else column[self.part]

    def _in_force(self) -> Any:
        plan, days = self.plan, self.discharged
        if plan.first_day <= days.min() and days.max() <= plan.last_day:
            return None
        return (plan.first_day <= days) & (days <= plan.last_day)

    def _declined(self, wave: Wave) -> Flags:
        return self.batch.persons.declined_health_service[self.person[wave.bills]]

    def _rare_drug(self) -> Fen:
        column = self.batch.bills.rare_drug
        return np.zeros(len(self.person), np.int64) if column is None else column[self.part]

    def _given(self) -> Any:
        """Everything given on each bill, out of scope included."""
        total: Any = np.zeros(len(self.person), np.int64)
        for column in self.paid.values():
            total = total + np.maximum(column, 0)
        outside = self.batch.bills.out_of_scope
        return total if outside is None else total + outside[self.part]

    def _burdens(self, in_scope: Fen, given: Fen) -> None:
        """What is left on each bill, in scope and altogether."""
        bills, estimate = self.batch.bills, self.estimate
        computed: Any = 0
        beside: Any = 0
        for code, column in estimate.computed.items():
            computed = computed + column[self.part]
            if code == RARE_DRUG:
                beside = beside + column[self.part]
        if RARE_DRUG in self.paid:
            beside = beside + np.maximum(self.paid[RARE_DRUG], 0)
        if bills.out_of_scope is not None:
            beside = beside + bills.out_of_scope[self.part]
        left = burden_left(COLUMNS, in_scope, given + computed - beside)
        estimate.in_scope_burden[self.part] = left
        estimate.personal_burden[self.part] = bills.total[self.part] - given - computed


def _lowest_bit(masks: Masks) -> npt.NDArray[np.uint8]:
    """The place of the lowest bit set; `NOBODY` (32) where none is: 0 − 1 wraps to all ones."""
    lowest = masks & (~masks + np.uint32(1))
    return np.bitwise_count(lowest - np.uint32(1))


def _first_named(held: Masks, categories: list[str], plan: Plan) -> Any:
    """The bit of the category named first in the row among those held; `NOBODY` where none."""
    bits = plan.spans[0].terms.bits
    places = np.full(len(held), NOBODY, np.intp)
    for code in reversed(categories):
        bit = bits[code]
        places = np.where((held >> np.uint32(bit)) & np.uint32(1) != 0, bit, places)
    return places


def _scale_of(scale: Any, deductible: Fen) -> Any:
    return replace(scale, deductible=deductible)


def _merged(better: Flags, outcome: RowOutcome, best: RowOutcome) -> RowOutcome:
    return RowOutcome(
        np.where(better, outcome.entitled, best.entitled),
        np.where(better, outcome.pooled, best.pooled),
        np.where(better, outcome.kept, best.kept),
        np.where(better, outcome.paid, best.paid),
    )
