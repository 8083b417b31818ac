"""Objects for the access matrix: applications of each person, in the states that deeds ask for.

Kind `application`: submitted; seen by the person and the family, by who was asked to apply for the
person, and by who decides in the area. Drafts are not seen by who decides. Each deed has cases of
its own, since some end what they are done to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, Engine, text

from backend.kernel import keys
from backend.kernel.crypto import Place
from tests.support.raw_cases import Applicant, force_state, raw_case, raw_step

DRAFTS: Final = ("draft", "draft_sent", "draft_gone", "draft_signed")
STATES: Final[Mapping[str, str]] = {
    "application": "submitted", "application_taken": "submitted", "application_left": "submitted",
    "application_claimed": "submitted", "application_handed": "submitted",
    "application_asked": "supplement", "application_refused": "refused",
}  # fmt: skip
"""Kind → the state of its cases."""
CLAIMED: Final = ("application_claimed", "application_handed")
KINDS: Final = (*STATES, *DRAFTS)
ANSWERS: Final[Mapping[str, Mapping[str, str]]] = {
    "correction": {"what": "phone_number", "should_be": "19900000009", "phone": "19900000009"},
    "recognition": {
        "category": "subsistence_marginal", "household_size": "3", "income": "12000.00",
        "medical_spending": "30000.00", "assets": "no", "diagnosis": "测试病种",
        "phone": "19900000009",
    },
}  # fmt: skip
"""Of a correction, which asks for no letter and no paper, and of a recognition, which is signed."""
DESKS: Final[Mapping[str, str]] = {
    "township_reviewer": "320281101", "county_officer": "320281", "city_officer": "320200",
}  # fmt: skip
_ANSWER: Final = text(
    "INSERT INTO application_answer (id, application_id, field, value, source, by)"
    " VALUES (:id, :case, :field, :value, 'applicant', 'test')"
)
_CLAIM: Final = text(
    "INSERT INTO application_claim (application_id, staff_id, duty_id)"
    " SELECT a.id, d.staff_id, d.id FROM application AS a JOIN duty AS d ON d.role = a.desk"
    " AND a.area BETWEEN d.area_from AND d.area_to JOIN staff AS s ON s.id = d.staff_id"
    " WHERE a.id = :case AND s.staff_no = 'M-' || d.role AND d.revoked_at IS NULL"
)
_COLLEAGUE: Final = text(
    "WITH made AS (INSERT INTO staff (id, staff_no, name, password_salt, password_sha256,"
    " totp_secret, must_change) VALUES (nextval('row_id'), :number, '测试同事', '', '', '', false)"
    " RETURNING id) INSERT INTO duty (staff_id, role, area_from, area_to, from_on, granted_by)"
    " SELECT made.id, d.role, d.area_from, d.area_to, d.from_on, '测试' FROM made, duty AS d"
    " JOIN staff AS s ON s.id = d.staff_id WHERE s.staff_no = 'M-' || :role"
)


def cases(engine: Engine, people: Mapping[str, int], resident: int) -> dict[str, dict[str, int]]:
    """Kind of object → its ids by relation."""
    made: dict[str, dict[str, int]] = {}
    with engine.begin() as connection:
        for role in DESKS:
            connection.execute(_COLLEAGUE, {"number": colleague(role), "role": role})
        for relation, person in people.items():
            for kind in KINDS:
                made.setdefault(kind, {})[relation] = _case(connection, person, resident, kind)
    return made


def colleague(role: str) -> str:
    """The number of somebody else at the desk, to whom a case can be handed over."""
    return f"N-{role}"


def _case(connection: Connection, person: int, resident: int, kind: str) -> int:
    row = connection.execute(
        text("SELECT area, data_key FROM person WHERE id = :id"), {"id": person}
    ).one()
    plain = "recognition" if kind in ("draft", "draft_signed") else "correction"
    case = raw_case(connection, Applicant(person, resident, row.area), plain)
    if kind != "draft":
        _answer(connection, (case, person, plain), bytes(row.data_key))
    if (state := STATES.get(kind)) is None:
        return case
    raw_step(connection, case, ("submit", "draft", "submitted"), resident=resident)
    if state != "submitted":
        force_state(connection, case, state)
    if kind in CLAIMED:
        connection.execute(_CLAIM, {"case": case})
    return case


def _answer(connection: Connection, of: tuple[int, int, str], data_key: bytes) -> None:
    case, person, kind = of
    cipher = keys.keyring().person(person, data_key)
    for field, value in ANSWERS[kind].items():
        own = connection.execute(text("SELECT nextval('row_id')")).scalar_one()
        sealed = cipher.seal(Place("application_answer", "value", own), value)
        values = {"id": own, "case": case, "field": field, "value": sealed}
        connection.execute(_ANSWER, values)
