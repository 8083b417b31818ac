"""One block of a batch: whole persons, a few ten thousand bills, settled wave by wave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backend.estimation.columns import Batch, BatchEstimate, Fen, Flags
from backend.estimation.facts import Facts
from backend.estimation.layout import Layout, Wave
from backend.estimation.masks import Masks, counting_masks, first_named, lowest_bit
from backend.estimation.plan import LayerPlan, Plan, SpanPlan, TablePlan
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


@dataclass
class LayerMemory:
    """What a layer remembers of the years in the block: an entry a year and table or pool."""

    burdens: list[Fen]
    begun: list[Flags]


@dataclass
class WaveBills:
    """The bills of a wave, as the layers find them. `paid`, `beside`: what the layers before paid
    towards the in-scope cost, and beside it."""

    wave: Wave
    span: SpanPlan
    in_scope: Fen
    room: Fen
    masks: Masks
    paid: Any = 0
    beside: Any = 0


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
        self.used: dict[tuple[str, str], Fen] = {}
        self.facts = Facts(plan, batch, self.part)

    def settle(self) -> None:
        """Writes the block's part of the estimate."""
        bills = self.batch.bills
        in_scope = bills.in_scope[self.part]
        given = self.facts.given()
        room = bills.total[self.part] - given
        for span_number, wave in self._waves():
            span = self.plan.spans[span_number]
            at = wave.bills
            view = WaveBills(wave, span, in_scope[at], room[at], self.masks[at])
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
            if code == RARE_DRUG:
                view.beside = view.beside + amount
            else:
                view.paid = view.paid + amount

    def _layer(self, view: WaveBills, layer: LayerPlan, given: Any) -> Fen:
        """What the layer pays on the bills of a wave, given or computed."""
        code = layer.terms.code
        burden = self._burden(view, layer.terms.shape.base)
        computed = np.zeros(len(burden), np.int64)
        for place, table in enumerate(layer.tables):
            at = self._table_bills(view, layer, table)
            if at is None:
                computed = self._table(view, layer, place, burden, given)
            elif len(at):
                part = WaveBills(
                    view.wave.take(at), view.span, view.in_scope[at], view.room[at], view.masks[at]
                )
                own = None if given is None else given[at]
                computed[at] = self._table(part, layer, place, burden[at], own)
        self.estimate.computed[code][self.part][view.wave.bills] = computed
        view.room = view.room - computed
        return computed if given is None else np.where(given >= 0, given, computed)

    def _burden(self, view: WaveBills, base: str) -> Fen:
        if base == "rare_drug":
            drug: Fen = self.facts.rare_drug[view.wave.bills]
            return drug
        cost, before = view.in_scope, view.paid
        if base == "personal_burden":
            total, outside = self.batch.bills.total[self.part], self.facts.out_of_scope()
            cost, before = (total - outside)[view.wave.bills], view.paid + view.beside
        left: Fen = burden_left(COLUMNS, cost, before)
        return left

    def _table_bills(self, view: WaveBills, layer: LayerPlan, table: TablePlan) -> Any:
        """The bills of the wave that the table covers, as places in it; None: all."""
        covers = table.terms.covers
        if covers.everything:
            return None
        return np.flatnonzero(self.facts.covers(covers)[view.wave.bills])

    def _table(self, view: WaveBills, layer: LayerPlan, place: int, burden: Fen, given: Any) -> Fen:
        """What one table computes on bills that it covers; remembers burden, first bill, pools."""
        table = layer.tables[place]
        memory = self._memory(layer)
        years = view.wave.years
        eligible, gathered = self._eligible(view, layer, table)
        pools = self._pools(layer, view.wave)
        reduction = layer.terms.shape.reduction
        situation = Situation(
            burden=burden,
            before=memory.burdens[place][years] if table.uses_burden else 0,
            first=~memory.begun[place][years] if table.uses_first else False,
            left=[left for _, _, left in pools],
            room=np.maximum(view.room, 0),
            reduced=reduction is not None and self.facts.declined[view.wave.bills],
            keeps=layer.terms.keeps,
            reduced_first=reduction is not None and reduction.order == "reduction_first",
        )
        outcome, counted, using = self._best(view, layer, table, situation)
        open_ = eligible if given is None else eligible & (given < 0)
        paid = np.where(open_, outcome.paid, 0)
        if counted is not None:
            identity = np.where(open_, counted, np.int8(-1))
            self.estimate.identity[self.part][view.wave.bills] = identity
        if table.uses_burden:
            memory.burdens[place][years] += np.where(gathered, burden, 0)
        if table.uses_first:
            memory.begun[place][years] |= eligible
        used = outcome.uses(COLUMNS, situation)
        used = used if given is None else np.where(given >= 0, given, used)
        for pool, covered, _ in pools:
            self.used[pool][years] += np.where(eligible & covered & using, used, 0)
        return paid

    def _eligible(self, view: WaveBills, layer: LayerPlan, table: TablePlan) -> tuple[Flags, Flags]:
        """Bills that the layer pays on (covered, in force, an identity counts or none is asked),
        and those that make up its yearly burden."""
        covers, gathers = layer.terms.covers, layer.terms.shape.gathers
        in_force = self.facts.in_force
        within: Any = True if in_force is None else in_force[view.wave.bills]
        covered = within
        if not covers.everything:
            covered = within & self.facts.covers(covers)[view.wave.bills]
        if gathers == "covered":
            all_covered = np.broadcast_to(covered, view.masks.shape)
            return all_covered, all_covered
        held = (view.masks & np.uint32(table.terms.mask)) != 0
        eligible = held if covered is True else held & covered
        return eligible, held & within if gathers == "counting" else eligible

    def _best(
        self, view: WaveBills, layer: LayerPlan, table: TablePlan, situation: Situation
    ) -> tuple[RowOutcome, Any, Any]:
        """The outcome of the row that is used, the category it is used for (for medical assistance
        alone), and whether it uses the pools up."""
        reports = layer.terms.code == "medical_assistance"
        if table.ranked is not None:
            places = lowest_bit(view.masks & np.uint32(table.terms.mask))
            scale, limited = table.ranked.scale(places), table.ranked.limits(places)
            outcome = row_outcome(COLUMNS, scale, limited, situation)
            counted = self.plan.category_of_bit[places] if reports else None
            return outcome, counted, table.ranked.uses(places)
        return self._compare(view, table, situation, reports)

    def _compare(
        self, view: WaveBills, table: TablePlan, situation: Situation, reports: bool
    ) -> tuple[RowOutcome, Any, Any]:
        best = RowOutcome(*(np.full(len(view.masks), -1, np.int64) for _ in range(4)))
        counted = np.full(len(view.masks), -1, np.int8)
        using = np.ones(len(view.masks), np.bool_)
        for row in table.terms.rows:
            held = view.masks & np.uint32(row.mask)
            active = held != 0
            if row.shape.otherwise:
                active = (view.masks & np.uint32(table.terms.mask)) == 0
            scale = row.scale
            if not isinstance(scale.deductible, int):
                own = self.person[view.wave.bills]
                scale = replace(scale, deductible=scale.deductible[own])
            outcome = row_outcome(COLUMNS, scale, row.limited, situation)
            rival = 0 if table.first_row else outcome.paid
            better = active & (best.paid < rival)
            best = _merged(better, outcome, best)
            using = np.where(better, row.shape.uses_pools, using)
            if reports:
                first = first_named(held, row.shape.categories, self.plan)
                counted = np.where(better, self.plan.category_of_bit[first], counted)
        return best, counted if reports else None, using

    # -- what the block knows of its bills ---------------------------------------------------

    def _pools(self, layer: LayerPlan, wave: Wave) -> list[tuple[tuple[str, str], Any, Any]]:
        """Each pool: its name, whether it covers each bill, what it has left for each."""
        pools = []
        for pool in layer.terms.pools:
            used = self.used.setdefault(pool.name, np.zeros(self.layout.years, np.int64))
            left = pool_left(COLUMNS, pool.limit, used[wave.years])
            covered: Any = True
            if not pool.covers.everything:
                covered = self.facts.covers(pool.covers)[wave.bills]
                left = np.where(covered, left, NO_LIMIT)
            pools.append((pool.name, covered, left))
        return pools

    def _memory(self, layer: LayerPlan) -> LayerMemory:
        code, years = layer.terms.code, self.layout.years
        if code not in self.memories:
            self.memories[code] = LayerMemory(
                [np.zeros(years, np.int64) for _ in layer.tables],
                [np.zeros(years, np.bool_) for _ in layer.tables],
            )
        return self.memories[code]

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
        beside = beside + self.facts.out_of_scope()
        left = burden_left(COLUMNS, in_scope, given + computed - beside)
        estimate.in_scope_burden[self.part] = left
        estimate.personal_burden[self.part] = bills.total[self.part] - given - computed


def _merged(better: Flags, outcome: RowOutcome, best: RowOutcome) -> RowOutcome:
    return RowOutcome(
        np.where(better, outcome.entitled, best.entitled),
        np.where(better, outcome.pooled, best.pooled),
        np.where(better, outcome.kept, best.kept),
        np.where(better, outcome.paid, best.paid),
    )
