"""查看 (reading): a letter on a screen, for the ear, as a file; what anybody may check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.accounts.authority import people_spoken_for, purpose_of_look
from backend.accounts.scope import Actor
from backend.kernel import audit
from backend.kernel.crypto import Keyring
from backend.kernel.errors import Fault
from backend.letters.content import LetterContent, Size
from backend.letters.layout import layout_of
from backend.letters.letters import (
    Letter,
    UnknownLetter,
    UnknownLetterCode,
    cipher_of,
    content_of,
    letter_seen,
    move,
    part_of,
)
from backend.letters.moves import STATES
from backend.letters.wording import template_of

_CHECKED: Final = text("SELECT * FROM letter_by_code(:code)")
_PREFIX: Final = 16
_NO_SUCH_CODE: Final = (
    "没有这个编号的文书，或者还没有签名：请对着纸上的 16 位编号再查一次；还是没有的，"
    "请不要当真，打经办机构的电话问。"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A letter to be read. `text`: a line a paragraph; `aloud`: what is read to somebody."""

    letter: Letter
    name: str
    state_name: str
    text: str
    aloud: tuple[str, ...]
    least_seconds: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What anybody may know who has the code. Hashes: their first 16 hexadecimal digits; `sealed`
    is empty before the seal."""

    code: str
    name: str
    version: int
    state: str
    day: date
    document: str
    sealed: str
    superseded: bool


def show_letter(session: Session, keyring: Keyring, actor: Actor, letter_id: int) -> Shown:
    """The letter, the look at it audited. Raises `UnknownLetter`."""
    letter = letter_seen(session, letter_id)
    note_look(session, actor, letter)
    content = content_of(session, cipher_of(session, keyring, letter), letter)
    laid, wording = layout_of(content), template_of(letter.template, letter.version)
    return Shown(
        letter, wording.name, STATES[letter.state], laid.text, laid.aloud, wording.least_seconds
    )


def file_of(session: Session, keyring: Keyring, actor: Actor, letter_id: int) -> bytes:
    """The letter as it is kept: with its seal where it has one, which is then delivered where the
    person, or a guardian, fetches it; the look at it audited. Raises `UnknownLetter`.
    """
    letter = letter_seen(session, letter_id)
    note_look(session, actor, letter)
    cipher = cipher_of(session, keyring, letter)
    if letter.state == "sealed" and letter.person_id in people_spoken_for(session):
        move(session, letter, "deliver", actor, {"channel": "mini_program"})
    try:
        return part_of(session, cipher, letter, "sealed")
    except UnknownLetter:  # no seal yet, or never one
        return part_of(session, cipher, letter, "document")


def copy_of(
    session: Session, keyring: Keyring, actor: Actor, letter_id: int, size: Size
) -> tuple[LetterContent, Size]:
    """What a copy for reading, without seal, is drawn from. Raises `UnknownLetter`."""
    letter = letter_seen(session, letter_id)
    note_look(session, actor, letter)
    return content_of(session, cipher_of(session, keyring, letter), letter), size


def check_code(session: Session, code: str) -> Checked:
    """What anybody may know of the letter with this code. Raises `UnknownLetterCode`."""
    row = session.execute(_CHECKED, {"code": code}).first()
    if row is None:
        raise UnknownLetterCode(Fault("/code", _NO_SUCH_CODE))
    return Checked(
        code, template_of(row.template, row.version).name, row.version, row.state, row.day,
        bytes(row.document_sha256).hex()[:_PREFIX],
        bytes(row.sealed_sha256 or b"").hex()[:_PREFIX], row.superseded,
    )  # fmt: skip


def note_look(session: Session, actor: Actor, letter: Letter) -> None:
    """Write down that somebody looks at it."""
    purpose = purpose_of_look(session, actor, letter.person_id)
    audit.read_person(session, actor, letter.person_id, purpose, ("applications",))
