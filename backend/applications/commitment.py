"""签承诺书 (commitment): what the letter of an application says, of what stands in it just now.

A letter stands for answers and papers by their hash: changed meanwhile, it does not count.
"""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy.orm import Session

from backend.accounts.residents import seen_person
from backend.applications.cases import case_of
from backend.applications.completeness import missing, subject_sha256
from backend.applications.drafts import OPEN, answers_of, submitted_already
from backend.applications.letter_content import Material, letter_content
from backend.applications.steps import Circumstances
from backend.applications.submitting import NotComplete
from backend.kernel.errors import DomainError, Fault
from backend.letters.content import Size
from backend.letters.presenting import Presenting, superseded_code
from backend.papers.papers import kept_papers


class NoLetter(DomainError):
    """The kind of application asks for no letter."""

    code: ClassVar[str] = "application-no-letter"


def draw_up(
    session: Session, case_id: int, given: Circumstances, base: str, size: Size
) -> Presenting:
    """What the letter of the application says now; `base`: the site's address.

    Raises `UnknownCase`, `NoLetter`, `NotComplete`, `DeedImpossible`.
    """
    case, template = case_of(session, case_id), given.procedure.letter
    if template is None:
        raise NoLetter(Fault("/application", "这类申请不用签承诺书：请直接提交。"))
    if case.state not in OPEN:
        raise submitted_already()
    person = seen_person(session, given.keyring, case.person_id)
    answers = answers_of(session, person.cipher, case.id)
    if faults := missing(session, case, answers, given.procedure):
        raise NotComplete(*faults)
    papers = kept_papers(session, case.id)
    material = Material(
        case, given.procedure, answers, papers, base,
        supersedes=superseded_code(session, case.id, template),
    )  # fmt: skip
    content = letter_content(session, person, material, given.today)
    subject = subject_sha256(case, answers, papers)
    return Presenting(case.id, case.person_id, case.area, content, subject, size)
