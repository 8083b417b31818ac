"""表 (tables): residents, and what they agreed to or may do for whom.

Area binding: row-level security asks functions of the database (migration 0012) what the session
of the transaction may see; nothing here is asked in Python. Sealed columns: those of a person under
the person's key, the others under the shared one (`keyed.py`). What was ended, and records of what
was checked or agreed, the database keeps from change. Those of staff: `staff_tables.py`.
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
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from backend.accounts.columns import (
    channel,
    days,
    identity,
    moment,
    now,
    refers,
    row_id,
    sealed,
)
from backend.kernel.database import Base

RESIDENT: Final = Table(
    "resident",
    Base.metadata,
    row_id(),
    refers("person_id", "person", optional=True, index=False),
    Column("level", SmallInteger, nullable=False, server_default=text("0")),
    Column("ui_mode", Text, nullable=False, server_default="normal"),
    sealed("phone"),
    sealed("phone_index"),
    moment("phone_at"),
    now("created_at"),
    moment("closed_at"),
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
    Column(
        "resident_id", BigInteger, ForeignKey("resident.id"), primary_key=True, autoincrement=False
    ),
    Column("openid_index", LargeBinary, nullable=False, index=True),
    Column("openid", LargeBinary, nullable=False),
    now("created_at"),
    moment("revoked_at"),
    Index(
        "uq_wechat_user_openid_index_open", "openid_index",
        unique=True, postgresql_where=text("revoked_at IS NULL"),
    ),
)  # fmt: skip
"""The openid sealed at (`wechat_user`, `openid`, `resident_id`), and its blind index. Found before
there is a session by the function `resident_of_openid(bytea[])`. When the account is closed the
openid is emptied at once; the row goes some hours later (`closing.py`)."""

ACCOUNT_CODE: Final = Table(
    "account_code",
    Base.metadata,
    Column(
        "resident_id", BigInteger, ForeignKey("resident.id"), primary_key=True, autoincrement=False
    ),
    Column("code_sha256", LargeBinary, nullable=False, index=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)
"""身份码: tells whoever is told it which account it is; for ten minutes, and used once."""

IDENTITY_CHECK: Final = Table(
    "identity_check",
    Base.metadata,
    identity(),
    refers("resident_id", "resident", index=False),
    refers("person_id", "person", optional=True),
    Column("method", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    now("at"),
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
    row_id(),
    refers("resident_id", "resident"),
    refers("person_id", "person"),
    Column("relationship", Text, nullable=False),
    Column("basis", Text, nullable=False),
    sealed("proof_note"),
    Column("recorded_by", Text, nullable=False),
    now("recorded_at"),
    *days(),
    moment("revoked_at"),
    Column("revoked_by", Text),
    CheckConstraint("to_on >= from_on", name="days_in_order"),
)
"""A resident may act for a person of the household; `proof_note` under the person's key."""

CONSENT: Final = Table(
    "consent",
    Base.metadata,
    row_id(),
    refers("resident_id", "resident", optional=True),
    refers("person_id", "person", index=False),
    Column("purpose", Text, nullable=False),
    Column("text_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("text_sha256", LargeBinary, nullable=False),
    now("given_at"),
    *channel(),
    sealed("proof"),
    Column("by", Text, nullable=False),
    Index(None, "person_id", "purpose"),
)
"""One purpose agreed to; never changed. `resident_id` None: recorded for one without an account.
`proof` under the person's key."""

CONSENT_FLOOR: Final = Table(
    "consent_floor",
    Base.metadata,
    Column("purpose", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    now("raised_at"),
)
"""From which version on consents hold, as `consents.yaml` says: for what the database decides."""

CONSENT_WITHDRAWAL: Final = Table(
    "consent_withdrawal",
    Base.metadata,
    Column(
        "consent_id", BigInteger, ForeignKey("consent.id"), primary_key=True, autoincrement=False
    ),
    now("at"),
    *channel(),
    Column("by", Text, nullable=False),
)
"""The end of a consent; never changed."""

DELEGATION: Final = Table(
    "delegation",
    Base.metadata,
    row_id(),
    refers("person_id", "person"),
    refers("staff_id", "staff", optional=True),
    refers("resident_id", "resident", optional=True),
    Column("scope", ARRAY(Text), nullable=False),
    Column("from_on", Date, nullable=False),
    Column("to_on", Date, nullable=False),
    refers("consent_id", "consent", index=False),
    *channel(),
    sealed("proof"),
    Column("recorded_by", Text, nullable=False),
    now("recorded_at"),
    moment("ended_at"),
    Column("ended_by", Text),
    CheckConstraint("to_on >= from_on", name="days_in_order"),
    CheckConstraint("cardinality(scope) > 0", name="for_something"),
    CheckConstraint("num_nonnulls(staff_id, resident_id) = 1", name="to_somebody"),
)
"""委托代办: somebody acts for a person, with the person's consent; it ends with the consent.
`proof` under the person's key."""
