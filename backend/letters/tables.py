"""表 (tables): letters, what belongs to them, and each step of theirs.

Sealed: the parts, under the key of the letter's person. The state follows from the events by
triggers (`migrations/sql/letter_moves.sql`); nothing else changes it, and no part ever changes.
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
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from backend.kernel.database import Base


def _own_id() -> Column[Any]:
    return Column("id", BigInteger, primary_key=True, autoincrement=False)


def _of_letter() -> Column[Any]:
    return Column("letter_id", BigInteger, ForeignKey("letter.id"), nullable=False)


def _now(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def _text(name: str, default: str | None = None) -> Column[Any]:
    return Column(name, Text, nullable=False, server_default=default)


def _hash(name: str) -> Column[Any]:
    return Column(name, LargeBinary, nullable=False)


LETTER_MOVE: Final = Table(
    "letter_move",
    Base.metadata,
    Column("deed", Text, primary_key=True),
    Column("from_state", Text, primary_key=True),
    Column("to_state", Text, primary_key=True),
    _text("seat"),
    CheckConstraint(
        "seat IN ('applicant', 'system', 'applicant_or_system', 'applicant_or_staff')",
        name="seat_known",
    ),
)
"""Every move there is, and who makes it."""

LETTER: Final = Table(
    "letter",
    Base.metadata,
    _own_id(),
    Column("application_id", BigInteger, ForeignKey("application.id"), nullable=False, index=True),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False, index=True),
    Column("area", BigInteger, nullable=False),
    _text("template"),
    Column("version", Integer, nullable=False),
    _text("size"),
    Column("code", Text, nullable=False, unique=True),
    Column("day", Date, nullable=False),
    _text("state", "drafted"),
    Column("seq", Integer, nullable=False, server_default=text("0")),
    _hash("subject_sha256"),
    _hash("content_sha256"),
    _hash("document_sha256"),
    _hash("nonce"),
    Column("supersedes_id", BigInteger, ForeignKey("letter.id"), index=True),
    _now("made_at"),
    CheckConstraint("size IN ('normal', 'large')", name="size_known"),
    CheckConstraint(
        "octet_length(subject_sha256) = 32 AND octet_length(content_sha256) = 32"
        " AND octet_length(document_sha256) = 32 AND octet_length(nonce) = 32",
        name="hashes_whole",
    ),
    Index(
        "uq_letter_one_open", "application_id", "template",
        unique=True, postgresql_where=text("state IN ('drafted', 'presented', 'identity_ok')"),
    ),
    Index(
        "ix_letter_day_open", "day",
        postgresql_where=text("state IN ('drafted', 'presented', 'identity_ok')"),
    ),
)  # fmt: skip
"""One letter of a case. `subject_sha256`: of the answers and papers that it stands for;
`document_sha256`: of the PDF that is read; `nonce`: what a signature of it must name."""

LETTER_PART: Final = Table(
    "letter_part",
    Base.metadata,
    _own_id(),
    _of_letter(),
    _text("part"),
    Column("body", LargeBinary, nullable=False),
    _hash("sha256"),
    _now("at"),
    UniqueConstraint("letter_id", "part"),
    CheckConstraint(
        "part IN ('content', 'document', 'signature', 'will', 'sealed', 'evidence')",
        name="part_known",
    ),
)
"""Bytes of a letter, sealed. `sha256`: of what is in them. `content` what it says, `document` the
PDF as it is read, `signature` the drawing, `will` how it was read and drawn, `sealed` the PDF with
its seal, `evidence` the package."""

LETTER_EVENT: Final = Table(
    "letter_event",
    Base.metadata,
    _own_id(),
    _of_letter(),
    Column("seq", Integer, nullable=False),
    _text("deed"),
    _text("from_state"),
    _text("to_state"),
    _text("by"),
    _text("role", ""),
    Column("staff_id", BigInteger),
    Column("resident_id", BigInteger),
    _now("at"),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    UniqueConstraint("letter_id", "seq"),
    ForeignKeyConstraint(
        ["deed", "from_state", "to_state"],
        ["letter_move.deed", "letter_move.from_state", "letter_move.to_state"],
        name="fk_letter_event_deed_letter_move",
    ),
)
"""One step of a letter, never changed. Who acted, and when, the database writes for the site's
sessions. `detail`: nothing personal."""
