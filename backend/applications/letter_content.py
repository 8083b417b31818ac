"""承诺书的内容 (letter content): what the letter of an application says: the applicant, what was
answered, the papers, what may be expected. The words around it are the template's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.accounts.residents import Seen
from backend.applications.bills import bill_ids
from backend.applications.cases import Case
from backend.applications.drafts import Answered
from backend.citizens import id_number
from backend.kernel.areas import area_name
from backend.kernel.crypto import Place
from backend.kernel.money import format_yuan
from backend.letters.content import Expected, LetterContent, PaperNamed, Said, address_of, new_code
from backend.letters.wording import newest
from backend.papers.papers import Kept
from backend.policies.procedures import Field, Procedure

_NUMBER: Final = text("SELECT applicant_number(:person)")
_YES_NO: Final = {"yes": "是", "no": "否"}


@dataclass(frozen=True, slots=True)
class Material:
    """What a letter is made of. `base`: the site's address; `steps`: of the expected amount; `by`:
    who signs, where it is another than the applicant."""

    case: Case
    procedure: Procedure
    answers: Mapping[str, Answered]
    papers: Collection[Kept]
    base: str
    steps: tuple[str, ...] = ()
    by: str = ""
    supersedes: str = ""


def letter_content(session: Session, person: Seen, given: Material, today: date) -> LetterContent:
    """The letter of the application as it stands now. Raises `KeyError` for a procedure without a
    letter.
    """
    case, procedure = given.case, given.procedure
    template = newest(procedure.letter or "")
    code = new_code()
    return LetterContent(
        template=template.template,
        version=template.version,
        code=code,
        url=address_of(given.base, code),
        day=today,
        applicant=person.name,
        number=_number(session, person),
        area=area_name(f"{case.area:012d}"[:6]) or "",
        kind=procedure.name,
        answers=answers_said(procedure, given.answers),
        papers=papers_named(procedure, given.papers),
        expected=expected_said(case, given.steps),
        by=given.by,
        supersedes=given.supersedes,
    )


def answers_said(procedure: Procedure, answers: Mapping[str, Answered]) -> tuple[Said, ...]:
    """The answers in the words of the form, in its order."""
    return tuple(
        Said(field.label, in_words(field, answers[field.code].value))
        for field in procedure.fields.values()
        if field.code in answers
    )


def papers_named(procedure: Procedure, papers: Collection[Kept]) -> tuple[PaperNamed, ...]:
    """The papers by their names, each with its hash."""
    return tuple(
        PaperNamed(procedure.papers[one.kind].label, one.sha256)
        for one in papers
        if one.kind in procedure.papers
    )


def expected_said(case: Case, steps: tuple[str, ...]) -> Expected | None:
    """What may be expected; None: nothing was worked out."""
    if case.expected is None:
        return None
    return Expected(f"{format_yuan(case.expected)} 元", steps)


def in_words(field: Field, value: str) -> str:
    """An answer as people read it."""
    if field.choices:
        return next((one.label for one in field.choices if one.code == value), value)
    if field.type == "yes_no":
        return _YES_NO[value]
    if field.type == "bills":
        return f"{len(bill_ids(value))} 张费用单"
    return f"{value} 元" if field.type == "money" else value


def _number(session: Session, person: Seen) -> str:
    sealed = session.execute(_NUMBER, {"person": person.id}).scalar_one()
    place = Place("person_number", "number", person.id)
    return id_number.masked(person.cipher.open(place, bytes(sealed))) if sealed else ""
