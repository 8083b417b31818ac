from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from backend.kernel.database import acting, transaction
from backend.worklist.notices import Notice, notice_due, notices_due
from tests.support.accounts import Accounts
from tests.support.register import Register


def test_a_message_is_owed_once_for_each_cause(database: Engine) -> None:
    day = date(2026, 3, 1)
    with transaction() as session:
        assert notice_due(session, Notice(1, "exit", "identity:7", day))
        assert not notice_due(session, Notice(1, "exit", "identity:7", date(2026, 4, 1)))
        both = [Notice(1, "exit", "identity:8", day), Notice(1, "exit", "identity:7", day)]
        assert notices_due(session, both) == 1
        owed = session.execute(text("SELECT cause, created_on FROM notice_due ORDER BY id")).all()
    assert [tuple(row) for row in owed] == [("identity:7", day), ("identity:8", day)]


def owe_as(site: Engine, token: str, person: int) -> int:
    """What a session of the site owes somebody, committed."""
    with Session(site) as session, session.begin():
        acting(session, token)
        return notices_due(session, [Notice(person, "exit", "identity:7", date(2026, 3, 1))])


@pytest.fixture
def neighbours(database: Engine) -> tuple[int, int]:
    register = Register(database)
    return register.person("赵甲"), register.person("钱乙")


def test_the_site_owes_messages_to_those_whom_the_session_sees_and_reads_none(
    database: Engine, app_database: Engine, neighbours: tuple[int, int]
) -> None:
    own, other = neighbours
    token = Accounts(database).resident_token(own)
    assert [owe_as(app_database, token, own) for _ in range(2)] == [1, 0]
    with pytest.raises(ProgrammingError, match="row-level security"):
        owe_as(app_database, token, other)
    with pytest.raises(ProgrammingError, match="row-level security"):
        owe_as(app_database, "", own)
    for question in (
        "SELECT person_id FROM notice_due",
        "UPDATE notice_due SET taken_at = now()",
        "DELETE FROM notice_due",
        "INSERT INTO message (person_id) VALUES (1)",
    ):
        with Session(app_database) as session:
            acting(session, token)
            with pytest.raises(ProgrammingError, match="denied"):
                session.execute(text(question))


def test_what_is_undone_owes_nobody(
    database: Engine, app_database: Engine, neighbours: tuple[int, int]
) -> None:
    own, _ = neighbours
    with Session(app_database) as session:
        acting(session, Accounts(database).resident_token(own))
        assert notice_due(session, Notice(own, "exit", "identity:7", date(2026, 3, 1)))
        session.rollback()
    with database.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM notice_due")).scalar_one() == 0


def test_control_without_its_policy_a_session_could_owe_anybody(
    database: Engine, app_database: Engine, neighbours: tuple[int, int]
) -> None:
    own, other = neighbours
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE notice_due DISABLE ROW LEVEL SECURITY"))
    assert owe_as(app_database, Accounts(database).resident_token(own), other) == 1
