"""列 (columns): what several tables of accounts are made of."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    LargeBinary,
    Text,
    func,
    text,
)


def row_id() -> Column[Any]:
    """Taken from `row_id` before the row is written: ciphertext is bound to it."""
    return Column("id", BigInteger, primary_key=True, autoincrement=False)


def identity() -> Column[Any]:
    """A number that the database gives."""
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def now(name: str) -> Column[Any]:
    """The moment at which the row was written."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def moment(name: str) -> Column[Any]:
    """A moment that may never come."""
    return Column(name, DateTime(timezone=True))


def sealed(name: str) -> Column[Any]:
    """Ciphertext, or nothing."""
    return Column(name, LargeBinary, nullable=False, server_default=text("''::bytea"))


def refers(name: str, to: str, *, optional: bool = False, index: bool = True) -> Column[Any]:
    """The id of a row of another table."""
    return Column(name, BigInteger, ForeignKey(f"{to}.id"), nullable=optional, index=index)


def days() -> tuple[Column[Any], Column[Any]]:
    """Both days included."""
    open_end = text("'infinity'::date")
    return (
        Column("from_on", Date, nullable=False),
        Column("to_on", Date, nullable=False, server_default=open_end),
    )


def channel() -> tuple[Column[Any], CheckConstraint]:
    """How somebody was spoken with."""
    known = "channel IN ('mini_program', 'bedside', 'counter')"
    return Column("channel", Text, nullable=False), CheckConstraint(known, name="channel_known")
