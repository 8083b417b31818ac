"""The database refuses every move that the table does not have, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from sqlalchemy import Connection, Engine, text

from backend.applications.moves import DEEDS, MOVES, STATES, Move
from tests.support.accounts import Accounts
from tests.support.raw_cases import (
    Applicant,
    applicant,
    force_state,
    raw_case,
    raw_step,
    refused,
    step_refused,
)
from tests.support.townsfolk import Townsfolk

SET_STATE = text("UPDATE application SET state = :state WHERE id = :case")


@pytest.fixture
def who(database: Engine, town: Townsfolk, accounts: Accounts) -> Applicant:
    person = town.person("甲测试").id
    return applicant(database, person, accounts.resident(person))


@pytest.fixture
def raw(database: Engine) -> Iterator[Connection]:
    with database.connect() as connection:
        yield connection
        connection.rollback()


def test_the_database_has_the_same_table_of_moves(database: Engine) -> None:
    with database.connect() as connection:
        moves = connection.execute(text("SELECT * FROM application_move"))
        found = {
            (row.deed, row.from_state, row.to_state): Move(
                row.deed, row.from_state, row.to_state, row.seat, row.given, tuple(row.apart)
            )
            for row in moves
        }
        assert found == dict(MOVES)
        states = connection.execute(text("SELECT * FROM application_state"))
        assert {row.state: (row.desk, row.over) for row in states} == {
            name: (state.desk, state.over) for name, state in STATES.items()
        }


def test_every_deed_has_a_name_and_a_move_and_every_state_but_the_draft_is_reached() -> None:
    assert {deed for deed, _, _ in MOVES} == set(DEEDS)
    assert {to for _, _, to in MOVES} == set(STATES) - {"draft"}


def flags_of(move: Move) -> dict[str, bool]:
    return {
        "fast_lane": move.given == "fast_lane",
        "filing": move.given == "filing",
        "notice": move.given == "notice",
    }


def seat_of(move: Move | None, who: Applicant, staff: int) -> dict[str, int]:
    if move is not None and move.seat in ("system", "system_or_county"):
        return {}
    if move is not None and move.seat == "applicant":
        return {"resident": who.resident}
    return {"staff": staff}


def allowed_from(
    raw: Connection, who: Applicant, staff: int, state: str
) -> set[tuple[str, str, str]]:
    """The moves that the database takes, of all deeds and states to come to."""
    case = raw_case(raw, who)
    force_state(raw, case, state)
    return {
        (deed, state, to)
        for deed, to in product(DEEDS, STATES)
        if not step_refused(
            raw, case, (deed, state, to), **seat_of(MOVES.get((deed, state, to)), who, staff)
        )
    }


def legal_from(state: str) -> set[tuple[str, str, str]]:
    """Of a case that is neither of the filing kind nor urgent, and that no notice follows."""
    plain = ("", "no_notice")
    return {key for key, move in MOVES.items() if key[1] == state and move.given in plain}


@pytest.mark.parametrize("state", STATES)
def test_of_all_deeds_and_states_the_moves_of_the_table_alone_are_taken(
    raw: Connection, who: Applicant, accounts: Accounts, state: str
) -> None:
    assert allowed_from(raw, who, accounts.staff(), state) == legal_from(state)


def test_a_move_that_somebody_added_to_the_table_is_noticed(
    raw: Connection, who: Applicant, accounts: Accounts
) -> None:
    staff = accounts.staff()
    raw.execute(text("ALTER TABLE application_move DISABLE TRIGGER ALL"))
    raw.execute(
        text(
            "INSERT INTO application_move VALUES ('approve', 'draft', 'granted', 'county', '', '{}')"
        )
    )
    case = raw_case(raw, who)
    assert not step_refused(raw, case, ("approve", "draft", "granted"), staff=staff)


def test_no_ordered_pair_of_states_can_be_written_into_the_case(
    raw: Connection, who: Applicant
) -> None:
    case = raw_case(raw, who)
    for before, after in product(STATES, STATES):
        force_state(raw, case, before)
        if before != after:
            assert refused(raw, SET_STATE, {"state": after, "case": case}), (before, after)


@pytest.mark.parametrize("given", ["filing", "fast_lane", "notice"])
def test_a_move_for_some_cases_is_refused_for_the_others(
    raw: Connection, who: Applicant, accounts: Accounts, given: str
) -> None:
    staff = accounts.staff()
    for key, move in MOVES.items():
        if move.given != given:
            continue
        plain, fitting = raw_case(raw, who), raw_case(raw, who, **flags_of(move))
        for case in (plain, fitting):
            force_state(raw, case, move.from_state)
        assert step_refused(raw, plain, key, staff=staff)
        assert not step_refused(raw, fitting, key, staff=staff)


def test_what_was_proposed_and_not_done_goes_back_to_where_the_case_was(
    raw: Connection, who: Applicant, accounts: Accounts
) -> None:
    first, second = accounts.staff(), accounts.staff()
    case = raw_case(raw, who)
    force_state(raw, case, "paid")
    raw_step(raw, case, ("propose", "paid", "revoking"), staff=first)
    assert step_refused(raw, case, ("keep", "revoking", "granted"), staff=second)
    assert step_refused(raw, case, ("keep", "revoking", "paid"), staff=first)
    assert not step_refused(raw, case, ("keep", "revoking", "paid"), staff=second)


def test_steps_and_cases_are_kept(raw: Connection, who: Applicant) -> None:
    case = raw_case(raw, who)
    raw_step(raw, case, ("submit", "draft", "submitted"), resident=who.resident)
    for statement in (
        "DELETE FROM application_step WHERE application_id = :case",
        "UPDATE application_step SET to_state = 'granted' WHERE application_id = :case",
        "UPDATE application_step SET staff_id = 1 WHERE application_id = :case",
        "DELETE FROM application WHERE id = :case",
        "UPDATE application SET desk = 'county_officer' WHERE id = :case",
        "UPDATE application SET subject = 'other' WHERE id = :case",
        "UPDATE application SET notice = true WHERE id = :case",
        "DELETE FROM application_move WHERE :case > 0",
    ):
        assert refused(raw, text(statement), {"case": case}), statement


def test_of_steps_with_one_number_the_database_takes_one(raw: Connection, who: Applicant) -> None:
    case = raw_case(raw, who)
    raw_step(raw, case, ("submit", "draft", "submitted"), resident=who.resident)
    again = text(
        "INSERT INTO application_step (id, application_id, seq, deed, from_state, to_state, by,"
        " resident_id) VALUES (nextval('row_id'), :case, 1, 'withdraw', 'submitted', 'withdrawn',"
        " 'test', :resident)"
    )
    assert refused(raw, again, {"case": case, "resident": who.resident})


def test_one_case_of_a_person_kind_and_subject_goes_at_a_time(
    raw: Connection, who: Applicant
) -> None:
    first, second = raw_case(raw, who), raw_case(raw, who)
    raw.execute(text("UPDATE application SET subject = 'same'"))
    raw_step(raw, first, ("submit", "draft", "submitted"), resident=who.resident)
    submit = ("submit", "draft", "submitted")
    assert step_refused(raw, second, submit, resident=who.resident)
    raw_step(raw, first, ("withdraw", "submitted", "withdrawn"), resident=who.resident)
    assert not step_refused(raw, second, submit, resident=who.resident)
