"""What is personal stands nowhere in plain: neither in the database's files nor in its log."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text

from backend.kernel import database, migrations
from backend.kernel.crypto import Keyring, Place, SealedBroken
from backend.kernel.database import transaction
from backend.kernel.postgres import embedded
from tests.support.canaries import found_in
from tests.support.sealed import Invented, copy_rejected, faults, invent, plant


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("canaries")


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[str]:
    with embedded(data) as url:
        owner = database.engine_for(url)
        migrations.upgrade(owner)
        owner.dispose()
        yield url


@pytest.fixture(scope="module")
def worker(server: str) -> Iterator[Engine]:
    engine = database.engine_for(server, role="worker")
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def people(worker: Engine, data: Path) -> list[Invented]:
    found = invent(300)
    keyring = Keyring.open_or_create(data / "keys.json")
    with database.bound(worker), transaction() as session:
        plant(session, keyring, found)
    with database.bound(worker), transaction() as session:
        assert faults(session, keyring, found[:20]) == []
    return found


def test_nothing_personal_is_in_the_files_of_the_database_or_in_its_log(
    server: str, data: Path, people: list[Invented]
) -> None:
    make_errors(server, people)
    secrets = [secret for one in people for secret in one.secrets]
    assert found_in(data, server, secrets) == []


def test_a_plain_value_would_be_found(server: str, data: Path, people: list[Invented]) -> None:
    leaks = ["欧阳泄露一", "欧阳泄露二", "32028119900101001X"]
    with psycopg.connect(server) as connection:
        insert = "INSERT INTO audit_event (actor, action, subject_kind, subject_id) VALUES"
        connection.execute(f"{insert} (%s, 'test', 'test', '1')", leaks[:1])
        connection.execute("CREATE TABLE gone AS SELECT %s::text AS name", leaks[1:2])
        connection.execute("DROP TABLE gone")
        connection.execute("DO $$ BEGIN RAISE LOG '32028119900101001X'; END $$")
    where = found_in(data, server, leaks)
    assert {one for one, _ in where} == set(leaks)
    folders = {Path(place).parts[0] for _, place in where}
    assert {"postgres", "postgres.log", "table audit_event"} <= folders
    assert any("pg_wal" in place for one, place in where if one == leaks[1])


def test_every_bit_of_what_is_stored_is_guarded(
    worker: Engine, data: Path, people: list[Invented]
) -> None:
    keyring, one = Keyring.load(data / "keys.json"), people[0]
    question = "SELECT data_key, name, phone FROM person WHERE id = :id"
    with database.bound(worker), transaction() as session:
        row = session.execute(text(question), {"id": one.id}).one()
    cipher = keyring.person(one.id, row.data_key)
    for column in ("name", "phone"):
        blob = getattr(row, column)
        for bit in range(len(blob) * 8):
            flipped = bytearray(blob)
            flipped[bit // 8] ^= 1 << bit % 8
            with pytest.raises(SealedBroken):
                cipher.open(Place("person", column, one.id), bytes(flipped))


@pytest.mark.parametrize("columns", [["name"], ["name", "data_key"]])
def test_what_is_swapped_between_two_rows_does_not_open(
    worker: Engine, data: Path, people: list[Invented], columns: list[str]
) -> None:
    keyring, (one, other) = Keyring.load(data / "keys.json"), people[1:3]
    swap = ", ".join(f"{column} = other.{column}" for column in columns)
    with database.bound(worker), transaction() as session:
        session.execute(
            text(f"UPDATE person SET {swap} FROM person AS other WHERE person.id IN (:one, :other)"
                 " AND other.id = :one + :other - person.id"),
            {"one": one.id, "other": other.id},
        )  # fmt: skip
        found = session.execute(
            text("SELECT id, data_key, name FROM person WHERE id IN (:one, :other)"),
            {"one": one.id, "other": other.id},
        ).all()
        session.rollback()
    for row in found:
        with pytest.raises(SealedBroken):
            keyring.person(row.id, row.data_key).open(Place("person", "name", row.id), row.name)


def make_errors(server: str, people: Sequence[Invented]) -> None:
    """Those that print rows, values or statements in PostgreSQL's log when it is left as it is."""
    one = people[0]
    with psycopg.connect(server, autocommit=True) as connection:
        for statement in (
            "INSERT INTO person_number SELECT * FROM person_number LIMIT 1",
            "UPDATE bill SET total = 0",
            "UPDATE person SET insurance = 9",
            "SELECT CAST(%s AS bigint)",
            "SELECT %s FROM no_such_table",
            "SELECT CAST(%s AS date)",
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(statement, [one.name] if "%s" in statement else None)  # type: ignore[arg-type]
        assert copy_rejected(connection, "area_unit", f"{one.name}\t{one.number}\t1\n")
        assert copy_rejected(connection, "area_unit", f"1\t{one.name}\t1\t{one.phone}\n")
        assert copy_rejected(connection, "area_unit", f"{one.phone}\n")
        connection.execute("SET work_mem = '64kB'")
        connection.execute(
            "SELECT DISTINCT name, phone FROM person ORDER BY phone, name"
        ).fetchall()
        connection.execute("CHECKPOINT")
