"""出具 (presenting): a letter made for the answers of a case as they stand, ready to be read."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor
from backend.kernel import audit
from backend.kernel.crypto import Keyring
from backend.kernel.row_ids import next_id
from backend.letters import seals
from backend.letters.content import LetterContent, Size, packed
from backend.letters.letters import Letter, add_part, cipher_of, letter_seen, letters_where, move
from backend.letters.moves import OPEN, STANDING
from backend.letters.rendering import Rendered, render
from backend.letters.tables import LETTER


@dataclass(frozen=True, slots=True)
class Presenting:
    """For which case. `content`: with a code of `new_code`; `subject_sha256`: of the answers and
    papers that the letter stands for."""

    application_id: int
    person_id: int
    area: int
    content: LetterContent
    subject_sha256: bytes
    size: Size = "normal"


@dataclass(frozen=True, slots=True)
class Standing:
    """A letter that counts, or one that waits to be signed."""

    letter_id: int
    template: str
    state: str
    code: str
    subject_sha256: bytes
    made_at: datetime | None = None


def drawn_up(presenting: Presenting) -> Rendered:
    """The letter on paper: made before a transaction is opened, since it takes a while.

    Raises `SealMissing`, `LetterUnprintable`.
    """
    seals.ready()
    return render(presenting.content, presenting.size)


def present_letter(
    session: Session, keyring: Keyring, actor: Actor, presenting: Presenting, drawn: Rendered
) -> Letter:
    """Make the letter, or find the one that waits with the same words for the same answers; one
    for other answers expires. `drawn`: of `drawn_up`.

    Raises `LetterMoved`, `LetterDeedImpossible`.
    """
    said = presenting.content
    alike = (LETTER.c.application_id == presenting.application_id) & (
        LETTER.c.template == said.template
    )
    before = letters_where(session, alike)
    for waiting in [one for one in before if one.state in OPEN]:
        if _same(waiting, presenting):
            return waiting
        move(session, waiting, "expire", actor, {"why": "answers"})
    signed = next((one for one in before if one.state in STANDING), None)
    letter = _new(session, presenting, drawn, signed)
    cipher = cipher_of(session, keyring, letter)
    add_part(session, cipher, letter, "content", packed(said))
    add_part(session, cipher, letter, "document", drawn.pdf)
    told = {"application": presenting.application_id, "document": drawn.sha256.hex()}
    return move(session, letter, "present", actor, told)


def letter_of(
    session: Session, application_id: int, template: str = "household_economy"
) -> Standing | None:
    """The newest letter of the template that counts for the case: compare its `subject_sha256`
    with that of the answers; signed for others it does not count."""
    of_case = (LETTER.c.application_id == application_id) & (LETTER.c.template == template)
    found = letters_where(session, of_case, LETTER.c.state.in_(STANDING))
    return _standing(found[0]) if found else None


def letters_of(session: Session, application_id: int) -> list[Standing]:
    """Every letter of the case, newest first."""
    found = letters_where(session, LETTER.c.application_id == application_id)
    return [_standing(one) for one in found]


def superseded_code(session: Session, application_id: int, template: str) -> str:
    """The code of the signed letter that a new one will take the place of; "": none."""
    found = letter_of(session, application_id, template)
    return "" if found is None else found.code


def refuse_letter(session: Session, actor: Actor, letter: Letter) -> Letter:
    """本人不签: it stays unsigned. Raises `LetterDeedImpossible`, `LetterMoved`."""
    return move(session, letter, "refuse", actor, {})


def revoke_letter(session: Session, who: audit.Who, letter: Letter, why: str) -> Letter:
    """撤销: it counts no more; what it said stays. `why`: a code.

    Raises `LetterDeedImpossible`, `LetterMoved`.
    """
    return move(session, letter, "revoke", who, {"why": why})


def expire(session: Session, who: audit.Who, letter: Letter, why: str = "time") -> Letter:
    """过期: nobody signed it in time. Raises `LetterDeedImpossible`, `LetterMoved`."""
    return move(session, letter, "expire", who, {"why": why})


def _same(letter: Letter, presenting: Presenting) -> bool:
    said = presenting.content
    asked = (presenting.subject_sha256, said.version, said.day, presenting.size)
    return (letter.subject_sha256, letter.version, letter.day, letter.size) == asked


def _new(
    session: Session, presenting: Presenting, drawn: Rendered, signed: Letter | None
) -> Letter:
    said, own = presenting.content, next_id(session)
    values = {
        "id": own, "application_id": presenting.application_id,
        "person_id": presenting.person_id, "area": presenting.area, "template": said.template,
        "version": said.version, "size": presenting.size, "code": said.code, "day": said.day,
        "subject_sha256": presenting.subject_sha256, "content_sha256": said.sha256,
        "document_sha256": drawn.sha256, "nonce": secrets.token_bytes(32),
        "supersedes_id": None if signed is None else signed.id,
    }  # fmt: skip
    session.execute(insert(LETTER).inline().values(values))
    return letter_seen(session, own)


def _standing(letter: Letter) -> Standing:
    return Standing(letter.id, letter.template, letter.state, letter.code, letter.subject_sha256)
