"""一份材料 (a paper): what is told of it, and how it is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple

from sqlalchemy import Row, Select, select, text
from sqlalchemy.orm import Session

from backend.accounts.authority import purpose_of_look
from backend.accounts.scope import Actor
from backend.kernel import audit
from backend.kernel.crypto import Cipher, Keyring, Place
from backend.kernel.errors import DomainError, Fault
from backend.papers.tables import PAPER, PAPER_CONTENT, PAPER_PIECE

PIECE_BYTES: Final = 512 * 1024
"""Of every piece but the last."""
_P: Final = PAPER.c
_READ: Final[Select[Any]] = select(PAPER)
_KEY: Final = text("SELECT key_of_paper(:paper)")
_NOT_FOUND: Final = "没有这份材料，可能已经删除：请刷新后再看。"


class UnknownPaper(DomainError):
    """No paper has this number, or it is not the caller's to see."""

    code: ClassVar[str] = "unknown-paper"


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper of a case. `missing`: numbers of the pieces that have not come, from 1; `media`,
    `pages`: of what was made of it, once it is `kept`; `refused_why`: of `reasons.REASONS`.
    """

    id: int
    application_id: int
    person_id: int
    kind: str
    state: str
    size: int
    pieces: int
    missing: tuple[int, ...]
    media: str
    pages: int
    refused_why: str


class Kept(NamedTuple):
    """A paper that was taken. `sha256`: of what is kept and shown; `original`: of the file as it
    came, which is not kept; both in hexadecimal.
    """

    id: int
    kind: str
    sha256: str
    pages: int
    original: str


def show_paper(session: Session, actor: Actor, paper_id: int) -> Paper:
    """How it stands with a paper; the look is written down. Raises `UnknownPaper`."""
    row = row_of(session, paper_id)
    note_look(session, actor, row.person_id)
    return paper_of(session, row)


def papers_of(session: Session, application_id: int) -> Sequence[Paper]:
    """The papers of a case as far as the session sees them, without those removed, oldest first.
    The look is the caller's to write down.
    """
    query = _READ.where(_P.application_id == application_id, _P.state != "removed")
    return [paper_of(session, row) for row in session.execute(query.order_by(_P.id))]


def kept_papers(session: Session, application_id: int) -> Sequence[Kept]:
    """Those of them that were taken."""
    query = (
        select(_P.id, _P.kind, PAPER_CONTENT.c.sha256, _P.pages, _P.sha256.label("original"))
        .join(PAPER_CONTENT, PAPER_CONTENT.c.paper_id == _P.id)
        .where(_P.application_id == application_id, _P.state == "kept")
        .order_by(_P.id)
    )
    return [
        Kept(row.id, row.kind, row.sha256.hex(), row.pages, row.original.hex())
        for row in session.execute(query)
    ]


def row_of(session: Session, paper_id: int) -> Row[Any]:
    """The paper's row. Raises `UnknownPaper` also for one that was removed."""
    row = session.execute(_READ.where(_P.id == paper_id, _P.state != "removed")).first()
    if row is None:
        raise unknown()
    return row


def paper_of(session: Session, row: Row[Any]) -> Paper:
    """What is told of the row."""
    missing: tuple[int, ...] = ()
    if row.state == "taking":
        number = PAPER_PIECE.c.number
        query = select(number).where(PAPER_PIECE.c.paper_id == row.id)
        come = set(session.scalars(query))
        missing = tuple(one for one in range(1, row.pieces + 1) if one not in come)
    return Paper(
        row.id, row.application_id, row.person_id, row.kind, row.state, row.size, row.pieces,
        missing, row.media, row.pages, row.refused_why,
    )  # fmt: skip


def note_look(session: Session, actor: Actor, person_id: int) -> None:
    """Write down that somebody looks at a paper of the person's."""
    purpose = purpose_of_look(session, actor, person_id)
    audit.read_person(session, actor, person_id, purpose, ["papers"])


def key_of(session: Session, keyring: Keyring, row: Row[Any]) -> Cipher:
    """What opens a paper that the session sees. Raises `SealedBroken` where the person was
    forgotten.
    """
    wrapped = session.execute(_KEY, {"paper": row.id}).scalar_one()
    return keyring.person(row.person_id, bytes(wrapped or b""))


def of_piece(paper_id: int, number: int) -> Place:
    """Where a piece is sealed."""
    return Place("paper", f"piece.{number}", paper_id)


def of_content(paper_id: int) -> Place:
    """Where what was made of a paper is sealed."""
    return Place("paper", "content", paper_id)


def unknown() -> UnknownPaper:
    """The refusal, the same whether there is none or it is not to be seen."""
    return UnknownPaper(Fault("/paper", _NOT_FOUND))
