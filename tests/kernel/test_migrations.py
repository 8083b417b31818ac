import io
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Engine, NullPool, create_engine, inspect, text

import backend.accounts.staff_tables
import backend.accounts.tables
import backend.applications.effect_tables
import backend.applications.rule_tables
import backend.applications.tables
import backend.calendars.tables
import backend.citizens.file_tables
import backend.citizens.history
import backend.kernel.audit_chain
import backend.kernel.jobs
import backend.kernel.key_check
import backend.letters.tables
import backend.matching.tables
import backend.notifications.tables
import backend.papers.tables
import backend.payments.tables
import backend.policies.confirmation
import backend.public_notices.tables
import backend.warnings.tables
import backend.wechat.tables
import backend.worklist.tables  # noqa: F401  (every module with models, for the comparison)
from backend.kernel import migrations
from backend.kernel.database import Base, engine_for

CHECKS = text(
    "SELECT conrelid::regclass || '.' || conname FROM pg_constraint"
    " WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
    " AND NOT starts_with(conrelid::regclass::text, 'procrastinate_')"
)


@pytest.fixture
def empty(database: Engine) -> Engine:
    """The test's own database, with everything undone."""
    migrations.downgrade(database, "base")
    return database


def scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(migrations.alembic_config())


def ours(name: str | None, kind: str, _parents: object) -> bool:
    """The task library's tables have no models."""
    return kind != "table" or not str(name).startswith("procrastinate_")


def test_there_is_one_head() -> None:
    assert len(scripts().get_heads()) == 1


def test_scripts_are_numbered_in_their_order() -> None:
    revisions = [script.revision for script in scripts().walk_revisions()][::-1]
    assert revisions == [f"{number:04d}" for number in range(1, len(revisions) + 1)]
    assert migrations.revisions() == tuple(revisions)
    assert migrations.head() == scripts().get_current_head()


def test_the_models_are_what_the_migrations_make(database: Engine) -> None:
    with database.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_name": ours,
            },
        )
        assert compare_metadata(context, Base.metadata) == []


def test_check_constraints_of_the_models_are_in_the_database(database: Engine) -> None:
    """The comparison above does not see them."""
    declared = {
        f"{table.name}.{constraint.name}"
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    with database.connect() as connection:
        assert set(connection.execute(CHECKS).scalars()) == declared


def test_every_migration_can_be_undone_and_done_again(database: Engine) -> None:
    for script in scripts().walk_revisions():
        migrations.downgrade(database, str(script.down_revision or "base"))
    assert inspect(database).get_table_names() == ["alembic_version"]
    functions = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    with database.connect() as connection:
        assert connection.execute(text(functions)).scalar_one() == 0
    migrations.upgrade(database)
    assert migrations.migrated(database)


def test_an_empty_database_is_not_migrated_until_it_is(empty: Engine) -> None:
    assert migrations.current(empty) is None
    assert not migrations.migrated(empty)
    migrations.upgrade(empty)
    assert migrations.migrated(empty)


def test_a_database_that_does_not_answer_is_not_migrated() -> None:
    assert not migrations.migrated(engine_for("postgresql://x@/x?host=/nonexistent"))


def test_two_processes_may_migrate_at_once(empty: Engine, database_url: str) -> None:
    program = (
        "import sys; from backend.kernel import database, migrations;"
        "migrations.upgrade(database.engine_for(sys.argv[1]))"
    )
    both = [subprocess.Popen([sys.executable, "-c", program, database_url]) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert migrations.migrated(empty)


def test_a_database_newer_than_the_program_is_refused_in_plain_words(database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(migrations.MigrationImpossible, match="请换用新版程序"):
        migrations.upgrade(database)


def test_the_sql_that_is_written_makes_the_same_database(empty: Engine) -> None:
    written = io.StringIO()
    migrations.write_sql(written)
    with empty.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    raw = create_engine(empty.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with raw.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(written.getvalue())
    assert migrations.migrated(empty)
