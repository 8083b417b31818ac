"""表 (tables): work items, and messages that people are to be told.

`area` is a 12-digit place, for row-level security; `list_area` cuts it to the level of the role
that owns the item, so an item lies in exactly one list (role, area). `reason` and `detail` hold no
personal data; a closing note may, and is sealed with the key of the item's person.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Identity,
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

LEVELS: Final = {
    "village_coordinator": 1,
    "township_reviewer": 1_000,
    "county_officer": 1_000_000,
    "city_officer": 100_000_000,
}
"""Role → the places of one list: a 12-digit code is cut to a multiple of it. From below to above:
an overdue item moves on to the next."""
LIST_AREA: Final = (
    "list_area = area - mod(area, CASE role "
    + " ".join(f"WHEN '{role}' THEN {places}" for role, places in LEVELS.items())
    + " END)"
)

WORK_ITEM: Final = Table(
    "work_item",
    Base.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("period", Text, nullable=False, server_default=""),
    Column("person_id", BigInteger),
    Column("area", BigInteger, nullable=False),
    Column("role", Text, nullable=False),
    Column("list_area", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    Column("state", Text, nullable=False, server_default="open"),
    Column("due_on", Date, nullable=False),
    Column("due_provisional", Boolean, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("0")),
    Column("opened_by", Text, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("closed_by", Text),
    Column("closed_at", DateTime(timezone=True)),
    Column("outcome", Text),
    Column("note", LargeBinary, nullable=False, server_default=text("''::bytea")),
    UniqueConstraint("kind", "subject_kind", "subject_id", "period"),
    CheckConstraint("state IN ('open', 'escalated', 'done')", name="state_known"),
    CheckConstraint(f"role IN {tuple(LEVELS)}", name="role_known"),
    CheckConstraint("area BETWEEN 110000000000 AND 999999999999", name="area_known"),
    CheckConstraint(LIST_AREA, name="in_the_list_of_its_role"),
    CheckConstraint(
        "(state = 'done') = (outcome IS NOT NULL AND closed_by IS NOT NULL"
        " AND closed_at IS NOT NULL)",
        name="done_with_outcome",
    ),
    Index(
        "ix_work_item_role_list_area_due_on", "role", "list_area", "due_on",
        postgresql_where=text("state <> 'done'"),
    ),
    Index("ix_work_item_area", "area", postgresql_where=text("state <> 'done'")),
    Index(None, "person_id"),
)  # fmt: skip
"""待办: something that a person must decide or do. `escalated`: overdue, passed to the level above,
still to be done. One row a (kind, subject, period) for ever, so that nothing is asked twice; what a
person closed stays closed, what was superseded is opened again with its cause."""

NOTICE_DUE: Final = Table(
    "notice_due",
    Base.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("person_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("created_on", Date, nullable=False),
    Column("owed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("taken_at", DateTime(timezone=True)),
    UniqueConstraint("person_id", "kind", "cause"),
    Index("ix_notice_due_id_open", "id", postgresql_where=text("taken_at IS NULL")),
)
"""待告知: a message that a person is owed, once a cause (`identity:123`); whoever delivers messages
takes it from here, and says when in `taken_at`."""
