import threading

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from backend.kernel import database as kernel
from backend.kernel import pool_checks
from backend.kernel.audit import AuditEvent, Subject, record
from backend.kernel.database import EngineNotBound, TransactionNested, ping, transaction, whole

NOWHERE = "postgresql://nobody@/nothing?host=/nonexistent"


def count() -> int:
    with transaction() as session:
        return session.query(AuditEvent).count()


def write() -> None:
    with transaction() as session:
        record(session, actor="测试", action="test", subject=Subject("test", "1"))


def test_a_transaction_commits_at_the_end_of_its_block(database: Engine) -> None:
    write()
    assert count() == 1


def test_a_transaction_that_raises_leaves_nothing(database: Engine) -> None:
    def fail() -> None:
        with transaction() as session:
            record(session, actor="测试", action="test", subject=Subject("test", "1"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert count() == 0


def test_a_transaction_that_is_not_to_be_kept_leaves_nothing(database: Engine) -> None:
    with transaction(keep=False) as session:
        record(session, actor="测试", action="test", subject=Subject("test", "1"))
        assert session.query(AuditEvent).count() == 1
    assert count() == 0


def test_one_statement_is_a_whole_transaction(database: Engine) -> None:
    kept = text(
        "INSERT INTO audit_event (actor, role, action, subject_kind, subject_id, detail, purpose)"
        " VALUES (:actor, '', 'test', 'test', '1', '{}', '') RETURNING actor"
    )
    assert whole(kept, {"actor": "测试"}) == ("测试",)
    assert count() == 1
    with transaction(), pytest.raises(TransactionNested):
        whole(kept, {"actor": "测试"})
    assert count() == 1
    with transaction(keep=False) as session:  # the connection is as others left it
        session.execute(kept, {"actor": "测试"})
    assert count() == 1


def test_a_transaction_inside_another_raises_and_the_outer_one_rolls_back(
    database: Engine,
) -> None:
    def nest() -> None:
        with transaction() as session:
            record(session, actor="测试", action="test", subject=Subject("test", "1"))
            write()

    with pytest.raises(TransactionNested):
        nest()
    assert count() == 0


def test_another_transaction_may_follow_one_that_failed(database: Engine) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        raise ZeroDivisionError
    write()
    assert count() == 1


def test_threads_have_transactions_of_their_own(database: Engine) -> None:
    with transaction() as session:
        session.execute(text("SELECT 1"))
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert count() == 1


def test_objects_stay_readable_after_the_commit(database: Engine) -> None:
    with transaction() as session:
        event = AuditEvent(
            actor="测试", action="test", subject_kind="test", subject_id="1", detail={"天": 1}
        )
        session.add(event)
    assert event.detail == {"天": 1}


def test_a_process_without_an_engine_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_bound", [])
    with pytest.raises(EngineNotBound), transaction():
        pass


def test_ping_tells_whether_the_database_answers(database: Engine) -> None:
    assert ping()
    assert not ping(kernel.engine_for(NOWHERE))


def test_a_fault_names_no_value_that_was_sent(database: Engine) -> None:
    with pytest.raises(ProgrammingError) as caught, transaction() as session:
        session.execute(text("SELECT * FROM no_such_table WHERE name = :name"), {"name": "欧阳一"})
    assert "no_such_table" in str(caught.value)
    assert "欧阳一" not in str(caught.value)


def test_a_dropped_connection_is_replaced_before_use(database: Engine, database_url: str) -> None:
    assert count() == 0
    other = kernel.engine_for(database_url)
    with other.connect() as connection:
        ended = connection.execute(
            text(
                "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        ).scalar_one()
    other.dispose()
    assert ended == 1
    assert count() == 0


@pytest.mark.parametrize(("after", "asked"), [(60.0, 0), (0.0, 1)])
def test_the_server_is_asked_after_a_rest_alone(
    database: Engine, after: float, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pings: list[object] = []
    assert count() == 0
    monkeypatch.setattr(database.dialect, "do_ping", pings.append)
    monkeypatch.setattr(pool_checks, "RESTED_S", after)
    assert count() == 0
    assert len(pings) == asked


def test_a_dropped_connection_that_is_not_looked_at_fails_a_request(
    database: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the one above."""
    monkeypatch.setattr(pool_checks, "_speaks", lambda _connection: False)
    monkeypatch.setattr(pool_checks, "RESTED_S", 60.0)
    with pytest.raises(OperationalError):
        test_a_dropped_connection_is_replaced_before_use(database, database_url)


def test_a_statement_that_takes_too_long_is_ended(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "STATEMENT_TIMEOUT_MS", 50)
    engine = kernel.engine_for(database_url)
    with pytest.raises(OperationalError, match="statement timeout"), engine.connect() as connection:
        connection.execute(text("SELECT pg_sleep(5)"))
    engine.dispose()
