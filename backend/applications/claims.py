"""认领费用单 (claims): the bills that an application names, so that no other names them too.

Claimed with submitting, granted with the case, let go with a case that ends without a grant (by the
database, `claims_follow`). What was helped on first stays as it was. Matching pays a layer that
comes on application on granted claims alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.applications.answers import AnswerWrong
from backend.applications.bills import own_bills
from backend.applications.cases import Case
from backend.applications.drafts import Answered
from backend.applications.moves import STATES
from backend.applications.steps import BillClaimed
from backend.citizens.tables import BILL
from backend.kernel.database import constraint_of
from backend.kernel.errors import Fault
from backend.matching.tables import BILL_CLAIM
from backend.policies.procedures import Procedure

CLAIM: Final = BILL_CLAIM.c
_NUMBER: Final = text("SELECT number_of_layer(:layer)")
_TAKEN: Final = (
    "选的费用单里，有的已经在另一件申请里：请从“我的申请”里打开那一件，或者改选别的费用单。"
)
_HELPED: Final = (
    "已经按原来选的费用单先行救助，费用单不能再增减：请改回原来选的；别的费用单请另外申请。"
)
_ADVANCED: Final = "有一张费用单医院已经垫付，县里登记过：请把它选回来；有疑问请打经办机构的电话。"


def claim_bills(
    session: Session, case: Case, procedure: Procedure, answers: Mapping[str, Answered]
) -> Sequence[int]:
    """Claim just the bills that the answers name, before the case is submitted or supplied again;
    their ids. Nothing for kinds that claim none, or where they were granted by helping first.

    Raises `BillClaimed`, `AnswerWrong` for a bill that is no longer the person's, for other bills
    than were helped on, or where one is left out that a hospital has advanced.
    """
    if procedure.brings != "claim" or procedure.layer is None:
        return ()
    bills = bills_named(session, case, procedure, answers)
    live = _live(session, case)
    if helped := {bill for bill, state in live.items() if state == "granted"}:
        if set(bills) != helped:
            raise AnswerWrong(Fault("/answers/bills", _HELPED))
        return bills
    held = set(live)
    layer = int(session.execute(_NUMBER, {"layer": procedure.layer}).scalar_one())
    of = {"application_id": case.id, "layer": layer, "person_id": case.person_id}
    if left_out := held - set(bills):
        _drop(session, case, left_out)
    _insert(session, [{**of, "bill_id": bill} for bill in bills if bill not in held])
    return bills


def _drop(session: Session, case: Case, bills: set[int]) -> None:
    mine = delete(BILL_CLAIM).where(CLAIM.application_id == case.id, CLAIM.state == "claimed")
    try:
        with session.begin_nested():
            session.execute(mine.where(CLAIM.bill_id.in_(bills)))
    except IntegrityError as error:
        if constraint_of(error) != "bill_claim_advanced":
            raise
        raise AnswerWrong(Fault("/answers/bills", _ADVANCED)) from error


def _insert(session: Session, claims: Sequence[Mapping[str, int]]) -> None:
    if not claims:
        return
    try:
        with session.begin_nested():
            session.execute(insert(BILL_CLAIM).inline(), claims)
    except IntegrityError as error:
        if constraint_of(error) != "uq_bill_claim_live":
            raise
        raise BillClaimed(Fault("/answers/bills", _TAKEN)) from error


def _live(session: Session, case: Case) -> dict[int, str]:
    query = select(CLAIM.bill_id, CLAIM.state).where(
        CLAIM.application_id == case.id, CLAIM.state.in_(("claimed", "granted"))
    )
    return {row.bill_id: row.state for row in session.execute(query)}


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
    """What was granted counts no more; the years of the bills. A case that was appealed meanwhile
    claims them again at once."""
    years = _years(session, case, "granted")
    mine = update(BILL_CLAIM).where(CLAIM.application_id == case.id, CLAIM.state == "granted")
    released = mine.values(state="released", released_version=version)
    bills = session.execute(
        released.returning(CLAIM.application_id, CLAIM.bill_id, CLAIM.layer, CLAIM.person_id)
    ).mappings().all()  # fmt: skip
    if bills and case.state != "refused" and not STATES[case.state].over:
        session.execute(insert(BILL_CLAIM).inline(), [dict(one) for one in bills])
    return years


def _years(session: Session, case: Case, state: str) -> Sequence[int]:
    days: Sequence[date] = session.scalars(
        select(BILL.c.discharged_on)
        .join(BILL_CLAIM, CLAIM.bill_id == BILL.c.id)
        .where(CLAIM.application_id == case.id, CLAIM.state == state)
    ).all()
    return sorted({day.year for day in days})
