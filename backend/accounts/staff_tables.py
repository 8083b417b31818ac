"""人员表 (staff tables): staff, their duties, the sessions of all accounts, windows of rates."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint

from backend.accounts.columns import days, identity, moment, now, refers, row_id
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

STAFF: Final = Table(
    "staff",
    Base.metadata,
    row_id(),
    Column("staff_no", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_salt", Text, nullable=False),
    Column("password_sha256", LargeBinary, nullable=False),
    Column("totp_secret", LargeBinary, nullable=False),
    Column("totp_last_step", BigInteger, nullable=False, server_default=text("0")),
    Column("state", Text, nullable=False, server_default="active"),
    Column("failed", Integer, nullable=False, server_default=text("0")),
    moment("locked_until"),
    Column("refused", Integer, nullable=False, server_default=text("0")),
    Column("must_change", Boolean, nullable=False, server_default=text("true")),
    now("created_at"),
    CheckConstraint("state IN ('active', 'disabled', 'left')", name="state_known"),
)
"""`password_salt`: how argon2id is to be done; `password_sha256`: the digest of what comes of it,
which alone opens a session. `totp_secret` sealed under the shared key. `totp_last_step`: the last
time step whose code was used, so that none is used twice. `must_change`: the first password.
`failed`, `locked_until`: of attempts from networks that are not known; `refused`: how many attempts
since the last one that was right."""

STAFF_NETWORK: Final = Table(
    "staff_network",
    Base.metadata,
    Column("staff_id", BigInteger, ForeignKey("staff.id"), primary_key=True, autoincrement=False),
    Column("network", Text, primary_key=True),
    Column("failed", Integer, nullable=False, server_default=text("0")),
    moment("locked_until"),
    now("seen_at"),
)
"""A network (a masked address) from which somebody signed in. Wrong attempts from it are counted
apart, so that whoever knows a number cannot lock its holder out from elsewhere."""

DUTY: Final = Table(
    "duty",
    Base.metadata,
    identity(),
    refers("staff_id", "staff"),
    Column("role", Text, nullable=False),
    Column("area_from", BigInteger, nullable=False),
    Column("area_to", BigInteger, nullable=False),
    *days(),
    Column("deputy_for", BigInteger, index=True),
    Column("reason", Text, nullable=False, server_default=""),
    Column("granted_by", Text, nullable=False),
    now("granted_at"),
    moment("revoked_at"),
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

HANDOVER: Final = Table(
    "handover",
    Base.metadata,
    identity(),
    refers("from_staff_id", "staff", index=False),
    refers("to_staff_id", "staff", index=False),
    now("at"),
    Column("by", Text, nullable=False),
    Column("counts", JSONB, nullable=False),
    CheckConstraint("from_staff_id <> to_staff_id", name="to_another"),
)
"""移交: all people and tasks of a leaver at once. `counts`: what was handed over, by kind."""

ACCOUNT_SESSION: Final = Table(
    "account_session",
    Base.metadata,
    identity(),
    Column("token_sha256", LargeBinary, nullable=False, unique=True),
    refers("resident_id", "resident", optional=True, index=False),
    refers("staff_id", "staff", optional=True, index=False),
    refers("duty_id", "duty", optional=True, index=False),
    now("created_at"),
    now("last_seen_at"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    moment("ended_at"),
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
