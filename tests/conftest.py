"""A PostgreSQL of our own for the tests, a migrated template once, a fresh copy for each test.

`DATABASE_URL` names a server to use instead; its user must be allowed to create databases.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import URL, Engine, NullPool, create_engine, make_url, text

from backend.kernel import database as kernel_database
from backend.kernel import migrations
from backend.kernel.postgres import embedded
from backend.kernel.settings import PROJECT, Settings
from miniprogram_api.app import create_app
from tests.support.accounts import Accounts
from tests.support.wechat import wechat_process as wechat_process
from tests.support.wechat import wechat_simulator as wechat_simulator

TEMPLATE_LOCK = 7_205_202


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """A server that all test workers share; the last one stops it."""
    if given := os.environ.get("DATABASE_URL"):
        yield make_url(given)
        return
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with embedded(shared / "server", Settings.from_env(os.environ).pg_bin, durable=False) as url:
        yield make_url(url)


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
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
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


def _migrations_digest() -> str:
    digest = hashlib.sha256()
    scripts = Path(PROJECT / "migrations")
    for path in sorted([*scripts.rglob("*.py"), *scripts.rglob("*.sql")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
