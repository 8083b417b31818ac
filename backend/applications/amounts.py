"""临时救助金额 (amounts): what an officer grants; the department pays it its own way [reading]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from sqlalchemy import Executable, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.applications.cases import Case, of_case
from backend.applications.effect_tables import APPLICATION_GRANT
from backend.applications.errands import leave_finishing
from backend.applications.ground import Ground
from backend.applications.steps import AnotherPersonNeeded, NotYourDesk, Step
from backend.kernel import audit
from backend.kernel.database import constraint_of
from backend.kernel.errors import DomainError, Fault
from backend.policies.procedures import Procedure
from backend.worklist.items import NewItem, open_items, supersede_items

OWN: Final = APPLICATION_GRANT.c
KIND: Final = "temporary_relief"
DESKS: Final = ("county_officer", "city_officer")
LARGEST: Final = 10_000_000_00
"""Fen. More than any document grants at once: a slip of the finger."""
_BACK: Final = "临时救助已经发放，后来撤销或者不予批准：请与本人说明，按规定追回，并记下结果。"
BY: Final = "worker"


class GrantWrong(DomainError):
    """The amount, or when it is told, is not right."""

    code: ClassVar[str] = "application-grant-wrong"


_FIXED: Final = "这件申请已经批准，金额不能再改：确实有误的，请先拟撤销，重新申请。"
_REFUSED: Final[Mapping[str, DomainError]] = {
    "application_grant_apart": AnotherPersonNeeded(Fault(
        "/amount", "须由另一个人办理：您帮忙申请过这件，或者与申请人有亲属关系。请交给同事。"
    )),
    "application_grant_two": AnotherPersonNeeded(Fault(
        "/paid_on", "定金额的人不能登记发放：请交给同事登记。"
    )),
    "application_grant_fixed": GrantWrong(Fault("/amount", _FIXED)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Granted:
    """What was granted (fen). `paid_on` None: not paid yet."""

    amount: int
    decided_by: str
    decided_on: date
    paid_on: date | None
    paid_ref: str


@dataclass(frozen=True, slots=True)
class Paid:
    """That the department paid. `ref`: of its voucher."""

    on: date
    ref: str


def record_amount(
    session: Session, who: audit.Who, case: Case, amount: int, today: date
) -> Granted:
    """How much is granted (fen); until the case is approved it may be put right. The same again
    changes nothing.

    Raises `GrantWrong`, `NotYourDesk` for who is not of the county, `AnotherPersonNeeded` for who
    is part of the case.
    """
    _check_desk(who)
    if case.kind != KIND:
        raise GrantWrong(Fault("/amount", "这类申请没有要定的金额：救助由系统按政策计算。"))
    if case.state in ("noticed", "granted", "paid", "closed"):
        raise GrantWrong(Fault("/amount", _FIXED))
    if case.state not in ("helped", "reviewed"):
        raise GrantWrong(Fault("/amount", "这件申请现在不能定金额：请在初审以后、批准以前定。"))
    if not 0 < amount <= LARGEST:
        raise GrantWrong(Fault("/amount", "请填写大于零的救助金额，单位元。"))
    said = {"amount": amount, "decided_by": who.label, "decided_on": today}
    new = insert(APPLICATION_GRANT).inline().values(application_id=case.id, **said)
    written = _write(session, new.on_conflict_do_update(
        index_elements=["application_id"], set_=said,
        where=OWN.paid_on.is_(None) & (OWN.amount != amount),
    ).returning(OWN.amount))  # fmt: skip
    found = granted(session, case.id)
    if found is None or found.amount != amount:
        raise GrantWrong(Fault("/amount", "这笔救助已经发放，金额不能再改。"))
    if written:
        fen = {"person": case.person_id, "fen": amount}
        audit.deed(session, who, "application.amount", of_case(case), **fen)
    return found


def check_decided(session: Session, case: Case, step: Step, procedure: Procedure) -> None:
    """Raises `GrantWrong` where a case that brings an amount would be approved without one."""
    if (
        step.deed == "approve"
        and procedure.brings == "amount"
        and granted(session, case.id) is None
    ):
        raise GrantWrong(Fault("/amount", "还没有定救助金额：请先定金额，再批准。"))


def note_paid(session: Session, who: audit.Who, case: Case, paid: Paid, today: date) -> Granted:
    """The department has paid it; told again, what was told first stands. The case is looked at
    anew.

    Raises `GrantWrong`, `NotYourDesk`, `AnotherPersonNeeded` for who decided the amount, or is
    part of the case.
    """
    _check_desk(who)
    found = granted(session, case.id)
    if found is not None and found.paid_on is not None:
        return found
    if found is None or case.state not in ("helped", "granted"):
        raise GrantWrong(Fault("/paid_on", "这件申请没有已批准、待发放的金额：请先定金额并批准。"))
    on, ref = paid.on, paid.ref.strip()
    if not found.decided_on <= on <= today or not ref:
        told = "请填写发放的日期（不早于定金额的日期，不晚于今天）和凭证号。"
        raise GrantWrong(Fault("/paid_on", told))
    mine = update(APPLICATION_GRANT).where(OWN.application_id == case.id, OWN.paid_on.is_(None))
    noted = mine.values(paid_on=on, paid_ref=ref, noted_by=who.label)
    if _write(session, noted.returning(OWN.amount)):  # else somebody noted it just before
        audit.deed(session, who, "application.paid", of_case(case), person=case.person_id)
        leave_finishing(session, case.id)
    return granted(session, case.id) or found


def ask_back_no_more(session: Session, _ground: Ground, case: Case) -> Sequence[int]:
    """The amount stands in `application_grant`, and the department pays it: all that a grant leaves
    to do is to take off the county's list what a refusal before it put there. As `worker`."""
    supersede_items(session, "refund_due", [of_case(case)], BY)
    return ()


def ask_back(session: Session, ground: Ground, case: Case) -> Sequence[int]:
    """What was paid and is granted no more is due back: the county has it on its list. Where
    nothing was paid, nothing is. As `worker`."""
    found = granted(session, case.id)
    if found is not None and found.paid_on is not None:
        item = NewItem("refund_due", of_case(case), case.person_id, case.area, _BACK)
        open_items(session, [item], BY, ground.today)
    return ()


def granted(session: Session, case_id: int) -> Granted | None:
    """What was granted; None: no amount has been decided."""
    query = select(OWN.amount, OWN.decided_by, OWN.decided_on, OWN.paid_on, OWN.paid_ref)
    row = session.execute(query.where(OWN.application_id == case_id)).first()
    return None if row is None else Granted(*row)


def _write(session: Session, statement: Executable) -> bool:
    """Whether a row was written; the statement returns it."""
    try:
        with session.begin_nested():
            return session.execute(statement).first() is not None
    except IntegrityError as error:
        if (refused := _REFUSED.get(constraint_of(error))) is None:
            raise
        raise refused from error


def _check_desk(who: audit.Who) -> None:
    """The database refuses others too."""
    if who.role not in DESKS:
        raise NotYourDesk(Fault("/amount", "金额由县（市、区）工作人员定：请交给他们办理。"))
