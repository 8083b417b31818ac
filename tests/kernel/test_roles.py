import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.orm import Session

from backend.kernel import database as kernel
from backend.kernel import migrations
from backend.kernel.crypto import Keyring
from backend.kernel.database import acting, transaction
from backend.kernel.migrations import MigrationImpossible
from backend.kernel.postgres import embedded
from backend.kernel.settings import Settings
from miniprogram_api.app import create_app
from miniprogram_api.cli import run, work
from tests.support.accounts import Accounts
from tests.support.sealed import AREAS, Invented, invent, plant

OF_AN_AREA = (
    "person", "identity", "bill", "assignment", "vital_event", "grant_entry", "entitlement",
)  # fmt: skip
WORKERS_ALONE = (
    "person_number", "person_version", "household", "household_income", "person_history",
    "person_number_history", "identity_history", "bill_history", "assignment_history",
    "vital_event_history", "household_income_history", "data_file", "data_reject", "match_mark",
    "payee",
)  # fmt: skip
GRANT = """
    INSERT INTO grant_entry (bill_id, layer, seq, person_id, area, year, run_id, kind, amount,
        amount_after, policy, identity, rules_id, data_version, reason)
    SELECT id, 1, 1, person_id, area, 2024, 1, 1, 100, 100, 1, -1, 1, 1, 1 FROM bill
"""
ENTITLEMENT = """
    INSERT INTO entitlement (person_id, year, policy, code, from_on, run_id, to_on, delivery, area)
    SELECT id, 2024, 1, 1, DATE '2024-01-01', 1, DATE '2024-12-31', 1, area FROM person
"""
FORBIDDEN = (
    "INSERT INTO person SELECT * FROM person",
    "UPDATE person SET area = 320281101001",
    "DELETE FROM bill",
    "TRUNCATE grant_entry",
    "INSERT INTO grant_entry SELECT * FROM grant_entry",
    "UPDATE audit_event SET actor = 'x'",
    "CREATE TABLE mine (a int)",
    "ALTER TABLE person DISABLE ROW LEVEL SECURITY",
    "DROP POLICY own_area ON person",
    "CREATE OR REPLACE FUNCTION scope_low() RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'",
    "ALTER ROLE shukun_app BYPASSRLS",
    "COPY bill TO PROGRAM 'cat'",
)

FORBIDDEN_TO_THE_SITE = (
    *FORBIDDEN,
    "SELECT token_sha256 FROM account_session",
    "UPDATE account_session SET duty_id = 1",
    "DELETE FROM account_session",
    "INSERT INTO duty (staff_id, role) VALUES (1, 'county_officer')",
    "UPDATE duty SET area_to = 999999999999",
    "UPDATE staff SET state = 'active'",
    "INSERT INTO staff (id, staff_no) VALUES (1, 'X')",
    "UPDATE staff SET failed = 0",
    "INSERT INTO account_session (token_sha256) VALUES ('x')",
    "DELETE FROM consent_withdrawal",
)


@pytest.fixture
def people(worker_database: Engine, tmp_path: Path) -> list[Invented]:
    found = invent(40)
    with transaction() as session:
        plant(session, Keyring.open_or_create(tmp_path / "keys.json"), found)
        session.execute(text(GRANT))
        session.execute(text(ENTITLEMENT))
    return found


@pytest.fixture
def site(people: list[Invented], app_database: Engine) -> Iterator[Session]:
    with Session(app_database) as session, session.begin():
        yield session


def count(session: Session, table: str) -> int:
    return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


@pytest.fixture
def jiangyin(accounts: Accounts) -> str:
    """The token of an officer of Jiangyin county."""
    return accounts.staff_token("county_officer", "320281")


@pytest.mark.parametrize("table", OF_AN_AREA)
def test_the_site_sees_nothing_until_somebody_acts(site: Session, table: str) -> None:
    assert count(site, table) == 0


@pytest.mark.parametrize("table", OF_AN_AREA)
def test_the_site_sees_the_rows_of_its_county_and_no_others(
    site: Session, table: str, jiangyin: str
) -> None:
    acting(site, jiangyin)
    areas = set(site.execute(text(f"SELECT area FROM {table}")).scalars())
    assert areas == {area for area in AREAS if area // 10**6 == 320281}
    assert count(site, table) == 20


@pytest.mark.parametrize(
    ("area", "seen"),
    [
        ("32", 30), ("320000", 30), ("3202", 30), ("320200", 30), ("320281", 20),
        ("320281101", 10), ("320281101001", 10), ("320281101002", 0), ("33", 10), ("110000", 0),
    ],
)  # fmt: skip
def test_an_area_covers_what_lies_in_it(
    site: Session, accounts: Accounts, area: str, seen: int
) -> None:
    acting(site, accounts.staff_token("county_officer", area))
    assert count(site, "person") == seen


@pytest.mark.parametrize("token", ["", "3", "320281", "口令", "x" * 43, "'; --", "\\x00"])
def test_what_is_no_token_shows_nothing(site: Session, token: str) -> None:
    acting(site, token)
    assert count(site, "person") == 0


def test_a_session_ends_with_its_transaction(
    people: list[Invented], app_database: Engine, jiangyin: str
) -> None:
    with app_database.connect() as connection:
        for token, seen in ((jiangyin, 20), (None, 0)):
            with Session(connection) as session, session.begin():
                if token:
                    acting(session, token)
                assert count(session, "person") == seen


@pytest.mark.parametrize("table", WORKERS_ALONE)
def test_numbers_households_and_histories_are_the_workers_alone(
    site: Session, table: str, jiangyin: str
) -> None:
    acting(site, jiangyin)
    with pytest.raises(ProgrammingError, match="permission denied"):
        count(site, table)


@pytest.mark.parametrize("statement", FORBIDDEN_TO_THE_SITE)
def test_the_site_writes_nothing_of_matching_and_changes_no_rule(
    site: Session, statement: str, jiangyin: str
) -> None:
    acting(site, jiangyin)
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        site.execute(text(statement))


def test_the_site_cannot_switch_row_security_off(site: Session) -> None:
    site.execute(text("SET row_security = off"))
    with pytest.raises(ProgrammingError, match="row-level security policy"):
        count(site, "person")


def test_the_query_of_an_area_uses_its_index(site: Session, jiangyin: str) -> None:
    acting(site, jiangyin)
    site.execute(text("SET LOCAL enable_seqscan = off"))
    plan = site.execute(text("EXPLAIN SELECT id FROM person WHERE id = 1000000 OR area > 0"))
    said = "\n".join(plan.scalars())
    assert "InitPlan" in said  # the session is looked up once
    assert "ix_person_area_id" in said


def test_the_worker_sees_everything_and_writes_by_copy(
    people: list[Invented], tmp_path: Path
) -> None:
    with transaction() as session:
        assert {table: count(session, table) for table in OF_AN_AREA} == dict.fromkeys(
            OF_AN_AREA, 40
        )
        assert count(session, "person_number") == 80
        plant(session, Keyring.load(tmp_path / "keys.json"), invent(41)[40:])
        assert count(session, "bill") == 41


@pytest.mark.parametrize("statement", FORBIDDEN[5:])
def test_the_worker_changes_neither_records_nor_rules(
    worker_database: Engine, statement: str
) -> None:
    refused = pytest.raises(DBAPIError, match=r"permission denied|must be owner|record")
    with refused, transaction() as session:
        session.execute(text(statement))


def test_every_table_with_an_area_that_the_site_may_read_is_protected(database: Engine) -> None:
    open_tables = text(
        "SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        " AND attname = 'area' AND atttypid = 'bigint'::regtype"
        " AND has_table_privilege('shukun_app', pg_class.oid, 'SELECT')"
        " AND NOT (relrowsecurity AND relforcerowsecurity) AND relname <> 'hospital'"
    )
    with database.connect() as connection:
        assert connection.execute(open_tables).scalars().all() == []


@pytest.mark.usefixtures("worker_database")
def test_the_site_connects_in_its_role_and_is_ready_in_it(database_url: str) -> None:
    site = create_app(Settings(database_url=database_url)).test_client()
    with transaction() as session:
        assert session.execute(text("SELECT current_user")).scalar_one() == "shukun_app"
    assert site.get("/readyz").status_code == 200
    kernel.engine().dispose()


def test_the_site_and_the_worker_may_have_logins_of_their_own(
    database_url: str, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = {"app": "shukun_test_site", "worker": "shukun_test_crew"}
    with database.begin() as connection:
        for role, login in logins.items():
            connection.execute(text(f"DROP ROLE IF EXISTS {login}"))
            connection.execute(text(f"CREATE ROLE {login} LOGIN IN ROLE shukun_{role}"))
    try:
        for role, login in logins.items():
            url = make_url(database_url).set(username=login)
            monkeypatch.setenv(f"DATABASE_{role.upper()}_URL", url.render_as_string())
        monkeypatch.setenv("DATABASE_URL", database_url)
        chosen = Settings.from_env(os.environ)
        who = text("SELECT session_user || ' as ' || current_user")
        with work.working_database(chosen), transaction() as session:
            assert session.execute(who).scalar_one() == "shukun_test_crew as shukun_worker"
        create_app(chosen)
        with kernel.engine().connect() as connection:
            assert connection.execute(who).scalar_one() == "shukun_test_site as shukun_app"
        kernel.engine().dispose()
    finally:
        with database.begin() as connection:
            for login in logins.values():
                connection.execute(text(f"DROP ROLE {login}"))


@pytest.fixture
def bare_server(tmp_path: Path) -> Iterator[str]:
    """A server without our roles, and a login on it that may make none, owner of a database."""
    with embedded(tmp_path, durable=False) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE ROLE county LOGIN")
            connection.execute("CREATE DATABASE county OWNER county")
        own = make_url(url).set(username="county", database="county")
        yield own.render_as_string(hide_password=False)


def test_an_owner_that_may_make_no_roles_is_told_what_the_administrator_must_run(
    bare_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = kernel.engine_for(bare_server)
    with pytest.raises(MigrationImpossible, match="数据库管理员执行 shukun db roles"):
        migrations.upgrade(owner)
    monkeypatch.setenv("DATABASE_URL", bare_server)
    assert run(["db", "roles"]) == 0
    written = capsys.readouterr().out
    administrator = make_url(bare_server).set(username="shukun", database="postgres")
    for _ in range(2):  # it may be run again
        with psycopg.connect(administrator.render_as_string(), autocommit=True) as connection:
            connection.execute(written)  # type: ignore[call-overload]
    migrations.upgrade(owner)
    worker = kernel.engine_for(bare_server, role="worker")
    with worker.connect() as connection:
        assert connection.execute(text("SHOW log_min_messages")).scalar_one() == "log"
        assert connection.execute(text("SELECT count(*) FROM person")).scalar_one() == 0
        assert connection.execute(text("SELECT current_user")).scalar_one() == "shukun_worker"
    owner.dispose()
    worker.dispose()


def test_a_worker_role_that_cannot_see_everything_is_refused(bare_server: str) -> None:
    administrator = make_url(bare_server).set(username="shukun", database="postgres")
    with psycopg.connect(administrator.render_as_string(), autocommit=True) as connection:
        connection.execute("CREATE ROLE shukun_app; CREATE ROLE shukun_worker")
        connection.execute("GRANT shukun_app, shukun_worker TO county")
    owner = kernel.engine_for(bare_server)
    with pytest.raises(MigrationImpossible, match="BYPASSRLS"):
        migrations.upgrade(owner)
    owner.dispose()
