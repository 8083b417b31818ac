"""表 (tables): messages, the attempts to bring them, and what WeChat's users allow.

Nothing personal stands in a message: whom it is for, which event, and what caused it. What it says
is made of these when it is sent or read. All moments aware.
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
from sqlalchemy.dialects.postgresql import JSONB

from backend.kernel.database import Base

CHANNELS: Final = ("subscribe", "sms", "task")
_CHANNEL: Final = f"channel IN {CHANNELS}"


def _identity() -> Column[Any]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def _moment(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


MESSAGE: Final = Table(
    "message",
    Base.metadata,
    _identity(),
    Column("person_id", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("data", JSONB, nullable=False, server_default=text("'{}'")),
    Column("urgent", Boolean, nullable=False),
    _moment("created_at"),
    _moment("due_at"),
    _moment("next_at"),
    Column("channel", Text, nullable=False),
    Column("tries", SmallInteger, nullable=False, server_default=text("0")),
    Column("unsure", Boolean, nullable=False, server_default=text("false")),
    Column("state", Text, nullable=False, server_default="waiting"),
    _moment("final_at", nullable=True),
    _moment("heard_at", nullable=True),
    UniqueConstraint("person_id", "event", "cause"),
    CheckConstraint(
        "state IN ('waiting', 'sending', 'delivered', 'handed_on', 'failed')", name="state_known"
    ),
    CheckConstraint(_CHANNEL, name="channel_known"),
    CheckConstraint(
        "(final_at IS NULL) = (state IN ('waiting', 'sending'))", name="final_at_its_end"
    ),
    Index(
        "ix_message_next_at_waiting", text("urgent DESC"), "next_at", "id",
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(
        "ix_message_due_at_unsent", "due_at",
        postgresql_where=text("state IN ('waiting', 'sending')"),
    ),
    Index("ix_message_final_at_failed", "final_at", postgresql_where=text("state = 'failed'")),
    Index(None, "person_id", "id"),
)  # fmt: skip
"""消息: what a person is owed to hear, once an event and cause. `day`: of the cause; `due_at`: when
it may first be sent, `next_at`: when it is tried next, by `channel`, for the `tries`-th time.
`unsure`: nobody knows whether the attempt before arrived; WeChat may still report it.
`delivered`: WeChat or the text message service took it; `handed_on`: somebody is to tell the
person; `failed`: no way is left. Its id is the number that every channel shows. `heard_at`:
read in the inbox by the person, or a guardian: nobody need tell it then.
"""

MESSAGE_READ: Final = Table(
    "message_read",
    Base.metadata,
    Column("message_id", BigInteger, ForeignKey("message.id"), primary_key=True),
    Column("resident_id", BigInteger, ForeignKey("resident.id"), primary_key=True),
    _moment("at"),
)
"""已读: which account has read a message, and when first. Several may see it: the person, family,
whom the person asked to receive messages. Each reads for itself alone."""

MESSAGE_ATTEMPT: Final = Table(
    "message_attempt",
    Base.metadata,
    _identity(),
    Column("message_id", BigInteger, ForeignKey("message.id"), nullable=False, index=True),
    Column("channel", Text, nullable=False),
    Column("resident_id", BigInteger),
    Column("template_id", Text, nullable=False, server_default=""),
    Column("state", Text, nullable=False, server_default="claimed"),
    Column("code", Text, nullable=False, server_default=""),
    _moment("claimed_at"),
    _moment("ended_at", nullable=True),
    Column("receipt", Text),
    CheckConstraint(
        "state IN ('claimed', 'sent', 'refused', 'unknown', 'failed', 'skipped')",
        name="state_known",
    ),
    CheckConstraint(_CHANNEL, name="channel_known"),
    Index(
        "uq_message_attempt_resident_id_claimed", "resident_id", unique=True,
        postgresql_where=text("state = 'claimed' AND channel = 'subscribe'"),
    ),
    Index(None, "resident_id", "id"),
    Index(
        "ix_message_attempt_claimed_at_open", "claimed_at",
        postgresql_where=text("state = 'claimed'"),
    ),
)  # fmt: skip
"""One attempt: `claimed` is committed before anything is sent. `sent`, `refused` (for good),
`failed` (nothing was done), `unknown` (perhaps done), `skipped` (this way does not lead to the
person). The database lets nobody send to an account by WeChat while another does."""

SUBSCRIPTION: Final = Table(
    "subscription",
    Base.metadata,
    Column(
        "resident_id", BigInteger, ForeignKey("resident.id"), primary_key=True, autoincrement=False
    ),
    Column("template_id", Text, primary_key=True),
    Column("accepts", Integer, nullable=False, server_default=text("0")),
    Column("sends", Integer, nullable=False, server_default=text("0")),
    _moment("refused_at", nullable=True),
    CheckConstraint("sends >= 0", name="sends_counted"),
    CheckConstraint("accepts >= 0", name="accepts_counted"),
)
"""订阅: how many messages of a template an account allowed, and how many went out. `refused_at`:
refused in the settings since; a later accept ends that."""

SUBSCRIPTION_ACCEPT: Final = Table(
    "subscription_accept",
    Base.metadata,
    _identity(),
    Column("resident_id", BigInteger, ForeignKey("resident.id"), nullable=False),
    Column("template_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("call", Text),
    _moment("at"),
    _moment("paired_at", nullable=True),
    CheckConstraint("source IN ('push', 'client')", name="source_known"),
    UniqueConstraint("resident_id", "template_id", "call"),
)
"""One accept, told by WeChat's push or by the mini-program (`call`: its own number of the asking).
`paired_at`: the other told it too: it is the same one."""

WECHAT_TEMPLATE: Final = Table(
    "wechat_template",
    Base.metadata,
    Column("title", Text, primary_key=True),
    Column("template_id", Text, nullable=False),
    Column("slots", JSONB, nullable=False),
    Column("choices", JSONB, nullable=False),
    Column("long_term", Boolean, nullable=False),
    _moment("seen_at"),
)
"""消息模板, as WeChat listed them last. `slots`: its names of the fields → keys (`thing1`);
`choices`: key → the values of an enum."""

SMS_OUTBOX: Final = Table(
    "sms_outbox",
    Base.metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("reference", Text, nullable=False, unique=True),
    Column("phone", LargeBinary, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
"""Text messages that the recording provider was given instead of a network. `phone` sealed with the
shared key; the text names nobody."""
