"""批量测算 (batch): millions of bills under one policy, by columns.

Bills are taken in blocks that fit the cache, the blocks on every core (NumPy releases the lock).
In a block the n-th bills of all persons' years form a wave: each bill of a wave belongs to another
year, so one pass of the rules over columns settles them all, and the next wave finds the years'
burdens and pools as the wave before left them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sized
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Final

import numpy as np

from backend.estimation.block import Block
from backend.estimation.case import Assumptions, SeriousIllnessBase
from backend.estimation.columns import Batch, BatchEstimate
from backend.estimation.plan import Plan
from backend.estimation.terms import Rules
from backend.policies.policy import Policy

BLOCK: Final = 1 << 15
"""Bills in a block."""


def estimate_batch(
    batch: Batch,
    policy: Policy,
    rules: Rules,
    base: SeriousIllnessBase | None = None,
    threads: int | None = None,
) -> BatchEstimate:
    """Settles every bill of the batch under `policy`; equal to `estimate_payments` bill by bill.

    `base`: the locality's serious-illness insurance. Raises `ValueError` where the columns differ
    in length or are not in the order of `BillColumns`.
    """
    _check(batch)
    plan = Plan(policy, rules, Assumptions(base), batch)
    estimate = _empty(plan, len(batch.bills))
    cuts = list(_cuts(batch))
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for _ in pool.map(lambda cut: Block(plan, batch, estimate, *cut).settle(), cuts):
            pass
    return estimate


def _empty(plan: Plan, bills: int) -> BatchEstimate:
    return BatchEstimate(
        computed={layer: np.zeros(bills, np.int64) for layer in plan.layers},
        identity=np.full(bills, -1, np.int8),
        in_scope_burden=np.empty(bills, np.int64),
        personal_burden=np.empty(bills, np.int64),
    )


def _cuts(batch: Batch) -> Iterator[tuple[int, int]]:
    """Blocks of whole persons: (first bill, behind the last)."""
    person, bills, start = batch.bills.person, len(batch.bills), 0
    while start < bills:
        stop = min(start + BLOCK, bills)
        if stop < bills:
            stop = int(np.searchsorted(person, person[stop - 1], side="right"))
        yield start, stop
        start = stop


def _check(batch: Batch) -> None:
    bills, identities = batch.bills, batch.identities
    columns: list[Sized] = [bills.admitted_on, bills.discharged_on, bills.setting, bills.total]
    columns += [bills.in_scope, *bills.paid.values(), *bills.flags.values()]
    optional = (bills.disease_group, bills.rare_drug, bills.out_of_scope)
    columns += [column for column in optional if column is not None]
    if any(len(column) != len(bills) for column in columns):
        raise ValueError("the columns of the bills differ in length")
    owners = (identities.category, identities.from_, identities.to, identities.applied_on)
    if any(len(column) != len(identities.person) for column in owners):
        raise ValueError("the columns of the identities differ in length")
    for start in range(0, len(bills), BLOCK):
        part = slice(start, start + BLOCK + 1)
        person, day = bills.person[part], bills.discharged_on[part]
        rises = person[1:] > person[:-1]
        if not np.all(rises | ((person[1:] == person[:-1]) & (day[1:] >= day[:-1]))):
            raise ValueError("bills must be ordered by person, then by day of discharge")
    if np.any(identities.person[1:] < identities.person[:-1]):
        raise ValueError("identities must be ordered by person")


def ordinal(day: date | None) -> int:
    """A day as the columns hold it; none: `NO_DAY`."""
    return 0 if day is None else day.toordinal()
