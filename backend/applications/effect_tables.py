"""表 (tables) of what applications bring: effects, runs asked for, money, registrations.

Sealed columns are sealed with the key of the case's person. Bills that a case names stand with the
matching that pays them (`bill_claim`).
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)

from backend.kernel.database import Base


def _serial() -> Column[Any]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def _of_case(*, primary_key: bool = False, index: bool = False) -> Column[Any]:
    return Column(
        "application_id", BigInteger, ForeignKey("application.id"),
        primary_key=primary_key, nullable=False, autoincrement=False, index=index,
    )  # fmt: skip


def _refers(name: str, to: str, *, index: bool = False) -> Column[Any]:
    return Column(name, BigInteger, ForeignKey(f"{to}.id"), nullable=False, index=index)


def _day(name: str, *, optional: bool = False) -> Column[Any]:
    return Column(name, Date, nullable=optional)


def _text(name: str, default: str | None = None) -> Column[Any]:
    return Column(name, Text, nullable=False, server_default=default)


def _sealed(name: str) -> Column[Any]:
    return Column(name, LargeBinary, nullable=False, server_default=text("''::bytea"))


APPLICATION_EFFECT: Final = Table(
    "application_effect",
    Base.metadata,
    _serial(),
    _of_case(),
    _text("brings"),
    _day("brought_on"),
    _day("ended_on", optional=True),
    Index(
        "uq_application_effect_standing", "application_id",
        unique=True, postgresql_where=text("ended_on IS NULL"),
    ),
)  # fmt: skip
"""What a case brought, once; `ended_on`: when it was taken back."""

APPLICATION_MATCH: Final = Table(
    "application_match",
    Base.metadata,
    _serial(),
    _of_case(index=True),
    Column("area", Integer, nullable=False),
    Column("year", SmallInteger, nullable=False),
    _day("asked_on"),
    Column("run_id", BigInteger, ForeignKey("match_run.id")),
    Index(
        "ix_application_match_waiting", "area", "year", postgresql_where=text("run_id IS NULL")
    ),
)  # fmt: skip
"""A year of a county in which the person of a case is to be matched again. `run_id`: the run that
began after the effect and so has seen it; None: none has begun yet."""

APPLICATION_GRANT: Final = Table(
    "application_grant",
    Base.metadata,
    _of_case(primary_key=True),
    Column("amount", BigInteger, nullable=False),
    _text("decided_by"),
    _day("decided_on"),
    _day("paid_on", optional=True),
    _text("paid_ref", ""),
    _text("noted_by", ""),
    CheckConstraint("amount > 0", name="amount_positive"),
    CheckConstraint("(paid_on IS NULL) = (noted_by = '')", name="noted_by_somebody"),
)
"""临时救助: an amount (fen) that an officer decided, paid by the department's own channel.
`paid_ref`: of its voucher."""

REGISTRATION: Final = Table(
    "registration",
    Base.metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    _of_case(index=True),
    _refers("person_id", "person", index=True),
    Column("area", BigInteger, nullable=False),
    _text("kind"),
    _day("from_on"),
    Column("to_on", Date, nullable=False, server_default=text("'infinity'::date")),
    _sealed("hospital"),
    _sealed("place"),
    _day("ended_on", optional=True),
    CheckConstraint("to_on >= from_on", name="days_in_order"),
)
"""转诊、异地就医、慢特病登记. `kind`: of the application; `ended_on`: when it was taken back."""

HANDED_ON: Final = Table(
    "handed_on",
    Base.metadata,
    _of_case(primary_key=True),
    _refers("person_id", "person"),
    Column("area", BigInteger, nullable=False),
    _text("department"),
    _day("handed_on"),
    _day("ended_on", optional=True),
    _text("result", ""),
    _text("reported_by", ""),
    CheckConstraint("(result = '') = (reported_by = '')", name="reported_by_somebody"),
    CheckConstraint("result = '' OR ended_on IS NOT NULL", name="over_with_a_result"),
)
"""转办: a case that another department or a charity goes on with, as the person agreed. `result`:
what was reported of it; "": nothing yet, or it was taken back."""

PROMISE_BARRED: Final = Table(
    "promise_barred",
    Base.metadata,
    _of_case(primary_key=True),
    _refers("person_id", "person", index=True),
    _day("from_on"),
    _day("until_on"),
    CheckConstraint("until_on >= from_on", name="days_in_order"),
)
"""Who made a false promise applies by promise no more until after `until_on`."""

CLAIM_ASSIGNMENT: Final = Table(
    "claim_assignment",
    Base.metadata,
    _of_case(primary_key=True),
    _refers("hospital_id", "hospital"),
    Column("cap", BigInteger, nullable=False),
    _refers("letter_id", "letter"),
    _day("made_on"),
    Column("bill_id", BigInteger, nullable=False, index=True),
    Column("advanced", BigInteger),
    _text("noted_by", ""),
    _day("noted_on", optional=True),
    Column("paid", BigInteger),
    CheckConstraint("cap > 0", name="cap_positive"),
    CheckConstraint("advanced BETWEEN 1 AND cap", name="advanced_within"),
    CheckConstraint("(advanced IS NULL) = (noted_by = '')", name="noted_by_somebody"),
    CheckConstraint("(advanced IS NULL) = (noted_on IS NULL)", name="noted_on_a_day"),
    CheckConstraint("paid BETWEEN 0 AND advanced", name="paid_within"),
)
"""垫付与权益转让: what the case brings for the bill goes to the hospital that advanced it, up to
what it `advanced`, at most the `cap` of the letter (fen). The database lets nothing stand here but
what the letter says, and no advance without its seal. `paid`: to the hospital, once the case is
paid."""
