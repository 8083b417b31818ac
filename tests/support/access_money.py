"""Objects for the access matrix: cases with money, of each person, each deed with cases of its own.

`relief`: reviewed, without an amount; `relief_granted`: granted, with an amount that was not paid;
`case_handed_on`: with a charity.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, Engine, text

from tests.support.raw_cases import Applicant, force_state, raw_case

KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "relief": ("temporary_relief", "reviewed"),
    "relief_granted": ("temporary_relief", "granted"),
    "case_handed_on": ("charity", "closed"),
}
"""Kind of object → kind and state of the case."""
_BESIDES: Final[Mapping[str, str]] = {
    "relief_granted": (
        "INSERT INTO application_grant (application_id, amount, decided_by, decided_on)"
        " VALUES (:case, 150000, 'test', DATE '2026-11-02')"
    ),
    "case_handed_on": (
        "INSERT INTO handed_on (application_id, person_id, area, department, handed_on)"
        " VALUES (:case, :person, :area, 'charity', DATE '2026-11-02')"
    ),
}


def cases(engine: Engine, people: Mapping[str, int], resident: int) -> dict[str, dict[str, int]]:
    """Kind of object → its ids by relation."""
    with engine.begin() as connection:
        return {
            kind: {
                relation: _case(connection, person, resident, kind)
                for relation, person in people.items()
            }
            for kind in KINDS
        }


def _case(connection: Connection, person: int, resident: int, kind: str) -> int:
    query = text("SELECT area FROM person WHERE id = :id")
    area = int(connection.execute(query, {"id": person}).scalar_one())
    applied, state = KINDS[kind]
    case = raw_case(connection, Applicant(person, resident, area), applied)
    force_state(connection, case, state)
    if statement := _BESIDES.get(kind):
        values = {"case": case, "person": person, "area": area}
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        connection.execute(text(statement), used)
    return case
