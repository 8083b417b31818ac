"""表 (tables): lists of a place, who is on them, and what was objected.

An entry holds no more than may be shown: the database refuses a name or a number that is not
masked. Lists are taken down by what is read of them (`migrations/sql/public_notices.sql`): after
the last day the site has no way to them. Sealed columns are sealed with the shared key.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from backend.kernel.database import Base


def _id(name: str, to: str | None = None, *, index: bool = False) -> Column[Any]:
    refers = () if to is None else (ForeignKey(f"{to}.id"),)
    return Column(name, BigInteger, *refers, nullable=False, autoincrement=False, index=index)


def _own_id() -> Column[Any]:
    return Column("id", BigInteger, primary_key=True, autoincrement=False)


def _text(name: str, default: str | None = None) -> Column[Any]:
    return Column(name, Text, nullable=False, server_default=default)


def _sealed(name: str) -> Column[Any]:
    return Column(name, LargeBinary, nullable=False, server_default=text("''::bytea"))


def _now(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


PUBLIC_NOTICE: Final = Table(
    "public_notice",
    Base.metadata,
    _own_id(),
    _id("area"),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    _now("made_at"),
    UniqueConstraint("area", "first_day", "last_day"),
    CheckConstraint("last_day >= first_day", name="days_in_order"),
)
"""The list of a place (12 digits): up from the first day to the last, both included."""

PUBLIC_NOTICE_ENTRY: Final = Table(
    "public_notice_entry",
    Base.metadata,
    _own_id(),
    _id("notice_id", "public_notice", index=True),
    _id("application_id", "application"),
    Column("seq", Integer, nullable=False),
    _text("name"),
    _text("number"),
    _text("kind"),
    UniqueConstraint("application_id", "seq"),
    CheckConstraint("name ~ '^[^0-9*]?[*]{1,3}$'", name="name_masked"),
    CheckConstraint("number ~ '^[*]{16}[0-9X*]{2}$'", name="number_masked"),
    CheckConstraint("kind ~ '^[a-z_]{1,40}$'", name="kind_a_code"),
)
"""A case on a list, masked. `seq`: of the approval that it is up for."""

NOTICE_OBJECTION: Final = Table(
    "notice_objection",
    Base.metadata,
    _own_id(),
    _id("notice_id", "public_notice"),
    _id("entry_id", "public_notice_entry", index=True),
    _id("application_id", "application", index=True),
    _id("area"),
    _text("client_key"),
    _sealed("words"),
    _sealed("contact"),
    _sealed("code"),
    _sealed("code_index"),
    _text("state", "open"),
    _sealed("answer"),
    Column("staff_id", BigInteger),
    _now("made_at"),
    Column("decided_at", DateTime(timezone=True)),
    UniqueConstraint("notice_id", "client_key"),
    CheckConstraint("state IN ('open', 'upheld', 'dismissed', 'moot')", name="state_known"),
    CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided_dated"),
    Index("uq_notice_objection_code_index", "code_index", unique=True),
    Index("ix_notice_objection_open", "area", "id", postgresql_where=text("state = 'open'")),
)
"""异议. `code`: with which whoever objected asks what became of it; `moot`: the case is not in
notice any more."""
