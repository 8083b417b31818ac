"""A PostgreSQL of our own for the tests, a migrated template once, a fresh copy for each test.

`DATABASE_URL` names a server to use instead; its user must be allowed to create databases. Ours
lies in memory where there is enough: nothing in it outlives the tests.
"""

from __future__ import annotations

import fcntl
import gc
import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from flask.testing import FlaskClient
from sqlalchemy import URL, Engine, NullPool, create_engine, make_url, text

from backend.kernel import database as kernel_database
from backend.kernel import migrations
from backend.kernel.postgres import embedded
from backend.kernel.settings import PROJECT, Settings
from backend.policies.book import PolicyBook
from backend.policies.catalogue import load_catalogue
from miniprogram_api import app as site
from miniprogram_api.app import create_app
from tests.support.accounts import Accounts
from tests.support.wechat import wechat_process as wechat_process
from tests.support.wechat import wechat_simulator as wechat_simulator

TEMPLATE_LOCK: Final = 7_205_202
MEMORY: Final = Path("/dev/shm")
ENOUGH: Final = 6 << 30
"""Bytes: three processes with their copies, and what the kill tests write."""


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """A server that all test workers share; the last one stops it."""
    if given := os.environ.get("DATABASE_URL"):
        yield make_url(given)
        return
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = _in_memory(shared) or shared / "server"
    with embedded(folder, Settings.from_env(os.environ).pg_bin, durable=False) as url:
        yield make_url(url)
    _remove_unused(folder)


@pytest.fixture(scope="session", autouse=True)
def _catalogue_read_once() -> Iterator[None]:
    """The project's own catalogue is read once for all applications of the tests: nobody changes
    a book. What was imported so far is not looked at again for garbage.
    """
    own = cache(load_catalogue)

    def read(extra: Sequence[Path] = ()) -> PolicyBook:
        return load_catalogue(extra) if extra else own()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "load_catalogue", read)
        gc.collect()
        gc.freeze()
        yield


@pytest.fixture(scope="session")
def template(server_url: URL) -> str:
    """The name of a migrated database to copy; made once for each state of the migrations."""
    name = f"shukun_template_{_migrations_digest()}"
    with _maintenance(server_url) as server, server.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_lock({TEMPLATE_LOCK})"))
        known = text("SELECT 1 FROM pg_database WHERE datname = :name")
        if connection.execute(known, {"name": name}).first() is None:
            _make_template(server_url, connection.engine, name)
    return name


@pytest.fixture
def database_url(server_url: URL, template: str) -> Iterator[str]:
    """The URL of a migrated, empty database of the test's own."""
    name = f"shukun_test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    with _maintenance(server_url) as server:
        with server.connect() as connection:
            # As files: in memory that is quicker than through the log, which is the default.
            copied = f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"
            connection.execute(text(copied))
        yield server_url.set(database=name).render_as_string(hide_password=False)
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """The engine of that database, bound: `transaction()` works, without Flask."""
    engine = kernel_database.engine_for(database_url)
    with kernel_database.bound(engine):
        yield engine
    engine.dispose()


@pytest.fixture
def app_database(database: Engine, database_url: str) -> Iterator[Engine]:
    """The same database as the website sees it; not bound."""
    engine = kernel_database.engine_for(database_url, role="app")
    yield engine
    engine.dispose()


@pytest.fixture
def worker_database(database_url: str) -> Iterator[Engine]:
    """The engine of that database as commands and workers use it, bound instead."""
    engine = kernel_database.engine_for(database_url, role="worker")
    with kernel_database.bound(engine):
        yield engine
    engine.dispose()


@pytest.fixture
def accounts(database: Engine) -> Accounts:
    """Staff and residents of that database, and tokens of their sessions."""
    return Accounts(database)


@pytest.fixture
def client(database: Engine) -> FlaskClient:
    """A client of the whole application on that database."""
    return create_app(Settings()).test_client()


@contextmanager
def _maintenance(server_url: URL) -> Iterator[Engine]:
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    yield engine
    engine.dispose()


def _make_template(server_url: URL, server: Engine, name: str) -> None:
    draft = f"{name}_draft"
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {draft}"))
        connection.execute(text(f"CREATE DATABASE {draft}"))
        engine = create_engine(server_url.set(database=draft), poolclass=NullPool)
        migrations.upgrade(engine)
        connection.execute(text(f"ALTER DATABASE {draft} RENAME TO {name}"))


def _in_memory(shared: Path) -> Path | None:
    """A folder of this run's own in memory; None: there is none, or not enough of it."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return None
    if shutil.disk_usage(MEMORY).free < ENOUGH:
        return None
    return MEMORY / f"shukun-tests-{hashlib.sha256(str(shared).encode()).hexdigest()[:12]}"


def _remove_unused(folder: Path) -> None:
    """The last of the run's workers removes what lies in memory."""
    if folder.parent != MEMORY:
        return
    with (folder / "postgres.users").open("a") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        shutil.rmtree(folder, ignore_errors=True)


def _migrations_digest() -> str:
    digest = hashlib.sha256()
    scripts = Path(PROJECT / "migrations")
    for path in sorted([*scripts.rglob("*.py"), *scripts.rglob("*.sql")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
