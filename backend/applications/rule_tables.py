"""流程规定: the tables by which the database knows what procedures say of a case."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Integer, SmallInteger, Table, Text

from backend.kernel.database import Base

PROCEDURE_RULE: Final = Table(
    "procedure_rule",
    Base.metadata,
    Column("policy", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("filing", Boolean, nullable=False),
    Column("notice", Boolean, nullable=False),
    Column("fast_lane", Boolean, nullable=False),
    Column("keep_years", SmallInteger, nullable=False),
)
"""`notice`: whether one follows; `fast_lane`: whether the kind has one."""

PROCEDURE_PERIOD: Final = Table(
    "procedure_period",
    Base.metadata,
    Column("policy", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("clock", Text, primary_key=True),
    Column("days", Integer, primary_key=True, autoincrement=False),
)
"""How many working days a period is, or was before."""

PROCEDURE_TURN: Final = Table(
    "procedure_turn",
    Base.metadata,
    Column("deed", Text, primary_key=True),
    Column("clock", Text, primary_key=True),
)
"""Which periods a deed starts: `clocks.TURNS`, without the deeds that the site makes none of."""
