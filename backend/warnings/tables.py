"""表 (tables): warnings, visits, and the applications that confirmed warnings ask for.

`area`: the 12-digit place where the visit is made, for row-level security. Money is fen.
"""

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
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from backend.kernel.database import Base

INCOME_SHARE: Final = "income_share"
WATCHED_BURDEN: Final = "watched_burden"

WARNING: Final = Table(
    "warning",
    Base.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("rule", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("round", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="open"),
    Column("person_id", BigInteger, nullable=False),
    Column("household_id", BigInteger, nullable=False),
    Column("area", BigInteger, nullable=False),
    Column("burden", BigInteger, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("income", BigInteger, nullable=False),
    Column("income_year", SmallInteger, nullable=False),
    Column("policy", Text, nullable=False),
    Column("clause", Text, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("found_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    UniqueConstraint("rule", "subject_id", "year", "round"),
    CheckConstraint(f"rule IN ('{INCOME_SHARE}', '{WATCHED_BURDEN}')", name="rule_known"),
    CheckConstraint("kind IN ('falling_into', 'falling_back')", name="kind_known"),
    CheckConstraint(
        "state IN ('open', 'confirmed', 'not_confirmed', 'superseded')", name="state_known"
    ),
    CheckConstraint("burden > line", name="above_the_line"),
    Index(
        "uq_warning_rule_subject_id_year_open", "rule", "subject_id", "year",
        unique=True, postgresql_where=text("state IN ('open', 'confirmed')"),
    ),
    Index(None, "area"),
)  # fmt: skip
"""预警. `subject_id`: the household (`income_share`) or the person (`watched_burden`);
`person_id`: whom to visit. `line`: what the burden is above. `income` −1, `income_year` 0: not
asked about. `round`: 0, then counted up when the same subject is warned of again in the year."""

WARNING_VISIT: Final = Table(
    "warning_visit",
    Base.metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("warning_id", BigInteger, ForeignKey("warning.id"), nullable=False, index=True),
    Column("area", BigInteger, nullable=False),
    Column("on_day", Date, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("visited_by", Text, nullable=False),
    Column("note", LargeBinary, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("outcome IN ('confirmed', 'not_confirmed', 'no_answer')", name="outcome_known"),
)
"""入户核查, never changed. `note` is sealed with the key of the person visited."""

DRAFT_WANTED: Final = Table(
    "draft_application_wanted",
    Base.metadata,
    Column("warning_id", BigInteger, ForeignKey("warning.id"), primary_key=True),
    Column("person_id", BigInteger, nullable=False),
    Column("household_id", BigInteger, nullable=False),
    Column("area", BigInteger, nullable=False),
    Column("wanted_on", Date, nullable=False),
    Column("wanted_by", Text, nullable=False),
    Column("taken_at", DateTime(timezone=True)),
    Index(
        "ix_draft_application_wanted_wanted_on", "wanted_on",
        postgresql_where=text("taken_at IS NULL"),
    ),
)  # fmt: skip
"""A confirmed warning asks for a draft application; whoever keeps applications takes it up."""
