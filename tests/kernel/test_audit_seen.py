"""Who looked at my file? Residents are told, of themselves and their family; auditors read it all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.accounts.scope import act_as
from backend.kernel.audit import Subject, read_person, record
from backend.kernel.audit_list import Asked, events
from backend.kernel.audit_seen import Seen, SeenAsked, seen_by
from backend.kernel.audit_words import FIELDS, PURPOSES, ROLES
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from tests.support.accounts import Accounts
from tests.support.sealed import Invented, invent, plant

pytestmark = pytest.mark.postgres
JIANGYIN = "320281"


@pytest.fixture
def people(worker_database: Engine, tmp_path: Path) -> list[Invented]:
    """Each with an account of the same number."""
    found = invent(4)
    with transaction() as session:
        plant(session, Keyring.open_or_create(tmp_path / "keys.json"), found)
    return found


@pytest.fixture
def accounts(database: Engine) -> Accounts:
    return Accounts(database)


@pytest.fixture
def doctor(people: list[Invented], accounts: Accounts, app_database: Engine) -> str:
    """A doctor who has looked at the first two files."""
    token = accounts.staff_token("family_doctor", str(people[0].area), "S007")
    with Session(app_database) as session, session.begin():
        actor = act_as(session, token)
        assert actor is not None
        read_person(session, actor, people[0].id, "visit", ["basic", "bills"])
        read_person(session, actor, people[1].id, "visit", ["basic"])
    return token


@pytest.fixture
def site(app_database: Engine) -> Iterator[Session]:
    with Session(app_database) as session, session.begin():
        yield session


def test_a_resident_is_told_who_looked_when_in_which_role_and_why(
    site: Session, doctor: str, people: list[Invented], accounts: Accounts
) -> None:
    act_as(site, accounts.resident_session(people[0].id))
    (seen,) = seen_by(site, people[0].id)
    assert (seen.actor, seen.role, seen.purpose) == ("staff:S007", "family_doctor", "visit")
    assert seen.fields == ("basic", "bills")
    assert (
        "家庭医生（工号 S007）为“入户走访、核实情况”查看了：姓名和住址、医疗费用。" in seen.sentence
    )


def test_nobody_else_is_told(
    site: Session, doctor: str, people: list[Invented], accounts: Accounts
) -> None:
    tokens = [
        accounts.resident_session(people[1].id),
        accounts.resident_token(),
        doctor,
        accounts.staff_token("county_officer", JIANGYIN),
        accounts.staff_token("auditor", JIANGYIN),
        "no-such-token",
        "",
    ]
    for token in tokens:
        act_as(site, token)
        assert seen_by(site, people[0].id) == []


def test_who_acts_for_a_person_is_told_too(
    site: Session, doctor: str, people: list[Invented], accounts: Accounts
) -> None:
    resident = people[2].id
    accounts.change(
        "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis,"
        " recorded_by, from_on) VALUES (nextval('row_id'), :resident, :person, '子女', 'written',"
        " '测试', DATE '2020-01-01')",
        resident=resident,
        person=people[0].id,
    )
    act_as(site, accounts.resident_session(resident))
    assert len(seen_by(site, people[0].id)) == 1
    assert seen_by(site, people[1].id) == []


def test_what_was_read_under_a_number_merged_since_is_told(
    site: Session, doctor: str, people: list[Invented], accounts: Accounts
) -> None:
    accounts.change(
        "INSERT INTO person_merge (merged_id, revision, person_id, file_id)"
        " VALUES (:merged, 1, :into, 1)",
        merged=people[1].id,
        into=people[0].id,
    )
    act_as(site, accounts.resident_session(people[0].id))
    assert len(seen_by(site, people[0].id)) == 2


def test_the_newest_come_first_and_no_more_than_asked_for(
    site: Session, doctor: str, people: list[Invented], accounts: Accounts
) -> None:
    with transaction() as session:
        actor = act_as(session, doctor)
        assert actor is not None
        for _ in range(5):
            read_person(session, actor, people[0].id, "counsel", ["phone"])
    act_as(site, accounts.resident_session(people[0].id))
    six = seen_by(site, people[0].id, SeenAsked(6))
    assert [one.purpose for one in six] == ["counsel"] * 5 + ["visit"]
    first = seen_by(site, people[0].id, SeenAsked(2))
    assert first == six[:2]
    assert seen_by(site, people[0].id, SeenAsked(9, before=first[-1].id)) == six[2:]


def test_looks_of_the_own_account_are_told_when_asked_for(
    site: Session, doctor: str, people: list[Invented], accounts: Accounts
) -> None:
    actor = act_as(site, accounts.resident_session(people[0].id))
    assert actor is not None
    read_person(site, actor, people[0].id, "own", ["grants"])
    assert [one.purpose for one in seen_by(site, people[0].id)] == ["visit"]
    own_too = seen_by(site, people[0].id, SeenAsked(own=True))
    assert [one.purpose for one in own_too] == ["own", "visit"]


# -- auditors --------------------------------------------------------------------------------


def told(site: Session, accounts: Accounts, county: str) -> list[str]:
    act_as(site, accounts.staff_token("auditor", county))
    return sorted(one.action for one in events(site, Asked()))


def test_an_event_falls_where_somebody_acted_and_where_the_person_is_registered(
    site: Session, people: list[Invented], accounts: Accounts
) -> None:
    """A city's officer, a command and the resident look at somebody of one county, and at somebody
    of the next.
    """
    here, there = people[0].id, people[1].id
    accounts.change("UPDATE person SET area = 330382101001 WHERE id = :id", id=there)
    with transaction() as session:
        for name, person in (("here", here), ("there", there)):
            account = person  # as `plant` numbers them
            account_of = Subject("resident", str(account))
            by = f"resident:{account}"
            of = Subject("person", str(person))
            record(session, actor="staff:C1", action=f"{name}-city", subject=of, area=320200000000)
            record(session, actor="甲", action=f"{name}-command", subject=of)
            item = Subject("payment_item", "7")
            detail = {"person": person}
            record(session, actor="甲", action=f"{name}-payment", subject=item, detail=detail)
            record(session, actor=by, action=f"{name}-resident", subject=of)
            record(session, actor="wechat", action=f"{name}-account", subject=account_of)
        record(session, actor="甲", action="nowhere", subject=Subject("run", "1"))
    kinds_of = ("account", "city", "command", "payment", "resident")
    assert told(site, accounts, JIANGYIN) == [*(f"here-{one}" for one in kinds_of), "nowhere"]
    assert told(site, accounts, "330382") == ["nowhere", *(f"there-{one}" for one in kinds_of)]
    assert told(site, accounts, "320282") == ["nowhere"]
    assert told(site, accounts, "320200") == [
        *(f"here-{one}" for one in kinds_of), "nowhere", "there-city",
    ]  # fmt: skip


def test_an_auditor_of_a_small_county_is_not_kept_waiting_by_what_happens_in_others(
    site: Session, people: list[Invented], accounts: Accounts
) -> None:
    """What one looks for lies behind 100,000 events of another county."""
    here, there = people[0].id, people[1].id
    accounts.change("UPDATE person SET area = 330382101001 WHERE id = :id", id=there)
    with transaction() as session:
        record(session, actor="甲", action="here", subject=Subject("person", str(here)))
        session.execute(
            text(
                "INSERT INTO audit_event (actor, action, subject_kind, subject_id, area)"
                " SELECT 'staff:X1', 'there', 'person', :there, 330382101001"
                " FROM generate_series(1, 100000)"
            ),
            {"there": str(there)},
        )
    act_as(site, accounts.staff_token("auditor", JIANGYIN))
    site.execute(text("SET LOCAL statement_timeout = '5s'"))
    assert [one.action for one in events(site, Asked())] == ["here"]


def test_an_auditor_reads_what_happened_in_the_places_of_the_duty_and_in_none(
    site: Session, doctor: str, accounts: Accounts
) -> None:
    with transaction() as session:
        subject = Subject("area", "x")
        record(session, actor="甲", action="elsewhere", subject=subject, area=330382000000)
        record(session, actor="甲", action="nowhere", subject=subject)
    act_as(site, accounts.staff_token("auditor", JIANGYIN))
    actions = [one.action for one in events(site, Asked())]
    assert actions == ["nowhere", "person.read", "person.read"]
    (first, second) = events(site, Asked(actor="staff:S007"))
    assert first.id > second.id
    assert [one.id for one in events(site, Asked(kind="person", before=first.id))] == [second.id]
    assert events(site, Asked(until=second.at)) == []
    assert len(events(site, Asked(since=second.at))) == 3
    assert len(events(site, Asked(), 1)) == 1
    assert [one.action for one in events(site, Asked(action="nowhere"))] == ["nowhere"]


def test_an_auditor_asks_what_was_done_to_a_person_whatever_it_was_done_to(
    site: Session, doctor: str, people: list[Invented], accounts: Accounts
) -> None:
    first, second = people[0].id, people[1].id
    with transaction() as session:
        for number, person in ((7, first), (8, second)):
            subject, detail = Subject("payment_item", str(number)), {"person": person}
            record(session, actor="甲", action="payment.close", subject=subject, detail=detail)
    token = accounts.staff_token("auditor", JIANGYIN)
    act_as(site, token)

    def found(person: int) -> list[tuple[str, str]]:
        return [(one.action, one.subject_id) for one in events(site, Asked(person=person))]

    of_second = [("payment.close", "8"), ("person.read", str(second))]
    assert found(first) == [("payment.close", "7"), ("person.read", str(first))]
    assert found(second) == of_second
    accounts.change(
        "INSERT INTO person_merge (merged_id, revision, person_id, file_id)"
        " VALUES (:merged, 1, :into, 1)",
        merged=second, into=first,
    )  # fmt: skip
    assert len(found(first)) == 4
    assert found(second) == of_second


@pytest.mark.parametrize("role", ["family_doctor", "county_officer", "system_admin"])
def test_nobody_but_auditors_reads_the_audit(
    role: str, site: Session, doctor: str, accounts: Accounts
) -> None:
    for token in (accounts.staff_token(role, JIANGYIN), accounts.resident_token(), ""):
        act_as(site, token)
        assert events(site, Asked()) == []


def test_commands_read_all_of_it(doctor: str, worker_database: Engine) -> None:
    with Session(worker_database) as session:
        assert [one.subject_kind for one in events(session, Asked())] == ["person", "person"]


# -- words -----------------------------------------------------------------------------------


def test_a_look_is_told_in_plain_words() -> None:
    at = datetime(2026, 11, 21, 2, 5, tzinfo=UTC)
    seen = Seen(1, at, "resident:17", "resident", "own", ("grants",))
    assert seen.sentence == (
        "2026年11月21日 10:05，本人或家人为“查看本人或家人的情况”查看了：救助金。"
    )
    strange = Seen(2, at, "staff:S1", "no-such-role", "no-such-purpose", ("no-such-part",))
    officer = Seen(
        3, at, "staff:S2", "county_officer", "decide", ("bills",), 320281000000, "江阴市"
    )
    assert officer.by == "江阴市县级经办人员（工号 S2）"
    assert strange.sentence == ("2026年11月21日 10:05，工作人员（工号 S1）为“未说明”查看了：档案。")


def test_the_words_are_chinese() -> None:
    for words in (ROLES, PURPOSES, FIELDS):
        assert not [word for word in words.values() if word.isascii()]
