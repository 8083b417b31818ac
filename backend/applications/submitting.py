"""提交 (submitting): a complete and signed application becomes a case, once, however often it is
sent.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.applications.cases import Case, case_of, cipher_of
from backend.applications.claims import claim_bills
from backend.applications.completeness import (
    category_of,
    missing,
    subject_of,
    subject_sha256,
)
from backend.applications.drafts import Answered, answers_of
from backend.applications.revoking import proof_instead
from backend.applications.steps import Circumstances, DeedImpossible, Step, take_step
from backend.applications.tables import APPLICATION
from backend.kernel.crypto import Keyring, Place
from backend.kernel.errors import DomainError, Fault
from backend.letters.presenting import letter_of
from backend.papers.papers import kept_papers
from backend.policies.procedures import Procedure

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without characters that are taken for each other."""
CODE_LENGTH: Final = 10
CODE: Final = "progress_code"


class NotComplete(DomainError):
    """Answers or papers are missing."""

    code: ClassVar[str] = "application-not-complete"


class LetterNotSigned(DomainError):
    """The commitment letter is not signed, or was signed for other answers."""

    code: ClassVar[str] = "commitment-not-signed"


@dataclass(frozen=True, slots=True)
class Submitted:
    """A case that was submitted, and the code by which its state is looked up."""

    case: Case
    code: str = field(repr=False)


def submit(session: Session, case_id: int, given: Circumstances) -> Submitted:
    """Submit a draft. Submitted again, the answer is the same, and nothing else happens.

    Raises `UnknownCase`, `NotComplete`, `LetterNotSigned`, `AlreadyApplied`, `BillClaimed`,
    `DeedImpossible`, `NotYourDesk` for who may not apply for the person.
    """
    case = case_of(session, case_id, lock=True)
    if case.submitted_at is not None:
        return Submitted(case, code_of(session, given.keyring, case))
    if case.state != "draft":
        raise DeedImpossible(Fault("/application", "这份草稿已经删除：请重新申请。"))
    answers = stated(session, given, case)
    check_ready(session, case, given, answers)
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    case = _settled(session, case, given, answers, code)
    claim_bills(session, case, given.procedure, answers)
    return Submitted(take_step(session, case, Step("submit"), given), code)


def plain(typed: str) -> str:
    """A code as it was given out, however it was typed: spaces, hyphens and small letters."""
    return "".join(one for one in typed.upper() if one.isalnum())


def stated(session: Session, given: Circumstances, case: Case) -> Mapping[str, Answered]:
    """What stands in the fields of the case."""
    return answers_of(session, cipher_of(session, given.keyring, case), case.id)


def check_ready(
    session: Session, case: Case, given: Circumstances, answers: Mapping[str, Answered]
) -> None:
    """Raises `NotComplete` or `LetterNotSigned` for what is missing. Of who may not promise the
    papers are wanted that the letter stands in for, and no letter.
    """
    barred = proof_instead(session, case, given.procedure, given.today) is not None
    papers = kept_papers(session, case.id)
    if faults := missing(case, answers, papers, given.procedure, promises=not barred):
        raise NotComplete(*faults)
    if not barred:
        subject = subject_sha256(case, answers, papers)
        check_letter(session, case, given.procedure, subject)


def check_letter(session: Session, case: Case, procedure: Procedure, subject: bytes) -> None:
    """Raises `LetterNotSigned` where the kind wants a letter and none stands for this content."""
    if procedure.letter is None:
        return
    letter = letter_of(session, case.id, procedure.letter)
    if letter is None:
        raise LetterNotSigned(Fault("/letter", "承诺书还没有签字：请阅读并签字后再提交。"))
    if letter.subject_sha256 != subject:
        told = "签字以后内容改过：请重新阅读承诺书，再签一次字。"
        raise LetterNotSigned(Fault("/letter", told))


def code_of(session: Session, keyring: Keyring, case: Case) -> str:
    """The code of a case that was submitted; "": it has none."""
    query = select(APPLICATION.c.code).where(APPLICATION.c.id == case.id)
    sealed = bytes(session.execute(query).scalar_one())
    return keyring.shared().open(_place(case.id), sealed) if sealed else ""


def _settled(
    session: Session, case: Case, given: Circumstances, answers: Mapping[str, Answered], code: str
) -> Case:
    """What the answers say of the case itself is written into it, and the code."""
    values = {
        "code": given.keyring.shared().seal(_place(case.id), code),
        "code_index": given.keyring.index(CODE, code),
        "subject": subject_of(given.procedure, answers),
        "category": category_of(given.procedure, answers),
        "filing": given.procedure.filing,
        "notice": given.procedure.notice is not None,
    }
    session.execute(update(APPLICATION).where(APPLICATION.c.id == case.id).values(values))
    return case_of(session, case.id)


def _place(case_id: int) -> Place:
    return Place("application", "code", case_id)
