"""The database refuses every move of a letter that the table does not have, whoever asks."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from backend.letters.moves import MOVES, OPEN, STANDING, STATES
from tests.support.accounts import Accounts
from tests.support.raw_cases import refused
from tests.support.signing import Desk

DEEDS = sorted({deed for deed, _, _ in MOVES})
EVENT = text(
    "INSERT INTO letter_event (id, letter_id, seq, deed, from_state, to_state, by, resident_id,"
    " staff_id) VALUES (nextval('row_id'), :letter, :seq, :deed, :before, :after, 'test',"
    " :resident, NULL)"
)
PARTS = text(
    "INSERT INTO letter_part (id, letter_id, part, body, sha256) SELECT nextval('row_id'),"
    " :letter, one, '', '' FROM unnest(ARRAY['signature', 'will', 'sealed', 'evidence']) AS one"
)


def forced(connection: Connection, letter: int, state: str) -> None:
    """As though the letter had come there, with all its parts."""
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    connection.execute(
        text("UPDATE letter SET state = :state, seq = 9 WHERE id = :letter"),
        {"state": state, "letter": letter},
    )
    connection.execute(text("SET LOCAL session_replication_role = origin"))


@pytest.fixture
def raw(desk: Desk) -> Any:
    letter = desk.present().id
    with desk.owner.connect() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(PARTS, {"letter": letter})
        connection.execute(text("SET LOCAL session_replication_role = origin"))
        yield connection, letter, desk.who.resident
        connection.rollback()


def taken(raw: Any, move: tuple[str, str, str], seq: int = 10) -> bool:
    connection, letter, resident = raw
    deed, before, after = move
    seat = MOVES.get(move, "applicant")
    values = {"letter": letter, "seq": seq, "deed": deed, "before": before, "after": after}
    return not refused(
        connection, EVENT, values | {"resident": None if seat == "system" else resident}
    )


def test_the_database_has_the_same_table_of_moves(database: Engine) -> None:
    with database.connect() as connection:
        rows = connection.execute(text("SELECT deed, from_state, to_state, seat FROM letter_move"))
        assert {tuple(row)[:3]: row.seat for row in rows} == dict(MOVES)


def test_every_state_is_reached_and_is_open_or_counts_or_is_over() -> None:
    assert {after for _, _, after in MOVES} | {"drafted"} == set(STATES)
    over = set(STATES) - set(OPEN) - set(STANDING)
    assert over == {"expired", "refused", "revoked"}
    assert not [move for move in MOVES if move[1] in over]


def test_of_all_deeds_and_ordered_pairs_of_states_those_of_the_table_alone_are_taken(
    raw: Any,
) -> None:
    found = set()
    for before in STATES:
        forced(raw[0], raw[1], before)
        found |= {
            (deed, before, after)
            for deed, after in product(DEEDS, STATES)
            if taken(raw, (deed, before, after))
        }
    assert found == set(MOVES)


def test_a_move_that_somebody_added_to_the_table_is_noticed(raw: Any) -> None:
    """The control of the test above."""
    connection, letter, _ = raw
    connection.execute(text("ALTER TABLE letter_move DISABLE TRIGGER ALL"))
    connection.execute(
        text("INSERT INTO letter_move VALUES ('sign', 'refused', 'signed', 'applicant')")
    )
    forced(connection, letter, "refused")
    assert taken(raw, ("sign", "refused", "signed"))


def test_no_ordered_pair_of_states_can_be_written_into_the_letter(raw: Any) -> None:
    connection, letter, _ = raw
    change = text("UPDATE letter SET state = :state WHERE id = :letter")
    for before, after in product(STATES, STATES):
        forced(connection, letter, before)
        assert refused(connection, change, {"state": after, "letter": letter}), (before, after)


def test_of_two_next_steps_one_is_taken(raw: Any) -> None:
    forced(raw[0], raw[1], "presented")
    for seq in (8, 9, 11):
        assert not taken(raw, ("refuse", "presented", "refused"), seq)
    assert taken(raw, ("refuse", "presented", "refused"), 10)


def test_a_step_for_which_something_is_missing_is_refused(desk: Desk) -> None:
    letter = desk.read(desk.present())
    with desk.owner.connect() as connection:
        values = {"letter": letter.id, "seq": letter.seq + 1, "deed": "sign"}
        values |= {"before": "identity_ok", "after": "signed", "resident": desk.who.resident}
        assert refused(connection, EVENT, values)


def test_nothing_of_a_signed_letter_changes(desk: Desk) -> None:
    letter = desk.signed()
    with desk.owner.connect() as connection:
        for statement in (
            "UPDATE letter_part SET body = 'x' WHERE letter_id = :letter",
            "DELETE FROM letter_part WHERE letter_id = :letter",
            "UPDATE letter_event SET at = now() WHERE letter_id = :letter",
            "DELETE FROM letter_event WHERE letter_id = :letter",
            "DELETE FROM letter WHERE id = :letter",
            "UPDATE letter SET document_sha256 = subject_sha256 WHERE id = :letter",
            "UPDATE letter SET code = 'other' WHERE id = :letter",
            "DELETE FROM letter_move WHERE :letter > 0",
            "INSERT INTO letter_part (id, letter_id, part, body, sha256)"
            " VALUES (nextval('row_id'), :letter, 'content', 'x', '')",
        ):
            assert refused(connection, text(statement), {"letter": letter.id}), statement


def test_the_website_writes_no_seal_and_no_other_name(
    desk: Desk, accounts: Accounts, app_database: Engine
) -> None:
    letter = desk.signed()
    with desk.acting() as (session, _):
        for part in ("sealed", "evidence"):
            assert refused(
                session.connection(),
                text("INSERT INTO letter_part (id, letter_id, part, body, sha256)"
                     " VALUES (nextval('row_id'), :letter, :part, 'x', 'x')"),
                {"letter": letter.id, "part": part},
            )  # fmt: skip
    with desk.owner.connect() as connection:
        said = connection.execute(text("SELECT DISTINCT by FROM letter_event")).scalars().all()
    assert said == [f"resident:{desk.who.resident}"]
