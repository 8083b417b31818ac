"""表 (tables): year-end review lists, and what institutions are owed by month and year. Fen."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
)

from backend.kernel.database import Base

REVIEW_LIST: Final = Table(
    "review_list",
    Base.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("policy", Text, nullable=False),
    Column("layer", Text, nullable=False),
    Column("area", Integer, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("rules_id", Integer, nullable=False),
    Column("made_on", Date, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    UniqueConstraint("policy", "layer", "area", "year"),
)
"""年终复核名单 of a county (6 digits): made once, from `rules_id`, kept as it was made."""

REVIEW_ROW: Final = Table(
    "review_row",
    Base.metadata,
    Column("list_id", BigInteger, ForeignKey("review_list.id"), primary_key=True),
    Column("person_id", BigInteger, primary_key=True, autoincrement=False),
    Column("area", BigInteger, nullable=False),
    Column("bills", SmallInteger, nullable=False),
    Column("burden", BigInteger, nullable=False),
    Column("deductible", BigInteger, nullable=False),
    CheckConstraint("burden > 0 AND burden <= deductible", name="under_the_deductible"),
)
"""A person whose yearly burden stayed at or under the deductible (12-digit `area`)."""

INSTITUTION_SUMMARY: Final = Table(
    "institution_summary",
    Base.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("policy", Text, nullable=False),
    Column("layer", Text, nullable=False),
    Column("area", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("through", Date, nullable=False),
    Column("made_on", Date, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    UniqueConstraint("policy", "layer", "area", "kind", "period"),
    CheckConstraint("kind IN ('month', 'year')", name="kind_known"),
)
"""按月汇总 (`month`, `2023-05`) and 年度结算 (`year`, `2023`): bills discharged up to `through`."""

INSTITUTION_ROW: Final = Table(
    "institution_summary_row",
    Base.metadata,
    Column("summary_id", BigInteger, ForeignKey("institution_summary.id"), primary_key=True),
    Column("hospital_id", BigInteger, primary_key=True, autoincrement=False),
    Column("bills", Integer, nullable=False),
    Column("advanced", BigInteger, nullable=False),
    Column("granted", BigInteger, nullable=False),
)
"""What an institution adds to the summaries of the kind before: `advanced`: paid at its counter;
`granted`: decided by released runs and not paid there; `bills`: with either. A correction of an
earlier bill comes in as a difference, below zero too, so each fen is summed up once."""
