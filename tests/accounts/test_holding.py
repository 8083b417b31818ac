"""What somebody was given holds as long as what it rests on: the register, the text, the consent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import TypeVar

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.accounts.authority import people_acted_for, people_spoken_for
from backend.accounts.closing import close_account, forget_closed
from backend.accounts.codes import show_code
from backend.accounts.consent_floor import raise_floors
from backend.accounts.consent_texts import Purpose, Version, consent_texts
from backend.accounts.consents import has_consent
from backend.accounts.counter import Confirmation, confirm_at_counter
from backend.accounts.delegation_list import delegations_about, delegations_of
from backend.accounts.delegations import Asked, Delegate, Terms, delegate, end_for_person
from backend.accounts.family import UnknownAuthority, end_authority, family_of
from backend.accounts.family_records import Declared, Recorded, record_family, take_up_ward
from backend.accounts.own_consents import Agreement, agree, own_consents
from backend.accounts.own_file import own_file, viewers
from backend.accounts.residents import birthday
from backend.accounts.scope import Actor, act_as
from backend.accounts.tasks import tell_family, tell_named
from backend.kernel.audit_seen import SeenAsked
from backend.kernel.clock import now, today
from backend.kernel.database import bound, transaction
from tests.support.register import JIANGYIN, YUEQING, Register
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


@pytest.fixture
def reviewer(town: Townsfolk) -> str:
    return town.accounts.staff_token("township_reviewer", "320281101", "S77")


def acting(token: str, deed: Callable[[Session, Actor], T]) -> T:
    with transaction() as session:
        actor = act_as(session, token)
        assert actor is not None
        return deed(session, actor)


def sees(token: str, table: str = "person", column: str = "id") -> set[int]:
    query = text(f"SELECT {column} FROM {table}")
    return acting(token, lambda session, _: set(session.execute(query).scalars()))


def code_of(token: str) -> str:
    return acting(token, show_code).code


def child_of(town: Townsfolk, guardian: Townsman, years: int = 3) -> Townsman:
    return town.person("测试童", birthday(DAY, -years), guardian_id=guardian.id)


def take_up(town: Townsfolk, token: str, child: Townsman) -> int:
    declared = Declared(child.id, "child", True, 1)
    return acting(token, lambda s, a: take_up_ward(s, town.keyring, a, declared, DAY))


def give(town: Townsfolk, token: str, person: Townsman, to: Delegate, *scope: str) -> int:
    asked = Asked(Terms(person.id, scope or ("see",), DAY, YEAR, 1), to)
    return acting(token, lambda s, a: delegate(s, town.keyring, a, asked, DAY))


# -- an account is closed


def test_who_leaves_ends_what_they_delegated_and_each_end_is_audited(
    town: Townsfolk, token: str, jia: Townsman, reviewer: str, database: Engine
) -> None:
    doctor = town.accounts.staff_token("family_doctor", str(YUEQING), "D9")
    made = give(town, token, jia, Delegate("D9"))
    assert sees(doctor) == {jia.id}
    acting(token, lambda s, a: close_account(s, a.resident_id or 0, a, "left"))
    assert sees(doctor) == set()

    def about(s: Session, a: Actor) -> list[str]:
        return [one.state for one in delegations_about(s, town.keyring, a, jia.id, DAY)]

    assert acting(reviewer, about) == ["ended"]
    acting(reviewer, lambda s, a: end_for_person(s, a, made, "counter"))  # nothing is left to end
    ends = ("consent.withdraw", "delegation.end")
    assert sorted(one[1:] for one in events(database, *ends)) == [
        (end, f"person:{jia.id}") for end in ends
    ]


def test_who_leaves_withdraws_what_the_account_gave_and_not_what_was_given_besides(
    town: Townsfolk, token: str, jia: Townsman
) -> None:
    """On paper, at a counter, by whoever else speaks for the person."""
    given = acting(
        token, lambda s, a: agree(s, town.keyring, a, Agreement(jia.id, "face_check", 1))
    )
    town.agreed_at_counter(given)
    acting(token, lambda s, a: close_account(s, a.resident_id or 0, a, "left"))
    shown = acting(town.known(jia), own_consents)["face_check"]
    standing = {one.channel: one.withdrawn_at is None for one in shown}
    assert standing == {"mini_program": False, "counter": True}


def test_looks_of_an_account_that_was_replaced_are_not_told_as_the_persons_own(
    town: Townsfolk, token: str, jia: Townsman, reviewer: str
) -> None:
    """Whose it was nobody knows: staff may have named the wrong one."""
    acting(token, lambda s, a: own_file(s, town.keyring, a, jia.id, DAY))
    town.accounts.change("UPDATE resident SET phone = 'p', phone_index = 'p', phone_at = now()")
    new = town.accounts.resident_session(town.accounts.resident())
    moved = Confirmation(jia.id, code_of(new), card_seen=True, replace=True)
    acting(reviewer, lambda s, a: confirm_at_counter(s, a, moved, DAY))
    acting(new, lambda s, a: own_file(s, town.keyring, a, jia.id, DAY))
    own = SeenAsked(own=True)
    looks = acting(new, lambda s, a: viewers(s, town.keyring, a, jia.id, own))
    told = [one.by for one in looks if one.actor.startswith("resident:")]
    assert told == ["本人", "以前的微信账户（已停用）"]


# -- the register


def test_a_guardian_of_whom_the_register_knows_no_more_acts_for_the_child_no_more(
    town: Townsfolk, token: str, jia: Townsman
) -> None:
    child = child_of(town, jia)
    take_up(town, token, child)
    assert acting(token, lambda s, _: people_spoken_for(s)) == {jia.id, child.id}
    town.accounts.change("UPDATE person SET guardian_id = 0 WHERE id = :id", id=child.id)
    assert sees(token) == {jia.id}
    for asked in (people_spoken_for, lambda s: people_acted_for(s, "apply")):
        assert acting(token, lambda s, _, one=asked: one(s)) == {jia.id}  # type: ignore[misc]
    assert acting(token, lambda s, a: family_of(s, town.keyring, a, DAY)).members == ()
    town.accounts.change("UPDATE person SET guardian_id = :to WHERE id = :id",
                         to=jia.id, id=child.id)  # fmt: skip
    assert sees(token) == {jia.id, child.id}


def test_what_staff_recorded_rests_on_the_proof_and_not_on_the_register(
    town: Townsfolk, token: str, jia: Townsman, reviewer: str
) -> None:
    youth = town.person("测试少", birthday(DAY, -15))
    recorded = Recorded(youth.id, code_of(token), "child", "guardian", "判决书，档案柜三")
    acting(reviewer, lambda s, a: record_family(s, town.keyring, a, recorded, DAY))
    assert sees(token) == {jia.id, youth.id}


def test_the_account_of_the_dead_acts_for_nobody_until_the_register_is_corrected(
    town: Townsfolk, token: str, jia: Townsman
) -> None:
    child, yi = child_of(town, jia), town.person("测试乙")
    take_up(town, token, child)
    give(town, town.known(yi), yi, Delegate(code=code_of(token), relationship="表哥"), "see")
    everybody = {jia.id, child.id, yi.id}
    assert sees(token) == everybody
    town.accounts.change("UPDATE person SET died_on = :day WHERE id = :id", day=DAY, id=jia.id)
    assert sees(token) == set()
    assert acting(token, lambda s, _: people_acted_for(s, "see")) == frozenset()
    actor = acting(token, lambda _, a: a)
    assert (actor.person_id, actor.level, actor.died) == (None, 0, True)
    alive = "UPDATE person SET died_on = 'infinity' WHERE id = :id"
    town.accounts.change(alive, id=jia.id)
    assert sees(token) == everybody


# -- the text


def raised(purpose: str) -> Mapping[str, Purpose]:
    """As though a second version had been published that must be agreed to anew."""
    known = consent_texts().purposes[purpose]
    second = replace(known.current, version=2)
    assert isinstance(second, Version)
    return {purpose: replace(known, holds_from=2, versions=(known.current, second))}


@pytest.fixture
def publish(worker_database: Engine) -> Callable[[str], list[str]]:
    """Starts the program with a new version of a text."""

    def do(purpose: str) -> list[str]:
        with bound(worker_database), transaction() as session:
            return raise_floors(session, raised(purpose), DAY)

    return do


def owed(engine: Engine) -> list[tuple[int, str]]:
    with engine.connect() as connection:
        query = text("SELECT person_id, kind FROM notice_due ORDER BY id")
        return [(row.person_id, row.kind) for row in connection.execute(query)]


@pytest.fixture
def again(app_database: Engine, publish: object) -> Iterator[None]:
    """The website once more, after the worker's database was bound."""
    with bound(app_database):
        yield


@pytest.mark.usefixtures("again")
def test_a_text_that_must_be_agreed_to_anew_ends_the_delegations_under_the_old_one(
    town: Townsfolk, token: str, jia: Townsman, publish: Callable[[str], list[str]],
    database: Engine,
) -> None:  # fmt: skip
    doctor = town.accounts.staff_token("family_doctor", str(YUEQING), "D9")
    give(town, token, jia, Delegate("D9"))
    assert sees(doctor) == {jia.id}
    assert publish("delegation") == ["delegation"]
    assert sees(doctor) == set()
    shown = acting(token, lambda s, a: delegations_of(s, town.keyring, a, DAY)).given
    assert [one.state for one in shown] == ["ended"]
    assert owed(database) == [(jia.id, "consent_again")]
    assert publish("delegation") == []  # told once, and never lowered
    assert [one[1] for one in events(database, "consent.raise")] == ["consent.raise"]


@pytest.mark.usefixtures("again")
def test_a_guardian_agrees_anew_and_goes_on(
    town: Townsfolk, token: str, jia: Townsman, publish: Callable[[str], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    child = child_of(town, jia)
    take_up(town, token, child)
    publish("children_data")
    assert sees(token) == {jia.id}
    texts = consent_texts()
    new = replace(texts, purposes={**texts.purposes, **raised("children_data")})
    monkeypatch.setattr("backend.accounts.consents.consent_texts", lambda: new)
    assert not acting(token, lambda s, _: has_consent(s, child.id, "children_data", DAY))
    declared = Declared(child.id, "child", True, 2)
    acting(token, lambda s, a: take_up_ward(s, town.keyring, a, declared, DAY))
    assert sees(token) == {jia.id, child.id}
    family = acting(token, lambda s, a: family_of(s, town.keyring, a, DAY))
    assert [one.person_id for one in family.members] == [child.id]


# -- what a delegation is for


@pytest.mark.parametrize("matter", ["apply", "materials", "receive"])
def test_a_delegation_shows_the_name_and_no_file_unless_it_is_for_seeing(
    town: Townsfolk, token: str, jia: Townsman, matter: str, register: Register
) -> None:
    register.identity("测试甲", "dibao", "2020-01-01")
    yi = town.person("测试乙", area=YUEQING)
    helper = town.known(yi)
    give(town, token, jia, Delegate(code=code_of(helper), relationship="侄子"), matter)
    assert sees(helper) == {yi.id}
    for table in ("identity", "consent"):
        assert sees(helper, table, "person_id") == set()
    received = acting(helper, lambda s, a: delegations_of(s, town.keyring, a, DAY)).received
    assert [(one.person_name, one.relationship, one.scope) for one in received] == [
        ("测试甲", "侄子", (matter,))
    ]
    give(town, token, jia, Delegate(code=code_of(helper), relationship="侄子"), "see")
    assert sees(helper) == {yi.id, jia.id}  # the control
    assert sees(helper, "identity", "person_id") == {jia.id}


# -- who is told, and can end it


def run(engine: Engine, deed: Callable[[], object]) -> None:
    with bound(engine):
        deed()


def left(engine: Engine, task: str) -> list[dict[str, object]]:
    """What jobs of this task were left with."""
    query = text("SELECT args FROM procrastinate_jobs WHERE task_name = :task")
    with engine.connect() as connection:
        return list(connection.execute(query, {"task": task}).scalars())


def test_the_person_hears_that_staff_let_a_relative_act_and_can_end_it(
    town: Townsfolk, token: str, jia: Townsman, reviewer: str, database: Engine,
) -> None:  # fmt: skip
    aunt = town.person("测试姑", area=JIANGYIN)
    hers = town.known(aunt)
    recorded = Recorded(aunt.id, code_of(token), "other", "written", "授权书，档案柜三")
    made = acting(reviewer, lambda s, a: record_family(s, town.keyring, a, recorded, DAY))
    assert left(database, "accounts.tell_family") == [{"authority_id": made}]
    run(database, lambda: tell_family(authority_id=made))
    assert owed(database) == [(aunt.id, "family_added")]
    helpers = acting(hers, lambda s, a: family_of(s, town.keyring, a, DAY)).helpers
    assert [(one.id, one.relationship, one.basis) for one in helpers] == [
        (made, "other", "written")
    ]
    stranger = town.known(town.person("测试丙"))
    with pytest.raises(UnknownAuthority):
        acting(stranger, lambda s, a: end_authority(s, a, made))
    acting(hers, lambda s, a: end_authority(s, a, made))
    assert sees(token) == {jia.id}


def test_nobody_ends_the_guardian_who_acts_for_them(
    town: Townsfolk, token: str, reviewer: str
) -> None:
    ward = town.person("测试监")
    recorded = Recorded(ward.id, code_of(token), "other", "guardian", "判决书，档案柜四")
    made = acting(reviewer, lambda s, a: record_family(s, town.keyring, a, recorded, DAY))
    with pytest.raises(UnknownAuthority):
        acting(town.known(ward), lambda s, a: end_authority(s, a, made))


def test_whoever_was_given_an_account_at_a_counter_hears_of_it_but_not_by_that_account(
    town: Townsfolk, jia: Townsman, reviewer: str, database: Engine
) -> None:
    account = town.accounts.resident()
    code = code_of(town.accounts.resident_session(account))
    confirmed = Confirmation(jia.id, code, card_seen=True)
    acting(reviewer, lambda s, a: confirm_at_counter(s, a, confirmed, DAY))
    told = {"account": account, "day": DAY.isoformat(), "replaced": False}
    assert left(database, "accounts.tell_named") == [told]
    for _ in range(2):
        run(database, lambda: tell_named(account=account, day=DAY.isoformat()))
    assert owed(database) == [(jia.id, "account_named")]


def test_whose_account_was_replaced_at_a_counter_can_be_told_there_for_some_hours(
    town: Townsfolk, jia: Townsman, token: str, reviewer: str, database: Engine,
    worker_database: Engine,
) -> None:  # fmt: skip
    former = acting(token, lambda _, a: a.resident_id)
    town.accounts.change("UPDATE resident SET phone = 'p', phone_index = 'p', phone_at = now()")
    town.accounts.change(
        "INSERT INTO wechat_user (resident_id, openid_index, openid) VALUES (:own, 'x', 'o')",
        own=former,
    )
    account = town.accounts.resident()
    code = code_of(town.accounts.resident_session(account))
    moved = Confirmation(jia.id, code, card_seen=True, replace=True)
    acting(reviewer, lambda s, a: confirm_at_counter(s, a, moved, DAY))
    told = {"account": account, "day": DAY.isoformat(), "replaced": True}
    assert left(database, "accounts.tell_named") == [told]
    run(worker_database, lambda: tell_named(account, DAY.isoformat(), replaced=True))
    assert owed(database) == [(jia.id, "account_replaced")]

    def whereabouts() -> list[tuple[bytes, ...]]:
        query = (
            "SELECT r.phone, r.phone_index, w.openid FROM resident AS r"
            " LEFT JOIN wechat_user AS w ON w.resident_id = r.id WHERE r.closed_at IS NOT NULL"
        )
        with database.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    for hours, kept in ((5, (b"p", b"p", b"o")), (7, (b"", b"", None))):
        with bound(worker_database), transaction() as session:
            forget_closed(session, now() + timedelta(hours=hours))
        assert whereabouts() == [kept]
