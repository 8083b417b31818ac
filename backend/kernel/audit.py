"""审计 (audit): who did what to what, written in the transaction of the deed and never changed."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, DateTime, Identity, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from backend.kernel.database import Base


class Subject(NamedTuple):
    """What a deed was done to: a kind (`policy`) and an id of that kind."""

    kind: str
    id: str


class AuditEvent(Base):
    """One deed. The database refuses changes and deletions."""

    __tablename__ = "audit_event"
    __table_args__ = (Index(None, "subject_kind", "subject_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    subject_kind: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))


def person(by: str) -> str:
    """A person's name in one spelling, so that one person is not taken for two. `""`: no name."""
    plain = unicodedata.normalize("NFKC", by)
    seen = (" " if one.isspace() else one for one in plain if unicodedata.category(one) != "Cf")
    return " ".join("".join(seen).split())


def record(
    session: Session,
    *,
    actor: str,
    action: str,
    subject: Subject,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write one event with the caller's transaction. `detail` holds plain JSON values."""
    session.add(
        AuditEvent(
            actor=actor,
            action=action,
            subject_kind=subject.kind,
            subject_id=subject.id,
            detail=dict(detail or {}),
        )
    )
