import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from backend.kernel.audit import AuditEvent, Subject, record
from backend.kernel.database import transaction


@pytest.fixture(autouse=True)
def an_event(database: Engine) -> None:
    with transaction() as session:
        subject = Subject("policy", "wuxi-2022-98")
        record(session, actor="李工", action="test", subject=subject, detail={"日": "2024-01-01"})


def test_an_event_says_who_did_what_to_what_and_when() -> None:
    with transaction() as session:
        event = session.query(AuditEvent).one()
    assert (event.actor, event.action) == ("李工", "test")
    assert (event.subject_kind, event.subject_id) == ("policy", "wuxi-2022-98")
    assert event.detail == {"日": "2024-01-01"}
    assert event.at.tzinfo is not None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET actor = 'x'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "UPDATE audit_event SET actor = 'x' WHERE false",
    ],
)
def test_the_database_refuses_to_change_events(statement: str) -> None:
    with pytest.raises(IntegrityError, match="are a record"), transaction() as session:
        session.execute(text(statement))
    with transaction() as session:
        assert session.query(AuditEvent.actor).scalar() == "李工"
