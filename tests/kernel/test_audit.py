from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from backend.kernel import database as kernel
from backend.kernel.audit import (
    AuditEvent,
    Operator,
    Subject,
    denied,
    read_people,
    read_person,
    record,
)
from backend.kernel.database import transaction

POLICY = Subject("policy", "wuxi-2022-98")


@pytest.fixture
def an_event(database: Engine) -> None:
    with transaction() as session:
        record(session, actor="李工", action="test", subject=POLICY, detail={"日": "2024-01-01"})


@pytest.fixture
def site(database: Engine, app_database: Engine) -> Iterator[Engine]:
    """The website's engine, bound."""
    with kernel.bound(app_database):
        yield app_database


def written(owner: Engine) -> list[AuditEvent]:
    with Session(owner) as session:
        return list(session.query(AuditEvent).order_by(AuditEvent.id))


@pytest.mark.usefixtures("an_event")
def test_an_event_says_who_did_what_to_what_and_when() -> None:
    with transaction() as session:
        event = session.query(AuditEvent).one()
    assert (event.actor, event.action) == ("李工", "test")
    assert (event.subject_kind, event.subject_id) == ("policy", "wuxi-2022-98")
    assert event.detail == {"日": "2024-01-01"}
    assert event.at.tzinfo is not None
    assert (event.role, event.purpose, event.area) == ("", "", None)


def test_it_may_say_in_which_role_what_for_and_where(database: Engine) -> None:
    with transaction() as session:
        record(
            session, actor="staff:S001", action="test", subject=POLICY, role="county_officer",
            purpose="review", area=320281000000,
        )  # fmt: skip
    (event,) = written(database)
    assert (event.role, event.purpose, event.area) == ("county_officer", "review", 320281000000)


def test_a_purpose_that_nobody_could_read_is_refused(database: Engine) -> None:
    with transaction() as session, pytest.raises(ValueError, match="no such purpose"):
        record(session, actor="甲", action="test", subject=POLICY, purpose="curious")
    assert written(database) == []


@pytest.mark.usefixtures("an_event")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET actor = 'x'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "UPDATE audit_event SET actor = 'x' WHERE false",
        "UPDATE audit_chain SET position = 1 WHERE false",
        "DELETE FROM audit_chain",
        "TRUNCATE audit_chain",
    ],
)
def test_the_database_refuses_to_change_events(statement: str) -> None:
    with pytest.raises(IntegrityError, match="are a record"), transaction() as session:
        session.execute(text(statement))
    with transaction() as session:
        assert session.query(AuditEvent.actor).scalar() == "李工"


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM audit_event",
        "SELECT actor FROM audit_event",
        "SELECT count(*) FROM audit_chain",
        "INSERT INTO audit_chain VALUES (1, 1, now(), 1, sha256(''))",
        "UPDATE audit_event SET actor = 'x'",
        "DELETE FROM audit_event",
    ],
)
def test_the_site_writes_events_and_reads_none(site: Engine, statement: str) -> None:
    with transaction() as session:
        record(session, actor="甲", action="test", subject=POLICY)
    with pytest.raises(ProgrammingError, match="permission denied"), transaction() as session:
        session.execute(text(statement))


@pytest.mark.parametrize("column", ["id", "at"])
@pytest.mark.parametrize("role", ["app", "worker"])
def test_nobody_who_writes_chooses_the_id_or_the_moment(
    column: str, role: kernel.Role, database: Engine, database_url: str
) -> None:
    value = "1" if column == "id" else "now() - interval '1 day'"
    statement = (
        f"INSERT INTO audit_event ({column}, actor, action, subject_kind, subject_id)"
        f" OVERRIDING SYSTEM VALUE VALUES ({value}, 'x', 'x', 'x', 'x')"
    )
    engine = kernel.engine_for(database_url, role=role)
    with Session(engine) as session, pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text(statement))
    engine.dispose()


def test_the_worker_changes_nothing_of_the_chain(worker_database: Engine) -> None:
    for statement in ("UPDATE audit_chain SET position = 2", "DELETE FROM audit_chain"):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction() as session:
            session.execute(text(statement))


# -- denials ---------------------------------------------------------------------------------


class Refused(Exception):
    """What a route raises."""


def test_a_denial_stays_when_the_callers_transaction_fails(site: Engine, database: Engine) -> None:
    def ask() -> None:
        with transaction() as session:
            record(session, actor="staff:S001", action="grant.read", subject=POLICY)
            denied(actor="staff:S001", action="grant.read", subject=POLICY, role="family_doctor")
            raise Refused

    with pytest.raises(Refused):
        ask()
    (event,) = written(database)
    assert (event.action, event.role) == ("denied.grant.read", "family_doctor")


def test_a_denial_written_with_the_caller_would_be_lost(site: Engine, database: Engine) -> None:
    """The sabotage control of the test above."""

    def ask() -> None:
        with transaction() as session:
            record(session, actor="staff:S001", action="denied.grant.read", subject=POLICY)
            raise Refused

    with pytest.raises(Refused):
        ask()
    assert written(database) == []


def test_a_denial_needs_no_transaction_of_the_caller(site: Engine, database: Engine) -> None:
    denied(actor="anonymous", action="route", subject=Subject("route", "GET /runs"))
    assert [one.action for one in written(database)] == ["denied.route"]


# -- reading a file --------------------------------------------------------------------------


def test_looking_at_a_file_says_which_parts_and_why(site: Engine, database: Engine) -> None:
    with transaction() as session:
        read_person(session, Operator("甲"), 17, "review", ["bills", "basic", "bills"])
    (event,) = written(database)
    assert (event.action, event.subject_kind, event.subject_id) == ("person.read", "person", "17")
    assert event.detail == {"fields": ["basic", "bills"]}
    assert (event.actor, event.role, event.purpose) == ("甲", "operator", "review")


def test_a_list_of_people_leaves_one_event_each(site: Engine, database: Engine) -> None:
    with transaction() as session:
        read_people(session, Operator("甲"), [17, 18, 19], "export", ["grants"])
        read_people(session, Operator("甲"), [], "export", ["grants"])
    assert [one.subject_id for one in written(database)] == ["17", "18", "19"]


@pytest.mark.parametrize(("purpose", "field"), [("nosy", "basic"), ("review", "everything")])
def test_what_no_resident_could_read_is_refused(
    site: Engine, database: Engine, purpose: str, field: str
) -> None:
    with transaction() as session, pytest.raises(ValueError, match="no such"):
        read_person(session, Operator("甲"), 17, purpose, [field])
    assert written(database) == []
