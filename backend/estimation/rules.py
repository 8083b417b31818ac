"""待遇计算规则: how an amount comes about, stated once for integers and for columns.

Every function takes an `Ops` and works on plain `int`s (one bill) or on int64 arrays (a column of
bills, each another person's). Money is fen, rates 1/10,000; all amounts are non-negative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from msgspec import Struct

from backend.kernel.money import RATE_UNIT, half_up

Amounts: TypeAlias = Any
"""Fen: an `int`, or an int64 array."""
Truths: TypeAlias = Any
"""A `bool`, or an array of bool."""

NO_LIMIT: Final = 1 << 62


@dataclass(frozen=True)
class Ops:
    """The few operations in which integers and columns differ."""

    minimum: Callable[[Amounts, Amounts], Amounts]
    maximum: Callable[[Amounts, Amounts], Amounts]
    where: Callable[[Truths, Amounts, Amounts], Amounts]


INTEGERS: Final = Ops(min, max, lambda truth, yes, no: yes if truth else no)
COLUMNS: Final = Ops(np.minimum, np.maximum, np.where)


@dataclass(frozen=True, slots=True)
class Scale:
    """A deductible and the bands above it.

    `steps`: (above, rise) in fen and 1/10,000: from `above` of the excess on, the rate rises by
    `rise`. `first_bill`: the deductible falls on the year's first bill alone (首次起付线).
    """

    deductible: Amounts
    steps: tuple[tuple[Amounts, Amounts], ...]
    first_bill: bool = False
    plain: bool = False
    """No deductible and one rate: the increment needs no yearly burden."""


class Situation(Struct, frozen=True):
    """One bill as a layer finds it. `before`: the year's burden before it; `first`: the year's
    first bill of its table; `left`: what each pool that covers the bill has left; `room`: what the
    bill's total leaves; `reduced`: the person gets a share only."""

    burden: Amounts
    before: Amounts
    first: Truths
    left: Sequence[Amounts]
    room: Amounts
    reduced: Truths = False
    keeps: int | None = None
    reduced_first: bool = False


class RowOutcome(Struct, frozen=True):
    """What one row of a table gives on a bill, cut by cut."""

    entitled: Amounts
    pooled: Amounts
    kept: Amounts
    paid: Amounts

    def uses(self, ops: Ops, situation: Situation) -> Amounts:
        """What the pools are used up by: what is paid, or the amount before halving."""
        if situation.keeps is None or situation.reduced_first:
            return self.paid
        return ops.where(situation.reduced, self.pooled, self.paid)


def yearly(ops: Ops, scale: Scale, burden: Amounts) -> Amounts:
    """f(burden) × 10,000: what a year's burden is worth, unrounded."""
    excess = burden - scale.deductible
    total: Amounts = 0
    for above, rise in scale.steps:
        total = total + rise * ops.maximum(excess - above, 0)
    return total


def entitled(ops: Ops, scale: Scale, situation: Situation) -> Amounts:
    """f(C + b) − f(C), rounded half-up to the fen."""
    burden = situation.burden
    if scale.plain:
        return half_up(scale.steps[0][1] * burden)
    if scale.first_bill:
        # The deductible of 首次 meets one bill only: nothing of it is carried on.
        free = ops.where(situation.first, 0, scale.deductible)
        return half_up(yearly(ops, scale, burden + free))
    before = situation.before
    return half_up(yearly(ops, scale, before + burden) - yearly(ops, scale, before))


def row_outcome(ops: Ops, scale: Scale, limited: Truths, situation: Situation) -> RowOutcome:
    """Rate, then pools, then the share for who declined the service, then the bill's total.

    Where the policy is read so, the share comes before the pools.
    """
    amount = entitled(ops, scale, situation)
    if situation.reduced_first:
        kept = pooled = after_pools(ops, reduced(ops, amount, situation), limited, situation)
    else:
        pooled = after_pools(ops, amount, limited, situation)
        kept = reduced(ops, pooled, situation)
    return RowOutcome(amount, pooled, kept, ops.minimum(kept, situation.room))


def after_pools(ops: Ops, amount: Amounts, limited: Truths, situation: Situation) -> Amounts:
    """The amount cut at what every pool has left, unless the row has no limit."""
    pooled = amount
    for left in situation.left:
        pooled = ops.minimum(pooled, left)
    return pooled if limited is True else ops.where(limited, pooled, amount)


def reduced(ops: Ops, amount: Amounts, situation: Situation) -> Amounts:
    """The share of who declined the service, rounded half-up; the whole for everybody else."""
    if situation.keeps is None:
        return amount
    share = half_up(amount * situation.keeps, RATE_UNIT)
    return ops.where(situation.reduced, share, amount)


def pool_left(ops: Ops, limit: int, used: Amounts) -> Amounts:
    """What a yearly limit still leaves; given payments may have passed it."""
    return ops.maximum(limit - used, 0)


def burden_left(ops: Ops, cost: Amounts, paid_before: Amounts) -> Amounts:
    """个人负担: in-scope cost (or the whole) less what was paid before, never below zero."""
    return ops.maximum(cost - paid_before, 0)
