"""申请人的事 (applying): what applicants do with their case after it was submitted, or instead."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
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
from backend.applications.submitting import NotComplete, check_ready, stated
from backend.kernel.errors import Fault
from backend.policies.procedures import LONGEST, Procedure

_CHANGED: Final = text(
    """
    SELECT EXISTS (SELECT FROM application_answer AS w
            WHERE w.application_id = :case AND w.at > asked.at)
        OR EXISTS (SELECT FROM paper AS p WHERE p.application_id = :case
            AND p.state IN ('kept', 'removed') AND p.ended_at > asked.at)
    FROM application_step AS asked WHERE asked.application_id = :case AND asked.deed = 'ask'
    ORDER BY asked.seq DESC LIMIT 1
    """
)


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
    """补正: what was asked for is there; something must have changed since it was asked for, and
    everything be complete and signed again.

    Raises `UnknownCase`, `DeedImpossible`, `NotComplete`, `LetterNotSigned`, `BillClaimed`,
    `AnswerWrong`, `NotYourDesk`.
    """
    case = case_of(session, case_id, lock=True)
    if case.state != "supplement":
        told = "这件申请现在没有要补正的：请刷新后再看。"
        raise DeedImpossible(Fault("/application", told))
    answers = stated(session, given, case)
    check_ready(session, case, given, answers)
    if not _changed(session, case):
        raise NotComplete(Fault("/application", _unchanged(given.procedure)))
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


def _changed(session: Session, case: Case) -> bool:
    """Whether an answer or a paper was changed since more was asked for."""
    return session.execute(_CHANGED, {"case": case.id}).scalar() is not False


def _unchanged(procedure: Procedure) -> str:
    fields = procedure.fields.values()
    words = [one.label for one in fields if one.type == "text" and one.longest == LONGEST]
    instead = f"请在“{words[-1]}”里写明原因，再交；也可以撤回申请" if words else "可以撤回申请"
    return (
        "要补的还没有补：请改好要求的内容，或者补传材料，再交。"
        f"拿不出来的，{instead}。不清楚的，请问村（社区）协管员。"
    )
