"""Number, password and one-time code: what opens a session, and what never does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from statistics import median
from time import perf_counter

import pytest
import time_machine
from sqlalchemy import Engine, text

from backend.accounts.passwords import WeakPassword
from backend.accounts.scope import act_as
from backend.accounts.staff_login import (
    LOCKED,
    MOST_FAILED,
    USED,
    WRONG,
    NoDuty,
    PasswordMustChange,
    SignedIn,
    SignIn,
    SignInRefused,
    sign_in_staff,
    switch_duty,
)
from backend.kernel import clock
from backend.kernel.crypto import Keyring
from backend.kernel.database import bound, transaction
from backend.kernel.errors import DomainError
from tests.support.accounts import Accounts
from tests.support.office_staff import PASSWORD, Person, employ

NEW = "another-one-8-made-up"


@pytest.fixture
def officer(database: Engine, keyring: Keyring) -> Person:
    return employ(database, keyring, "S1001", "county_officer")


@pytest.fixture
def site(app_database: Engine) -> Iterator[Engine]:
    """As the website does it: in its own role."""
    with bound(app_database):
        yield app_database


def attempt(keyring: Keyring, typed: SignIn) -> SignedIn | DomainError:
    with transaction() as session:
        return sign_in_staff(session, keyring, typed, clock.now(), clock.today())


def until_one_waits(database: Engine) -> None:
    """For a lock that another transaction has."""
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    deadline = perf_counter() + 20
    while perf_counter() < deadline:
        with database.connect() as connection:
            if connection.execute(waits).scalar_one():
                return
    raise TimeoutError("nobody waits")


def refused(keyring: Keyring, typed: SignIn) -> bool:
    return isinstance(attempt(keyring, typed), SignInRefused)


@pytest.mark.usefixtures("site")
def test_everything_right_opens_a_session_in_the_duty(officer: Person, keyring: Keyring) -> None:
    opened = attempt(keyring, officer.typed())
    assert isinstance(opened, SignedIn)
    assert (opened.staff_no, opened.duty.role, opened.duty.area) == (
        "S1001", "county_officer", "320281",
    )  # fmt: skip
    with transaction() as session:
        actor = act_as(session, opened.token)
    assert actor is not None
    assert actor.label == "staff:S1001"
    assert actor.role == "county_officer"


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    "wrong",
    [
        {"staff_no": "S1002"}, {"staff_no": ""}, {"staff_no": "s1001"}, {"password": "no"},
        {"password": ""}, {"code": "000000"}, {"code": "abcdef"}, {"code": ""},
        {"staff_no": "' OR 1=1 --"}, {"password": "x" * 5000},
    ],
)  # fmt: skip
def test_anything_wrong_is_refused_in_the_same_words(
    officer: Person, keyring: Keyring, wrong: dict[str, str]
) -> None:
    answers = [attempt(keyring, officer.typed(**wrong)), attempt(keyring, officer.typed(code="1"))]
    assert [type(one) for one in answers] == [SignInRefused, SignInRefused]
    assert answers[0].faults == answers[1].faults  # type: ignore[union-attr]
    officer.used_no_code()
    assert not refused(keyring, officer.typed())


@pytest.mark.usefixtures("site")
def test_a_code_opens_one_session_only(officer: Person, keyring: Keyring) -> None:
    typed = officer.typed()
    assert not refused(keyring, typed)
    assert refused(keyring, typed)


def said(keyring: Keyring, typed: SignIn) -> str:
    """The words of a refusal."""
    answer = attempt(keyring, typed)
    assert isinstance(answer, SignInRefused)
    return answer.faults[0].detail


@pytest.mark.usefixtures("site")
def test_a_used_code_is_told_in_words_that_say_nothing_of_the_password(
    officer: Person, keyring: Keyring
) -> None:
    with time_machine.travel("2026-06-15T04:00:40Z", tick=False) as now:
        before = officer.code()
        now.shift(30)
        typed = officer.typed()
        assert not refused(keyring, typed)
        assert said(keyring, typed) == USED
        assert said(keyring, replace(typed, password="guess")) == USED
        assert said(keyring, replace(typed, code=before)) == USED  # an older one
        assert said(keyring, replace(typed, code="000000")) == WRONG
        now.shift(30)
        assert not refused(keyring, officer.typed())


@pytest.mark.usefixtures("site")
def test_a_locked_account_is_told_so_with_any_password_and_any_code(
    officer: Person, keyring: Keyring, accounts: Accounts
) -> None:
    typed = officer.typed()
    for _ in range(MOST_FAILED):
        assert said(keyring, replace(typed, password="guess")) == WRONG
    for other in ({}, {"password": "guess"}, {"code": "000000"}):
        assert said(keyring, replace(typed, **other)) == LOCKED  # type: ignore[arg-type]
    accounts.change("UPDATE staff SET state = 'disabled'")
    assert said(keyring, typed) == WRONG


@pytest.mark.usefixtures("site")
def test_five_failures_lock_for_a_quarter_of_an_hour(
    officer: Person, keyring: Keyring, accounts: Accounts
) -> None:
    for _ in range(MOST_FAILED):
        assert refused(keyring, officer.typed(password="guess"))
    assert refused(keyring, officer.typed())
    accounts.change("UPDATE staff SET locked_until = locked_until - interval '14 minutes 50 s'")
    assert refused(keyring, officer.typed())
    accounts.change("UPDATE staff SET locked_until = now() - interval '1 second'")
    for _ in range(MOST_FAILED - 1):
        assert refused(keyring, officer.typed(password="guess"))
    assert not refused(keyring, officer.typed())
    assert refused(keyring, officer.typed(password="guess"))
    officer.used_no_code()
    assert not refused(keyring, officer.typed())


@pytest.mark.usefixtures("site")
def test_whoever_knows_a_number_cannot_lock_its_holder_out_from_elsewhere(
    officer: Person, keyring: Keyring, accounts: Accounts
) -> None:
    office, elsewhere = "192.0.2.0", "198.51.100.0"
    opened = attempt(keyring, officer.typed(address=office))
    assert isinstance(opened, SignedIn)
    assert opened.refused == 0
    for n in range(20):
        assert refused(keyring, officer.typed(password="guess", address=f"203.0.{n}.0"))
    officer.used_no_code()
    assert refused(keyring, officer.typed(address=elsewhere))  # locked, wherever not known
    opened = attempt(keyring, officer.typed(address=office))
    assert isinstance(opened, SignedIn)
    assert opened.refused == 21  # she is told
    officer.used_no_code()
    for _ in range(MOST_FAILED):
        assert refused(keyring, officer.typed(password="guess", address=office))
    assert refused(keyring, officer.typed(address=office))  # guesses from there count there
    accounts.change("UPDATE staff SET locked_until = now() - interval '1 second'")
    assert not refused(keyring, officer.typed(address=elsewhere))


@pytest.mark.usefixtures("site")
def test_a_network_counts_for_the_one_who_signed_in_from_it(
    officer: Person, keyring: Keyring, database: Engine
) -> None:
    colleague = employ(database, keyring, "S1003", "county_officer")
    assert not refused(keyring, officer.typed(address="192.0.2.0"))
    for _ in range(MOST_FAILED):
        assert refused(keyring, colleague.typed(password="guess", address="192.0.2.0"))
    assert refused(keyring, colleague.typed(address="192.0.2.0"))
    assert refused(keyring, colleague.typed(address="198.51.100.0"))  # one count for all of them


@pytest.mark.usefixtures("site")
def test_guesses_that_come_together_are_counted_one_by_one(
    officer: Person, keyring: Keyring, accounts: Accounts
) -> None:
    """The right password is the last of twenty guesses made at once: it must not get in."""
    start = threading.Barrier(4)
    opened: list[bool] = []

    def guess(words: list[str]) -> None:
        start.wait()
        for word in words:
            opened.append(not refused(keyring, officer.typed(password=word)))

    threads = [
        threading.Thread(target=guess, args=(["guess"] * 5 + [officer.password],)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not any(opened)
    assert len(opened) == 24


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("state", ["disabled", "left"])
def test_nobody_gets_in_by_an_account_that_is_not_in_use(
    officer: Person, keyring: Keyring, accounts: Accounts, state: str
) -> None:
    accounts.change("UPDATE staff SET state = :state", state=state)
    assert refused(keyring, officer.typed())


@pytest.mark.usefixtures("site")
def test_the_first_password_must_be_changed_with_the_sign_in(
    officer: Person, keyring: Keyring, accounts: Accounts
) -> None:
    accounts.change("UPDATE staff SET must_change = true")
    assert isinstance(attempt(keyring, officer.typed()), PasswordMustChange)
    for weak in ("short", "aaaaaaaaaaaaaaaa", officer.password, "xx-S1001-yy-zz", "x" * 129):
        with pytest.raises(WeakPassword):
            attempt(keyring, officer.typed(new_password=weak))
    assert isinstance(attempt(keyring, officer.typed(new_password=NEW)), SignedIn)
    officer.used_no_code()
    assert refused(keyring, officer.typed())
    assert not refused(keyring, officer.typed(password=NEW))


@pytest.mark.usefixtures("site")
def test_a_changed_password_ends_every_other_session(officer: Person, keyring: Keyring) -> None:
    before = attempt(keyring, officer.typed())
    officer.used_no_code()
    after = attempt(keyring, officer.typed(new_password=PASSWORD))
    assert isinstance(before, SignedIn)
    assert isinstance(after, SignedIn)
    with transaction() as session:
        assert act_as(session, before.token) is None
        assert act_as(session, after.token) is not None


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("duty", [999, None])
def test_without_a_duty_nobody_gets_in_and_nothing_is_changed(
    officer: Person, keyring: Keyring, accounts: Accounts, duty: int | None
) -> None:
    opened = attempt(keyring, officer.typed())
    assert isinstance(opened, SignedIn)
    officer.used_no_code()
    if duty is None:
        accounts.change("UPDATE duty SET to_on = :day", day=clock.today() - timedelta(days=1))
    wrong = officer.typed(new_password=NEW, duty_id=duty)
    assert isinstance(attempt(keyring, wrong), NoDuty)
    accounts.change("UPDATE duty SET to_on = 'infinity'")
    with transaction() as session:
        assert act_as(session, opened.token) is not None
    assert not refused(keyring, officer.typed())  # the old password, and the same code


@pytest.mark.usefixtures("site")
def test_another_duty_is_a_new_session_that_ends_when_the_old_one_would(
    officer: Person, keyring: Keyring, accounts: Accounts
) -> None:
    other = accounts.duty(officer.id, "county_officer", "320282")
    opened = attempt(keyring, officer.typed())
    assert isinstance(opened, SignedIn)
    accounts.change("UPDATE account_session SET expires_at = now() + interval '1 hour'")
    with transaction() as session:
        actor = act_as(session, opened.token)
        assert actor is not None
        changed = switch_duty(session, actor, other, clock.today())
    with transaction() as session:
        assert act_as(session, opened.token) is None
        now = act_as(session, changed.token)
        assert now is not None
        assert now.duty_id == other
    accounts.change("UPDATE account_session SET expires_at = expires_at - interval '61 minutes'")
    with transaction() as session:
        assert act_as(session, changed.token) is None
        with pytest.raises(NoDuty):
            switch_duty(session, now, 12345, clock.today())


@pytest.mark.usefixtures("site")
def test_a_session_that_ended_while_the_switch_waited_is_not_brought_back(
    officer: Person, keyring: Keyring, accounts: Accounts, database: Engine
) -> None:
    other = accounts.duty(officer.id, "county_officer", "320282")
    opened = attempt(keyring, officer.typed())
    assert isinstance(opened, SignedIn)

    def switch() -> None:
        with transaction() as session:
            actor = act_as(session, opened.token)
            assert actor is not None
            switch_duty(session, actor, other, clock.today())

    with ThreadPoolExecutor(1) as pool:
        with database.begin() as chief:
            chief.execute(text("SELECT FROM staff WHERE id = :own FOR UPDATE"), {"own": officer.id})
            waiting = pool.submit(switch)
            until_one_waits(database)
            chief.execute(text("UPDATE account_session SET ended_at = now(), ended_why = 'staff'"))
        with pytest.raises(NoDuty):
            waiting.result()
    with database.connect() as connection:
        left = text("SELECT count(*) FROM account_session WHERE ended_at IS NULL")
        assert connection.execute(left).scalar_one() == 0


@pytest.mark.usefixtures("site")
def test_a_phone_that_is_half_a_minute_off_is_taken_and_a_minute_is_not(
    officer: Person, keyring: Keyring
) -> None:
    with time_machine.travel("2026-06-15T04:00:15Z", tick=False) as now:
        code = officer.code()
        now.shift(60)
        assert refused(keyring, officer.typed(code=code))
        now.shift(-30)
        assert not refused(keyring, officer.typed(code=code))


@pytest.mark.usefixtures("site")
def test_signing_in_and_failing_to_are_audited_without_what_was_typed(
    officer: Person, keyring: Keyring, database: Engine, accounts: Accounts
) -> None:
    attempt(keyring, officer.typed())
    officer.used_no_code()
    attempt(keyring, officer.typed(password="not-mine"))
    attempt(keyring, officer.typed(staff_no="not-a-number"))
    attempt(keyring, officer.typed(duty_id=999))
    accounts.change("UPDATE staff SET must_change = true")
    attempt(keyring, officer.typed())
    with database.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT actor, action FROM audit_event WHERE action LIKE 'staff.sign%' ORDER BY id"
            )
        ).all()
        everything = connection.execute(text("SELECT string_agg(e::text, '') FROM audit_event e"))
        assert "not-" not in everything.scalar_one()
    assert [tuple(row) for row in rows] == [
        ("staff:S1001", "staff.sign_in"),
        ("staff:S1001", "staff.sign_in_refused"),
        ("staff:?", "staff.sign_in_refused"),
        ("staff:S1001", "staff.sign_in_no_duty"),
        ("staff:S1001", "staff.sign_in_must_change"),
    ]


@pytest.mark.usefixtures("site")
def test_the_time_does_not_tell_whether_a_number_is_known(
    officer: Person, keyring: Keyring, accounts: Accounts
) -> None:
    """Turned about one by one, so that both meet the same load."""
    times: dict[str, list[float]] = {"S1001": [], "S9999": []}
    for _ in range(12):
        for number, taken in times.items():
            accounts.change("UPDATE staff SET failed = 0, locked_until = NULL")
            begun = perf_counter()
            assert refused(keyring, officer.typed(staff_no=number, password="guess"))
            taken.append(perf_counter() - begun)
    known, unknown = (median(taken) for taken in times.values())
    assert abs(known - unknown) < 0.5 * max(known, unknown)
    assert min(known, unknown) > 0.005  # the password was hashed for both
