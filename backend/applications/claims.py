"""认领费用单 (claims): the bills that an application names, so that no other names them too.

Claimed with submitting, granted with the case, let go with a case that ends without a grant (by the
database, `claims_follow`). Matching pays a layer that comes on application on granted claims alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import ClassVar, Final

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.applications.bills import own_bills
from backend.applications.cases import Case
from backend.applications.drafts import Answered
from backend.citizens.tables import BILL
from backend.kernel.errors import DomainError, Fault
from backend.matching.tables import BILL_CLAIM
from backend.policies.procedures import Procedure

CLAIM: Final = BILL_CLAIM.c
_NUMBER: Final = text("SELECT number_of_layer(:layer)")
_TAKEN: Final = (
    "选的费用单里，有的已经在另一件申请里：请从“我的申请”里打开那一件，或者改选别的费用单。"
)


class BillClaimed(DomainError):
    """Another application names a bill for the same layer."""

    code: ClassVar[str] = "application-bill-claimed"


def claim_bills(
    session: Session, case: Case, procedure: Procedure, answers: Mapping[str, Answered]
) -> Sequence[int]:
    """Claim just the bills that the answers name, before the case is submitted or supplied again;
    their ids. Nothing for kinds that claim none.

    Raises `BillClaimed`, `AnswerWrong` for a bill that is no longer the person's.
    """
    if procedure.brings != "claim" or procedure.layer is None:
        return ()
    bills = bills_named(session, case, procedure, answers)
    mine = delete(BILL_CLAIM).where(CLAIM.application_id == case.id, CLAIM.state == "claimed")
    session.execute(mine)
    layer = int(session.execute(_NUMBER, {"layer": procedure.layer}).scalar_one())
    of = {"application_id": case.id, "layer": layer, "person_id": case.person_id}
    try:
        with session.begin_nested():
            session.execute(
                insert(BILL_CLAIM).inline(), [{**of, "bill_id": bill} for bill in bills]
            )
    except IntegrityError as error:
        diagnosis = getattr(error.orig, "diag", None)
        if getattr(diagnosis, "constraint_name", "") != "uq_bill_claim_live":
            raise
        raise BillClaimed(Fault("/answers/bills", _TAKEN)) from error
    return bills


def bills_named(
    session: Session, case: Case, procedure: Procedure, answers: Mapping[str, Answered]
) -> Sequence[int]:
    """The ids of the bills that the answers name. Raises `AnswerWrong`."""
    for field in procedure.fields.values():
        if field.type == "bills" and field.code in answers:
            return own_bills(session, case.person_id, answers[field.code].value)
    return ()


def grant_claims(session: Session, case: Case, version: int) -> Sequence[int]:
    """What the case claims is granted from the data version on; the years of the bills."""
    mine = update(BILL_CLAIM).where(CLAIM.application_id == case.id, CLAIM.state == "claimed")
    session.execute(mine.values(state="granted", granted_version=version))
    return _years(session, case, "granted")


def release_claims(session: Session, case: Case, version: int) -> Sequence[int]:
    """What was granted counts no more; the years of the bills."""
    years = _years(session, case, "granted")
    mine = update(BILL_CLAIM).where(CLAIM.application_id == case.id, CLAIM.state == "granted")
    session.execute(mine.values(state="released", released_version=version))
    return years


def _years(session: Session, case: Case, state: str) -> Sequence[int]:
    days: Sequence[date] = session.scalars(
        select(BILL.c.discharged_on)
        .join(BILL_CLAIM, CLAIM.bill_id == BILL.c.id)
        .where(CLAIM.application_id == case.id, CLAIM.state == state)
    ).all()
    return sorted({day.year for day in days})
