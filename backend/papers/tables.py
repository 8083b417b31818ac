"""表 (tables): papers, the pieces that they come in, and where what was made of them lies.

`area`: of the case, for row-level security. `paper_piece.bytes` is sealed with the key of the
case's person, in the place `paper_piece.<number>` of the paper. Papers move by triggers
(`migrations/versions/0017_papers.py`); the site sees those of the cases that it sees.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from backend.kernel.database import Base

STATES: Final = {
    "taking": "正在上传",
    "checking": "正在检查",
    "kept": "已收下",
    "refused": "已退回",
    "removed": "已删除",
}
"""State → its name."""


def _of_paper(*, primary_key: bool = True) -> Column[Any]:
    return Column(
        "paper_id", BigInteger, ForeignKey("paper.id"),
        primary_key=primary_key, nullable=False, autoincrement=False,
    )  # fmt: skip


def _moment(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True))


def _now(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def _text(name: str, default: str | None = None) -> Column[Any]:
    return Column(name, Text, nullable=False, server_default=default)


PAPER: Final = Table(
    "paper",
    Base.metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "application_id", BigInteger, ForeignKey("application.id"), nullable=False, index=True
    ),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False, index=True),
    Column("area", BigInteger, nullable=False),
    _text("kind"),
    _text("client_key"),
    Column("size", Integer, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("pieces", SmallInteger, nullable=False),
    _text("state", "taking"),
    _text("media", ""),
    Column("pages", SmallInteger, nullable=False, server_default=text("0")),
    _text("refused_why", ""),
    _text("by", ""),
    _now("begun_at"),
    _moment("finished_at"),
    _moment("ended_at"),
    UniqueConstraint("application_id", "client_key"),
    CheckConstraint(
        "state IN ('taking', 'checking', 'kept', 'refused', 'removed')", name="state_known"
    ),
    CheckConstraint("size > 0 AND pieces > 0 AND octet_length(sha256) = 32", name="declared"),
    CheckConstraint("state <> 'refused' OR refused_why <> ''", name="refused_with_reason"),
    CheckConstraint("state <> 'kept' OR pages > 0 AND media <> ''", name="kept_with_pages"),
    Index(
        "ix_paper_begun_at_open", "begun_at",
        postgresql_where=text("state IN ('taking', 'checking')"),
    ),
)  # fmt: skip
"""A paper. `kind`: which of those that the procedure asks for; `size`, `sha256`: of the file as it
was taken, declared first and compared at its end; `media`, `pages`: of what was made of it;
`ended_at`: when it was kept, refused or removed."""

PAPER_PIECE: Final = Table(
    "paper_piece",
    Base.metadata,
    _of_paper(),
    Column("number", SmallInteger, primary_key=True, autoincrement=False),
    Column("bytes", LargeBinary, nullable=False),
    _now("at"),
    CheckConstraint("number > 0", name="numbered"),
)
"""A piece of a file that is still being taken or looked at; gone when that is over."""

PAPER_CONTENT: Final = Table(
    "paper_content",
    Base.metadata,
    _of_paper(),
    _text("name"),
    Column("sha256", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    _now("at"),
    UniqueConstraint("name"),
    CheckConstraint("size > 0 AND octet_length(sha256) = 32", name="measured"),
)
"""What was made of a paper. `name`: under which it lies in the store, a keyed hash; `sha256`,
`size`: of its bytes in plain; sealed there with the person's key, in the place `paper.content`."""
