"""Becoming known by name and number, with few tries, or at a counter."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from backend.accounts.closing import close_account, forget_closed
from backend.accounts.codes import CodeUnknown, show_code
from backend.accounts.counter import Confirmation, ConfirmedUnseen, confirm_at_counter
from backend.accounts.login import log_in
from backend.accounts.real_name import (
    MOST_TRIES,
    TRIES_HOURS,
    AlreadyNamed,
    Claim,
    IdentityMalformed,
    NameNotMatched,
    PersonHasAccount,
    TooManyTries,
    prove_name,
)
from backend.accounts.residents import PhoneMissing, UnknownPerson
from backend.accounts.scope import Actor, act_as
from backend.kernel import clock
from backend.kernel.crypto import Keyring
from backend.kernel.database import bound, transaction
from backend.kernel.errors import DomainError
from tests.support.phones import bind_phone
from tests.support.register import YUEQING
from tests.support.sight import people_in_scope
from tests.support.townsfolk import Townsfolk, Townsman, events, id_number

DAY = date(2026, 6, 15)
OPENID = "o-invented-openid-1"


@pytest.fixture(autouse=True)
def site(app_database: Engine) -> Iterator[None]:
    with bound(app_database):
        yield


@pytest.fixture
def jia(town: Townsfolk) -> Townsman:
    return town.person("测试甲·一")


def enter(keyring: Keyring, openid: str = OPENID) -> str:
    """With a phone."""
    return bind_phone(just_enter(keyring, openid), keyring)


def just_enter(keyring: Keyring, openid: str = OPENID) -> str:
    with transaction() as session:
        return log_in(session, keyring, openid, "192.0.2.0").token


def prove(keyring: Keyring, token: str, name: str, number: str) -> int | DomainError:
    with transaction() as session:
        actor = act_as(session, token)
        assert actor is not None
        return prove_name(session, keyring, actor, Claim(name, number), DAY)


def who(token: str) -> Actor:
    with transaction() as session:
        actor = act_as(session, token)
        assert actor is not None
        return actor


def test_name_and_number_of_the_register_make_somebody_known(
    keyring: Keyring, jia: Townsman, database: Engine
) -> None:
    token = enter(keyring)
    assert prove(keyring, token, f" {jia.name} ", jia.number.lower()) == jia.id
    actor = who(token)
    assert (actor.level, actor.person_id) == (2, jia.id)
    with transaction() as session:
        act_as(session, token)
        assert people_in_scope(session) == {jia.id}
        assert session.execute(text("SELECT id FROM person")).scalars().all() == [jia.id]
    assert [one[2] for one in events(database, "person.read")] == [f"person:{jia.id}"]


def test_without_a_phone_nobody_is_found(keyring: Keyring, jia: Townsman) -> None:
    """Of the program, and of the database, whatever the program says; and it is no try."""
    token = just_enter(keyring)
    indexes = {"indexes": list(keyring.indexes("id_number", jia.number))}
    said = text("SELECT outcome, whom FROM prove_name(CAST(:indexes AS bytea[]), true)")
    for _ in range(MOST_TRIES + 1):
        with pytest.raises(PhoneMissing):
            prove(keyring, token, jia.name, jia.number)
        with transaction() as session:
            act_as(session, token)
            assert session.execute(said, indexes).one() == ("no_phone", None)
    assert who(token).level == 0
    bind_phone(token, keyring)
    assert prove(keyring, token, jia.name, jia.number) == jia.id


def test_a_number_may_be_typed_in_groups(keyring: Keyring, jia: Townsman) -> None:
    number = jia.number
    written = f" {number[:6]} {number[6:10]}\u3000{number[10:14]} {number[14:]} "
    assert prove(keyring, enter(keyring), jia.name, written) == jia.id


@pytest.mark.parametrize("written", ["测试甲•一", "测试甲・一", "测 试 甲.一", "测试甲．一"])
def test_a_name_may_be_written_with_any_dot(keyring: Keyring, jia: Townsman, written: str) -> None:
    assert prove(keyring, enter(keyring), written, jia.number) == jia.id


def test_a_wrong_name_and_a_number_of_nobody_are_answered_alike(
    keyring: Keyring, jia: Townsman
) -> None:
    token = enter(keyring)
    wrong = prove(keyring, token, "测试乙", jia.number)
    nobody = prove(keyring, token, jia.name, id_number(date(1970, 1, 1)))
    assert isinstance(wrong, NameNotMatched)
    assert isinstance(nobody, NameNotMatched)
    assert wrong.faults == nobody.faults
    assert who(token).level == 1


def test_what_cannot_be_a_number_is_no_try(keyring: Keyring, jia: Townsman) -> None:
    token = enter(keyring)
    digit = "1" if jia.number[17] != "1" else "2"
    for _ in range(MOST_TRIES + 1):
        with pytest.raises(IdentityMalformed):
            prove(keyring, token, jia.name, jia.number[:17] + digit)
        with pytest.raises(IdentityMalformed):
            prove(keyring, token, "  ", jia.number)
    assert prove(keyring, token, jia.name, jia.number) == jia.id


def use_up_tries(keyring: Keyring, token: str, jia: Townsman) -> None:
    for _ in range(MOST_TRIES):
        assert isinstance(prove(keyring, token, "测试乙", jia.number), NameNotMatched)


def test_a_sixth_try_within_six_hours_is_not_even_looked_up(
    keyring: Keyring, jia: Townsman, town: Townsfolk
) -> None:
    token = enter(keyring)
    use_up_tries(keyring, token, jia)
    assert isinstance(prove(keyring, token, jia.name, jia.number), TooManyTries)
    assert len(events(town.engine, "denied.resident.prove_name")) == 1
    _age_tries(town, timedelta(hours=TRIES_HOURS))
    assert prove(keyring, token, jia.name, jia.number) == jia.id


def _age_tries(town: Townsfolk, by: timedelta) -> None:
    town.accounts.change("ALTER TABLE identity_check DISABLE TRIGGER identity_check_append_only")
    town.accounts.change("UPDATE identity_check SET at = at - :by", by=by)


def test_the_database_itself_finds_nobody_for_who_has_no_tries_left(
    keyring: Keyring, jia: Townsman
) -> None:
    """Whatever the program says of the name."""
    token = enter(keyring)

    def asked(what: str, whose: str) -> Any:
        indexes = list(keyring.indexes("id_number", jia.number))
        with transaction() as session:
            act_as(session, whose)
            return session.execute(text(f"SELECT {what}"), {"indexes": indexes}).scalar()

    found = "count(*) FROM person_by_number(CAST(:indexes AS bytea[]))"
    assert asked(found, token) == 1
    use_up_tries(keyring, token, jia)
    assert asked(found, token) == asked(found, "") == 0  # and nobody who is not signed in
    assert asked("outcome FROM prove_name(CAST(:indexes AS bytea[]), true)", token) == "too_many"
    assert who(token).level == 1


def test_without_the_limit_the_sixth_try_would_succeed(
    keyring: Keyring, jia: Townsman, town: Townsfolk
) -> None:
    """The control of the two above: what they see is the count."""
    token = enter(keyring)
    use_up_tries(keyring, token, jia)
    town.accounts.change("ALTER TABLE identity_check DISABLE TRIGGER identity_check_append_only")
    town.accounts.change("DELETE FROM identity_check")
    assert prove(keyring, token, jia.name, jia.number) == jia.id


def test_tries_at_the_same_time_are_all_counted(keyring: Keyring, jia: Townsman) -> None:
    token = enter(keyring)

    def attempt(_: int) -> str:
        return type(prove(keyring, token, "测试乙", jia.number)).__name__

    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(attempt, range(12)))
    assert said.count("NameNotMatched") == MOST_TRIES
    assert said.count("TooManyTries") == 12 - MOST_TRIES


def test_a_new_account_of_the_same_wechat_user_gives_no_new_tries(
    keyring: Keyring, jia: Townsman, town: Townsfolk, database: Engine
) -> None:
    token = enter(keyring)
    use_up_tries(keyring, token, jia)
    with transaction() as session:
        actor = act_as(session, token)
        assert actor is not None
        close_account(session, actor.resident_id or 0, actor, "left")
    again = enter(keyring)
    assert who(again).resident_id != actor.resident_id
    assert isinstance(prove(keyring, again, jia.name, jia.number), TooManyTries)
    assert prove(keyring, enter(keyring, "o-of-somebody-else"), jia.name, jia.number) == jia.id
    # When its tries count no more, nothing is left of the closed account's WeChat user.
    with bound(database), transaction() as session:
        assert forget_closed(session, clock.now()) == 0
        later = clock.now() + timedelta(hours=TRIES_HOURS, minutes=1)
        assert forget_closed(session, later) == 1


def test_one_person_has_one_account(keyring: Keyring, jia: Townsman) -> None:
    first, second = enter(keyring), enter(keyring, "o-invented-openid-2")
    assert prove(keyring, first, jia.name, jia.number) == jia.id
    taken = prove(keyring, second, jia.name, jia.number)
    nobody = prove(keyring, second, jia.name, id_number(date(1970, 1, 1)))
    # Who merely knows a name and a number does not learn that there is an account.
    assert isinstance(taken, NameNotMatched)
    assert isinstance(nobody, NameNotMatched)
    assert taken.faults == nobody.faults
    assert who(second).level == 1
    with pytest.raises(AlreadyNamed):
        prove(keyring, first, jia.name, jia.number)


@pytest.mark.parametrize("change", ["died_on = DATE '2020-01-01'", "known = false"])
def test_the_dead_and_the_unknown_are_nobody(
    keyring: Keyring, jia: Townsman, town: Townsfolk, change: str
) -> None:
    town.accounts.change(f"UPDATE person SET {change} WHERE id = :id", id=jia.id)
    assert isinstance(prove(keyring, enter(keyring), jia.name, jia.number), NameNotMatched)


# -- at a counter


def code_of(token: str) -> str:
    with transaction() as session:
        actor = act_as(session, token)
        assert actor is not None
        return show_code(session, actor).code


def confirm(officer: str, person: int, code: str, **more: bool) -> None:
    given = {"card_seen": True, "replace": False} | more
    with transaction() as session:
        actor = act_as(session, officer)
        assert actor is not None
        confirm_at_counter(session, actor, Confirmation(person, code, **given), DAY)


@pytest.fixture
def reviewer(town: Townsfolk) -> str:
    return town.accounts.staff_token("township_reviewer", "320281101", "S77")


def test_staff_who_saw_the_card_make_somebody_known(
    keyring: Keyring, jia: Townsman, reviewer: str, database: Engine
) -> None:
    token = just_enter(keyring)  # at a counter nobody needs a phone
    code = code_of(token)
    with pytest.raises(ConfirmedUnseen):
        confirm(reviewer, jia.id, code, card_seen=False)
    confirm(reviewer, jia.id, code)
    assert (who(token).level, who(token).person_id) == (2, jia.id)
    assert ("staff:S77", "person.read", f"person:{jia.id}") in events(database)
    with pytest.raises(CodeUnknown):  # used up
        confirm(reviewer, jia.id, code)


def test_staff_confirm_nobody_whom_they_do_not_see(
    keyring: Keyring, town: Townsfolk, reviewer: str
) -> None:
    far = town.person("测试远", area=YUEQING)
    token = enter(keyring)
    code = code_of(token)
    with pytest.raises(UnknownPerson):
        confirm(reviewer, far.id, code)
    with pytest.raises(UnknownPerson):
        confirm(reviewer, 999_999_999, code)
    # The control: nor would the database let them.
    with transaction() as session:
        act_as(session, reviewer)
        session.execute(text("SELECT set_config('shukun.code', :code, true)"), {"code": code})
        bind = text("SELECT confirm_name(:far, false)")
        with pytest.raises(DBAPIError, match="not for this session"), session.begin_nested():
            session.execute(bind, {"far": far.id})
    assert who(token).level == 1


def test_a_code_is_good_for_ten_minutes_and_until_the_next_one(
    keyring: Keyring, jia: Townsman, reviewer: str, town: Townsfolk
) -> None:
    token = enter(keyring)
    first = code_of(token)
    second = code_of(token)
    with pytest.raises(CodeUnknown):
        confirm(reviewer, jia.id, first)
    town.accounts.change("UPDATE account_code SET expires_at = now() - interval '1 second'")
    with pytest.raises(CodeUnknown):
        confirm(reviewer, jia.id, second)
    with pytest.raises(CodeUnknown):
        confirm(reviewer, jia.id, "")


def test_a_lost_wechat_account_is_replaced_at_the_counter(
    keyring: Keyring, jia: Townsman, reviewer: str
) -> None:
    old, new = enter(keyring), enter(keyring, "o-invented-openid-2")
    assert prove(keyring, old, jia.name, jia.number) == jia.id
    with pytest.raises(PersonHasAccount):
        confirm(reviewer, jia.id, code_of(new))
    confirm(reviewer, jia.id, code_of(new), replace=True)
    assert who(new).person_id == jia.id
    with transaction() as session:
        assert act_as(session, old) is None


def test_residents_cannot_name_the_account_whose_code_they_were_told(
    keyring: Keyring, jia: Townsman, town: Townsfolk
) -> None:
    told, other = town.known(jia), enter(keyring)
    code = code_of(other)
    with transaction() as session:
        act_as(session, told)
        session.execute(text("SELECT set_config('shukun.code', :code, true)"), {"code": code})
        with pytest.raises(DBAPIError, match="not for this session"), session.begin_nested():
            session.execute(text("SELECT confirm_name(:own, false)"), {"own": jia.id})
