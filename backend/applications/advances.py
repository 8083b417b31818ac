"""垫付与权益转让 (advances): a hospital pays first what the aid would pay, and gets it instead.

Tinghu 三(二)3; 民法典 art. 545, 546. The applicant signs a letter that assigns what the case brings
for a bill to the bill's hospital, up to a cap; the county records what was advanced; payments do
the rest (`payments/assigned.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, Final

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.accounts.residents import seen_person
from backend.applications.amounts import DESKS
from backend.applications.cases import Case, case_of, of_case
from backend.applications.effect_tables import CLAIM_ASSIGNMENT
from backend.applications.letter_content import Material, letter_content
from backend.applications.steps import AnotherPersonNeeded, Circumstances, NotYourDesk
from backend.citizens.tables import HOSPITAL
from backend.kernel import audit
from backend.kernel.database import constraint_of
from backend.kernel.errors import DomainError, Fault
from backend.kernel.money import format_yuan
from backend.letters.content import LetterContent, Said, Size
from backend.letters.presenting import Presenting, superseded_code

OWN: Final = CLAIM_ASSIGNMENT.c
TEMPLATE: Final = "claim_assignment"
GOING: Final = (
    "submitted", "accepted", "supplement", "helped", "reviewed", "noticed", "granted",
)  # fmt: skip
"""In these a claim can be assigned, and an advance recorded."""
_OVER: Final = "这件申请现在不能登记垫付：要在发放以前。"
_BILL: Final = text(
    """
    SELECT b.id, b.hospital_id, h.name, b.discharged_on FROM bill_claim AS c
    JOIN bill AS b ON b.id = c.bill_id JOIN hospital AS h ON h.id = b.hospital_id
    WHERE c.application_id = :case AND c.state IN ('claimed', 'granted')
        AND (CAST(:bill AS bigint) IS NULL OR c.bill_id = :bill)
    """
)


class AdvanceWrong(DomainError):
    """What is said of an advance is not right, or comes at the wrong time."""

    code: ClassVar[str] = "application-advance-wrong"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which bill's money is to be assigned, up to `cap` (fen). `bill_id` None: the only one of the
    case. `base`: the site's address."""

    case_id: int
    bill_id: int | None
    cap: int
    base: str
    size: Size = "normal"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a letter of assignment says, in numbers."""

    case_id: int
    bill_id: int
    hospital_id: int
    cap: int

    @property
    def sha256(self) -> bytes:
        """What the letter stands for; the database reckons the same."""
        said = f"{self.case_id}:{self.bill_id}:{self.hospital_id}:{self.cap}"
        return hashlib.sha256(said.encode()).digest()


@dataclass(frozen=True, slots=True)
class Assigned:
    """An assignment as it stands (fen). `advanced` None: the county has recorded nothing; `paid`
    None: the case is not paid yet."""

    letter_id: int
    bill_id: int
    hospital: str
    cap: int
    advanced: int | None
    noted_on: date | None
    paid: int | None


def draw_up_assignment(
    session: Session, wanted: Wanted, given: Circumstances
) -> tuple[Presenting, Terms]:
    """What the letter says, to be presented like any other.

    Raises `UnknownCase`, `AdvanceWrong`.
    """
    case = case_of(session, wanted.case_id)
    if given.procedure.advance is None or case.state not in GOING:
        raise _wrong("/application", "这件申请现在不能把救助金转给医院：提交以后、发放以前才可以。")
    rows = session.execute(_BILL, {"case": case.id, "bill": wanted.bill_id}).all()
    if len(rows) != 1:
        raise _wrong("/bill", "请从申请写的费用单里选一张医院垫付的。")
    (row,) = rows
    standing = assigned(session, case.id)
    if standing is not None and standing.advanced is not None:
        raise _wrong("/application", "县里已经登记医院垫付，不能再改：有疑问请联系县里。")
    if wanted.cap <= 0:
        raise _wrong("/cap", "请填写大于零的最高金额，单位元。")
    terms = Terms(case.id, row.id, row.hospital_id, wanted.cap)
    person = seen_person(session, given.keyring, case.person_id)
    material = Material(
        case, replace(given.procedure, letter=TEMPLATE), {}, (), wanted.base,
        supersedes=superseded_code(session, case.id, TEMPLATE),
    )  # fmt: skip
    whole = letter_content(session, person, material, given.today)
    content = _saying(whole, {
        "垫付的医院": row.name, "费用单": f"{row.discharged_on:%Y年%m月%d日}出院的这一次",
        "最高金额": f"{format_yuan(wanted.cap)} 元",
    })  # fmt: skip
    return Presenting(
        case.id, case.person_id, case.area, content, terms.sha256, wanted.size
    ), terms  # fmt: skip


def assign(session: Session, terms: Terms, letter_id: int, today: date) -> None:
    """What the letter says, beside it; in the transaction in which it was presented."""
    said = {
        "hospital_id": terms.hospital_id, "bill_id": terms.bill_id, "cap": terms.cap,
        "letter_id": letter_id, "made_on": today,
    }  # fmt: skip
    new = insert(CLAIM_ASSIGNMENT).inline().values(application_id=terms.case_id, **said)
    session.execute(new.on_conflict_do_update(index_elements=["application_id"], set_=said))


def record_advance(
    session: Session, who: audit.Who, case: Case, advanced: tuple[int, int], today: date
) -> Assigned:
    """The hospital has advanced so much, of the cap that was seen: `advanced` are both (fen).
    Once, for good; the same again changes nothing.

    Raises `NotYourDesk`, `AdvanceWrong`, `AnotherPersonNeeded` for who is part of the case.
    """
    if who.role not in DESKS:
        raise NotYourDesk(Fault("/amount", "垫付由县（市、区）工作人员登记：请交给他们办理。"))
    amount, cap = advanced
    found = assigned(session, case.id)
    if found is None or found.cap != cap:
        raise _wrong("/cap", "没有这个最高金额的权益转让书：请让申请人先签，看过再登记。")
    if found.advanced is not None:
        if found.advanced == amount:
            return found
        raise _wrong("/amount", "垫付已经登记，不能再改。")
    if case.state not in GOING:
        raise _wrong("/amount", _OVER)
    if not 0 < amount <= found.cap:
        raise _wrong("/amount", "垫付的金额要大于零，不超过转让书写的最高金额。")
    said = {"advanced": amount, "noted_by": who.label, "noted_on": today}
    mine = update(CLAIM_ASSIGNMENT).where(OWN.application_id == case.id, OWN.advanced.is_(None))
    try:
        with session.begin_nested():
            session.execute(mine.values(said))
    except DBAPIError as error:
        raise _refusal(error) from error
    audit.deed(
        session, who, "application.advance", of_case(case), person=case.person_id, fen=amount
    )
    return replace(found, advanced=amount, noted_on=today)


def assigned(session: Session, case_id: int) -> Assigned | None:
    """The assignment of the case; None: there is none."""
    query = (
        select(
            OWN.letter_id, OWN.bill_id, HOSPITAL.c.name, OWN.cap, OWN.advanced, OWN.noted_on,
            OWN.paid,
        )
        .join_from(CLAIM_ASSIGNMENT, HOSPITAL, HOSPITAL.c.id == OWN.hospital_id)
        .where(OWN.application_id == case_id)
    )  # fmt: skip
    row = session.execute(query).first()
    return None if row is None else Assigned(*row)


def _saying(content: LetterContent, said: Mapping[str, str]) -> LetterContent:
    answers = tuple(Said(label, value) for label, value in said.items())
    return replace(content, answers=answers, expected=None)


def _wrong(pointer: str, told: str) -> AdvanceWrong:
    return AdvanceWrong(Fault(pointer, told))


def _refusal(error: DBAPIError) -> Exception:
    name = constraint_of(error)
    if name == "claim_assignment_signed":
        return _wrong("/cap", "权益转让书还没有签好、盖章：请等本人签名、盖章以后再登记。")
    if name == "claim_assignment_going":
        return _wrong("/amount", _OVER)
    if name == "claim_assignment_apart":
        told = "须由另一个人登记：您帮忙申请过这件，或者与申请人有亲属关系。请交给同事。"
        return AnotherPersonNeeded(Fault("/amount", told))
    return error
