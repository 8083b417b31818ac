"""表 (tables): residents and staff, what they may do for whom, their sessions.

Area binding: row-level security asks functions of the database (migration 0012) what the session
of the transaction may see; nothing here is asked in Python. Sealed columns: those of a person under
the person's key, the others under the shared one (`keyed.py`). What was ended, and records of what
was checked, agreed or handed over, the database keeps from change.
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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, ExcludeConstraint

from backend.kernel.database import Base

VISITORS: Final = ("family_doctor", "village_coordinator", "cadre")
"""Bound by where people live, and by whom they are assigned to (1+1+1); a cadre by this alone."""
DECIDERS: Final = ("township_reviewer", "county_officer", "city_officer")
"""Bound by the registered area."""
ROLES: Final = (*VISITORS, *DECIDERS, "auditor", "system_admin")
"""Auditors and administrators see no person. Deciding, auditing, administering exclude each
other."""
APART: Final = (
    "CASE WHEN role IN ('township_reviewer', 'county_officer', 'city_officer') THEN 1"
    " WHEN role = 'auditor' THEN 2 ELSE 3 END"
)


def _row_id() -> Column[Any]:
    """Taken from `row_id` before the row is written: ciphertext is bound to it."""
    return Column("id", BigInteger, primary_key=True, autoincrement=False)


def _identity() -> Column[Any]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def _now(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def _moment(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True))


def _sealed(name: str) -> Column[Any]:
    return Column(name, LargeBinary, nullable=False, server_default=text("''::bytea"))


def _refers(name: str, to: str, *, optional: bool = False, index: bool = True) -> Column[Any]:
    return Column(name, BigInteger, ForeignKey(f"{to}.id"), nullable=optional, index=index)


def _days() -> tuple[Column[Any], Column[Any]]:
    """Both days included."""
    open_end = text("'infinity'::date")
    return (
        Column("from_on", Date, nullable=False),
        Column("to_on", Date, nullable=False, server_default=open_end),
    )


def _channel() -> tuple[Column[Any], CheckConstraint]:
    known = "channel IN ('mini_program', 'bedside', 'counter')"
    return Column("channel", Text, nullable=False), CheckConstraint(known, name="channel_known")


RESIDENT: Final = Table(
    "resident",
    Base.metadata,
    _row_id(),
    _refers("person_id", "person", optional=True, index=False),
    Column("level", SmallInteger, nullable=False, server_default=text("0")),
    Column("ui_mode", Text, nullable=False, server_default="normal"),
    _sealed("phone"),
    _sealed("phone_index"),
    _moment("phone_at"),
    _now("created_at"),
    _moment("closed_at"),
    CheckConstraint("level BETWEEN 0 AND 2", name="level_known"),
    CheckConstraint("(person_id IS NOT NULL) = (level = 2)", name="named_at_level_two"),
    CheckConstraint("ui_mode IN ('normal', 'elder')", name="ui_mode_known"),
    Index(
        "uq_resident_person_id_open", "person_id",
        unique=True, postgresql_where=text("closed_at IS NULL"),
    ),
    Index("ix_resident_phone_index", "phone_index", postgresql_where=text("phone_index <> ''")),
)  # fmt: skip
"""A user of the mini-program. `level`: 0 WeChat only, 1 with a phone, 2 known to be `person_id`."""

WECHAT_USER: Final = Table(
    "wechat_user",
    Base.metadata,
    Column("openid_index", LargeBinary, primary_key=True),
    _refers("resident_id", "resident"),
    Column("openid", LargeBinary, nullable=False),
    _now("created_at"),
    _moment("revoked_at"),
)
"""By the blind index of the openid; the openid itself sealed at (`wechat_user`, `openid`,
`resident_id`). Found before there is a session by the function `resident_of_openid(bytea[])`."""

IDENTITY_CHECK: Final = Table(
    "identity_check",
    Base.metadata,
    _identity(),
    _refers("resident_id", "resident", index=False),
    _refers("person_id", "person", optional=True),
    Column("method", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    _now("at"),
    Column("by", Text, nullable=False),
    CheckConstraint("method IN ('register', 'counter')", name="method_known"),
    CheckConstraint(
        "(outcome = 'matched') = (person_id IS NOT NULL) AND outcome IN ('matched', 'not_matched')",
        name="outcome_known",
    ),
    Index(None, "resident_id", "at"),
)
"""A look-up of a resident by name and number, found or not; never changed."""

FAMILY_AUTHORITY: Final = Table(
    "family_authority",
    Base.metadata,
    _row_id(),
    _refers("resident_id", "resident"),
    _refers("person_id", "person"),
    Column("relationship", Text, nullable=False),
    Column("basis", Text, nullable=False),
    _sealed("proof_note"),
    Column("recorded_by", Text, nullable=False),
    _now("recorded_at"),
    *_days(),
    _moment("revoked_at"),
    Column("revoked_by", Text),
    CheckConstraint("to_on >= from_on", name="days_in_order"),
)
"""A resident may act for a person of the household; `proof_note` under the person's key."""

CONSENT: Final = Table(
    "consent",
    Base.metadata,
    _row_id(),
    _refers("resident_id", "resident", optional=True),
    _refers("person_id", "person", index=False),
    Column("purpose", Text, nullable=False),
    Column("text_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("text_sha256", LargeBinary, nullable=False),
    _now("given_at"),
    *_channel(),
    _sealed("proof"),
    Column("by", Text, nullable=False),
    Index(None, "person_id", "purpose"),
)
"""One purpose agreed to; never changed. `resident_id` None: recorded for one without an account.
`proof` under the person's key."""

CONSENT_WITHDRAWAL: Final = Table(
    "consent_withdrawal",
    Base.metadata,
    Column(
        "consent_id", BigInteger, ForeignKey("consent.id"), primary_key=True, autoincrement=False
    ),
    _now("at"),
    *_channel(),
    Column("by", Text, nullable=False),
)
"""The end of a consent; never changed."""

STAFF: Final = Table(
    "staff",
    Base.metadata,
    _row_id(),
    Column("staff_no", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("totp_secret", LargeBinary, nullable=False),
    Column("totp_last_step", BigInteger, nullable=False, server_default=text("0")),
    Column("state", Text, nullable=False, server_default="active"),
    Column("failed", Integer, nullable=False, server_default=text("0")),
    _moment("locked_until"),
    Column("must_change", Boolean, nullable=False, server_default=text("true")),
    _now("created_at"),
    CheckConstraint("state IN ('active', 'disabled', 'left')", name="state_known"),
)
"""`password_hash`: argon2id. `totp_secret` sealed under the shared key. `totp_last_step`: the last
time step whose code was used, so that none is used twice. `must_change`: the first password."""

DUTY: Final = Table(
    "duty",
    Base.metadata,
    _identity(),
    _refers("staff_id", "staff"),
    Column("role", Text, nullable=False),
    Column("area_from", BigInteger, nullable=False),
    Column("area_to", BigInteger, nullable=False),
    *_days(),
    Column("deputy_for", BigInteger, index=True),
    Column("reason", Text, nullable=False, server_default=""),
    Column("granted_by", Text, nullable=False),
    _now("granted_at"),
    _moment("revoked_at"),
    Column("revoked_by", Text),
    CheckConstraint(f"role IN {ROLES}", name="role_known"),
    CheckConstraint("to_on >= from_on", name="days_in_order"),
    CheckConstraint("area_to >= area_from", name="area_in_order"),
    CheckConstraint("deputy_for IS NULL OR to_on < 'infinity'::date", name="deputy_for_a_time"),
    UniqueConstraint("id", "role", "area_from", "area_to"),
    ForeignKeyConstraint(
        ["deputy_for", "role", "area_from", "area_to"],
        ["duty.id", "duty.role", "duty.area_from", "duty.area_to"],
        name="fk_duty_deputy_for_duty",
    ),
    ExcludeConstraint(
        ("staff_id", "="),
        (text(f"({APART})"), "<>"),
        (text("daterange(from_on, to_on, '[]')"), "&&"),
        where=text(f"revoked_at IS NULL AND role NOT IN {VISITORS}"),
        name="ex_duty_apart",
        using="gist",
    ),
)
"""任职: a role in the 12-digit places `area_from` to `area_to`, from day to day. A deputy holds the
absent one's duty (`deputy_for`) for some days, under the own name."""

DELEGATION: Final = Table(
    "delegation",
    Base.metadata,
    _row_id(),
    _refers("person_id", "person"),
    _refers("staff_id", "staff", optional=True),
    _refers("resident_id", "resident", optional=True),
    Column("scope", ARRAY(Text), nullable=False),
    Column("from_on", Date, nullable=False),
    Column("to_on", Date, nullable=False),
    _refers("consent_id", "consent", index=False),
    *_channel(),
    _sealed("proof"),
    Column("recorded_by", Text, nullable=False),
    _now("recorded_at"),
    _moment("ended_at"),
    Column("ended_by", Text),
    CheckConstraint("to_on >= from_on", name="days_in_order"),
    CheckConstraint("cardinality(scope) > 0", name="for_something"),
    CheckConstraint("num_nonnulls(staff_id, resident_id) = 1", name="to_somebody"),
)
"""委托代办: somebody acts for a person, with the person's consent; it ends with the consent.
`proof` under the person's key."""

HANDOVER: Final = Table(
    "handover",
    Base.metadata,
    _identity(),
    _refers("from_staff_id", "staff", index=False),
    _refers("to_staff_id", "staff", index=False),
    _now("at"),
    Column("by", Text, nullable=False),
    Column("counts", JSONB, nullable=False),
    CheckConstraint("from_staff_id <> to_staff_id", name="to_another"),
)
"""移交: all people and tasks of a leaver at once. `counts`: what was handed over, by kind."""

ACCOUNT_SESSION: Final = Table(
    "account_session",
    Base.metadata,
    _identity(),
    Column("token_sha256", LargeBinary, nullable=False, unique=True),
    _refers("resident_id", "resident", optional=True, index=False),
    _refers("staff_id", "staff", optional=True, index=False),
    _refers("duty_id", "duty", optional=True, index=False),
    _now("created_at"),
    _now("last_seen_at"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    _moment("ended_at"),
    Column("ended_why", Text),
    Column("address_masked", Text, nullable=False, server_default=""),
    CheckConstraint(
        "num_nonnulls(resident_id, staff_id) = 1 AND (staff_id IS NULL) = (duty_id IS NULL)",
        name="of_somebody",
    ),
    CheckConstraint("length(token_sha256) = 32", name="digest_whole"),
    *(
        Index(
            f"ix_account_session_{column}_open", column,
            postgresql_where=text("ended_at IS NULL"),
        )
        for column in ("resident_id", "staff_id")
    ),
)  # fmt: skip
"""A session; its token is kept nowhere, and the website may not read the digest."""

RATE_WINDOW: Final = Table(
    "rate_window",
    Base.metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("window_start", DateTime(timezone=True), primary_key=True),
    Column("hits", Integer, nullable=False),
    Index(None, "window_start"),
    prefixes=["UNLOGGED"],
)
"""How often something was done in a window of time; `key`: an HMAC. Not kept through a crash."""
