"""Objects for the access matrix: applications that were submitted, one of each person.

Kind `application`: seen by the person and the family, by who was asked to apply for the person, and
by who decides in the area; `draft`: not by who decides. Each deed has cases of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, Engine, text

from tests.support.raw_cases import Applicant, force_state, raw_case, raw_step

SUBMITTED: Final = ("application", "application_taken", "application_left")
DRAFTS: Final = ("draft", "draft_sent", "draft_gone")
HELPERS: Final = ("family_doctor", "village_coordinator", "cadre")


def cases(engine: Engine, people: Mapping[str, int], resident: int) -> dict[str, dict[str, int]]:
    """Kind of object → its ids by relation."""
    made: dict[str, dict[str, int]] = {}
    with engine.begin() as connection:
        for relation, person in people.items():
            for kind in (*SUBMITTED, *DRAFTS):
                case = _case(connection, person, resident, submitted=kind in SUBMITTED)
                made.setdefault(kind, {})[relation] = case
        force_state(connection, _case(connection, people["mine"], resident, submitted=True), "paid")
    return made


def _case(connection: Connection, person: int, resident: int, *, submitted: bool) -> int:
    query = text("SELECT area FROM person WHERE id = :id")
    area = connection.execute(query, {"id": person}).scalar_one()
    case = raw_case(connection, Applicant(person, resident, area))
    if submitted:
        raw_step(connection, case, ("submit", "draft", "submitted"), resident=resident)
    return case
