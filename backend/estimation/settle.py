"""One bill settled under a policy, layer by layer, with what is needed to explain it afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct

from backend.estimation.case import Bill
from backend.estimation.rules import (
    INTEGERS,
    RowOutcome,
    Situation,
    burden_left,
    pool_left,
    row_outcome,
)
from backend.estimation.tables import LayerTerms, PoolTerms, RowTerms, TableTerms, Terms

RARE_DRUG = "rare_drug_assistance"


@dataclass(slots=True)
class LayerYear:
    """What a layer remembers of the year, by table: the burden so far (fen), and whether begun."""

    burdens: list[int]
    begun: list[bool]


@dataclass(slots=True)
class Year:
    """A person's assistance year under one policy: the calendar year of discharge."""

    layers: dict[str, LayerYear] = field(default_factory=dict)
    used: dict[tuple[str, str], int] = field(default_factory=dict)
    """What has been paid out of each pool, fen."""

    def of(self, layer: LayerTerms) -> LayerYear:
        """The layer's memory, empty at first."""
        found = self.layers.get(layer.code)
        if found is None:
            tables = len(layer.tables)
            found = LayerYear([0] * tables, [False] * tables)
            self.layers[layer.code] = found
        return found


class RowTried(Struct, frozen=True):
    """A row under which an identity of the person counts, and what it gives."""

    row: RowTerms
    categories: tuple[str, ...]
    outcome: RowOutcome


class Settled(Struct, frozen=True):
    """One layer on one bill. `amount` in fen; `missed`: what kept the bill out, a flag's code,
    `"settings"`, `"disease_groups"` or `"identity"`; `tried`: every row that competed."""

    layer: str
    amount: int
    given: bool
    terms: LayerTerms | None = None
    missed: str | None = None
    table: TableTerms | None = None
    chosen: RowTried | None = None
    tried: tuple[RowTried, ...] = ()
    situation: Situation | None = None
    pools: tuple[tuple[PoolTerms, int], ...] = ()


@dataclass(slots=True)
class Paid:
    """What the layers before have paid on a bill: towards the in-scope cost, and beside it; fen."""

    in_scope: int = 0
    beside: int = 0


def settle_bill(
    bill: Bill, counting: frozenset[str], declined: bool, terms: Terms, year: Year
) -> list[Settled]:
    """Every layer that the policy computes or that was given, in the order of payment."""
    room = bill.total - sum(bill.paid.values())
    paid = Paid()
    settled = []
    for code in terms.order:
        layer = terms.by_layer.get(code)
        given = bill.paid.get(code)
        if layer is None:
            if given is None:
                continue
            outcome = Settled(code, given, given=True)
        else:
            finder = _Layer(layer, bill, counting, year)
            outcome = finder.settle(given, paid, room, declined)
        if not outcome.given:
            room -= outcome.amount
        if code == RARE_DRUG:
            paid.beside += outcome.amount
        else:
            paid.in_scope += outcome.amount
        settled.append(outcome)
    return settled


@dataclass(slots=True)
class _Layer:
    layer: LayerTerms
    bill: Bill
    counting: frozenset[str]
    year: Year

    def settle(self, given: int | None, paid: Paid, room: int, declined: bool) -> Settled:
        place, missed = self._table()
        if place is None:
            self._gather_uncovered(self._burden(paid))
            return self._nothing(given, missed if self._asked() else "identity")
        table = self.layer.tables[place]
        applying = _applying(table, self.counting)
        if not applying and self.layer.shape.gathers != "covered":
            return self._nothing(given, "identity")
        pools = [pool for pool in self.layer.pools if pool.covers.misses(self.bill) is None]
        situation = self._situation(self._burden(paid), place, pools, room, declined)
        tried = tuple(
            RowTried(row, categories, row_outcome(INTEGERS, row.scale, row.limited, situation))
            for row, categories in applying
        )
        chosen = self._choose(tried)
        amount = given
        if amount is None:
            amount = chosen.outcome.paid if chosen else 0
        self._remember(place, pools, situation, chosen, given)
        left = tuple(zip(pools, situation.left, strict=True))
        return Settled(
            self.layer.code, amount, given is not None, self.layer, None,
            table, chosen, tried, situation, left,
        )  # fmt: skip

    def _burden(self, paid: Paid) -> int:
        base = self.layer.shape.base
        if base == "rare_drug":
            return self.bill.rare_drug
        cost, before = self.bill.in_scope, paid.in_scope
        if base == "personal_burden":
            outside = paid.beside + self.bill.paid.get("out_of_scope", 0)
            cost, before = self.bill.total, paid.in_scope + outside
        burden: int = burden_left(INTEGERS, cost, before)
        return burden

    def _nothing(self, given: int | None, missed: str | None) -> Settled:
        return Settled(self.layer.code, given or 0, given is not None, self.layer, missed)

    def _asked(self) -> bool:
        """An identity of the person counts under the layer, or it asks for none."""
        covered = self.layer.shape.gathers == "covered"
        return covered or any(_applying(table, self.counting) for table in self.layer.tables)

    def _table(self) -> tuple[int | None, str | None]:
        missed = self.layer.covers.misses(self.bill)
        if missed is not None:
            return None, missed
        for place, table in enumerate(self.layer.tables):
            missed = table.covers.misses(self.bill)
            if missed is None:
                return place, None
        return None, missed

    def _situation(
        self, burden: int, place: int, pools: list[PoolTerms], room: int, declined: bool
    ) -> Situation:
        reduction = self.layer.shape.reduction
        year = self.year.of(self.layer)
        used = self.year.used
        return Situation(
            burden=burden,
            before=year.burdens[place],
            first=not year.begun[place],
            left=[pool_left(INTEGERS, pool.limit, used.get(pool.name, 0)) for pool in pools],
            room=max(room, 0),
            reduced=declined and reduction is not None,
            keeps=self.layer.keeps,
            reduced_first=reduction is not None and reduction.order == "reduction_first",
        )

    def _choose(self, tried: tuple[RowTried, ...]) -> RowTried | None:
        if not tried or self.layer.shape.choice == "first_row":
            return tried[0] if tried else None
        return max(tried, key=lambda row: row.outcome.paid)  # max keeps the earlier of equals

    def _remember(
        self,
        place: int,
        pools: list[PoolTerms],
        situation: Situation,
        chosen: RowTried | None,
        given: int | None,
    ) -> None:
        year = self.year.of(self.layer)
        year.burdens[place] += situation.burden
        year.begun[place] = True
        if chosen is None or not chosen.row.shape.uses_pools:
            return
        paid = chosen.outcome.uses(INTEGERS, situation) if given is None else given
        for pool in pools:
            self.year.used[pool.name] = self.year.used.get(pool.name, 0) + paid

    def _gather_uncovered(self, burden: int) -> None:
        """A bill that the layer does not cover may still make up its yearly burden, if read so."""
        if self.layer.shape.gathers == "counting":
            year = self.year.of(self.layer)
            for place, table in enumerate(self.layer.tables):
                if table.covers.everything and _applying(table, self.counting):
                    year.burdens[place] += burden


def _applying(
    table: TableTerms, counting: frozenset[str]
) -> list[tuple[RowTerms, tuple[str, ...]]]:
    rows = [
        (row, held)
        for row in table.rows
        if (held := tuple(code for code in row.shape.categories if code in counting))
    ]
    if rows:
        return rows
    return [(row, ()) for row in table.rows if row.shape.otherwise]
