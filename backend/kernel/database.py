"""数据库 (database): the engine, and the one way to open a transaction. Usable without Flask.

Two roles act in it: `app` sees what the session that `acting` names may see, `worker` sees every
row. Migrations run as the owner, the login itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, Literal, TypeAlias

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, MetaData, Row, TextClause, create_engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Session

from backend.kernel.pool_checks import check_before_use

log = logging.getLogger(__name__)

Role: TypeAlias = Literal["app", "worker"]
ROLES: Final[dict[Role, str]] = {"app": "shukun_app", "worker": "shukun_worker"}
STATEMENT_TIMEOUT_MS: Final = 30_000
LOCK_TIMEOUT_MS: Final = 5_000
CONNECT_TIMEOUT_S: Final = 5
LET_GO: Final = (
    " -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
    " -c idle_in_transaction_session_timeout=600000"
)
"""The server drops a machine that vanished, or a process that hangs: its locks stop others."""


class Base(DeclarativeBase):
    """Base of all models. Constraints are named by rule, so that migrations can name them too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base, disable_autonaming=True)


class TransactionNested(RuntimeError):
    """A deed opened a transaction of its own: only routes, tasks and commands do."""


class EngineNotBound(RuntimeError):
    """`bind` was not called at start."""


_bound: list[Engine] = []
_open: ContextVar[bool] = ContextVar("shukun_transaction_open", default=False)


def engine_options(*, threads: int = 4, role: Role | None = None) -> dict[str, Any]:
    """What `create_engine` is told everywhere: a connection a thread."""
    acting_as = "" if role is None else f" -c role={ROLES[role]}"
    return {
        "pool_size": threads,
        "max_overflow": 2,
        "pool_timeout": 10,
        "pool_recycle": 1800,
        "hide_parameters": True,  # faults are logged, and values may be personal
        "connect_args": {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "shukun",
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"
            f" -c lock_timeout={LOCK_TIMEOUT_MS} -c timezone=UTC{LET_GO}{acting_as}",
        },
    }


def engine_for(url: str, *, threads: int = 4, role: Role | None = None) -> Engine:
    """An engine on psycopg 3 for `postgresql://` or `postgresql+psycopg://`; connects lazily.

    Connections are checked before use. `role` None: as the login, which owns the tables.
    """
    return check_before_use(create_engine(url, **engine_options(threads=threads, role=role)))


def bind(engine: Engine) -> None:
    """Name the engine that `transaction` uses in this process; a later call replaces it."""
    _bound[:] = [engine]


@contextmanager
def bound(engine: Engine) -> Iterator[Engine]:
    """`bind` for the length of the block, for commands and tests."""
    before = _bound[:]
    bind(engine)
    try:
        yield engine
    finally:
        _bound[:] = before


def engine() -> Engine:
    """The engine in use. Raises `EngineNotBound`."""
    if not _bound:
        raise EngineNotBound("call backend.kernel.database.bind(engine) at start")
    return _bound[0]


def after_fork() -> None:
    """Forget connections inherited from the parent process without closing them there."""
    if _bound:
        _bound[0].dispose(close=False)


@contextmanager
def transaction(*, keep: bool = True) -> Iterator[Session]:
    """One transaction: committed at the end of the block, rolled back when it raises.

    Without `keep` it is rolled back in any case: a preview. Opened in a route, a task or a
    command; deeds receive the session, may flush and never commit.
    Raises `TransactionNested` inside another one.
    """
    if _open.get():
        raise TransactionNested("transaction() inside transaction()")
    token = _open.set(True)
    try:
        with Session(engine(), expire_on_commit=False) as session, session.begin() as begun:
            yield session
            if not keep:
                begun.rollback()
    finally:
        _open.reset(token)


def whole(statement: TextClause, parameters: Mapping[str, Any]) -> Row[Any]:
    """The row of a statement that is a whole transaction: one question to the server, not three.

    Raises `TransactionNested` inside a transaction.
    """
    if _open.get():
        raise TransactionNested("whole() inside transaction()")
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return connection.execute(statement, parameters).one()


def in_transaction() -> bool:
    """Whether this thread is inside `transaction()`: who calls the network must not be."""
    return _open.get()


def acting(session: Session, token: str) -> None:
    """Let the transaction see what the session with this token may see; "": nothing again.

    Without it the role `app` sees nobody. The database itself looks the token up, at every
    question: a session that has ended shows nothing.
    """
    session.execute(text("SELECT set_config('shukun.session', :token, true)"), {"token": token})


def ping(target: Engine | None = None) -> bool:
    """Whether the database answers a query now."""
    try:
        with (target or engine()).connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        log.warning("database unreachable", extra={"reason": type(error).__name__})
        return False
    return True


def constraint_of(error: DBAPIError) -> str:
    """The name of the constraint that a statement broke; "": of none."""
    return getattr(getattr(error.orig, "diag", None), "constraint_name", None) or ""
