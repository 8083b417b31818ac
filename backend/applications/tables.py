"""表 (tables): cases, their answers, steps and clocks, and who has them in hand.

`area`: the registered area at the beginning, 12 digits, for row-level security. Sealed columns are
sealed with the key of the case's person. The state of a case follows from its steps by triggers
(`migrations/sql/application_moves.sql`); nothing else changes it.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
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
from sqlalchemy.dialects.postgresql import ARRAY

from backend.kernel.database import Base

BESIDE: Final = ("draft", "revoking", "closed", "withdrawn", "revoked", "refused")
"""States of a case that hinders no other of the same."""


def _moment(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True))


def _now(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def _sealed(name: str) -> Column[Any]:
    return Column(name, LargeBinary, nullable=False, server_default=text("''::bytea"))


def _text(name: str, default: str | None = None) -> Column[Any]:
    return Column(name, Text, nullable=False, server_default=default)


def _flag(name: str) -> Column[Any]:
    return Column(name, Boolean, nullable=False, server_default=text("false"))


def _own_id() -> Column[Any]:
    return Column("id", BigInteger, primary_key=True, autoincrement=False)


def _of_case(*, primary_key: bool = False) -> Column[Any]:
    return Column(
        "application_id", BigInteger, ForeignKey("application.id"),
        primary_key=primary_key, nullable=False, autoincrement=False,
    )  # fmt: skip


def _staff(*, primary_key: bool = False, index: bool = False) -> Column[Any]:
    return Column(
        "staff_id", BigInteger, ForeignKey("staff.id"),
        primary_key=primary_key, nullable=False, autoincrement=False, index=index,
    )  # fmt: skip


APPLICATION_STATE: Final = Table(
    "application_state",
    Base.metadata,
    Column("state", Text, primary_key=True),
    _text("desk"),
    Column("over", Boolean, nullable=False),
)
"""Which desk has a case of the state; `over`: nobody any more."""

APPLICATION_MOVE: Final = Table(
    "application_move",
    Base.metadata,
    Column("deed", Text, primary_key=True),
    Column("from_state", Text, primary_key=True),
    Column("to_state", Text, primary_key=True),
    _text("seat"),
    _text("given"),
    Column("apart", ARRAY(Text), nullable=False),
    CheckConstraint(
        "seat IN ('applicant', 'township', 'county', 'system', 'system_or_county')",
        name="seat_known",
    ),
)
"""Every move there is. `given`: for which cases; `apart`: who did one of these may not."""

APPLICATION: Final = Table(
    "application",
    Base.metadata,
    _own_id(),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False, index=True),
    Column("area", BigInteger, nullable=False, index=True),
    _text("kind"),
    _text("policy"),
    _text("category", ""),
    _text("subject", ""),
    Column(
        "state", Text, ForeignKey("application_state.state"), nullable=False, server_default="draft"
    ),
    Column("seq", Integer, nullable=False, server_default=text("0")),
    _text("desk", "applicant"),
    Column("raised", SmallInteger, nullable=False, server_default=text("0")),
    _text("proposal", ""),
    Column("resident_id", BigInteger, ForeignKey("resident.id"), index=True),
    Column("staff_id", BigInteger, ForeignKey("staff.id"), index=True),
    _text("capacity"),
    _text("client_key"),
    _flag("fast_lane"),
    _flag("filing"),
    _flag("notice"),
    Column("expected", BigInteger),
    _sealed("expected_told"),
    _sealed("code"),
    _sealed("code_index"),
    _now("begun_at"),
    _moment("submitted_at"),
    _moment("ended_at"),
    Column("keep_years", SmallInteger, nullable=False, server_default=text("10")),
    CheckConstraint("num_nonnulls(resident_id, staff_id) = 1", name="begun_by_somebody"),
    CheckConstraint("capacity IN ('self', 'family', 'delegate')", name="capacity_known"),
    CheckConstraint("expected >= 0", name="expected_not_negative"),
    Index(
        "uq_application_one_going", "person_id", "kind", "subject",
        unique=True, postgresql_where=text(f"state NOT IN {BESIDE!r}"),
    ),
    Index(
        "uq_application_client_key",
        text("coalesce(resident_id, 0)"), text("coalesce(staff_id, 0)"), "client_key",
        unique=True,
    ),
    Index(
        "uq_application_code_index", "code_index",
        unique=True, postgresql_where=text("code_index <> ''"),
    ),
    Index(
        "ix_application_desk_area", "desk", "area", "id", postgresql_where=text("ended_at IS NULL")
    ),
)  # fmt: skip
"""A case. `subject`: what it is about (a year, bills, a grant): one going case of a person, kind
and subject (that it may be revoked hinders no new one). `policy`: by whose procedure; `category`:
of `recognition`, which identity is asked for. `seq`: its number of steps. `desk`: who has it;
`raised`: by how many levels it was escalated. `expected`: fen, shown before signing;
`expected_told`: its steps. `code`: to look up the state without an account. `keep_years`: how long
it is kept after its end, as its procedure said when it was begun."""

APPLICATION_ANSWER: Final = Table(
    "application_answer",
    Base.metadata,
    _own_id(),
    _of_case(),
    _text("field"),
    _sealed("value"),
    Column("version", Integer, nullable=False, server_default=text("1")),
    _text("source"),
    _text("by"),
    _now("at"),
    UniqueConstraint("application_id", "field"),
    CheckConstraint("source IN ('applicant', 'register')", name="source_known"),
)
"""What was answered to one field. `version`: compared when it is changed."""

APPLICATION_STEP: Final = Table(
    "application_step",
    Base.metadata,
    _own_id(),
    _of_case(),
    Column("seq", Integer, nullable=False),
    _text("deed"),
    _text("from_state"),
    _text("to_state"),
    _text("proposal", ""),
    _text("reason", ""),
    _sealed("note"),
    _text("by"),
    _text("role", ""),
    Column("staff_id", BigInteger, index=True),
    Column("resident_id", BigInteger),
    _now("at"),
    UniqueConstraint("application_id", "seq"),
    ForeignKeyConstraint(
        ["deed", "from_state", "to_state"],
        ["application_move.deed", "application_move.from_state", "application_move.to_state"],
        name="fk_application_step_deed_application_move",
    ),
    CheckConstraint("proposal IN ('', 'grant', 'refuse')", name="proposal_known"),
)
"""One move of a case, never changed. Who acted is written by the database for the site's sessions.
`proposal`: of a review; `reason`: a code of the procedure."""

APPLICATION_CLOCK: Final = Table(
    "application_clock",
    Base.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    _of_case(),
    _text("clock"),
    Column("started_on", Date, nullable=False),
    Column("working_days", Integer, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("stopped_on", Date),
    Column("ended_on", Date),
    CheckConstraint("working_days >= 0", name="days_counted"),
    Index(
        "uq_application_clock_running", "application_id", "clock",
        unique=True, postgresql_where=text("ended_on IS NULL"),
    ),
    Index(
        "ix_application_clock_due_on", "due_on",
        postgresql_where=text("ended_on IS NULL AND stopped_on IS NULL"),
    ),
)  # fmt: skip
"""期限: a period of a case. `stopped_on`: since when it stands still; `working_days`: those of the
procedure and those it stood still."""

APPLICATION_CLAIM: Final = Table(
    "application_claim",
    Base.metadata,
    _of_case(primary_key=True),
    _staff(index=True),
    Column("duty_id", BigInteger, ForeignKey("duty.id"), nullable=False),
    _now("at"),
)
"""Who has taken a case from the desk's list; nobody else decides it meanwhile."""

APPLICATION_RECUSAL: Final = Table(
    "application_recusal",
    Base.metadata,
    _of_case(primary_key=True),
    _staff(primary_key=True),
    _now("at"),
)
"""回避: somebody of the staff is part of the case by own word; decides nothing in it."""

STAFF_PERSON: Final = Table(
    "staff_person",
    Base.metadata,
    _staff(primary_key=True),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    _text("recorded_by"),
    _now("at"),
)
"""Who a member of staff is in the register: for whom they may not decide."""

APPLICATION_RESTED: Final = Table(
    "application_rested",
    Base.metadata,
    _of_case(primary_key=True),
    _now("at"),
)
"""A case whose years of keeping are over: with this row goes what was said and handed in."""
