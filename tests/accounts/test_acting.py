"""Consents, family and delegations: who may see and do what for whom, and when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.accounts.authority import (
    people_acted_for,
    people_spoken_for,
)
from backend.accounts.codes import CodeUnknown, show_code
from backend.accounts.consents import (
    ConsentMissing,
    ConsentOutdated,
    UnknownConsent,
    consents_of,
    has_consent,
    require_consent,
)
from backend.accounts.delegation_list import delegations_about, delegations_of
from backend.accounts.delegations import (
    Asked,
    AtBedside,
    Delegate,
    DelegateUnfit,
    DelegationDaysWrong,
    Terms,
    UnknownDelegation,
    delegate,
    delegate_at_bedside,
    end_delegation,
    end_for_person,
)
from backend.accounts.family import UnknownAuthority, end_authority, family_of
from backend.accounts.family_records import (
    AuthorityDaysWrong,
    Declared,
    FamilyMemberAdded,
    GuardianshipUndeclared,
    NotAWard,
    Recorded,
    record_family,
    take_up_ward,
)
from backend.accounts.handovers import hand_over
from backend.accounts.own_consents import Agreement, agree, own_consents, take_back
from backend.accounts.own_file import own_file, viewers
from backend.accounts.residents import UnknownPerson, birthday, is_child
from backend.accounts.scope import Actor, act_as
from backend.accounts.tasks import tell_delegated
from backend.kernel.audit_seen import SeenAsked, seen_by
from backend.kernel.clock import today
from backend.kernel.database import bound, engine_for, transaction
from tests.support.register import YUEQING
from tests.support.townsfolk import Townsfolk, Townsman, events

DAY = today()
YEAR = DAY + timedelta(days=365)
T = TypeVar("T")


@pytest.fixture(autouse=True)
def site(app_database: Engine) -> Iterator[None]:
    with bound(app_database):
        yield


@pytest.fixture
def jia(town: Townsfolk) -> Townsman:
    return town.person("测试甲")


@pytest.fixture
def token(town: Townsfolk, jia: Townsman) -> str:
    return town.known(jia)


def acting(token: str, deed: Callable[[Session, Actor], T]) -> T:
    """The deed in a transaction of the session."""
    with transaction() as session:
        actor = act_as(session, token)
        assert actor is not None
        return deed(session, actor)


def sees(token: str) -> set[int]:
    query = text("SELECT id FROM person")
    return acting(token, lambda session, _: set(session.execute(query).scalars()))


def code_of(token: str) -> str:
    return acting(token, show_code).code


# -- consents


def test_a_consent_stands_until_it_is_withdrawn(town: Townsfolk, token: str, jia: Townsman) -> None:
    def held(purpose: str = "face_check", day: date = DAY) -> bool:
        return acting(token, lambda session, _: has_consent(session, jia.id, purpose, day))

    keyring = town.keyring
    assert not held()
    given = acting(token, lambda s, a: agree(s, keyring, a, Agreement(jia.id, "face_check", 1)))
    assert held()
    assert not held("sharing_beyond_duty")
    assert not held(day=DAY - timedelta(days=1))
    acting(token, lambda session, _: require_consent(session, jia.id, "face_check", DAY))
    acting(token, lambda s, a: take_back(s, a, given))
    assert not held()
    with pytest.raises(ConsentMissing):
        acting(token, lambda session, _: require_consent(session, jia.id, "face_check", DAY))
    with pytest.raises(UnknownConsent):
        acting(token, lambda s, a: take_back(s, a, given))
    shown = acting(token, own_consents)["face_check"]
    assert [one.withdrawn_at is not None for one in shown] == [True]


def test_what_was_agreed_to_is_kept_by_version_and_digest(
    town: Townsfolk, token: str, jia: Townsman, database: Engine
) -> None:
    agreement = Agreement(jia.id, "face_check", 1)
    acting(token, lambda s, a: agree(s, town.keyring, a, agreement))
    with database.connect() as connection:
        row = connection.execute(text("SELECT * FROM consent")).one()
    assert (row.purpose, row.version, row.channel) == ("face_check", 1, "mini_program")
    assert len(row.text_sha256) == 32
    for change in ("UPDATE consent SET version = 2", "DELETE FROM consent"):
        with pytest.raises(DBAPIError, match="consent"):
            town.accounts.change(change)


@pytest.mark.parametrize("version", [0, 2])
def test_another_version_than_the_one_shown_is_no_consent(
    town: Townsfolk, token: str, jia: Townsman, version: int
) -> None:
    with pytest.raises(ConsentOutdated):
        acting(
            token, lambda s, a: agree(s, town.keyring, a, Agreement(jia.id, "face_check", version))
        )


def test_nobody_agrees_for_others_or_takes_back_theirs(
    town: Townsfolk, token: str, jia: Townsman
) -> None:
    yi = town.person("测试乙")
    other = town.known(yi)
    given = acting(other, lambda s, a: agree(s, town.keyring, a, Agreement(yi.id, "face_check", 1)))
    with pytest.raises(UnknownPerson):
        acting(token, lambda s, a: agree(s, town.keyring, a, Agreement(yi.id, "face_check", 1)))
    for unknown in (given, 999_999_999):
        with pytest.raises(UnknownConsent):
            acting(token, lambda s, a, one=unknown: take_back(s, a, one))  # type: ignore[misc]
    assert acting(token, lambda session, _: consents_of(session, [yi.id])) == []


def test_what_stands_is_not_given_twice_and_ends_with_the_first_word(
    town: Townsfolk, token: str, jia: Townsman, database: Engine
) -> None:
    """A double tap, on two workers at the same time."""
    agreement = Agreement(jia.id, "face_check", 1)

    def tap(_: int) -> int:
        return acting(token, lambda s, a: agree(s, town.keyring, a, agreement))

    with ThreadPoolExecutor(4) as pool:
        given = set(pool.map(tap, range(8)))
    assert len(given) == len(events(database, "consent.give")) == 1
    acting(token, lambda s, a: take_back(s, a, given.pop()))
    assert not acting(token, lambda s, _: has_consent(s, jia.id, "face_check", DAY))
    again = tap(0)
    assert acting(token, lambda s, _: has_consent(s, jia.id, "face_check", DAY))
    with pytest.raises(UnknownConsent):  # the old one is over; the new one stands
        acting(token, lambda s, a: take_back(s, a, again - 1))


def test_withdrawing_a_consent_ends_all_that_stand_for_the_purpose(
    town: Townsfolk, token: str, jia: Townsman
) -> None:
    """Also those that came by another way, as to a former version, or from before a merge."""
    agreement = Agreement(jia.id, "face_check", 1)
    given = acting(token, lambda s, a: agree(s, town.keyring, a, agreement))
    other = acting(
        token, lambda s, a: agree(s, town.keyring, a, Agreement(jia.id, "sharing_beyond_duty", 1))
    )
    town.agreed_at_counter(given)
    acting(token, lambda s, a: take_back(s, a, given))
    shown = acting(token, own_consents)
    assert [one.withdrawn_at is not None for one in shown["face_check"]] == [True, True]
    assert [one.id for one in shown["sharing_beyond_duty"] if one.withdrawn_at is None] == [other]


# -- family


def child_of(town: Townsfolk, guardian: Townsman, years: int, name: str = "测试童") -> Townsman:
    return town.person(name, birthday(DAY, -years), guardian_id=guardian.id)


def take_up(town: Townsfolk, token: str, ward: int, **more: object) -> int:
    declared = Declared(ward, "child", True, 1)
    for name, value in more.items():
        object.__setattr__(declared, name, value)
    return acting(token, lambda s, a: take_up_ward(s, town.keyring, a, declared, DAY))


def test_a_guardian_of_record_takes_up_a_child(
    town: Townsfolk, token: str, jia: Townsman, database: Engine
) -> None:
    child = child_of(town, jia, 3)
    assert sees(token) == {jia.id}
    shown = acting(token, lambda s, a: family_of(s, town.keyring, a, DAY))
    assert [(one.person_id, one.name, one.child) for one in shown.wards] == [
        (child.id, "测试童", True)
    ]
    take_up(town, token, child.id)
    assert sees(token) == {jia.id, child.id}
    shown = acting(token, lambda s, a: family_of(s, town.keyring, a, DAY))
    assert shown.wards == ()
    assert [(one.name, one.basis) for one in shown.members] == [("测试童", "guardian")]
    assert shown.members[0].to_on == birthday(DAY, 15) - timedelta(days=1)
    assert acting(token, lambda s, _: has_consent(s, child.id, "children_data", DAY))
    assert acting(token, lambda s, _: people_spoken_for(s)) == {jia.id, child.id}
    with pytest.raises(FamilyMemberAdded):
        take_up(town, token, child.id)
    assert ("person.read", f"person:{child.id}") in {one[1:] for one in events(database)}


def test_without_the_guardians_consent_a_child_is_not_taken_up(
    town: Townsfolk, token: str, jia: Townsman
) -> None:
    child = child_of(town, jia, 13)
    with pytest.raises(ConsentMissing):
        take_up(town, token, child.id, consent=None)
    with pytest.raises(ConsentOutdated):
        take_up(town, token, child.id, consent=7)
    with pytest.raises(GuardianshipUndeclared):
        take_up(town, token, child.id, declares=False)
    assert sees(token) == {jia.id}


def test_withdrawing_the_consent_for_a_child_takes_the_child_out_of_sight(
    town: Townsfolk, token: str, jia: Townsman
) -> None:
    child = child_of(town, jia, 3)
    take_up(town, token, child.id)
    given = acting(token, own_consents)["children_data"][0].id
    acting(token, lambda s, a: take_back(s, a, given))
    assert sees(token) == {jia.id}
    with pytest.raises(UnknownPerson):
        acting(token, lambda s, a: own_file(s, town.keyring, a, child.id, DAY))


def test_a_youth_over_fourteen_needs_no_such_consent(
    town: Townsfolk, token: str, jia: Townsman
) -> None:
    youth = child_of(town, jia, 14)
    take_up(town, token, youth.id, consent=None)
    assert youth.id in sees(token)


def test_nobody_takes_up_another_ones_child_or_the_grown_up(
    town: Townsfolk, token: str, jia: Townsman
) -> None:
    other = town.person("测试乙")
    for ward in (child_of(town, other, 3), child_of(town, jia, 18, "测试成"), other):
        with pytest.raises(NotAWard):
            take_up(town, token, ward.id)
    # The control: nor would the database let them.
    steal = text(
        "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis,"
        " recorded_by, from_on) SELECT nextval('row_id'), scope_resident(), :person, 'child',"
        " 'guardian', 'x', current_date"
    )
    for theft in (steal, text(str(steal).replace("'guardian'", "'written'"))):
        with pytest.raises(DBAPIError, match="permission denied"):
            acting(token, lambda s, _, one=theft: s.execute(one, {"person": other.id}))  # type: ignore[misc]


def test_a_family_member_is_removed_at_once(town: Townsfolk, token: str, jia: Townsman) -> None:
    child = child_of(town, jia, 3)
    authority = take_up(town, token, child.id)
    stranger = town.known(town.person("测试乙"))
    with pytest.raises(UnknownAuthority):
        acting(stranger, lambda s, a: end_authority(s, a, authority))
    acting(token, lambda s, a: end_authority(s, a, authority))
    assert sees(token) == {jia.id}
    with pytest.raises(UnknownAuthority):
        acting(token, lambda s, a: end_authority(s, a, authority))


@pytest.fixture
def reviewer(town: Townsfolk) -> str:
    return town.accounts.staff_token("township_reviewer", "320281101", "S77")


def record(town: Townsfolk, reviewer: str, person: int, code: str, **more: object) -> int:
    recorded = Recorded(person, code, "parent", "written", "授权书，档案柜三")
    for name, value in more.items():
        object.__setattr__(recorded, name, value)
    return acting(reviewer, lambda s, a: record_family(s, town.keyring, a, recorded, DAY))


def test_other_family_is_recorded_by_staff_who_saw_the_proof(
    town: Townsfolk, token: str, reviewer: str, jia: Townsman, database: Engine
) -> None:
    mother = town.person("测试母")
    record(town, reviewer, mother.id, code_of(token))
    assert sees(token) == {jia.id, mother.id}
    assert acting(token, lambda s, _: people_acted_for(s, "apply")) == {jia.id, mother.id}
    assert acting(token, lambda s, _: people_spoken_for(s)) == {jia.id}  # her word stays hers
    with database.connect() as connection:
        row = connection.execute(
            text("SELECT t::text AS plain, recorded_by, proof_note FROM family_authority AS t")
        ).one()
    assert row.recorded_by == "staff:S77"
    assert "授权书" not in row.plain
    assert bytes(row.proof_note)
    with pytest.raises(FamilyMemberAdded):
        record(town, reviewer, mother.id, code_of(token))
    with pytest.raises(CodeUnknown):
        record(town, reviewer, town.person("测试父").id, "00000000")
    far = town.person("测试远", area=YUEQING)
    with pytest.raises(UnknownPerson):
        record(town, reviewer, far.id, code_of(token))


def test_the_person_is_told_by_name_who_acts_and_nobody_else_is(
    town: Townsfolk, token: str, reviewer: str, jia: Townsman
) -> None:
    mother, stranger = town.person("测试母"), town.person("测试乙")
    hers, other = town.known(mother), town.known(stranger)
    record(town, reviewer, mother.id, code_of(token))
    (helper,) = acting(hers, lambda s, a: family_of(s, town.keyring, a, DAY)).helpers
    assert (helper.name, helper.relationship) == ("测试甲", "parent")
    names = text("SELECT whom FROM acting_names(:people)")
    asked = {"people": [mother.id, jia.id, stranger.id]}
    for who, known in ((hers, {mother.id, jia.id}), (token, {jia.id}), (other, {stranger.id})):
        assert set(acting(who, lambda s, _: s.scalars(names, asked).all())) == known
    far = town.accounts.staff_token("county_officer", "330382")
    assert acting(far, lambda s, _: s.scalars(names, asked).all()) == []
    nobody = town.accounts.resident_token()
    record(town, reviewer, mother.id, code_of(nobody))
    helpers = acting(hers, lambda s, a: family_of(s, town.keyring, a, DAY)).helpers
    assert [one.name for one in helpers] == ["测试甲", ""]


def test_a_guardian_recorded_at_the_counter_agrees_for_the_child_there(
    town: Townsfolk, token: str, reviewer: str
) -> None:
    child = town.person("测试童", birthday(DAY, -5))
    with pytest.raises(ConsentMissing):
        record(town, reviewer, child.id, code_of(token), basis="guardian")
    grown = birthday(DAY, 13)
    with pytest.raises(AuthorityDaysWrong):
        record(town, reviewer, child.id, code_of(token), basis="guardian", to_on=grown, consent=1)
    record(town, reviewer, child.id, code_of(token), basis="guardian", consent=1)
    assert child.id in sees(token)
    given = acting(token, own_consents)["children_data"]
    assert [one.channel for one in given] == ["counter"]
    acting(token, lambda s, a: take_back(s, a, given[0].id))
    assert child.id not in sees(token)


def test_fourteen_is_reached_on_the_birthday() -> None:
    leap = date(2012, 2, 29)
    assert is_child(leap, date(2026, 2, 28))
    assert not is_child(leap, date(2026, 3, 1))
    assert birthday(date(2010, 7, 9), 18) == date(2028, 7, 9)


# -- delegations


def terms(person: Townsman, *scope: str, **more: object) -> Terms:
    made = Terms(person.id, scope or ("see",), DAY, YEAR, 1)
    for name, value in more.items():
        object.__setattr__(made, name, value)
    return made


def give(town: Townsfolk, token: str, asked: Asked) -> int:
    return acting(token, lambda s, a: delegate(s, town.keyring, a, asked, DAY))


@pytest.fixture
def doctor(town: Townsfolk) -> str:
    """A doctor of a far village."""
    return town.accounts.staff_token("family_doctor", str(YUEQING), "D9")


def test_a_delegation_lets_staff_see_the_person_until_it_is_ended(
    town: Townsfolk, token: str, jia: Townsman, doctor: str
) -> None:
    assert sees(doctor) == set()
    made = give(town, token, Asked(terms(jia, "see", "apply"), Delegate("D9")))
    assert sees(doctor) == {jia.id}
    assert acting(doctor, lambda s, _: people_acted_for(s, "apply")) == {jia.id}
    assert acting(doctor, lambda s, _: people_acted_for(s, "materials")) == frozenset()
    shown = acting(token, lambda s, a: delegations_of(s, town.keyring, a, DAY)).given
    assert [(one.staff_no, one.scope, one.state) for one in shown] == [
        ("D9", ("apply", "see"), "standing")
    ]
    acting(token, lambda s, a: end_delegation(s, a, made))
    assert sees(doctor) == set()
    assert not acting(token, lambda s, _: has_consent(s, jia.id, "delegation", DAY))
    acting(token, lambda s, a: end_delegation(s, a, made))  # ended already: nothing


def test_withdrawing_its_consent_ends_a_delegation(
    town: Townsfolk, token: str, jia: Townsman, doctor: str
) -> None:
    give(town, token, Asked(terms(jia), Delegate("D9")))
    given = acting(token, own_consents)["delegation"][0].id
    acting(token, lambda s, a: take_back(s, a, given))
    assert sees(doctor) == set()


def test_the_same_delegation_given_again_is_the_one_that_stands(
    town: Townsfolk, token: str, jia: Townsman, doctor: str, database: Engine
) -> None:
    asked = Asked(terms(jia), Delegate("D9"))
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda _: give(town, token, asked), range(8)))
    assert len(made) == len(events(database, "delegation.begin")) == 1
    assert len(acting(token, own_consents)["delegation"]) == 1
    acting(token, lambda s, a: end_delegation(s, a, made.pop()))
    assert give(town, token, asked) not in made
    assert sees(doctor) == {jia.id}


@pytest.mark.parametrize("by", ["the_delegation", "the_consent"])
def test_ending_a_delegation_ends_all_to_the_same_receiver(
    town: Townsfolk, token: str, jia: Townsman, doctor: str, by: str
) -> None:
    other = town.accounts.staff_token("family_doctor", str(YUEQING), "D8")
    made = give(town, token, Asked(terms(jia), Delegate("D9")))
    given = acting(token, own_consents)["delegation"][0].id
    give(town, token, Asked(terms(jia, "see", "apply"), Delegate("D9")))
    give(town, token, Asked(terms(jia), Delegate("D8")))
    if by == "the_delegation":
        acting(token, lambda s, a: end_delegation(s, a, made))
    else:
        acting(token, lambda s, a: take_back(s, a, given))
    assert sees(doctor) == set()
    assert sees(other) == {jia.id}
    listed = acting(token, lambda s, a: delegations_of(s, town.keyring, a, DAY)).given
    assert [(one.staff_no, one.state) for one in listed] == [
        ("D8", "standing"), ("D9", "ended"), ("D9", "ended"),
    ]  # fmt: skip


def test_a_relative_gives_back_everything_of_the_person(
    town: Townsfolk, token: str, jia: Townsman
) -> None:
    son = town.known(town.person("测试子"))
    first = give(town, token, Asked(terms(jia), Delegate(code=code_of(son), relationship="儿")))
    more = terms(jia, "see", "receive")
    give(town, token, Asked(more, Delegate(code=code_of(son), relationship="儿")))
    acting(son, lambda s, a: end_delegation(s, a, first))
    assert acting(son, lambda s, a: delegations_of(s, town.keyring, a, DAY)).received == ()


def test_the_database_looks_at_the_consent_itself(
    town: Townsfolk, token: str, jia: Townsman, doctor: str
) -> None:
    """The control: a withdrawal that ended nothing else ends the delegation all the same."""
    give(town, token, Asked(terms(jia), Delegate("D9")))
    town.accounts.change(
        "INSERT INTO consent_withdrawal (consent_id, channel, by)"
        " SELECT id, 'counter', '测试' FROM consent"
    )
    assert sees(doctor) == set()
    assert acting(doctor, lambda s, _: people_acted_for(s, "see")) == set()


@pytest.mark.parametrize(
    ("from_on", "to_on"),
    [(DAY - timedelta(days=1), DAY), (DAY, DAY - timedelta(days=1)),
     (DAY, DAY + timedelta(days=367))],
)  # fmt: skip
def test_a_delegation_lasts_some_days_of_the_coming_year(
    town: Townsfolk, token: str, jia: Townsman, doctor: str, from_on: date, to_on: date
) -> None:
    asked = Asked(terms(jia, from_on=from_on, to_on=to_on), Delegate("D9"))
    with pytest.raises(DelegationDaysWrong):
        give(town, token, asked)


def test_a_delegation_that_has_not_begun_or_is_over_shows_nothing(
    town: Townsfolk, token: str, jia: Townsman, doctor: str
) -> None:
    tomorrow = DAY + timedelta(days=1)
    give(town, token, Asked(terms(jia, from_on=tomorrow), Delegate("D9")))
    assert sees(doctor) == set()
    town.accounts.change("UPDATE delegation SET from_on = :day", day=DAY)
    assert sees(doctor) == {jia.id}
    town.accounts.change(
        "UPDATE delegation SET from_on = :before, to_on = :before", before=DAY - timedelta(days=1)
    )
    assert sees(doctor) == set()


def test_nobody_delegates_to_those_who_decide_or_to_nobody(
    town: Townsfolk, token: str, jia: Townsman
) -> None:
    town.accounts.staff_token("county_officer", "320281", "C1")
    town.accounts.staff("NODUTY")
    for staff_no in ("C1", "NODUTY", "NOBODY"):
        with pytest.raises(DelegateUnfit):
            give(town, token, Asked(terms(jia), Delegate(staff_no)))


def test_a_relative_receives_it_by_the_code_of_the_own_account(
    town: Townsfolk, token: str, jia: Townsman
) -> None:
    son, stranger = town.known(town.person("测试子")), town.known(town.person("测试乙"))
    with pytest.raises(DelegateUnfit):
        give(town, token, Asked(terms(jia), Delegate(code=code_of(token), relationship="自己")))
    code = code_of(son)
    made = give(town, token, Asked(terms(jia), Delegate(code=code, relationship="儿子")))
    with pytest.raises(CodeUnknown):
        give(town, token, Asked(terms(jia), Delegate(code=code, relationship="儿子")))
    assert jia.id in sees(son)
    given = acting(token, lambda s, a: delegations_of(s, town.keyring, a, DAY)).given
    assert [(one.relationship, one.relative_name) for one in given] == [("儿子", "测试子")]
    received = acting(son, lambda s, a: delegations_of(s, town.keyring, a, DAY)).received
    assert [(one.id, one.person_name) for one in received] == [(made, "测试甲")]
    file = acting(son, lambda s, a: own_file(s, town.keyring, a, jia.id, DAY))
    assert file.name == "测试甲"
    looked = acting(token, lambda s, a: viewers(s, town.keyring, a, jia.id))
    assert {one.by for one in looked} == {"测试子（受托人）"}
    turned = acting(son, lambda s, a: viewers(s, town.keyring, a, a.person_id or 0))
    assert {(one.by, one.fields) for one in turned} == {("您代为办理的人", ("name",))}
    with pytest.raises(UnknownPerson):  # who looked is for the person alone
        acting(son, lambda s, a: viewers(s, town.keyring, a, jia.id))
    with pytest.raises(UnknownDelegation):
        acting(stranger, lambda s, a: end_delegation(s, a, made))
    acting(son, lambda s, a: end_delegation(s, a, made))
    assert jia.id not in sees(son)


def test_a_relative_without_the_matter_sees_no_file(
    town: Townsfolk, token: str, jia: Townsman
) -> None:
    son = town.known(town.person("测试子"))
    give(town, token, Asked(terms(jia, "receive"), Delegate(code=code_of(son), relationship="儿")))
    with pytest.raises(UnknownPerson):
        acting(son, lambda s, a: own_file(s, town.keyring, a, jia.id, DAY))


def test_at_the_bedside_staff_record_it_with_proof(
    town: Townsfolk, jia: Townsman, token: str, database: Engine
) -> None:
    coordinator = town.accounts.staff_token("village_coordinator", "320281101001", "V1")
    far = town.person("测试远", area=YUEQING)
    proof = "录音，编号甲三"
    keyring = town.keyring

    def record_for(person: Townsman) -> int:
        asked = AtBedside(terms(person, "apply"), proof)
        return acting(coordinator, lambda s, a: delegate_at_bedside(s, keyring, a, asked, DAY))

    with pytest.raises(UnknownPerson):
        record_for(far)
    made = record_for(jia)
    assert acting(coordinator, lambda s, _: people_acted_for(s, "apply")) == {jia.id}
    with database.connect() as connection:
        kept = connection.execute(
            text("SELECT c.channel, c.by, c.resident_id, c::text || d::text AS plain"
                 " FROM consent AS c JOIN delegation AS d ON d.consent_id = c.id")
        ).one()  # fmt: skip
    assert (kept.channel, kept.by, kept.resident_id) == ("bedside", "staff:V1", None)
    assert proof not in kept.plain
    # The person sees it and may end it, or have it ended at the counter.
    given = acting(token, lambda s, a: delegations_of(s, keyring, a, DAY)).given
    assert [(one.id, one.channel) for one in given] == [(made, "bedside")]
    reviewer = town.accounts.staff_token("township_reviewer", "320281101")
    shown = acting(reviewer, lambda s, a: delegations_about(s, keyring, a, jia.id, DAY))
    assert [one.id for one in shown] == [made]
    distant = town.accounts.staff_token("county_officer", "330382")
    with pytest.raises(UnknownDelegation):
        acting(distant, lambda s, a: end_for_person(s, a, made, "counter"))
    for _ in range(2):
        acting(reviewer, lambda s, a: end_for_person(s, a, made, "counter"))
    assert acting(coordinator, lambda s, _: people_acted_for(s, "apply")) == set()


def test_staff_who_do_not_see_the_person_give_back_what_was_delegated_to_them(
    town: Townsfolk, token: str, jia: Townsman, database: Engine
) -> None:
    doctor = town.accounts.staff_token("family_doctor", str(YUEQING), "D9")
    colleague = town.accounts.staff_token("family_doctor", str(YUEQING), "D10")
    made = give(town, token, Asked(terms(jia, "materials"), Delegate("D9")))
    assert jia.id not in sees(doctor)
    with pytest.raises(UnknownDelegation):
        acting(colleague, lambda s, a: end_for_person(s, a, made, "bedside"))
    assert acting(doctor, lambda s, _: people_acted_for(s, "materials")) == {jia.id}
    acting(doctor, lambda s, a: end_for_person(s, a, made, "bedside"))
    assert acting(doctor, lambda s, _: people_acted_for(s, "materials")) == set()
    given = acting(token, lambda s, a: delegations_of(s, town.keyring, a, DAY)).given
    assert [one.state for one in given] == ["ended"]
    assert events(database, "delegation.end", "consent.withdraw") == [
        ("staff:D9", "delegation.end", f"person:{jia.id}")
    ]


def test_a_handed_over_delegation_ends_with_the_same_consent(
    town: Townsfolk, token: str, jia: Townsman, database_url: str
) -> None:
    town.accounts.staff_token("family_doctor", str(YUEQING), "D9")
    give(town, token, Asked(terms(jia), Delegate("D9")))
    successor = town.accounts.staff_token("family_doctor", str(YUEQING), "D10")
    worker = engine_for(database_url, role="worker")
    with bound(worker), transaction() as session:
        assert hand_over(session, "D9", "D10", DAY, "测试")["delegations"] == 1
    worker.dispose()
    assert sees(successor) == {jia.id}
    assert acting(successor, lambda s, _: people_acted_for(s, "see")) == {jia.id}
    given = acting(token, own_consents)["delegation"][0].id
    acting(token, lambda s, a: take_back(s, a, given))
    assert sees(successor) == set()


def test_a_delegation_passes_on_only_where_the_text_that_was_agreed_to_says_so(
    town: Townsfolk, token: str, jia: Townsman, database_url: str, database: Engine
) -> None:
    town.accounts.staff_token("family_doctor", str(YUEQING), "D9")
    give(town, token, Asked(terms(jia), Delegate("D9")))
    other = town.known(town.person("测试乙"))
    yi = acting(other, lambda _, a: a.person_id)
    asked = Asked(Terms(yi or 0, ("see",), DAY, YEAR, 1), Delegate("D9"))
    acting(other, lambda s, a: delegate(s, town.keyring, a, asked, DAY))
    town.accounts.change("ALTER TABLE consent DISABLE TRIGGER consent_append_only")
    town.accounts.change(
        "UPDATE consent SET text_sha256 = sha256('没有写接替的人') WHERE person_id = :yi", yi=yi
    )
    successor = town.accounts.staff_token("family_doctor", str(YUEQING), "D10")
    worker = engine_for(database_url, role="worker")
    with bound(worker), transaction() as session:
        assert hand_over(session, "D9", "D10", DAY, "测试")["delegations"] == 1
    worker.dispose()
    assert sees(successor) == {jia.id}
    assert [
        one.state
        for one in acting(other, lambda s, a: delegations_of(s, town.keyring, a, DAY)).given
    ] == ["ended"]
    with database.connect() as connection:  # both hear of it, as the text promises
        told = connection.execute(text("SELECT kind, person_id FROM notice_due")).all()
    assert sorted(told) == [("delegated", jia.id), ("delegation_over", yi)]


def test_a_delegation_under_a_text_that_holds_no_more_does_not_pass_on(
    town: Townsfolk, token: str, jia: Townsman, database_url: str, database: Engine
) -> None:
    town.accounts.staff_token("family_doctor", str(YUEQING), "D9")
    give(town, token, Asked(terms(jia), Delegate("D9")))
    town.accounts.change("INSERT INTO consent_floor (purpose, version) VALUES ('delegation', 2)")
    town.accounts.staff_token("family_doctor", str(YUEQING), "D10")
    worker = engine_for(database_url, role="worker")
    with bound(worker), transaction() as session:
        assert hand_over(session, "D9", "D10", DAY, "测试")["delegations"] == 0
    worker.dispose()
    with database.connect() as connection:
        told = connection.execute(text("SELECT kind FROM notice_due")).scalars().all()
    assert told == ["delegation_over"]


def test_the_person_hears_of_a_delegation_that_others_recorded(
    town: Townsfolk, jia: Townsman, database: Engine, database_url: str
) -> None:
    coordinator = town.accounts.staff_token("village_coordinator", "320281101001", "V1")
    asked = AtBedside(terms(jia), "录音，编号甲四")
    made = acting(coordinator, lambda s, a: delegate_at_bedside(s, town.keyring, a, asked, DAY))
    query = "SELECT args FROM procrastinate_jobs WHERE task_name = 'accounts.tell_delegated'"
    town.accounts.staff_token("family_doctor", str(YUEQING), "D9")
    give(town, town.known(jia), Asked(terms(jia), Delegate("D9")))  # what one did needs no telling
    with database.connect() as connection:
        jobs = connection.execute(text(query)).scalars().all()
    worker = engine_for(database_url, role="worker")
    with bound(worker):
        for _ in range(2):  # a worker may be killed after its work
            for args in jobs:
                tell_delegated(**args)
        with transaction() as session:
            owed = session.execute(text("SELECT person_id, kind, cause FROM notice_due")).all()
    worker.dispose()
    assert [tuple(one) for one in owed] == [(jia.id, "delegated", f"delegation:{made}")]


# -- what is known, and who looked


def test_the_own_file_is_masked_and_every_look_is_told(
    town: Townsfolk, token: str, jia: Townsman
) -> None:
    town.register.identity("测试甲", "subsistence_allowance", "2023-01-01")
    file = acting(token, lambda s, a: own_file(s, town.keyring, a, jia.id, DAY))
    assert file.name == "测试甲"
    assert file.number == f"{jia.number[:3]}{'*' * 11}{jia.number[-4:]}"
    assert file.phone == "199****0009"
    assert file.area_name == file.lives_in_name == "江阴市"
    assert [one.category for one in file.identities] == ["subsistence_allowance"]
    stranger = town.person("测试乙")
    with pytest.raises(UnknownPerson):
        acting(token, lambda s, a: own_file(s, town.keyring, a, stranger.id, DAY))
    assert acting(token, lambda s, a: viewers(s, town.keyring, a, jia.id)) == []
    all_ = acting(token, lambda s, a: viewers(s, town.keyring, a, jia.id, SeenAsked(own=True)))
    assert [one.fields[0] for one in all_] == ["viewers", "basic"]
    assert {(one.role, one.purpose) for one in all_} == {("resident", "own")}
    assert acting(token, lambda s, _: seen_by(s, stranger.id)) == []
    with pytest.raises(UnknownPerson):
        acting(token, lambda s, a: viewers(s, town.keyring, a, stranger.id))
