"""Letters for the access matrix: of a case of each person, one of them read by whoever may sign."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Engine, text

from backend.accounts.staff_tables import VISITORS
from backend.kernel import keys
from backend.kernel.crypto import Place
from backend.letters.content import new_code, packed
from backend.letters.rendering import Rendered, render
from tests.support.letters import content, drawing
from tests.support.raw_cases import Applicant, force_state, raw_case
from tests.support.signing import strokes

KINDS: Final = ("letter", "letter_opened", "letter_refused", "letter_read")
"""Each deed has letters of its own, since some end what they are done to."""
_LETTER: Final = text(
    "INSERT INTO letter (id, application_id, person_id, area, template, version, size, code, day,"
    " subject_sha256, content_sha256, document_sha256, nonce) VALUES (nextval('row_id'), :case,"
    " :person, :area, :template, 1, 'normal', :code, '2026-11-23', :hash, :hash, :hash, :nonce)"
    " RETURNING id"
)
_PART: Final = text(
    "INSERT INTO letter_part (id, letter_id, part, body, sha256)"
    " VALUES (:id, :letter, :part, :body, :hash)"
)
_EVENT: Final = text(
    "INSERT INTO letter_event (id, letter_id, seq, deed, from_state, to_state, by, resident_id, at)"
    " SELECT nextval('row_id'), :letter, l.seq + 1, :deed, m.from_state, m.to_state, :by,"
    " :resident, now() - interval '1 hour' FROM letter AS l JOIN letter_move AS m"
    " ON m.from_state = l.state AND m.deed = :deed WHERE l.id = :letter"
)
_NONCE: Final = bytes(32)
"""The same for all, so that one body signs any of them."""


def letters(engine: Engine, people: Mapping[str, int], resident: int) -> dict[str, dict[str, int]]:
    """Kind of object → its ids by relation."""
    said = content()
    drawn = render(said)
    made: dict[str, dict[str, int]] = {kind: {} for kind in KINDS}
    with engine.begin() as connection:
        for relation, person in people.items():
            for kind in KINDS:
                made[kind][relation] = _letter(connection, kind, (person, resident), drawn)
    return made


def _letter(connection: Connection, kind: str, of: tuple[int, int], drawn: Rendered) -> int:
    person, resident = of
    row = connection.execute(
        text("SELECT area, data_key FROM person WHERE id = :id"), {"id": person}
    ).one()
    case = raw_case(connection, Applicant(person, resident, row.area))
    force_state(connection, case, "supplement")  # those who decide see it too
    code = new_code()
    said = content(code=code)
    values = {"case": case, "person": person, "area": row.area, "template": said.template}
    values |= {"code": code, "hash": hashlib.sha256(drawn.pdf).digest(), "nonce": _NONCE}
    letter = int(connection.execute(_LETTER, values).scalar_one())
    cipher = keys.keyring().person(person, bytes(row.data_key))
    for part, body in (("content", packed(said)), ("document", drawn.pdf)):
        own = connection.execute(text("SELECT nextval('row_id')")).scalar_one()
        sealed = cipher.seal_bytes(Place("letter_part", "body", own), body)
        digest = hashlib.sha256(body).digest()
        part_values = {"id": own, "letter": letter, "part": part, "body": sealed, "hash": digest}
        connection.execute(_PART, part_values)
    values = {"letter": letter, "resident": resident, "by": "test"}
    connection.execute(_EVENT, values | {"deed": "present"})
    if kind == "letter_read":
        connection.execute(_EVENT, values | {"deed": "identify"})
        for reader in (f"resident:{resident}", *(f"staff:M-{role}" for role in VISITORS)):
            for deed in ("open", "read"):
                connection.execute(_EVENT, values | {"deed": deed, "by": reader})
    return letter


def signature() -> dict[str, Any]:
    """A body that signs a letter which was read."""
    points = [",".join(map(str, (one.x, one.y, one.t))) for one in strokes()[0]]
    return {
        "png": base64.b64encode(drawing()).decode(), "strokes": " ".join(points), "width": 800,
        "height": 260, "shown_sha256": render(content()).sha256.hex(), "nonce": _NONCE.hex(),
    }  # fmt: skip
