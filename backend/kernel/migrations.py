"""迁移 (migrations): Alembic on a connection of ours, the scripts in `migrations/`.

Alembic is loaded where it works: most processes only ask which migration is the newest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Final, TextIO

from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, Engine, NullPool, create_engine, inspect, text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from backend.kernel.errors import CannotRun
from backend.kernel.settings import PROJECT

if TYPE_CHECKING:
    from alembic.config import Config

_SCRIPTS: Final = PROJECT / "migrations"


def alembic_config(connection: Connection | None = None, output: TextIO | None = None) -> Config:
    """Alembic's configuration; without a connection only offline SQL can be written."""
    from alembic.config import Config

    config = Config(output_buffer=output) if output else Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


class MigrationImpossible(CannotRun):
    """The tables cannot be brought up to date; the message is a Chinese sentence."""


@cache
def revisions() -> tuple[str, ...]:
    """All migrations of this program, in their order: they are numbered, and files named by it."""
    return tuple(sorted(path.name[:4] for path in _SCRIPTS.glob("versions/[0-9]*.py")))


def head() -> str:
    """The newest migration."""
    return revisions()[-1]


def is_known(revision: str) -> bool:
    """Whether the migration is one of this program's; one that is not is a newer program's."""
    return revision in revisions()


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
    from alembic import command
    from alembic.util.exc import CommandError

    try:
        with _connected(engine) as connection:
            command.upgrade(alembic_config(connection), to)
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
    from alembic import command

    with _connected(engine) as connection:
        command.downgrade(alembic_config(connection), to)


def write_sql(output: TextIO) -> None:
    """Every migration as SQL, for the lint and for database administrators."""
    from alembic import command

    command.upgrade(alembic_config(output=output), "head", sql=True)


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    # A connection of its own: the pool's statement timeout is too short for a migration.
    own = create_engine(engine.url, poolclass=NullPool)
    with own.begin() as connection:
        yield connection
