"""如果费用不同 (what if): how the payments and the personal burden follow the cost of one bill."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from backend.estimation.case import Bill, Case
from backend.estimation.estimate import OUT_OF_SCOPE, Estimate, estimate_payments
from backend.estimation.terms import Rules
from backend.estimation.versions import Outcome, Together, settle_versions
from backend.kernel.errors import DomainError, Fault
from backend.kernel.money import MAX_FEN, format_yuan, half_up

FEWEST_POINTS = 2
MOST_POINTS = 201


class InvalidWhatIf(DomainError):
    """The case has no such bill, or the costs do not run over a range."""

    code: ClassVar[str] = "invalid-what-if"


@dataclass(frozen=True, slots=True)
class CostRange:
    """The costs (fen) that a bill's total runs over: `points` of them, in equal steps, both ends
    included."""

    from_: int
    to: int
    points: int

    def totals(self) -> tuple[int, ...]:
        """Every cost, rounded half-up to the fen, rising."""
        span, steps = self.to - self.from_, self.points - 1
        return tuple(self.from_ + half_up(span * step, steps) for step in range(self.points))


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What is asked: one bill of a case, by its id, at other costs and in other circumstances."""

    case: Case
    bill_id: str
    costs: CostRange


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A version of the bill with another cost, and what comes of it (fen)."""

    bill: Bill
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class CostCurve:
    """What each layer pays and what is left as one bill's cost rises.

    `present`: the bill as it is. `layers`: those that pay on the bill, given or computed, in the
    order of payment; a layer that pays nothing anywhere is among them. `notes`: what the estimate
    says besides, as sentences.
    """

    present: CurvePoint
    points: tuple[CurvePoint, ...]
    layers: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def summary(self) -> str:
        """What the curve says, in two sentences."""
        bill, outcome = self.present.bill, self.present.outcome
        ends = "，".join(
            f"总费用是 {_yuan(point.bill.total)}时自己付 {_yuan(point.outcome.personal_burden)}"
            for point in (self.points[0], self.points[-1])
        )
        return (
            f"现在总费用 {_yuan(bill.total)}，各项一共付 "
            f"{_yuan(bill.total - outcome.personal_burden)}，"
            f"自己付 {_yuan(outcome.personal_burden)}。{ends}。"
        )


def cost_curve(case: Case, rules: Rules, bill_id: str, costs: CostRange) -> CostCurve:
    """The curve of one bill of the case; the other bills stay as they are.

    The bill's in-scope cost, its rare drug and what was already paid keep their share of the total,
    rounded half-up. Every point equals `estimate_payments` of the case with the bill so changed.
    Raises `InvalidWhatIf`, and what `estimate_payments` raises.
    """
    estimate = estimate_payments(case, rules)
    together = of_bill(case, estimate, bill_id)
    bill = together.target.bill
    faults = list(_faults(bill, costs))
    if faults:
        raise InvalidWhatIf(*faults)
    payers = (*rules.book.vocabulary.layers, OUT_OF_SCOPE)
    versions = tuple(with_total(bill, total, payers) for total in costs.totals())
    outcomes = settle_versions(together, versions, rules)
    return CostCurve(
        CurvePoint(bill, together.outcome()),
        tuple(map(CurvePoint, versions, outcomes)),
        tuple(payment.layer for payment in together.target.payments),
        (*estimate.notes, *together.target.notes),
    )


def of_bill(case: Case, estimate: Estimate, bill_id: str) -> Together:
    """The bill of this id with the bills that it touches; raises `InvalidWhatIf`."""
    for place, found in enumerate(estimate.bills):
        if found.bill.id == bill_id:
            return Together(case, estimate, place)
    raise InvalidWhatIf(Fault("/bill", "没有这张结算单，请填写要看的那张结算单的单号。"))


def with_total(bill: Bill, total: int, payers: Iterable[str]) -> Bill:
    """The bill with another total (fen), its amounts keeping their share of it.

    Rounded up together the amounts could pass the total by a fen or two: the rare drug, and of the
    `payers` the later, give way.
    """
    in_scope = half_up(bill.in_scope * total, bill.total)
    rare_drug = half_up(bill.rare_drug * total, bill.total)
    left = total
    paid: dict[str, int] = {}
    for payer in payers:
        if payer in bill.paid:
            paid[payer] = min(half_up(bill.paid[payer] * total, bill.total), left)
            left -= paid[payer]
    return replace(
        bill, total=total, in_scope=in_scope, rare_drug=min(rare_drug, total - in_scope), paid=paid
    )


def _yuan(fen: int) -> str:
    return f"{format_yuan(fen)} 元"


def _faults(bill: Bill, costs: CostRange) -> Iterator[Fault]:
    if bill.total == 0:
        yield Fault("/bill", "这张结算单的总费用是 0.00 元，看不出各项占多少，请先填写大致的费用。")
    if not FEWEST_POINTS <= costs.points <= MOST_POINTS:
        yield Fault("/cost/points", f"请填写 {FEWEST_POINTS} 至 {MOST_POINTS} 之间的点数。")
    for name, amount in (("from", costs.from_), ("to", costs.to)):
        if not 0 <= amount <= MAX_FEN:
            yield Fault(f"/cost/{name}", f"金额要在 0.00 和 {format_yuan(MAX_FEN)} 元之间。")
    if costs.to - costs.from_ < costs.points - 1:
        yield Fault("/cost/to", "终点要比起点高，每两点之间至少相差 0.01 元，请改大终点。")
