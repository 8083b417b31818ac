"""救助金额 (sums): how much a case brought and how much of it was paid, for who sees the case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.applications import amounts

_OF_RUNS: Final = text("SELECT * FROM money_of_case(:case)")


@dataclass(frozen=True, slots=True)
class Sum:
    """Fen. `paid` None: nothing was paid yet; to a hospital that advanced: told with its advance.
    `paid_ref`: of the department's voucher, or the serial of the batch for the bank."""

    amount: int
    decided_on: date
    paid: int | None
    paid_on: date | None
    paid_ref: str


def sum_of(session: Session, case_id: int) -> Sum | None:
    """An amount that an officer decided, or what released runs granted; None: nothing so far."""
    decided = amounts.granted(session, case_id)
    if decided is not None:
        paid = None if decided.paid_on is None else decided.amount
        return Sum(decided.amount, decided.decided_on, paid, decided.paid_on, decided.paid_ref)
    row = session.execute(_OF_RUNS, {"case": case_id}).first()
    return None if row is None else Sum(*row)
