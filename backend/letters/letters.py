"""文书 (letters): one letter as it stands, its parts, and how it moves, for those who see it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any, ClassVar, Final

from psycopg.errors import InsufficientPrivilege
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.crypto import Cipher, Keyring, Place, SealedBroken
from backend.kernel.database import constraint_of
from backend.kernel.errors import DomainError, Fault
from backend.kernel.row_ids import next_id
from backend.letters.content import LetterContent, Size, unpacked
from backend.letters.moves import STATES, to_state
from backend.letters.tables import LETTER, LETTER_EVENT, LETTER_PART

PART: Final = LETTER_PART.c
EVENT: Final = LETTER_EVENT.c
_KEY: Final = text(
    "SELECT coalesce(key_of_letter(:letter), (SELECT data_key FROM person WHERE id = :person))"
)
_UNKNOWN: Final = "没有这份文书，或者不归您看：请从申请里重新打开。"
_GONE: Final = "这件申请保存期满，文书已经按规定清除，不能再看：办理经过请在申请里看。"
_AT_REST: Final = text(
    "SELECT EXISTS (SELECT FROM application_rested WHERE application_id = :case)"
)


class UnknownLetterCode(DomainError):
    """No letter has the code that somebody reads off a paper."""

    code: ClassVar[str] = "unknown-letter-code"


class UnknownLetter(DomainError):
    """No such letter, or none that the session may see: not told which."""

    code: ClassVar[str] = "unknown-letter"


class LetterMoved(DomainError):
    """Somebody was faster: the letter is not where it was."""

    code: ClassVar[str] = "letter-moved"


class LetterDeedImpossible(DomainError):
    """Not possible in the letter's state, or not for who asks."""

    code: ClassVar[str] = "letter-deed-impossible"


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter. `subject_sha256`: what it stands for; `nonce`: what its signature must name."""

    id: int
    application_id: int
    person_id: int
    area: int
    template: str
    version: int
    size: Size
    code: str
    day: date
    state: str
    seq: int
    subject_sha256: bytes
    content_sha256: bytes
    document_sha256: bytes
    nonce: bytes
    supersedes_id: int | None


@dataclass(frozen=True, slots=True)
class Event:
    """One step of a letter. `at`: by the server's clock."""

    deed: str
    at: datetime
    by: str
    detail: Mapping[str, Any]


COLUMNS: Final = tuple(LETTER.c[one.name] for one in fields(Letter))


def letter_seen(session: Session, letter_id: int) -> Letter:
    """The letter as the session sees it. Raises `UnknownLetter`."""
    row = session.execute(select(*COLUMNS).where(LETTER.c.id == letter_id)).first()
    if row is None:
        raise unknown()
    return _letter(row)


def letters_where(session: Session, *conditions: Any) -> list[Letter]:
    """The letters that the session sees, newest first."""
    query = select(*COLUMNS).where(*conditions).order_by(LETTER.c.id.desc())
    return [_letter(row) for row in session.execute(query)]


def cipher_of(session: Session, keyring: Keyring, letter: Letter) -> Cipher:
    """What opens and seals the parts: the key of its person. Raises `UnknownLetter`."""
    asked = {"letter": letter.id, "person": letter.person_id}
    wrapped = session.execute(_KEY, asked).scalar_one()
    try:
        return keyring.person(letter.person_id, bytes(wrapped or b""))
    except SealedBroken as error:
        raise unknown() from error


def part_of(session: Session, cipher: Cipher, letter: Letter, part: str) -> bytes:
    """The bytes of a part. Raises `UnknownLetter` where it has none, or none any more."""
    mine = (PART.letter_id == letter.id) & (PART.part == part)
    row = session.execute(select(PART.id, PART.body).where(mine)).first()
    if row is None:
        at_rest = session.execute(_AT_REST, {"case": letter.application_id}).scalar_one()
        raise UnknownLetter(Fault("/letter", _GONE)) if at_rest else unknown()
    return cipher.open_bytes(_place(row.id), bytes(row.body))


def add_part(session: Session, cipher: Cipher, letter: Letter, part: str, body: bytes) -> None:
    """Write a part, once and for good. Raises `LetterMoved`."""
    own = next_id(session)
    values = {
        "id": own, "letter_id": letter.id, "part": part,
        "body": cipher.seal_bytes(_place(own), body), "sha256": hashlib.sha256(body).digest(),
    }  # fmt: skip
    try:
        session.execute(insert(LETTER_PART).inline().values(values))
    except DBAPIError as error:
        raise _refusal(error) from error


def content_of(session: Session, cipher: Cipher, letter: Letter) -> LetterContent:
    """What the letter says."""
    return unpacked(part_of(session, cipher, letter, "content"))


def events_of(session: Session, letter: Letter) -> list[Event]:
    """Its steps so far."""
    query = select(EVENT.deed, EVENT.at, EVENT.by, EVENT.detail)
    rows = session.execute(query.where(EVENT.letter_id == letter.id).order_by(EVENT.seq))
    return [Event(*row) for row in rows]


def move(
    session: Session, letter: Letter, deed: str, who: audit.Who, detail: Mapping[str, Any]
) -> Letter:
    """Make a step, and write it into the audit; the letter as it stands then.

    Raises `LetterDeedImpossible`, `LetterMoved`.
    """
    after = to_state(deed, letter.state)
    if after is None:
        raise impossible(letter)
    row = {
        "id": next_id(session), "letter_id": letter.id, "seq": letter.seq + 1, "deed": deed,
        "from_state": letter.state, "to_state": after, "by": who.label, "detail": dict(detail),
    }  # fmt: skip
    try:
        session.execute(insert(LETTER_EVENT).inline().values(row))
    except DBAPIError as error:
        raise _refusal(error) from error
    audit.deed(
        session, who, f"letter.{deed}", Subject("letter", str(letter.id)),
        person=letter.person_id, seq=letter.seq + 1, **detail,
    )  # fmt: skip
    return replace(letter, state=after, seq=letter.seq + 1)


def unknown() -> UnknownLetter:
    """What is answered where there is none to be seen."""
    return UnknownLetter(Fault("/letter", _UNKNOWN))


def impossible(letter: Letter) -> LetterDeedImpossible:
    """What is answered to a deed that the letter's state does not have."""
    told = f"这份文书现在是“{STATES[letter.state]}”，不能这样办：请刷新后再看。"
    return LetterDeedImpossible(Fault("/letter", told))


def _letter(row: Any) -> Letter:
    return Letter(*row)


def _place(part_id: int) -> Place:
    return Place("letter_part", "body", part_id)


def _refusal(error: DBAPIError) -> Exception:
    if isinstance(error.orig, InsufficientPrivilege):
        told = "这份文书不由您来办：请由本人、家人或受委托的人办理。"
        return LetterDeedImpossible(Fault("/letter", told))
    if constraint_of(error).startswith(("letter_event", "letter_part", "uq_letter")):
        return LetterMoved(Fault("/letter", "这份文书刚刚有了变化：请刷新，看过再办。"))
    return error
