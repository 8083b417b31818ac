"""迁移 (migrations): Alembic on a connection of ours, the scripts in `migrations/`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TextIO

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, Engine, NullPool, create_engine, inspect, text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from backend.kernel.errors import CannotRun
from backend.kernel.settings import PROJECT


def alembic_config(connection: Connection | None = None, output: TextIO | None = None) -> Config:
    """Alembic's configuration; without a connection only offline SQL can be written."""
    config = Config(output_buffer=output) if output else Config()
    config.set_main_option("script_location", str(PROJECT / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


class MigrationImpossible(CannotRun):
    """The tables cannot be brought up to date; the message is a Chinese sentence."""


@cache
def head() -> str | None:
    """The newest migration; raises when the scripts have two heads."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def is_known(revision: str) -> bool:
    """Whether the migration is one of this program's; one that is not is a newer program's."""
    scripts = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    return any(one.revision == revision for one in scripts)


def current(engine: Engine) -> str | None:
    """The migration that the database stands at; None: an empty database."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision


def migrated(engine: Engine) -> bool:
    """Whether the database answers and stands at the newest migration."""
    try:
        return current(engine) == head()
    except SQLAlchemyError:
        return False


def upgrade(engine: Engine, to: str = "head") -> None:
    """Run what is missing, all or nothing; safe when two processes do it at once.

    Raises `MigrationImpossible` when the database is newer than this program, and where its owner
    may not make the roles.
    """
    try:
        _run(command.upgrade, engine, to)
    except CommandError as error:
        raise MigrationImpossible(
            "数据库的表结构比本程序新：请换用新版程序，或恢复升级前的备份。"
        ) from error
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        raise MigrationImpossible(
            "数据库用户的权限不够：请让数据库管理员执行 shukun db roles 写出的语句，然后重试。"
            f"（{str(error.orig).strip()}）"
        ) from error


def downgrade(engine: Engine, to: str) -> None:
    """Undo migrations after `to` (`base`: all)."""
    _run(command.downgrade, engine, to)


def write_sql(output: TextIO) -> None:
    """Every migration as SQL, for the lint and for database administrators."""
    command.upgrade(alembic_config(output=output), "head", sql=True)


def _run(deed: Callable[[Config, str], None], engine: Engine, to: str) -> None:
    # A connection of its own: the pool's statement timeout is too short for a migration.
    own = create_engine(engine.url, poolclass=NullPool)
    with own.begin() as connection:
        deed(alembic_config(connection), to)
