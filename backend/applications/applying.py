"""申请人的事 (applying): what applicants do with their case after it was submitted, or instead."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.applications.cases import Case, case_of
from backend.applications.claims import claim_bills
from backend.applications.steps import (
    Circumstances,
    DeedImpossible,
    ReasonMissing,
    Step,
    take_step,
)
from backend.applications.submitting import check_ready, stated
from backend.kernel.errors import Fault


def withdraw(session: Session, case_id: int, given: Circumstances) -> Case:
    """Take an application back before it is decided, or throw a draft away. Again: nothing more.

    Raises `UnknownCase`, `DeedImpossible`, `NotYourDesk`.
    """
    case = case_of(session, case_id, lock=True)
    if case.state == "withdrawn":
        return case
    deed = "discard" if case.state == "draft" else "withdraw"
    return take_step(session, case, Step(deed), given)


def supply(session: Session, case_id: int, given: Circumstances) -> Case:
    """补正: what was asked for is there; everything must be complete and signed again.

    Raises `UnknownCase`, `DeedImpossible`, `NotComplete`, `LetterNotSigned`, `BillClaimed`,
    `AnswerWrong`, `NotYourDesk`.
    """
    case = case_of(session, case_id, lock=True)
    if case.state != "supplement":
        told = "这件申请现在没有要补正的：请刷新后再看。"
        raise DeedImpossible(Fault("/application", told))
    answers = stated(session, given, case)
    check_ready(session, case, given, answers)
    claim_bills(session, case, given.procedure, answers)
    return take_step(session, case, Step("supply"), given)


def appeal(session: Session, case_id: int, why: str, given: Circumstances) -> Case:
    """申诉: against a refusal, within its period. Again: nothing more.

    Raises `UnknownCase`, `DeedImpossible`, `ReasonMissing`, `AlreadyApplied`, `BillClaimed`,
    `NotYourDesk`.
    """
    case = case_of(session, case_id, lock=True)
    if case.state == "appealed":
        return case
    if not why.strip():
        raise ReasonMissing(Fault("/why", "请写明哪里不同意、为什么。"))
    return take_step(session, case, Step("appeal", note=why.strip()), given)
