"""测算结果 (answer): an estimate of one bill as the page shows it, with what would change it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from markupsafe import Markup

from backend.estimation.case import Bill, Case
from backend.estimation.chart import draw_cost_curve
from backend.estimation.circumstances import CATEGORY, Circumstance, changed_circumstances
from backend.estimation.estimate import BillEstimate, Payment, decides, estimate_payments
from backend.estimation.explained import Explained
from backend.estimation.terms import Rules
from backend.estimation.what_if import CostRange, cost_curve
from backend.kernel.money import MAX_FEN
from backend.policies.policy import Policy
from backend.policies.shapes import ReadingShape
from miniprogram_api.estimation.schemas import PAYERS
from miniprogram_api.pages.estimate_form import BILL_ID

POINTS: Final = 41
SMALLEST: Final = 100
"""Fen: below one yuan there is no curve to look at."""


@dataclass(frozen=True, slots=True)
class Line:
    """One payer. `given`: filled in by the person; the rest where the policy computes it."""

    name: str
    amount: int
    given: bool
    explained: Explained | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The page's content (fen). `decided`: a policy decides the bill; `trial`: one would, if named.

    `cited_on`: the day whose clauses are cited. `changes`: other circumstances of the visit;
    `categories`: other identities; only what matters. `picture`: the cost curve as SVG.
    """

    bill: Bill
    policy: Policy | None
    decided: bool
    trial: Policy | None
    covered: int
    burden: int
    in_scope_burden: int
    lines: tuple[Line, ...]
    readings: tuple[ReadingShape, ...]
    at_least: bool
    notes: tuple[str, ...]
    changes: tuple[Circumstance, ...]
    categories: tuple[Circumstance, ...]
    picture: Markup | None

    @property
    def cited_on(self) -> date:
        """The day of the bill."""
        return self.bill.discharged_on


def answer_case(case: Case, rules: Rules) -> Answer:
    """The answer to a case of one bill. Raises `InvalidCase`."""
    estimate = estimate_payments(case, rules)
    found = estimate.bills[0]
    decided = found.policy is not None and decides(case, found.standing)
    changes = changed_circumstances(case, rules, BILL_ID) if decided else ()
    matter = tuple(change for change in changes if change.matters)
    return Answer(
        bill=found.bill,
        policy=found.policy,
        decided=decided,
        trial=found.policy if found.standing == "unconfirmed" and not decided else None,
        covered=found.bill.total - found.personal_burden,
        burden=found.personal_burden,
        in_scope_burden=found.in_scope_burden,
        lines=tuple(_lines(found)),
        readings=tuple(_readings(found)),
        at_least=any(p.explained is not None and p.explained.at_least for p in found.payments),
        notes=(*found.notes, *estimate.notes),
        changes=tuple(change for change in matter if change.change.what != CATEGORY),
        categories=tuple(change for change in matter if change.change.what == CATEGORY),
        picture=_picture(case, rules) if decided and found.bill.total >= SMALLEST else None,
    )


def _lines(found: BillEstimate) -> Iterator[Line]:
    """What says something: an amount, or why there is none."""
    for payment in found.payments:
        if payment.given or payment.amount or _tells(payment):
            name = PAYERS[payment.layer]
            yield Line(name, payment.amount, payment.given, payment.explained)


def _tells(payment: Payment) -> bool:
    return payment.explained is not None and bool(payment.explained.steps)


def _readings(found: BillEstimate) -> Iterator[ReadingShape]:
    seen: dict[str, ReadingShape] = {}
    for payment in found.payments:
        if payment.explained is not None:
            seen |= {reading.id: reading for reading in payment.explained.readings}
    yield from seen.values()


def _picture(case: Case, rules: Rules) -> Markup:
    costs = CostRange(0, min(2 * case.bills[0].total, MAX_FEN), POINTS)
    curve = cost_curve(case, rules, BILL_ID, costs)
    # The picture is made from elements and text, which its writer escapes.
    return Markup(draw_cost_curve(curve, rules.book.vocabulary))
