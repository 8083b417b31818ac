"""Objects for the access matrix: cases with money, of each person, each deed with cases of its own.

`relief`: reviewed, without an amount; `relief_granted`: granted, with an amount that was not paid;
`case_handed_on`: with a charity; `advance_asked`: of special assistance in Tinghu, for a bill;
`advance`: the same with a sealed letter that assigns it, and no advance recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, Engine, text

from tests.support.raw_cases import Applicant, force_state, raw_case
from tests.support.register import Register

KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "relief": ("temporary_relief", "reviewed"),
    "relief_granted": ("temporary_relief", "granted"),
    "case_handed_on": ("charity", "closed"),
    "advance_asked": ("special_assistance", "accepted"),
    "advance": ("special_assistance", "accepted"),
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


_HOSPITAL: Final = (
    "INSERT INTO hospital (id, code, name, tier, area, designated, registered, file_id, revision)"
    " VALUES (1, 'H1', '测试医院', 2, 320281000000, true, true, 1, 1) ON CONFLICT DO NOTHING"
)
_CLAIMED: Final = (
    "UPDATE application SET policy = 'tinghu-trial' WHERE id = :case",
    "INSERT INTO bill_claim (application_id, bill_id, layer, person_id)"
    " VALUES (:case, :bill, number_of_layer('special_assistance'), :person)",
)
_CAP: Final = 3_000
_SIGNED: Final = (
    "INSERT INTO letter (id, application_id, person_id, area, template, version, size, code, day,"
    " state, subject_sha256, content_sha256, document_sha256, nonce) SELECT nextval('row_id'), id,"
    " person_id, area, 'claim_assignment', 1, 'normal', 'advance-' || id, '2026-11-02', 'sealed',"
    f" sha256(convert_to(concat_ws(':', id, CAST(:bill AS bigint), 1, {_CAP}), 'UTF8')),"
    " sha256('x'), sha256('x'), sha256('x') FROM application WHERE id = :case",
    "INSERT INTO claim_assignment (application_id, bill_id, hospital_id, cap, letter_id, made_on)"
    f" SELECT application_id, :bill, 1, {_CAP}, id, day FROM letter WHERE application_id = :case",
)


def cases(engine: Engine, people: Mapping[str, int], resident: int) -> dict[str, dict[str, int]]:
    """Kind of object → its ids by relation."""
    register = Register(engine, dict(people))
    bills = {
        (kind, relation): register.bill(relation, f"{kind}-{relation}", "2026-04-30", "90.00")
        for kind in ("advance_asked", "advance")
        for relation in people
    }
    made: dict[str, dict[str, int]] = {kind: {} for kind in KINDS}
    with engine.begin() as connection:
        connection.execute(text(_HOSPITAL))
        for relation, person in people.items():
            for kind in KINDS:
                case = made[kind][relation] = _case(connection, person, resident, kind)
                if bill := bills.get((kind, relation)):
                    _assigning(connection, kind, {"case": case, "person": person, "bill": bill})
    return made


def _assigning(connection: Connection, kind: str, values: Mapping[str, int]) -> None:
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    for statement in (*_CLAIMED, *(_SIGNED if kind == "advance" else ())):
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        connection.execute(text(statement), used)
    connection.execute(text("SET LOCAL session_replication_role = origin"))


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
