"""Applications put into the tables in bulk, each with four steps, two periods, three messages."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Engine, text

from backend.accounts.sessions import RESIDENT_LIFE, new_token
from backend.applications.steps import place
from backend.kernel.crypto import Keyring

READERS: Final = 200
"""Residents who look, each at the own application: spread over all of them."""
NOTE: Final = "请补交上一年的收入证明，和住院的诊断证明。"
PEOPLE: Final = 1_000_000
CASES: Final = 20_000_000
STEPS: Final = 100_000_000
ACCOUNTS: Final = 900_000_000
_ROWS: Final = (
    """
    INSERT INTO person (id, known, area, lives_in, household_id, insurance, rural,
        declined_health_service, born_on, sex, name, phone, phone_index, data_key, file_id, revision)
    SELECT :people + i, true, 320281101001 + 1000 * (i % 10), 320281101001 + 1000 * (i % 10), 0, 1,
        false, false, DATE '1960-05-01', 1, '', '', '', '', 1, 1
    FROM generate_series(1, :count) AS i
    """,
    """
    INSERT INTO resident (id, person_id, level)
    SELECT :accounts + i, :people + i, 2 FROM generate_series(1, :count) AS i
    """,
    """
    INSERT INTO application (id, person_id, area, kind, policy, subject, state, seq, desk,
        resident_id, capacity, client_key, code_index, submitted_at)
    SELECT :cases + i, :people + i, 320281101001 + 1000 * (i % 10), 'recognition', 'wuxi-2022-98',
        '', 'accepted', 4, 'township_reviewer', :accounts + i, 'self', 'bench-' || i,
        sha256(i::text::bytea), now()
    FROM generate_series(1, :count) AS i
    """,
    """
    INSERT INTO application_step (id, application_id, seq, deed, from_state, to_state, reason, by,
        role)
    SELECT :steps + 4 * i + s.seq, :cases + i, s.seq, s.deed, s.was, s.became, s.reason, s.by, s.role
    FROM generate_series(1, :count) AS i CROSS JOIN (VALUES
        (1, 'submit', 'draft', 'submitted', '', 'resident:1', ''),
        (2, 'accept', 'submitted', 'accepted', '', 'staff:T1', 'township_reviewer'),
        (3, 'ask', 'accepted', 'supplement', 'other', 'staff:T1', 'township_reviewer'),
        (4, 'supply', 'supplement', 'accepted', '', 'resident:1', ''))
        AS s (seq, deed, was, became, reason, by, role)
    """,
    """
    INSERT INTO application_clock (application_id, clock, started_on, working_days, due_on,
        provisional)
    SELECT :cases + i, c.clock, DATE '2026-11-02', c.days, DATE '2026-11-02' + c.days, false
    FROM generate_series(1, :count) AS i
    CROSS JOIN (VALUES ('first_review', 7), ('approval', 30)) AS c (clock, days)
    """,
    """
    INSERT INTO message (person_id, event, cause, day, urgent, created_at, due_at, next_at, channel,
        state, final_at)
    SELECT :people + i, 'application_' || m.became, format('application:%s:%s', :cases + i, m.seq),
        DATE '2026-11-02', false, now(), now(), now(), 'subscribe', 'delivered', now()
    FROM generate_series(1, :count) AS i
    CROSS JOIN (VALUES (1, 'submitted'), (2, 'accepted'), (3, 'supplement')) AS m (seq, became)
    """,
)  # fmt: skip
_BASES: Final = {"people": PEOPLE, "cases": CASES, "steps": STEPS, "accounts": ACCOUNTS}


def fill(engine: Engine, keyring: Keyring, count: int) -> list[tuple[str, str]]:
    """So many applications, as the owner; the paths that the readers ask for, with their tokens."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        for statement in _ROWS:
            wanted = {name: base for name, base in _BASES.items() if f":{name}" in statement}
            connection.execute(text(statement), {**wanted, "count": count})
        each = max(count // READERS, 1)
        readers = [_reader(connection, keyring, i) for i in range(1, count + 1, each)]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))  # else what was filled is written while it is read
    return readers[:READERS]


def _reader(connection: Connection, keyring: Keyring, i: int) -> tuple[str, str]:
    """Signed in; what was asked of the person is sealed with the person's own key."""
    person, step, new = PEOPLE + i, STEPS + 4 * i + 3, new_token()
    key = keyring.new_person_key(person)
    note = keyring.person(person, key).seal(place(step), NOTE)
    connection.execute(
        text("UPDATE person SET data_key = :key WHERE id = :id"), {"key": key, "id": person}
    )
    connection.execute(
        text("UPDATE application_step SET note = :note WHERE id = :id"), {"note": note, "id": step}
    )
    connection.execute(
        text(
            "INSERT INTO account_session (token_sha256, resident_id, expires_at)"
            " VALUES (:digest, :resident, now() + :life)"
        ),
        {"digest": new.digest, "resident": ACCOUNTS + i, "life": RESIDENT_LIFE},
    )
    return f"/api/v1/applications/{CASES + i}/progress", new.token
