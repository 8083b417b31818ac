"""Cases as a batch, and the batch's answer held against the scalar one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.estimation.batch import estimate_batch, ordinal
from backend.estimation.case import Bill, Case
from backend.estimation.columns import (
    NOT_GIVEN,
    Batch,
    BatchEstimate,
    BillColumns,
    IdentityColumns,
    PersonColumns,
)
from backend.estimation.estimate import BillEstimate, estimate_payments
from backend.estimation.terms import Rules
from backend.policies.book import Vocabulary
from tests.support.cases import identity_of

Difference = tuple[Case, str, object, object]


def differences(cases: Sequence[Case], rules: Rules) -> list[Difference]:
    """Bills on which batch and scalar disagree. All cases name one policy and one base."""
    first = cases[0]
    if first.policy is None:
        raise ValueError("a batch is settled under a named policy")
    policy = rules.book.policy(first.policy)
    base = first.assumptions.serious_illness_base
    found = estimate_batch(batch_of(cases, rules.book.vocabulary), policy, rules, base)
    wrong, place = [], 0
    for case in cases:
        for bill in estimate_payments(case, rules).bills:
            want, got = _scalar(bill, found), _vector(found, place, rules.book.vocabulary)
            if want != got:
                wrong.append((case, bill.bill.id, want, got))
            place += 1
    return wrong


def batch_of(cases: Sequence[Case], words: Vocabulary) -> Batch:
    """The cases as columns, bills in the order in which they are taken."""
    incomes = [case.assumptions.disposable_income_per_head for case in cases]
    given = any(income is not None for income in incomes)
    return Batch(
        PersonColumns(
            np.array([case.person.declined_health_service for case in cases], np.bool_),
            np.array([6_000_000 if i is None else i for i in incomes], np.int64) if given else None,
        ),
        _identities(cases, words),
        _bills(cases, words),
    )


def _identities(cases: Sequence[Case], words: Vocabulary) -> IdentityColumns:
    rows = [
        (
            place,
            words.positions[identity.category],
            ordinal(identity.from_),
            ordinal(identity.to),
            ordinal(identity.applied_on),
        )
        for place, case in enumerate(cases)
        for identity in case.person.identities
    ]
    table = np.array(rows, np.int32).reshape(-1, 5)
    person, category, from_, to, applied = table.T
    return IdentityColumns(person, category.astype(np.int8), from_, to, applied)


def _bills(cases: Sequence[Case], words: Vocabulary) -> BillColumns:
    taken = [
        (place, bill)
        for place, case in enumerate(cases)
        for bill in sorted(case.bills, key=lambda bill: (bill.discharged_on, bill.id))
    ]
    bills = [bill for _, bill in taken]
    settings, groups = list(words.settings), list(words.disease_groups)
    return BillColumns(
        person=np.array([place for place, _ in taken], np.int32),
        admitted_on=np.array([ordinal(bill.admitted_on) for bill in bills], np.int32),
        discharged_on=np.array([ordinal(bill.discharged_on) for bill in bills], np.int32),
        setting=np.array([settings.index(bill.setting) for bill in bills], np.int8),
        total=np.array([bill.total for bill in bills], np.int64),
        in_scope=np.array([bill.in_scope for bill in bills], np.int64),
        paid={
            layer: column for layer in words.layers if (column := _paid(bills, layer)) is not None
        },
        flags={flag: np.array([getattr(b, flag) for b in bills], np.bool_) for flag in words.flags},
        disease_group=np.array([groups.index(bill.disease_group) for bill in bills], np.int8),
        rare_drug=np.array([bill.rare_drug for bill in bills], np.int64),
        out_of_scope=np.array([bill.paid.get("out_of_scope", 0) for bill in bills], np.int64),
    )


def _paid(bills: Sequence[Bill], layer: str) -> np.ndarray | None:
    if not any(layer in bill.paid for bill in bills):
        return None
    return np.array([bill.paid.get(layer, NOT_GIVEN) for bill in bills], np.int64)


def _scalar(bill: BillEstimate, batch: BatchEstimate) -> object:
    computed = dict.fromkeys(batch.computed, 0)
    computed |= {p.layer: p.amount for p in bill.payments if p.explained is not None}
    return computed, identity_of(bill), bill.in_scope_burden, bill.personal_burden


def _vector(batch: BatchEstimate, place: int, words: Vocabulary) -> object:
    code = int(batch.identity[place])
    return (
        {layer: int(column[place]) for layer, column in batch.computed.items()},
        list(words.categories)[code] if code >= 0 else None,
        int(batch.in_scope_burden[place]),
        int(batch.personal_burden[place]),
    )
