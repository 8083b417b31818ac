"""审计链 (audit chain): what was written in the order of its sealing, each hash over the last.

A link is a row of `audit_chain`: its `position` (1, 2, 3 …), the event, when the sealer had looked
(`sealed_at`), and `closed`: the ids up to it were all drawn before that, the others after it, and
none of the former can still come that is not in the chain by now. A link without an event only
says so. Its `hash` is the SHA-256 of the hash before it and
of the compact JSON of `[position, sealed_at, closed, id, at, actor, action, subject_kind,
subject_id, detail, role, purpose, area]`: moments as microseconds since 1970, `detail` as the text
that the database writes. Before the first stand 32 zero bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import msgspec
import psycopg
from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, LargeBinary, Table, text
from sqlalchemy.orm import Session

from backend.kernel.database import Base

AUDIT_CHAIN: Final = Table(
    "audit_chain",
    Base.metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", BigInteger, unique=True),
    Column("sealed_at", DateTime(timezone=True), nullable=False),
    Column("closed", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    CheckConstraint("length(hash) = 32", name="digest_whole"),
)

START: Final = bytes(32)
EVENTS_AT_ONCE: Final = 5_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_encode: Final = msgspec.json.Encoder().encode

Event: TypeAlias = tuple[int, int | None, Any, Any, Any, Any, Any, Any, Any, Any]
"""An event's fields in the order of the hash; the moment None where it is none of our time."""


def _microseconds(column: str) -> str:
    """SQL: a moment as an integer. What is out of all bounds was not written by us: NULL."""
    within = f"{column} BETWEEN '1970-01-01' AND '9999-12-31'"
    return f"CASE WHEN {within} THEN (extract(epoch FROM {column}) * 1000000)::bigint END"


EVENT_FIELDS: Final = (
    f"id, {_microseconds('at')}, actor, action, subject_kind, subject_id, detail::text, role,"
    " purpose, area"
)
"""SQL: an `Event`."""
_LINKS: Final = (
    f"SELECT position, event_id, {_microseconds('sealed_at')}, closed, hash FROM audit_chain"
    " WHERE position > %s ORDER BY position LIMIT %s"
)
_EVENTS: Final = f"SELECT {EVENT_FIELDS} FROM audit_event WHERE id = ANY(%s)"
_TAIL: Final = text(
    "SELECT position, sealed_at, closed, hash FROM audit_chain ORDER BY position DESC LIMIT 1"
)
_HASH: Final = text("SELECT hash FROM audit_chain WHERE position = :position")


@dataclass(frozen=True, slots=True)
class Tail:
    """Where the chain ends."""

    position: int = 0
    closed: int = 0
    hash: bytes = START


@dataclass(slots=True)
class Link:
    """A row of the chain with its event. `sealed_at`: microseconds; `event` None: there is none."""

    position: int
    event_id: int | None
    sealed_at: int | None
    closed: int
    hash: bytes
    event: Event | None = None


def digest(previous: bytes, link: Link) -> bytes:
    """The hash that the link must have after `previous`."""
    said = (link.position, link.sealed_at, link.closed, *(link.event or ()))
    return hashlib.sha256(previous + _encode(said)).digest()


def microseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def tail(session: Session) -> Tail:
    """The last link's position, closed id and hash."""
    row = session.execute(_TAIL).first()
    return Tail() if row is None else Tail(row.position, row.closed, bytes(row.hash))


def hash_at(session: Session, position: int) -> bytes | None:
    """The hash at a position; None where the chain has none."""
    found: bytes | None = session.execute(_HASH, {"position": position}).scalar()
    return found


def links(connection: psycopg.Connection[Any]) -> Iterator[Link]:
    """Every link with its event, in the order of the positions; a few thousand at a time."""
    position = -(2**63)
    while page := connection.execute(_LINKS, (position, EVENTS_AT_ONCE), binary=True).fetchall():
        found = [Link(*row) for row in page]
        events = _events(connection, [one.event_id for one in found if one.event_id is not None])
        for link in found:
            link.event = events.get(link.event_id) if link.event_id is not None else None
            yield link
        position = found[-1].position


def _events(connection: psycopg.Connection[Any], ids: Sequence[int]) -> dict[int, Event]:
    with connection.cursor(binary=True) as cursor:
        return {row[0]: row for row in cursor.execute(_EVENTS, (list(ids),))}
