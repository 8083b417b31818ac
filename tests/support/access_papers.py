"""Objects for the access matrix: cases that were sent back for more papers, and papers of theirs.

Each deed has papers of its own, since some end what they are done to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Engine, text

from backend.kernel import keys
from backend.kernel.crypto import Cipher
from backend.papers.papers import of_content, of_piece
from backend.papers.store import store
from tests.support.access_acting import _CONSENT as CONSENT
from tests.support.raw_cases import Applicant, force_state, raw_case

HELPERS: Final = ("family_doctor", "village_coordinator", "cadre")
BYTES: Final = b"a paper"
"""Of every paper; `tests/cases/access.yaml` puts them."""
_PAPER: Final = text(
    "INSERT INTO paper (id, application_id, person_id, area, kind, client_key, size, sha256,"
    " pieces) SELECT nextval('row_id'), id, person_id, area, 'income_proof', :key, :size, :sha256,"
    " 1 FROM application WHERE id = :case RETURNING id"
)
_PIECE: Final = text("INSERT INTO paper_piece (paper_id, number, bytes) VALUES (:paper, 1, :bytes)")
_CONTENT: Final = text(
    "INSERT INTO paper_content (paper_id, name, sha256, size)"
    " VALUES (:paper, :name, :sha256, :size)"
)
_DELEGATION: Final = text(
    "INSERT INTO delegation (id, person_id, staff_id, scope, from_on, to_on, consent_id, channel,"
    " recorded_by) SELECT nextval('row_id'), :person, s.id, ARRAY['apply'], DATE '2020-01-01',"
    " DATE '2099-01-01', :consent, 'counter', '测试' FROM staff AS s WHERE s.staff_no = :staff_no"
)


def papers(engine: Engine, people: Mapping[str, int], resident: int) -> dict[str, dict[str, int]]:
    """Kind of object → its ids by relation."""
    made: dict[str, dict[str, int]] = {}
    with engine.begin() as connection:
        for relation, person in people.items():
            for kind, own in _of(connection, person, resident).items():
                made.setdefault(kind, {})[relation] = own
        for role in HELPERS:
            _ask_to_apply(connection, people["assigned"], f"M-{role}")
    return made


def _of(connection: Connection, person: int, resident: int) -> dict[str, int]:
    """The objects of one person."""
    row = connection.execute(
        text("SELECT area, data_key FROM person WHERE id = :id"), {"id": person}
    ).one()
    case = raw_case(connection, Applicant(person, resident, row.area))
    force_state(connection, case, "supplement")
    cipher = keys.keyring().person(person, bytes(row.data_key))
    begun = {
        kind: _begun(connection, case, kind)
        for kind in ("paper", "paper_spare", "paper_come", "paper_open")
    }
    _put(connection, cipher, begun["paper_come"])
    for kind in ("paper", "paper_spare"):
        _keep(connection, cipher, begun[kind])
    return {"paper_case": case, **begun}


def _begun(connection: Connection, case: int, key: str) -> int:
    values = {"case": case, "key": key, "size": len(BYTES), "sha256": _digest()}
    return int(connection.execute(_PAPER, values).scalar_one())


def _put(connection: Connection, cipher: Cipher, paper: int) -> None:
    sealed = cipher.seal_bytes(of_piece(paper, 1), BYTES)
    connection.execute(_PIECE, {"paper": paper, "bytes": sealed})


def _keep(connection: Connection, cipher: Cipher, paper: int) -> None:
    _put(connection, cipher, paper)
    name = f"{paper:068x}"
    values: dict[str, Any] = {"paper": paper, "name": name, "sha256": _digest(), "size": len(BYTES)}
    connection.execute(text("UPDATE paper SET state = 'checking' WHERE id = :paper"), values)
    connection.execute(_CONTENT, values)
    kept = "UPDATE paper SET state = 'kept', media = 'image/jpeg', pages = 1 WHERE id = :paper"
    connection.execute(text(kept), values)
    store().put(name, cipher.seal_bytes(of_content(paper), BYTES))


def _ask_to_apply(connection: Connection, person: int, staff_no: str) -> None:
    consent = connection.execute(CONSENT, {"person": person, "purpose": "delegation"}).scalar_one()
    connection.execute(_DELEGATION, {"person": person, "consent": consent, "staff_no": staff_no})


def _digest() -> bytes:
    return hashlib.sha256(BYTES).digest()
