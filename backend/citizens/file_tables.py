"""收文表 (file tables): delivered files, what was refused of them, what they confirmed."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from backend.kernel.database import Base


def _count(name: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


DATA_FILE: Final = Table(
    "data_file",
    Base.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("mapping_sha256", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    _count("next_row"),
    _count("rows"),
    _count("added"),
    _count("changed"),
    _count("unchanged"),
    _count("rejected"),
    _count("waiting"),
    _count("money"),
    Column("complete_on", Date),
    Column("origin_area", Integer, nullable=False, server_default=text("0")),
    Column("loaded_by", Text, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("notes", JSONB, nullable=False, server_default=text("'[]'")),
    Column("finished_at", DateTime(timezone=True)),
    Column("undone_at", DateTime(timezone=True)),
    Column("undone_by", Text),
    CheckConstraint("state IN ('loading', 'loaded', 'undone')", name="state_known"),
    Index(
        "uq_data_file_kind_sha256_mapping_sha256", "kind", "sha256", "mapping_sha256",
        unique=True, postgresql_where=text("state <> 'undone'"),
    ),
)  # fmt: skip
"""A delivered file: its serial (`id`), digest, counts and money total. `next_row`: how far it was
taken, so that a load that was killed goes on from there. `notes`: Chinese sentences.
`waiting`: rows of people whom the register did not know when they came."""

DATA_FILE_UNCHANGED: Final = Table(
    "data_file_unchanged",
    Base.metadata,
    Column("file_id", BigInteger, ForeignKey("data_file.id"), primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("row_ids", ARRAY(BigInteger), nullable=False),
)
"""Rows that a file brought just as they stood at `revision`: nothing was written, but the file
vouches for them too, so that undoing the file that wrote them leaves them."""

DATA_REJECT: Final = Table(
    "data_reject",
    Base.metadata,
    Column("file_id", BigInteger, ForeignKey("data_file.id"), primary_key=True),
    Column("line", BigInteger, primary_key=True),
    Column("column_name", Text, primary_key=True),
    Column("reason", Text, nullable=False),
)
"""A row that was not taken, by line (1 is the header) and column; never the value itself."""
