"""Sessions: how long they last, how many there are, and what ends them at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor, act_as
from backend.accounts.sessions import (
    MOST_OPEN,
    RESIDENT_LIFE,
    STAFF_IDLE,
    STAFF_LIFE,
    Opening,
    end_if_over,
    end_session,
    end_sessions_of_resident,
    is_token,
    note_seen,
    open_session,
)
from backend.kernel.database import bound, transaction
from tests.support.accounts import Accounts

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def site(app_database: Engine) -> Iterator[None]:
    """As the website asks: in its own role."""
    with bound(app_database):
        yield


@pytest.fixture
def officer(accounts: Accounts) -> str:
    return accounts.staff_token("county_officer", "320281")


def who(token: str) -> Actor | None:
    with transaction() as session:
        return act_as(session, token)


def test_a_token_is_random_and_kept_nowhere(officer: str, database: Engine) -> None:
    assert is_token(officer)
    with database.connect() as connection:
        kept = connection.execute(text("SELECT string_agg(s::text, '') FROM account_session s"))
        assert officer not in kept.scalar_one()


def test_staff_are_out_after_a_quarter_of_an_hour_without_a_request(
    officer: str, accounts: Accounts
) -> None:
    accounts.age(STAFF_IDLE - MINUTE)
    actor = who(officer)
    assert actor is not None
    with transaction() as session:
        note_seen(session, act_as(session, officer) or actor)
    accounts.age(STAFF_IDLE - MINUTE)
    assert who(officer) is not None
    accounts.age(2 * MINUTE)
    assert who(officer) is None


def test_use_is_noted_once_a_minute(officer: str, accounts: Accounts, database: Engine) -> None:
    def seen() -> object:
        with database.connect() as connection:
            return connection.execute(text("SELECT last_seen_at FROM account_session")).scalar_one()

    before = seen()
    with transaction() as session:
        actor = act_as(session, officer)
        assert actor is not None
        assert not actor.stale
        note_seen(session, actor)
    assert seen() == before
    accounts.age(MINUTE)
    with transaction() as session:
        actor = act_as(session, officer)
        assert actor is not None
        assert actor.stale
        note_seen(session, actor)
    assert seen() >= before  # type: ignore[operator]


def test_staff_are_out_after_twelve_hours_however_busy(officer: str, accounts: Accounts) -> None:
    accounts.age(STAFF_LIFE - MINUTE, "expires_at")
    assert who(officer) is not None
    accounts.age(MINUTE, "expires_at")
    assert who(officer) is None


def test_residents_stay_for_thirty_days(accounts: Accounts) -> None:
    token = accounts.resident_token()
    accounts.age(RESIDENT_LIFE - MINUTE, "expires_at")
    accounts.age(RESIDENT_LIFE)
    assert who(token) is not None
    accounts.age(MINUTE, "expires_at")
    assert who(token) is None


def test_of_a_sixth_session_the_longest_unused_ends(accounts: Accounts) -> None:
    resident = accounts.resident()
    tokens = []
    for _ in range(MOST_OPEN):
        accounts.age(MINUTE)
        tokens.append(accounts.resident_session(resident))
    assert all(who(token) for token in tokens)
    stranger = accounts.resident_token()
    with transaction() as session:
        tokens.append(open_session(session, Opening(resident_id=resident)))
    assert [who(token) is not None for token in tokens] == [False] + [True] * MOST_OPEN
    assert who(stranger) is not None


ENDS = {
    "the account is disabled": "UPDATE staff SET state = 'disabled'",
    "the holder has left": "UPDATE staff SET state = 'left'",
    "the duty is revoked": "UPDATE duty SET revoked_at = now()",
    "the duty was until yesterday": "UPDATE duty SET to_on = current_date - 2",
    "the duty begins later": "UPDATE duty SET from_on = current_date + 2",
    "the session is ended": "UPDATE account_session SET ended_at = now()",
}


@pytest.mark.parametrize("what", ENDS)
def test_a_session_of_staff_ends_at_once_when(officer: str, accounts: Accounts, what: str) -> None:
    assert who(officer) is not None
    accounts.change(ENDS[what])
    assert who(officer) is None


def test_a_session_of_a_closed_account_ends_at_once(accounts: Accounts) -> None:
    token = accounts.resident_token()
    accounts.change("UPDATE resident SET closed_at = now()")
    assert who(token) is None


def test_who_leaves_is_out_and_nobody_else(accounts: Accounts, officer: str) -> None:
    resident = accounts.resident()
    tokens = [accounts.resident_session(resident) for _ in range(2)]
    actor = who(tokens[0])
    assert actor is not None
    with transaction() as session:
        act_as(session, tokens[0])
        end_session(session, actor.session_id, "left")
    assert [who(token) is not None for token in (*tokens, officer)] == [False, True, True]
    with transaction() as session:
        act_as(session, tokens[1])
        end_sessions_of_resident(session, resident, "revoked")
    assert who(tokens[1]) is None


def test_nobody_ends_another_accounts_session(accounts: Accounts, officer: str) -> None:
    mine = accounts.resident_token()
    theirs = who(officer)
    assert theirs is not None
    with transaction() as session:
        act_as(session, mine)
        end_session(session, theirs.session_id, "revoked")
    assert who(officer) is not None


def test_a_session_that_ended_is_not_revived(
    officer: str, accounts: Accounts, database: Engine
) -> None:
    accounts.change("UPDATE account_session SET ended_at = now()")
    with Session(database) as session, pytest.raises(DBAPIError, match="record"):
        session.execute(text("UPDATE account_session SET ended_at = NULL"))


def test_the_session_of_one_account_acts_in_no_duty_of_another(
    officer: str, accounts: Accounts
) -> None:
    """A session that names somebody else's duty is worth nothing, however it came about."""
    other = accounts.duty(accounts.staff(), "county_officer", "330382")
    accounts.change("UPDATE account_session SET duty_id = :duty", duty=other)
    assert who(officer) is None


@pytest.mark.parametrize("column", ["last_seen_at", "expires_at"])
def test_what_was_over_once_is_not_revived_by_a_clock_set_back(
    officer: str, accounts: Accounts, column: str
) -> None:
    """The clock set back by a day is the row's moment set forward by one."""
    accounts.age(timedelta(days=1), column)
    with transaction() as session:
        end_if_over(session, officer)
    accounts.age(-timedelta(days=1), column)
    assert who(officer) is None


def test_what_is_not_over_goes_on(officer: str, accounts: Accounts) -> None:
    resident = accounts.resident_token()
    accounts.age(timedelta(minutes=14))
    with transaction() as session:
        end_if_over(session, officer)
        end_if_over(session, resident)
        end_if_over(session, "x" * 43)
    assert who(officer) is not None
    accounts.age(timedelta(days=1))
    with transaction() as session:
        end_if_over(session, resident)
    assert who(resident) is not None
