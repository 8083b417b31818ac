"""签承诺书 (commitment): what the letter of an application says, of what stands in it just now.

A letter stands for answers and papers by their hash: changed meanwhile, it does not count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from sqlalchemy import update
from sqlalchemy.orm import Session

from backend.accounts.residents import seen_person
from backend.applications.cases import Case, case_of
from backend.applications.completeness import missing, subject_sha256
from backend.applications.drafts import OPEN, answers_of, submitted_already
from backend.applications.expected import Asking, Expected, expected
from backend.applications.letter_content import Material, letter_content
from backend.applications.revoking import check_promise
from backend.applications.steps import Circumstances
from backend.applications.submitting import NotComplete
from backend.applications.tables import APPLICATION
from backend.estimation.terms import Rules
from backend.kernel.crypto import Cipher, Place
from backend.kernel.errors import DomainError, Fault
from backend.letters.content import Size
from backend.letters.presenting import Presenting, superseded_code
from backend.papers.papers import kept_papers


class NoLetter(DomainError):
    """The kind of application asks for no letter."""

    code: ClassVar[str] = "application-no-letter"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letter: of a case, in a size. `base`: the site's address; `rules`: by which what may be
    expected is worked out."""

    case_id: int
    base: str
    size: Size
    rules: Rules


def draw_up(session: Session, wanted: Wanted, given: Circumstances) -> Presenting:
    """What the letter of the application says now; what may be expected is kept with the case.

    Raises `UnknownCase`, `NoLetter`, `NotComplete`, `DeedImpossible`, `PromiseBarred`,
    `AnswerWrong` for bills that are not the person's.
    """
    case, template = case_of(session, wanted.case_id), given.procedure.letter
    if template is None:
        raise NoLetter(Fault("/application", "这类申请不用签承诺书：请直接提交。"))
    if case.state not in OPEN:
        raise submitted_already()
    check_promise(session, case, given.procedure, given.today)
    person = seen_person(session, given.keyring, case.person_id)
    answers = answers_of(session, person.cipher, case.id)
    papers = kept_papers(session, case.id)
    if faults := missing(case, answers, papers, given.procedure):
        raise NotComplete(*faults)
    found = expected(session, case, answers, Asking(given.procedure, wanted.rules, given.today))
    case = _expecting(session, person.cipher, case, found)
    material = Material(
        case, given.procedure, answers, papers, wanted.base,
        steps=() if found is None else found.steps,
        supersedes=superseded_code(session, case.id, template),
    )  # fmt: skip
    content = letter_content(session, person, material, given.today)
    subject = subject_sha256(case, answers, papers)
    return Presenting(case.id, case.person_id, case.area, content, subject, wanted.size)


def _expecting(session: Session, cipher: Cipher, case: Case, found: Expected | None) -> Case:
    """The case with what may be expected of it, as it was shown before signing."""
    amount = None if found is None else found.amount
    told = "" if found is None else "\n".join(found.steps)
    values = {
        "expected": amount,
        "expected_told": cipher.seal(Place("application", "expected_told", case.id), told)
        if told
        else b"",
    }
    session.execute(update(APPLICATION).where(APPLICATION.c.id == case.id).values(values))
    return replace(case, expected=amount)
