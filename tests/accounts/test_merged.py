"""What somebody agreed to, delegated or signed in as holds when two records turn out to be one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.accounts.codes import show_code
from backend.accounts.consents import consents_of, has_consent
from backend.accounts.counter import Confirmation, confirm_at_counter
from backend.accounts.delegation_list import delegations_about, delegations_of
from backend.accounts.delegations import (
    Asked,
    Delegate,
    Terms,
    delegate,
    end_delegation,
    end_for_person,
)
from backend.accounts.family import family_of
from backend.accounts.family_records import (
    Declared,
    FamilyMemberAdded,
    Recorded,
    record_family,
    take_up_ward,
)
from backend.accounts.own_consents import Agreement, agree, own_consents, take_back
from backend.accounts.real_name import Claim, NameNotMatched, PersonHasAccount, prove_name
from backend.accounts.residents import birthday
from backend.accounts.scope import Actor, act_as
from backend.kernel.clock import today
from backend.kernel.crypto import Keyring
from backend.kernel.database import bound, transaction
from tests.support.accounts import Accounts
from tests.support.delivery import VILLAGE, number
from tests.support.merging import TOWNSHIP, Two, two_people
from tests.support.phones import bind_phone
from tests.support.townsfolk import Townsfolk

DAY = today()
YEAR = DAY + timedelta(days=365)
T = TypeVar("T")


@pytest.fixture
def two(worker_database: Engine, tmp_path: Path, keyring: Keyring) -> Two:
    return two_people(worker_database, tmp_path, keyring)


@pytest.fixture(autouse=True)
def site(app_database: Engine, two: Two) -> Iterator[None]:
    with bound(app_database):
        yield


@pytest.fixture
def token(accounts: Accounts, two: Two) -> str:
    """A session of the first, from before the merge."""
    return accounts.resident_token(two.first)


@pytest.fixture
def reviewer(accounts: Accounts) -> str:
    return accounts.staff_token("township_reviewer", TOWNSHIP)


def acting(token: str, deed: Callable[[Session, Actor], T]) -> T:
    with transaction() as session:
        actor = act_as(session, token)
        assert actor is not None
        return deed(session, actor)


def sees(token: str, table: str = "person", column: str = "id") -> set[int]:
    query = text(f"SELECT {column} FROM {table}")
    return acting(token, lambda session, _: set(session.execute(query).scalars()))


def same(token: str, person: int) -> set[int]:
    query = text("SELECT same_people(ARRAY[CAST(:person AS bigint)])")
    return acting(token, lambda s, _: set(s.execute(query, {"person": person}).scalar_one()))


def test_the_account_goes_on_as_the_one_whom_both_are(two: Two, token: str) -> None:
    serial = two.merge()
    assert acting(token, lambda _, a: a.person_id) == two.second
    assert sees(token) == {two.second}
    two.part(serial)
    assert sees(token) == {two.first}


def test_there_is_no_second_account_for_who_has_one_from_before(
    two: Two, token: str, accounts: Accounts, keyring: Keyring, reviewer: str
) -> None:
    two.merge()
    other = bind_phone(accounts.resident_token(), keyring)
    claim = Claim("测1", number(1))
    said = acting(other, lambda s, a: prove_name(s, keyring, a, claim, DAY))
    assert isinstance(said, NameNotMatched)
    code = acting(other, show_code).code
    again = Confirmation(two.second, code, card_seen=True)
    with pytest.raises(PersonHasAccount):
        acting(reviewer, lambda s, a: confirm_at_counter(s, a, again, DAY))
    moved = Confirmation(two.second, code, card_seen=True, replace=True)
    acting(reviewer, lambda s, a: confirm_at_counter(s, a, moved, DAY))
    with transaction() as session:
        assert act_as(session, token) is None
    assert acting(other, lambda _, a: a.person_id) == two.second


def test_a_consent_holds_is_seen_and_may_be_taken_back(
    two: Two, token: str, keyring: Keyring, reviewer: str
) -> None:
    def held(by: str = token) -> bool:
        return acting(by, lambda s, _: has_consent(s, two.second, "face_check", DAY))

    acting(token, lambda s, a: agree(s, keyring, a, Agreement(two.first, "face_check", 1)))
    assert not held(reviewer)
    serial = two.merge()
    assert held()
    assert held(reviewer)
    with bound(two.engine), transaction() as session:  # as messages ask
        assert has_consent(session, two.second, "face_check", DAY)
    two.part(serial)
    assert not held(reviewer)
    two.merge()
    (given,) = acting(token, own_consents)["face_check"]
    assert given.person_id == two.second
    acting(token, lambda s, a: take_back(s, a, given.id))
    assert not held()
    seen = acting(reviewer, lambda s, _: consents_of(s, [two.second]))
    assert [one.withdrawn_at is None for one in seen] == [False]


def test_a_delegation_holds_is_read_and_may_be_ended_by_both_sides_and_at_the_counter(
    two: Two, token: str, accounts: Accounts, keyring: Keyring, reviewer: str
) -> None:
    doctor = accounts.staff_token("family_doctor", "330382", "D1")
    other = accounts.staff_token("family_doctor", "330382", "D2")
    son = accounts.resident_token()
    terms = Terms(two.first, ("see",), DAY, YEAR, 1)
    code = acting(son, show_code).code
    for to in (Delegate("D1"), Delegate(code=code, relationship="儿子"), Delegate("D2")):
        acting(token, lambda s, a, to=to: delegate(s, keyring, a, Asked(terms, to), DAY))  # type: ignore[misc]
    two.merge()
    for who in (doctor, other, son):
        assert sees(who) == {two.second}
    given = acting(token, lambda s, a: delegations_of(s, keyring, a, DAY)).given
    about = acting(reviewer, lambda s, a: delegations_about(s, keyring, a, two.second, DAY))
    assert given == about
    assert [(one.person_id, one.person_name, one.relationship) for one in given] == [
        (two.second, "测1", ""), (two.second, "测1", "儿子"), (two.second, "测1", ""),
    ]  # fmt: skip
    (received,) = acting(son, lambda s, a: delegations_of(s, keyring, a, DAY)).received
    assert (received.id, received.relationship) == (given[1].id, "儿子")
    acting(token, lambda s, a: end_delegation(s, a, given[0].id))
    assert sees(other) == set()
    acting(son, lambda s, a: end_delegation(s, a, received.id))
    assert sees(doctor) == {two.second}
    acting(reviewer, lambda s, a: end_for_person(s, a, given[2].id, "counter"))
    for who in (doctor, son):
        assert sees(who) == set()


def test_a_member_of_the_family_stays_one_and_is_not_added_twice(
    two: Two, accounts: Accounts, keyring: Keyring, reviewer: str
) -> None:
    daughter = accounts.resident_token()

    def record(person: int) -> None:
        code = acting(daughter, show_code).code
        known = Recorded(person, code, "parent", "written", "授权书，档案柜五")
        acting(reviewer, lambda s, a: record_family(s, keyring, a, known, DAY))

    record(two.first)
    two.merge()
    (mother,) = acting(daughter, lambda s, a: family_of(s, keyring, a, DAY)).members
    assert (mother.person_id, mother.name) == (two.second, "测1")
    with pytest.raises(FamilyMemberAdded):
        record(two.second)


def test_a_guardian_takes_up_a_child_that_the_register_has_under_the_former_number(
    two: Two, token: str, town: Townsfolk
) -> None:
    child = town.person("测试童", birthday(DAY, -3))

    def wards() -> list[int]:
        family = acting(token, lambda s, a: family_of(s, town.keyring, a, DAY))
        return [one.person_id for one in family.wards]

    two.merge()  # moves the wards whom it finds
    town.accounts.change(
        "UPDATE person SET guardian_id = :former WHERE id = :child",
        former=two.first,
        child=child.id,
    )
    assert wards() == [child.id]
    declared = Declared(child.id, "child", True, 1)
    acting(token, lambda s, a: take_up_ward(s, town.keyring, a, declared, DAY))
    assert sees(token) == {two.second, child.id}


def test_who_does_not_see_the_one_sees_nothing_of_the_other(
    two: Two, token: str, accounts: Accounts, keyring: Keyring
) -> None:
    """The control: being merged opens nothing to others."""
    acting(token, lambda s, a: agree(s, keyring, a, Agreement(two.first, "face_check", 1)))
    two.merge()
    far = accounts.staff_token("county_officer", "330382")
    stranger = accounts.resident_token()
    for who in (far, stranger):
        assert acting(who, lambda s, _: consents_of(s, [two.first, two.second])) == []
        assert not acting(who, lambda s, _: has_consent(s, two.second, "face_check", DAY))
        assert same(who, two.second) == {two.second}
        assert sees(who, "person_merge", "merged_id") == set()
    coordinator = accounts.staff_token("village_coordinator", str(VILLAGE))
    assert same(coordinator, two.second) == {two.first, two.second}
    assert len(acting(coordinator, lambda s, _: consents_of(s, [two.second]))) == 1
