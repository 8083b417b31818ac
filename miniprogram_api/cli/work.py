"""What every command needs: settings, and a database that is up and migrated."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from backend.kernel import database, migrations
from backend.kernel.postgres import embedded
from backend.kernel.settings import Settings


def settings() -> Settings:
    """From the environment; raises `SettingsError`."""
    return Settings.from_env(os.environ)


@contextmanager
def database_url(chosen: Settings) -> Iterator[str]:
    """The configured server's URL, else that of the embedded one, running."""
    if chosen.database_url is not None:
        yield chosen.database_url
    else:
        with embedded(chosen.data, chosen.pg_bin) as url:
            yield url


@contextmanager
def bare_database(chosen: Settings) -> Iterator[Engine]:
    """An engine on the database as it is."""
    with database_url(chosen) as url:
        engine = database.engine_for(url, threads=chosen.threads)
        try:
            yield engine
        finally:
            engine.dispose()


@contextmanager
def working_database(chosen: Settings, *, migrate: bool = False) -> Iterator[Engine]:
    """The same, bound and migrated: where it is embedded, empty, or `migrate` says so.

    Raises `MigrationImpossible` where a configured server is behind: its owner decides when.
    """
    with bare_database(chosen) as engine:
        current = migrations.current(engine)
        if migrate or chosen.database_url is None or current is None:
            migrations.upgrade(engine)
        elif current != migrations.head():
            raise migrations.MigrationImpossible(
                "数据库的表结构与本程序不一致：请先运行 shukun db upgrade。"
            )
        with database.bound(engine):
            yield engine
