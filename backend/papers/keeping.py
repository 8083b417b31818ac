"""收存材料 (keeping): what came of the cleaner is sealed and stored, or the file is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor
from backend.citizens.tables import PERSON
from backend.kernel import audit
from backend.kernel.crypto import Cipher, Keyring, Place, SealedBroken
from backend.kernel.database import transaction
from backend.papers.cleaning import Cleaned
from backend.papers.papers import key_of, note_look, of_content, of_piece, row_of, unknown
from backend.papers.store import PaperStore
from backend.papers.tables import PAPER, PAPER_CONTENT, PAPER_PIECE

SYSTEM: Final = "system"
_NAMES: Final = "paper-name"
_P: Final = PAPER.c
ENDINGS: Final = {"image/jpeg": "jpg", "application/pdf": "pdf"}


class Content(NamedTuple):
    """What a paper shows. `file_name`: harmless, and says nothing of anybody."""

    data: bytes
    media: str
    file_name: str


class Unchecked(NamedTuple):
    """A paper that is to be looked at, with its person's key."""

    id: int
    person_id: int
    pieces: int
    cipher: Cipher


def unchecked(session: Session, keyring: Keyring, paper_id: int) -> Unchecked | None:
    """The paper; None where it was looked at, or removed."""
    query = (
        select(_P.id, _P.person_id, _P.pieces, PERSON.c.data_key)
        .join(PERSON, PERSON.c.id == _P.person_id)
        .where(_P.id == paper_id, _P.state == "checking")
    )
    row = session.execute(query).first()
    if row is None:
        return None
    cipher = keyring.person(row.person_id, bytes(row.data_key))
    return Unchecked(row.id, row.person_id, row.pieces, cipher)


def pieces_of(one: Unchecked) -> Iterator[bytes]:
    """Its bytes, a piece at a time, each read in a transaction of its own."""
    piece = PAPER_PIECE.c
    for number in range(1, one.pieces + 1):
        of = piece.paper_id == one.id, piece.number == number
        with transaction() as session:
            sealed = session.execute(select(piece.bytes).where(*of)).scalar_one_or_none()
        if sealed is None:  # removed meanwhile
            return
        yield one.cipher.open_bytes(of_piece(one.id, number), bytes(sealed))


def put(keyring: Keyring, store: PaperStore, one: Unchecked, cleaned: Cleaned) -> str:
    """Store it sealed, before the database says that it is there; its name. Of the same content of
    the same paper it is the same name: done again, nothing is left over.
    """
    digest = hashlib.sha256(cleaned.content).digest()
    name = keyring.sign(_NAMES, one.id.to_bytes(8, "big") + digest).hex()
    store.put(name, one.cipher.seal_bytes(of_content(one.id), cleaned.content))
    return name


def keep(session: Session, one: Unchecked, cleaned: Cleaned, name: str) -> bool:
    """Say that it is kept; False where somebody was there before, or took the paper back."""
    if not _still_checking(session, one.id):
        return False
    digest = hashlib.sha256(cleaned.content).digest()
    values = {"paper_id": one.id, "name": name, "sha256": digest, "size": len(cleaned.content)}
    session.execute(insert(PAPER_CONTENT).values(values))
    new = {"state": "kept", "media": cleaned.media, "pages": cleaned.pages}
    _end(session, one, new, "paper.keep", {"pages": cleaned.pages})
    return True


def refuse(session: Session, one: Unchecked, reason: str) -> bool:
    """Say that it is not taken, and why; as in `keep`."""
    if not _still_checking(session, one.id):
        return False
    new = {"state": "refused", "refused_why": reason}
    _end(session, one, new, "paper.refuse", {"reason": reason})
    return True


def drop_unkept(session: Session, store: PaperStore, name: str) -> None:
    """What was stored and did not become a paper's is gone."""
    known = select(PAPER_CONTENT.c.paper_id).where(PAPER_CONTENT.c.name == name)
    if session.execute(known).first() is None:
        store.remove(name)


def read_content(
    session: Session, keyring: Keyring, store: PaperStore, actor: Actor, paper_id: int
) -> Content:
    """What a kept paper shows; the look is written down.

    Raises `UnknownPaper`; `PaperLost` and `SealedBroken` where the store is at fault.
    """
    row = row_of(session, paper_id)
    content = PAPER_CONTENT.c
    kept = session.execute(select(PAPER_CONTENT).where(content.paper_id == paper_id)).first()
    if kept is None or row.state != "kept":
        raise unknown()
    note_look(session, actor, row.person_id)
    data = _opened(key_of(session, keyring, row), store.get(kept.name), kept)
    return Content(data, row.media, f"paper-{row.id}.{ENDINGS[row.media]}")


def _opened(cipher: Cipher, sealed: bytes, kept: Row[Any]) -> bytes:
    place: Place = of_content(kept.paper_id)
    data = cipher.open_bytes(place, sealed)
    if hashlib.sha256(data).digest() != kept.sha256:
        raise SealedBroken(f"{place.bound.decode()} is another than was kept")
    return data


def _still_checking(session: Session, paper_id: int) -> bool:
    query = select(_P.id).where(_P.id == paper_id, _P.state == "checking").with_for_update()
    return session.execute(query).first() is not None


def _end(
    session: Session, one: Unchecked, new: dict[str, Any], action: str, detail: dict[str, Any]
) -> None:
    session.execute(update(PAPER).where(_P.id == one.id).values(new))
    session.execute(delete(PAPER_PIECE).where(PAPER_PIECE.c.paper_id == one.id))
    audit.record(
        session, actor=SYSTEM, action=action, subject=audit.of_person(one.person_id),
        detail={"paper": one.id, **detail},
    )  # fmt: skip
