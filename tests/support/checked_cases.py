"""Cases at a township's desk put into the tables in bulk, each of somebody else: with a household,
an income, identities, bills, a claim, and what was answered, sealed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Engine, text

from backend.kernel.crypto import Keyring, Place

TOWNSHIP: Final = "320281101"
PEOPLE: Final = 1_000_000
CASES: Final = 2_000_000
HOMES: Final = 3_000_000
BILLS: Final = 4_000_000
ANSWERS: Final = 5_000_000
ACCOUNTS: Final = 6_000_000
EACH: Final = 10
"""So many bills and answers at the most has a case."""
_NUMBER: Final = (
    "INSERT INTO code_number (kind, code, number) SELECT :kind, :code, coalesce(max(number), 0) + 1"
    " FROM code_number WHERE kind = :kind HAVING NOT bool_or(code = :code) IS TRUE"
)
CODES: Final = (
    ("category", "subsistence_allowance"), ("setting", "inpatient"), ("disease_group", "general"),
    ("layer", "high_cost_relief"),
)  # fmt: skip
_ROWS: Final = (
    """
    INSERT INTO person (id, known, area, lives_in, household_id, insurance, rural,
        declined_health_service, born_on, sex, name, phone, phone_index, data_key, file_id, revision)
    SELECT :people + i, true, 320281101001, 320281101001, :homes + i, 1, false, false,
        DATE '1960-05-01', 1, '', '', '', '', 1, 1 FROM generate_series(1, :count) AS i
    """,
    """
    INSERT INTO household (id, number, number_index, file_id, revision)
    SELECT :homes + i, '', sha256(i::text::bytea), 1, 1 FROM generate_series(1, :count) AS i
    """,
    """
    INSERT INTO household_income (id, household_id, year, disposable_income, file_id, revision)
    SELECT :homes + i, :homes + i, 2025, 1200000, 1, 1 FROM generate_series(1, :count) AS i
    """,
    """
    INSERT INTO resident (id, person_id, level)
    SELECT :accounts + i, :people + i, 2 FROM generate_series(1, :count) AS i
    """,
    """
    INSERT INTO identity (id, person_id, area, category, department, from_on, to_on, applied_on,
        taper_until, origin_area, certificate, file_id, revision)
    SELECT :people + i, :people + i, 320281101001, c.number, 1, '2024-01-01', 'infinity',
        '-infinity', '-infinity', 0, '', 1, 1
    FROM generate_series(1, :count) AS i
    JOIN code_number AS c ON c.kind = 'category' AND c.code = 'subsistence_allowance'
    """,
    """
    INSERT INTO bill (id, bill_no, person_id, area, hospital_id, setting, admitted_on,
        discharged_on, total, in_scope, rare_drug, paid_out_of_scope, paid_basic,
        paid_serious_illness, paid_medical_assistance, paid_rare_drug_assistance,
        paid_tilt_assistance, paid_commercial, paid_mutual_aid, paid_charity,
        paid_special_assistance, paid_high_cost_relief, flags, disease_group, disease_classes,
        diagnosis, file_id, revision)
    SELECT :bills + 10 * i + n, format('B-%s-%s', i, n), :people + i, 320281101001, 1, s.number,
        DATE '2024-06-20' + n, DATE '2024-06-25' + n, 900000, 900000, 0, 0, -1, -1, -1, -1, -1, -1,
        -1, -1, -1, 100 * i, 1, g.number, 0, '', 1, 1
    FROM generate_series(1, :count) AS i CROSS JOIN generate_series(0, 2) AS n
    JOIN code_number AS s ON s.kind = 'setting' AND s.code = 'inpatient'
    JOIN code_number AS g ON g.kind = 'disease_group' AND g.code = 'general'
    """,
    """
    INSERT INTO application (id, person_id, area, kind, policy, state, seq, desk, resident_id,
        capacity, client_key, submitted_at)
    SELECT :cases + i, :people + i, 320281101001, 'high_cost_relief', 'yueqing-2022-41',
        'submitted', 1, 'township_reviewer', :accounts + i, 'self', 'many-' || i, now()
    FROM generate_series(1, :count) AS i
    """,
    """
    INSERT INTO bill_claim (application_id, bill_id, layer, person_id)
    SELECT :cases + i, :bills + 10 * i + n, l.number, :people + i
    FROM generate_series(1, :count) AS i CROSS JOIN generate_series(0, 2) AS n
    JOIN code_number AS l ON l.kind = 'layer' AND l.code = 'high_cost_relief'
    """,
)
_BASES: Final = {
    "people": PEOPLE, "cases": CASES, "homes": HOMES, "bills": BILLS, "accounts": ACCOUNTS,
}  # fmt: skip
_ANSWER: Final = text(
    "INSERT INTO application_answer (id, application_id, field, value, source, by)"
    " VALUES (:id, :case, :field, :value, 'applicant', 'test')"
)


def many_cases(engine: Engine, keyring: Keyring, count: int) -> list[int]:
    """So many cases, as the owner of the database. The first person got 1 yuan on each of three
    bills, the second 2, and so on.
    """
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for kind, code in CODES:
            connection.execute(text(_NUMBER), {"kind": kind, "code": code})
        for statement in _ROWS:
            wanted = {name: base for name, base in _BASES.items() if f":{name}" in statement}
            connection.execute(text(statement), {**wanted, "count": count})
        _seal(connection, keyring, count)
    return [CASES + i for i in range(1, count + 1)]


def _seal(connection: Connection, keyring: Keyring, count: int) -> None:
    """Each person gets a key, and answers under it."""
    keys = [
        {"key": keyring.new_person_key(PEOPLE + i), "id": PEOPLE + i} for i in range(1, count + 1)
    ]
    connection.execute(text("UPDATE person SET data_key = :key WHERE id = :id"), keys)
    rows = [row for i, one in enumerate(keys, 1) for row in _answers(keyring, i, one["key"])]
    connection.execute(_ANSWER, rows)


def _answers(keyring: Keyring, i: int, key: Any) -> Iterator[Mapping[str, Any]]:
    cipher = keyring.person(PEOPLE + i, key)
    bills = ",".join(f"{BILLS + EACH * i + n}" for n in range(3))
    said = {"household_size": "1", "income": "12000.00", "phone": "1", "bills": bills}
    for n, (field, value) in enumerate(said.items()):
        own = ANSWERS + EACH * i + n
        sealed = cipher.seal(Place("application_answer", "value", own), value)
        yield {"id": own, "case": CASES + i, "field": field, "value": sealed}
