"""账单的各种可能 (versions): one person's year settled again and again, each time with another
version of one bill, by the columns of the batch engine: each version is a person of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from backend.estimation.batch import estimate_batch, ordinal
from backend.estimation.case import Bill, Case, SeriousIllnessBase
from backend.estimation.columns import (
    NOT_GIVEN,
    Batch,
    BatchEstimate,
    BillColumns,
    Fen,
    IdentityColumns,
    PersonColumns,
)
from backend.estimation.estimate import (
    OUT_OF_SCOPE,
    BillEstimate,
    Estimate,
    YearEstimate,
    decides,
    estimate_payments,
)
from backend.estimation.terms import Rules
from backend.policies.book import Vocabulary
from backend.policies.policy import Policy


@dataclass(frozen=True, slots=True)
class Outcome:
    """One bill and its year (fen). `payments`: layer → amount, in the order of payment."""

    payments: Mapping[str, int]
    in_scope_burden: int
    personal_burden: int
    year: YearEstimate


@dataclass(frozen=True)
class Together:
    """One bill of an estimate, and the bills that it can touch: those of its year under its policy.

    Every other bill stays as it was estimated.
    """

    case: Case
    estimate: Estimate
    place: int

    @property
    def target(self) -> BillEstimate:
        """The bill as it was estimated."""
        return self.estimate.bills[self.place]

    @cached_property
    def year(self) -> YearEstimate:
        """The bill's year, as it was estimated."""
        year = self.target.bill.discharged_on.year
        return next(found for found in self.estimate.years if found.year == year)

    @property
    def policy(self) -> Policy | None:
        """The policy that decides the bill; None: no policy does, and it touches no other."""
        return self.target.policy if decides(self.case, self.target.standing) else None

    @cached_property
    def members(self) -> tuple[BillEstimate, ...]:
        """The bills that belong together, the target among them, in the order of the law."""
        if self.policy is None:
            return (self.target,)
        return tuple(filter(self._belongs, self.estimate.bills))

    def _belongs(self, other: BillEstimate) -> bool:
        return (
            other.policy is self.target.policy
            and decides(self.case, other.standing)
            and other.bill.discharged_on.year == self.year.year
        )

    def base(self, rules: Rules) -> tuple[bool, SeriousIllnessBase | None]:
        """Whether one serious-illness base holds for all members, and which."""
        area = self.case.area or (self.policy.area if self.policy else None)
        found = [
            rules.assumptions(
                self.case.assumptions, area, m.bill.discharged_on
            ).serious_illness_base
            for m in self.members
        ]
        return all(base == found[0] for base in found), found[0]

    def outcome(self) -> Outcome:
        """The bill and its year, as they were estimated."""
        return _outcome(self.target, self.year)


def settle_versions(
    together: Together, versions: Sequence[Bill], rules: Rules
) -> tuple[Outcome, ...]:
    """What comes of the bill and its year with each version of it; equal to `estimate_payments` of
    the whole case with the bill replaced. A version differs in amounts and flags, not in its id or
    days, and names the same layers as paid. The versions must be valid.
    """
    alike, base = together.base(rules)
    if together.policy is None or not alike:
        return tuple(_settle_one(together, version, rules) for version in versions)
    batch = _batch(together, versions, rules.book.vocabulary)
    estimate = estimate_batch(batch, together.policy, rules, base)
    return _Reader(together, batch, estimate, len(versions)).outcomes()


def _settle_one(together: Together, version: Bill, rules: Rules) -> Outcome:
    bills = tuple(
        version if member is together.target else member.bill for member in together.members
    )
    again = estimate_payments(replace(together.case, bills=bills), rules)
    target = next(bill for bill in again.bills if bill.bill.id == version.id)
    return _outcome(target, _year(together, again.years[0]))


def _outcome(bill: BillEstimate, year: YearEstimate) -> Outcome:
    payments = {payment.layer: payment.amount for payment in bill.payments}
    return Outcome(payments, bill.in_scope_burden, bill.personal_burden, year)


def _year(together: Together, members: YearEstimate) -> YearEstimate:
    """The year of all bills, from the members settled anew."""
    totals = dict(together.year.totals)
    for layer, amount in members.totals.items():
        before = sum(p.amount for m in together.members for p in m.payments if p.layer == layer)
        totals[layer] += amount - before
    in_scope = sum(member.in_scope_burden for member in together.members)
    personal = sum(member.personal_burden for member in together.members)
    return YearEstimate(
        together.year.year,
        totals,
        together.year.in_scope_burden + members.in_scope_burden - in_scope,
        together.year.personal_burden + members.personal_burden - personal,
    )


@dataclass(frozen=True)
class _Reader:
    """Reads the outcomes from the columns: a row a version, a column a member."""

    together: Together
    batch: Batch
    estimate: BatchEstimate
    versions: int

    def outcomes(self) -> tuple[Outcome, ...]:
        place = self.together.members.index(self.together.target)
        mine = {p.layer: self._paid(p.layer)[:, place] for p in self.together.target.payments}
        totals = {layer: self._paid(layer).sum(axis=1) for layer in self._layers()}
        in_scope = self._rows(self.estimate.in_scope_burden)
        personal = self._rows(self.estimate.personal_burden)
        return tuple(
            Outcome(
                {layer: int(column[row]) for layer, column in mine.items()},
                int(in_scope[row, place]),
                int(personal[row, place]),
                self._year(row, totals, in_scope, personal),
            )
            for row in range(self.versions)
        )

    def _year(
        self, row: int, totals: Mapping[str, Fen], in_scope: Fen, personal: Fen
    ) -> YearEstimate:
        members = YearEstimate(
            self.together.year.year,
            {layer: int(column[row]) for layer, column in totals.items()},
            int(in_scope[row].sum()),
            int(personal[row].sum()),
        )
        return _year(self.together, members)

    def _layers(self) -> Sequence[str]:
        return tuple(dict.fromkeys(p.layer for m in self.together.members for p in m.payments))

    def _paid(self, layer: str) -> Fen:
        """What the layer pays, given or computed."""
        bills = self.batch.bills
        given = bills.out_of_scope if layer == OUT_OF_SCOPE else bills.paid.get(layer)
        paid = np.zeros(len(bills), np.int64) if given is None else np.maximum(given, 0)
        if layer in self.estimate.computed:
            paid = paid + self.estimate.computed[layer]
        return self._rows(paid)

    def _rows(self, column: Fen) -> Fen:
        return column.reshape(self.versions, -1)


def _batch(together: Together, versions: Sequence[Bill], words: Vocabulary) -> Batch:
    case, count = together.case, len(versions)
    income = case.assumptions.disposable_income_per_head
    persons = PersonColumns(
        np.full(count, case.person.declined_health_service),
        None if income is None else np.full(count, income, np.int64),
    )
    return Batch(persons, _identities(case, count, words), _bills(together, versions, words))


def _identities(case: Case, count: int, words: Vocabulary) -> IdentityColumns:
    held = case.person.identities
    return IdentityColumns(
        np.repeat(np.arange(count, dtype=np.int32), len(held)),
        np.tile(np.asarray([words.positions[i.category] for i in held], np.int8), count),
        np.tile(np.asarray([ordinal(i.from_) for i in held], np.int32), count),
        np.tile(np.asarray([ordinal(i.to) for i in held], np.int32), count),
        np.tile(np.asarray([ordinal(i.applied_on) for i in held], np.int32), count),
    )


def _bills(together: Together, versions: Sequence[Bill], words: Vocabulary) -> BillColumns:
    members = together.members
    bills = [
        version if member is together.target else member.bill
        for version in versions
        for member in members
    ]
    settings, groups = tuple(words.settings), tuple(words.disease_groups)
    named = [layer for layer in words.layers if any(layer in m.bill.paid for m in members)]
    return BillColumns(
        person=np.repeat(np.arange(len(versions), dtype=np.int32), len(members)),
        admitted_on=np.asarray([ordinal(bill.admitted_on) for bill in bills], np.int32),
        discharged_on=np.asarray([ordinal(bill.discharged_on) for bill in bills], np.int32),
        setting=np.asarray([settings.index(bill.setting) for bill in bills], np.int8),
        total=_fen([bill.total for bill in bills]),
        in_scope=_fen([bill.in_scope for bill in bills]),
        paid={name: _fen([bill.paid.get(name, NOT_GIVEN) for bill in bills]) for name in named},
        flags={flag: np.asarray([getattr(bill, flag) for bill in bills]) for flag in words.flags},
        disease_group=np.asarray([groups.index(bill.disease_group) for bill in bills], np.int8),
        rare_drug=_fen([bill.rare_drug for bill in bills]),
        out_of_scope=_fen([bill.paid.get(OUT_OF_SCOPE, 0) for bill in bills]),
    )


def _fen(amounts: list[int]) -> Fen:
    return np.asarray(amounts, np.int64)
