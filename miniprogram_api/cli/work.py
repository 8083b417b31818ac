"""What every command needs: settings, and a database that is up and migrated."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy import Engine

from backend.accounts.consent_floor import raise_floors
from backend.accounts.consent_texts import consent_texts
from backend.kernel import database, key_check, migrations
from backend.kernel.clock import today
from backend.kernel.crypto import Keyring
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
    """An engine on the database as it is, as its owner."""
    with database_url(chosen) as url:
        engine = database.engine_for(url, threads=chosen.threads)
        try:
            yield engine
        finally:
            engine.dispose()


@contextmanager
def working_database(chosen: Settings, *, migrate: bool = False) -> Iterator[Engine]:
    """The database as its worker, bound; migrated where it is embedded, empty, or `migrate` says,
    and told which consents hold no more.

    Raises `MigrationImpossible` where a configured server is behind: its owner decides when.
    """
    with bare_database(chosen) as engine:
        current = migrations.current(engine)
        if current != migrations.head():
            if not migrate and chosen.database_url is not None and current is not None:
                raise migrations.MigrationImpossible(
                    "数据库的表结构与本程序不一致：请先运行 shukun db upgrade。"
                )
            migrations.upgrade(engine)
        with _worker(chosen, engine) as worker, database.bound(worker):
            with database.transaction() as session:
                raise_floors(session, consent_texts().purposes, today())
            yield worker


def keyring(chosen: Settings) -> Keyring:
    """The keys of the working database; raises `KeysUnusable`."""
    there = chosen.key_file.exists()
    found = key_check.open_keyring(chosen)
    if not there and chosen.database_url is not None:
        click.echo(
            f"已建立密钥文件 {found.path}：请立即备份到安全的地方，丢失后已加密的数据无法恢复；"
            "其他机器要用同一个文件。",
            err=True,
        )
    return found


@contextmanager
def _worker(chosen: Settings, owner: Engine) -> Iterator[Engine]:
    url = chosen.database_worker_url or owner.url.render_as_string(hide_password=False)
    engine = database.engine_for(url, threads=chosen.threads, role="worker")
    try:
        yield engine
    finally:
        engine.dispose()
