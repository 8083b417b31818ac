"""One bill settled under a policy, layer by layer, with what is needed to explain it afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field

from backend.estimation.case import Bill
from backend.estimation.rules import (
    INTEGERS,
    RowOutcome,
    Situation,
    burden_left,
    pool_left,
    row_outcome,
)
from backend.estimation.terms import LayerTerms, PoolTerms, RowTerms, TableTerms, Terms

RARE_DRUG = "rare_drug_assistance"


@dataclass(slots=True)
class LayerYear:
    """What a layer remembers of the year. `burdens`, `begun`: by table; `used`: by pool; fen."""

    burdens: list[int]
    begun: list[bool]
    used: list[int]


@dataclass(slots=True)
class Year:
    """A person's assistance year under one policy: the calendar year of discharge."""

    layers: dict[str, LayerYear] = field(default_factory=dict)

    def of(self, layer: LayerTerms) -> LayerYear:
        """The layer's memory, empty at first."""
        found = self.layers.get(layer.code)
        if found is None:
            tables = len(layer.tables)
            found = LayerYear([0] * tables, [False] * tables, [0] * len(layer.pools))
            self.layers[layer.code] = found
        return found


@dataclass(frozen=True, slots=True)
class RowTried:
    """A row under which an identity of the person counts, and what it gives."""

    row: RowTerms
    categories: tuple[str, ...]
    outcome: RowOutcome


@dataclass(frozen=True, slots=True)
class Settled:
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


def settle_bill(
    bill: Bill, counting: frozenset[str], declined: bool, terms: Terms, year: Year
) -> list[Settled]:
    """Every layer that the policy computes or that was given, in the order of payment."""
    room = bill.total - sum(bill.paid.values())
    paid_before = 0
    settled = []
    for code in terms.order:
        layer = terms.by_layer.get(code)
        given = bill.paid.get(code)
        if layer is None:
            if given is None:
                continue
            outcome = Settled(code, given, given=True)
        else:
            finder = _Layer(layer, bill, counting, year.of(layer))
            outcome = finder.settle(given, paid_before, room, declined)
        if not outcome.given:
            room -= outcome.amount
        if code != RARE_DRUG:
            paid_before += outcome.amount
        settled.append(outcome)
    return settled


@dataclass(slots=True)
class _Layer:
    layer: LayerTerms
    bill: Bill
    counting: frozenset[str]
    year: LayerYear

    def settle(self, given: int | None, paid_before: int, room: int, declined: bool) -> Settled:
        burden = burden_left(INTEGERS, self.bill.in_scope, paid_before)
        if self.layer.shape.base == "rare_drug":
            burden = self.bill.rare_drug
        place, missed = self._table()
        if place is None:
            return self._nothing(given, missed)
        table = self.layer.tables[place]
        applying = _applying(table, self.counting)
        if not applying and not self.layer.shape.everyone:
            return self._nothing(given, "identity")
        pools = [p for p in range(len(self.year.used)) if self._in_pool(p)]
        situation = self._situation(burden, place, pools, room, declined)
        tried = tuple(
            RowTried(row, categories, row_outcome(INTEGERS, row.scale, row.limited, situation))
            for row, categories in applying
        )
        chosen = self._choose(tried)
        if given is not None:
            amount = used = given
        else:
            amount = chosen.outcome.paid if chosen else 0
            used = chosen.outcome.uses(INTEGERS, situation) if chosen else 0
        self._remember(place, burden, pools, used)
        left = tuple(zip((self.layer.pools[p] for p in pools), situation.left, strict=True))
        return Settled(
            self.layer.code, amount, given is not None, self.layer, None,
            table, chosen, tried, situation, left,
        )  # fmt: skip

    def _nothing(self, given: int | None, missed: str | None) -> Settled:
        return Settled(self.layer.code, given or 0, given is not None, self.layer, missed)

    def _table(self) -> tuple[int | None, str | None]:
        missed = self.layer.covers.misses(self.bill)
        if missed is not None:
            return None, missed
        for place, table in enumerate(self.layer.tables):
            missed = table.covers.misses(self.bill)
            if missed is None:
                return place, None
        return None, missed

    def _in_pool(self, pool: int) -> bool:
        return self.layer.pools[pool].covers.misses(self.bill) is None

    def _situation(
        self, burden: int, place: int, pools: list[int], room: int, declined: bool
    ) -> Situation:
        used = self.year.used
        left = [pool_left(INTEGERS, self.layer.pools[p].limit, used[p]) for p in pools]
        return Situation(
            burden=burden,
            before=self.year.burdens[place],
            first=not self.year.begun[place],
            left=left,
            room=max(room, 0),
            reduced=declined and self.layer.keeps is not None,
            keeps=self.layer.keeps,
        )

    def _choose(self, tried: tuple[RowTried, ...]) -> RowTried | None:
        if not tried or self.layer.shape.choice == "first_row":
            return tried[0] if tried else None
        return max(tried, key=lambda row: row.outcome.paid)  # max keeps the earlier of equals

    def _remember(self, place: int, burden: int, pools: list[int], used: int) -> None:
        self.year.burdens[place] += burden
        self.year.begun[place] = True
        for pool in pools:
            self.year.used[pool] += used


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
