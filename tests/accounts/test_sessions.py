"""Sessions: how long they last, how many there are, and what ends them at once."""

from __future__ import annotations

import threading
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
    end_if_over,
    end_own_session,
    is_token,
    new_token,
    note_seen,
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


OPENID = b"invented index"


@pytest.fixture
def resident(accounts: Accounts) -> int:
    """One who can log in: by the index of an openid."""
    own = accounts.resident()
    accounts.change(
        "INSERT INTO wechat_user (resident_id, openid_index, openid) VALUES (:own, :index, 'x')",
        own=own, index=OPENID,
    )  # fmt: skip
    return own


def log_in() -> str:
    new = new_token()
    opened = text("SELECT open_resident_session(ARRAY[:index], :digest, '')")
    with transaction() as session:
        session.execute(opened, {"index": OPENID, "digest": new.digest})
    return new.token


def test_of_a_sixth_session_the_longest_unused_ends(accounts: Accounts, resident: int) -> None:
    tokens = []
    for _ in range(MOST_OPEN):
        accounts.age(MINUTE)
        tokens.append(accounts.resident_session(resident))
    assert all(who(token) for token in tokens)
    stranger = accounts.resident_token()
    tokens.append(log_in())
    assert [who(token) is not None for token in tokens] == [False] + [True] * MOST_OPEN
    assert who(stranger) is not None


@pytest.mark.usefixtures("resident")
def test_of_sessions_opened_at_the_same_time_five_stay() -> None:
    """Each waits for the others at the account's row, and so sees what they opened."""
    start = threading.Barrier(8)
    tokens: list[str] = []

    def open_one() -> None:
        start.wait()
        tokens.append(log_in())

    threads = [threading.Thread(target=open_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 8
    assert sum(who(token) is not None for token in tokens) == MOST_OPEN


@pytest.mark.usefixtures("resident")
def test_without_the_lock_more_would_stay(database: Engine) -> None:
    """The control: two that do not see each other."""
    with Session(database) as session, session.begin():
        source = session.execute(
            text("SELECT pg_get_functiondef('open_resident_session'::regproc)")
        ).scalar_one()
        assert " FOR UPDATE" in source
        session.connection().exec_driver_sql(source.replace(" FOR UPDATE", ""))
    for _ in range(MOST_OPEN - 1):
        log_in()
    tokens = [new_token(), new_token()]
    opened = text("SELECT open_resident_session(ARRAY[:index], :digest, '')")
    with database.connect() as first, database.connect() as second:
        for one, new in zip((first, second), tokens, strict=True):
            one.execute(opened, {"index": OPENID, "digest": new.digest})
        first.commit()
        second.commit()
    with database.connect() as connection:
        left = text("SELECT count(*) FROM account_session WHERE ended_at IS NULL")
        assert connection.execute(left).scalar_one() > MOST_OPEN


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
    with transaction() as session:
        act_as(session, tokens[0])
        end_own_session(session)
    assert [who(token) is not None for token in (*tokens, officer)] == [False, True, True]
    with transaction() as session:  # in no session: nobody's ends
        end_own_session(session)
    assert [who(token) is not None for token in (*tokens, officer)] == [False, True, True]


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
