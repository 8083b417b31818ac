"""交材料 (handing in): a file begun, its pieces in any order and as often as need be, its end.

Whoever may hand papers in for the person may take a paper up where another device left it. What is
asked twice is done once: the client's key begins one paper, a piece that is there stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from psycopg.errors import CheckViolation
from sqlalchemy import Row, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor
from backend.kernel import audit
from backend.kernel.crypto import Cipher, Keyring
from backend.kernel.database import constraint_of
from backend.kernel.errors import DomainError, Fault
from backend.kernel.jobs import defer
from backend.kernel.row_ids import next_id
from backend.papers import tasks
from backend.papers.papers import PIECE_BYTES, Paper, of_piece, paper_of, row_of, unknown
from backend.papers.tables import PAPER, PAPER_PIECE

OPEN: Final = ("draft", "supplement", "helped")
"""In these states of its case a paper may be handed in."""
GIVES_BACK: Final = ("draft", "supplement")
"""In these, taken back."""
_CASE: Final = text("SELECT * FROM case_for_papers(:application)")
_P: Final = PAPER.c
_PIECE: Final = PAPER_PIECE.c


class NoCaseForPapers(DomainError):
    """No such case, or not one for which the caller may hand in papers."""

    code: ClassVar[str] = "no-case-for-papers"


class PapersClosed(DomainError):
    """The case is not the applicant's now."""

    code: ClassVar[str] = "papers-closed"


class TooManyPapers(DomainError):
    """The case has as many papers as it may."""

    code: ClassVar[str] = "too-many-papers"


class PaperTooLarge(DomainError):
    """The file is larger than is taken."""

    code: ClassVar[str] = "paper-too-large"


class PaperKeyUsed(DomainError):
    """The client's key has begun another paper."""

    code: ClassVar[str] = "paper-key-used"


class PieceWrong(DomainError):
    """The piece does not fit: its number, or its length."""

    code: ClassVar[str] = "paper-piece-wrong"


class PieceDiffers(DomainError):
    """The piece has come already, with other bytes."""

    code: ClassVar[str] = "paper-piece-differs"


class PaperNotWhole(DomainError):
    """Pieces are missing, or the whole is not what was announced."""

    code: ClassVar[str] = "paper-not-whole"


@dataclass(frozen=True, slots=True)
class NewPaper:
    """A file announced. `key`: made by the client, the same when it asks again; `sha256`: of the
    whole file.
    """

    application_id: int
    kind: str
    size: int
    sha256: bytes
    key: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a file: all but the last of `PIECE_BYTES`. `number`: from 1."""

    paper_id: int
    number: int
    data: bytes


def begin_paper(session: Session, actor: Actor, new: NewPaper, most_bytes: int) -> Paper:
    """Begin a paper, or find the one begun with the same key.

    Raises `PaperTooLarge`, `NoCaseForPapers`, `PapersClosed`, `TooManyPapers`, `PaperKeyUsed`.
    """
    if new.size > most_bytes:
        most = most_bytes // (1024 * 1024)
        told = f"文件超过 {most} MB：请用手机的普通模式重新拍照，或分成几个文件上传。"
        raise PaperTooLarge(Fault("/size", told))
    case = _open_case(session, new.application_id)
    if (row := _begun(session, new)) is None:
        row = _begin(session, actor, new, case)
    if (row.kind, row.size, row.sha256) != (new.kind, new.size, new.sha256):
        raise PaperKeyUsed(Fault("/key", "这个编号已用于另一份材料：请换一个新的编号。"))
    return paper_of(session, row)


def put_piece(session: Session, keyring: Keyring, actor: Actor, piece: Piece) -> Paper:
    """Keep a piece, sealed. One that has come already stays as it is, also after the end.

    Raises `UnknownPaper`, `PapersClosed`, `PieceWrong`, `PieceDiffers`.
    """
    row, cipher = _locked(session, keyring, piece.paper_id)
    _check_fit(row, piece)
    if row.state != "taking":
        return paper_of(session, row)
    place = of_piece(row.id, piece.number)
    values = {"paper_id": row.id, "number": piece.number}
    values["bytes"] = cipher.seal_bytes(place, piece.data)
    new = insert(PAPER_PIECE).values(values).on_conflict_do_nothing()
    if session.execute(new.returning(_PIECE.number)).first() is None:
        if _piece(session, cipher, row.id, piece.number) != piece.data:
            told = f"第 {piece.number} 块已经传过，内容不一样：请重新选择文件，从头上传。"
            raise PieceDiffers(Fault("/piece", told))
    else:
        about = {"paper": row.id, "piece": piece.number}
        audit.deed(session, actor, "paper.piece", audit.of_person(row.person_id), **about)
    return paper_of(session, row)


def finish_paper(session: Session, keyring: Keyring, actor: Actor, paper_id: int) -> Paper:
    """All has come: compare it with what was announced, and leave it to be looked at. Asked again,
    it is as it was.

    Raises `UnknownPaper`, `PapersClosed`, `PaperNotWhole`.
    """
    row, cipher = _locked(session, keyring, paper_id)
    if row.state != "taking":
        return paper_of(session, row)
    if missing := paper_of(session, row).missing:
        numbers = "、".join(map(str, missing[:10]))
        raise PaperNotWhole(Fault("/pieces", f"还缺第 {numbers} 块：请补传，再提交一次。"))
    digest = hashlib.sha256()
    for piece in _pieces(session, cipher, row):
        digest.update(piece)
    if digest.digest() != row.sha256:
        raise PaperNotWhole(
            Fault("/sha256", "收到的内容和原文件不一样：请重新选择文件，从头上传。")
        )
    ended = update(PAPER).where(_P.id == paper_id, _P.state == "taking").values(state="checking")
    session.execute(ended)
    audit.deed(session, actor, "paper.finish", audit.of_person(row.person_id), paper=row.id)
    defer(session, tasks.clean_paper, lock=f"paper-{paper_id}", paper_id=paper_id)
    return paper_of(session, row_of(session, paper_id))


def remove_paper(session: Session, actor: Actor, paper_id: int) -> None:
    """Take a paper back. Raises `UnknownPaper`, `PapersClosed`."""
    row = row_of(session, paper_id)
    _case_of(session, row, GIVES_BACK)
    session.execute(update(PAPER).where(_P.id == paper_id).values(state="removed"))
    audit.deed(session, actor, "paper.remove", audit.of_person(row.person_id), paper=row.id)
    defer(session, tasks.forget_paper, lock=f"paper-{paper_id}", paper_id=paper_id)


def _open_case(session: Session, application_id: int, states: tuple[str, ...] = OPEN) -> Row[Any]:
    """The case, which does not move meanwhile."""
    case = session.execute(_CASE, {"application": application_id}).first()
    if case is None:
        raise NoCaseForPapers(Fault("/application", "没有这件申请，请刷新后再看。"))
    if case.state not in states:
        told = "申请已经提交，现在不能再改材料：要补充的，请等工作人员通知补正。"
        raise PapersClosed(Fault("/application", told))
    return case


def _case_of(session: Session, row: Row[Any], states: tuple[str, ...]) -> Row[Any]:
    """The case of a paper that the caller may hand in. Raises `UnknownPaper`, `PapersClosed`."""
    try:
        return _open_case(session, row.application_id, states)
    except NoCaseForPapers as error:
        raise unknown() from error


def _begun(session: Session, new: NewPaper) -> Row[Any] | None:
    same = _P.application_id == new.application_id, _P.client_key == new.key
    return session.execute(select(PAPER).where(*same)).first()


def _begin(session: Session, actor: Actor, new: NewPaper, case: Row[Any]) -> Row[Any]:
    own = next_id(session)
    values = {
        "id": own, "application_id": new.application_id, "person_id": case.person_id,
        "area": case.area, "kind": new.kind, "client_key": new.key, "size": new.size,
        "sha256": new.sha256, "pieces": -(-new.size // PIECE_BYTES),
    }  # fmt: skip
    try:
        with session.begin_nested():
            new_row = insert(PAPER).values(values).on_conflict_do_nothing()
            made = session.execute(new_row.returning(_P.id)).first()
    except IntegrityError as error:
        if not isinstance(error.orig, CheckViolation) or constraint_of(error) != "paper_count":
            raise
        told = "这件申请的材料已经够多：请先删除不用的，再上传。"
        raise TooManyPapers(Fault("/application", told)) from error
    if made is not None:
        audit.deed(session, actor, "paper.begin", audit.of_person(case.person_id), paper=own)
    if (row := _begun(session, new)) is None:  # somebody else's, whom the caller does not see
        raise PaperKeyUsed(Fault("/key", "这个编号已用于另一份材料：请换一个新的编号。"))
    return row


def _locked(session: Session, keyring: Keyring, paper_id: int) -> tuple[Row[Any], Cipher]:
    """A paper that may be handed in, which does not move meanwhile, and its key."""
    case = _case_of(session, row_of(session, paper_id), OPEN)
    query = select(PAPER).where(_P.id == paper_id, _P.state != "removed")
    row = session.execute(query.with_for_update()).first()
    if row is None:
        raise unknown()
    return row, keyring.person(case.person_id, bytes(case.data_key))


def _check_fit(row: Row[Any], piece: Piece) -> None:
    if not 1 <= piece.number <= row.pieces:
        raise PieceWrong(Fault("/piece", f"只有第 1 至 {row.pieces} 块：请核对编号。"))
    wanted = min(PIECE_BYTES, row.size - (piece.number - 1) * PIECE_BYTES)
    if len(piece.data) != wanted:
        told = f"第 {piece.number} 块应有 {wanted} 字节，收到 {len(piece.data)}：请重传这一块。"
        raise PieceWrong(Fault("/piece", told))


def _pieces(session: Session, cipher: Cipher, row: Row[Any]) -> Iterator[bytes]:
    for number in range(1, row.pieces + 1):
        yield _piece(session, cipher, row.id, number)


def _piece(session: Session, cipher: Cipher, paper_id: int, number: int) -> bytes:
    of = _PIECE.paper_id == paper_id, _PIECE.number == number
    sealed = session.execute(select(_PIECE.bytes).where(*of)).scalar_one()
    return cipher.open_bytes(of_piece(paper_id, number), bytes(sealed))
