"""测算 (estimate): what each layer pays on a person's bills, with the reasons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from msgspec import Struct

from backend.estimation.case import Bill, Case
from backend.estimation.checks import check_case
from backend.estimation.context import BillContext
from backend.estimation.explained import Explained
from backend.estimation.explanation import Explainer
from backend.estimation.identities import counting
from backend.estimation.notes import bill_notes, general_notes, told_otherwise
from backend.estimation.rules import INTEGERS, burden_left
from backend.estimation.settle import RARE_DRUG, Year, settle_bill
from backend.estimation.terms import Rules
from backend.policies.policy import Policy
from backend.policies.standing import decide, standing_of

OUT_OF_SCOPE = "out_of_scope"

Standing = Literal["in_force", "expired", "not_yet", "unconfirmed", "none"]


class Payment(Struct, frozen=True):
    """What one layer pays on a bill (fen). `explained`: for a layer that the policy computes."""

    layer: str
    amount: int
    given: bool
    explained: Explained | None = None


class BillEstimate(Struct, frozen=True):
    """One bill: the policy it falls under and its standing on that day, payments, burdens (fen)."""

    bill: Bill
    policy: Policy | None
    standing: Standing
    payments: tuple[Payment, ...]
    in_scope_burden: int
    personal_burden: int
    notes: tuple[str, ...]


class YearEstimate(Struct, frozen=True):
    """Sums of one calendar year of discharge (fen), by layer."""

    year: int
    totals: Mapping[str, int]
    in_scope_burden: int
    personal_burden: int


class Estimate(Struct, frozen=True):
    """The answer: bills in the order in which they were taken, and their years."""

    bills: tuple[BillEstimate, ...]
    years: tuple[YearEstimate, ...]
    notes: tuple[str, ...]


def estimate_payments(case: Case, rules: Rules) -> Estimate:
    """Settles the bills of a case in the order of the law: by day of discharge, then by id as text.

    Raises `InvalidCase`, `UnknownPolicy` or `UnknownArea` (backend.policies.book).
    Source: policy-facts of each document, `backend/policies/catalogue`.
    """
    check_case(case, rules.book)
    estimator = _Estimator(case, rules)
    bills = tuple(
        estimator.bill(bill)
        for bill in sorted(case.bills, key=lambda bill: (bill.discharged_on, bill.id))
    )
    return Estimate(bills, _years(bills), tuple(estimator.notes))


def decides(case: Case, standing: Standing) -> bool:
    """A policy of this standing decides a bill; one with unconfirmed dates only where named."""
    named = case.policy is not None
    return standing == "in_force" or (named and standing == "unconfirmed")


class Found(Struct, frozen=True):
    """The policy that a bill's day leads to, its standing, and why it does not decide, if so."""

    policy: Policy | None
    standing: Standing
    sentence: str | None = None


class _Estimator:
    def __init__(self, case: Case, rules: Rules) -> None:
        self.case = case
        self.rules = rules
        self.years: dict[tuple[str, int], Year] = {}
        self.notes: dict[str, None] = {}
        """Sentences about the whole estimate, each once, in the order met."""

    def bill(self, bill: Bill) -> BillEstimate:
        found = self._policy_on(bill.discharged_on)
        policy, standing = found.policy, found.standing
        if policy is None or not decides(self.case, standing):
            return self._outside(bill, found)
        area = self.case.area or policy.area
        assumptions = self.rules.assumptions(self.case.assumptions, area, bill.discharged_on)
        terms = self.rules.terms_of(policy).on(bill.discharged_on, assumptions)
        person = self.case.person
        held = counting(terms, person.identities, bill)
        year = self.years.setdefault((policy.id, bill.discharged_on.year), Year())
        settled = settle_bill(bill, held, person.declined_health_service, terms, year)
        of = BillContext(terms, assumptions, self.rules.book.vocabulary, bill, person, held)
        self.notes.update(dict.fromkeys(general_notes(of, standing)))
        explainer = Explainer(of)
        payments = tuple(
            Payment(s.layer, s.amount, s.given, None if s.given else explainer.explain(s))
            for s in settled
            if not (s.missed == "identity" and not s.given and told_otherwise(of))
        )
        return _bill_estimate(bill, found, payments, bill_notes(of))

    def _policy_on(self, day: date) -> Found:
        book = self.rules.book
        if self.case.policy is not None:
            policy = book.policy(self.case.policy)
            return Found(policy, policy.state_on(day))
        governing = book.of_area(self.case.area or "", day)
        if governing is not None:
            return Found(governing, "in_force")
        decision = decide(book, self.case.area or "", day)
        nearest = decision.concerning[0].policy if decision.concerning else None
        return Found(nearest, decision.state, decision.sentence)

    def _outside(self, bill: Bill, found: Found) -> BillEstimate:
        given = [
            Payment(layer, bill.paid[layer], given=True)
            for layer in self.rules.book.vocabulary.layers
            if layer in bill.paid
        ]
        note = _outside_note(found, bill.discharged_on)
        return _bill_estimate(bill, found, tuple(given), (note,))


def _outside_note(found: Found, day: date) -> str:
    sentence = found.sentence
    if found.policy is not None and sentence is None:
        standing = standing_of(found.policy, day)
        sentence = f"{day} 的费用：《{found.policy.document.short_title}》{standing.sentence}"
    tried = "想按它试算，请直接选这个政策。" if found.standing == "unconfirmed" else ""
    return f"{sentence}这笔费用没有计算救助。{tried}"


def _bill_estimate(
    bill: Bill,
    found: Found,
    payments: tuple[Payment, ...],
    notes: tuple[str, ...],
) -> BillEstimate:
    if OUT_OF_SCOPE in bill.paid:
        payments = (*payments, Payment(OUT_OF_SCOPE, bill.paid[OUT_OF_SCOPE], given=True))
    in_scope = sum(p.amount for p in payments if p.layer not in (RARE_DRUG, OUT_OF_SCOPE))
    return BillEstimate(
        bill=bill,
        policy=found.policy,
        standing=found.standing,
        payments=payments,
        in_scope_burden=burden_left(INTEGERS, bill.in_scope, in_scope),
        personal_burden=bill.total - sum(p.amount for p in payments),
        notes=notes,
    )


def _years(bills: tuple[BillEstimate, ...]) -> tuple[YearEstimate, ...]:
    by_year: dict[int, list[BillEstimate]] = {}
    for estimate in bills:
        by_year.setdefault(estimate.bill.discharged_on.year, []).append(estimate)
    return tuple(_year(year, of_year) for year, of_year in by_year.items())


def _year(year: int, bills: list[BillEstimate]) -> YearEstimate:
    totals: dict[str, int] = {}
    for bill in bills:
        for payment in bill.payments:
            totals[payment.layer] = totals.get(payment.layer, 0) + payment.amount
    return YearEstimate(
        year,
        totals,
        sum(bill.in_scope_burden for bill in bills),
        sum(bill.personal_burden for bill in bills),
    )
