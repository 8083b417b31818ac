"""表 (tables): conversations with customer service, and what was said in them.

What people write, and what the chat remembers of it, is sealed with the shared key (`keyed.py`): a
conversation begins before it is known whose it is. Staff see the conversations that were handed
over to a list of theirs, residents their own (row-level security, migration 0015).
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)

from backend.kernel.database import Base

_NEVER: Final = text("'epoch'::timestamptz")

CONVERSATION: Final = Table(
    "conversation",
    Base.metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("openid", LargeBinary, nullable=False),
    Column("openid_index", LargeBinary, unique=True),
    Column("resident_id", BigInteger, ForeignKey("resident.id"), index=True),
    Column("memory", LargeBinary, nullable=False, server_default=text("''::bytea")),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("said_at", DateTime(timezone=True), nullable=False, server_default=_NEVER),
    Column("opened_at", DateTime(timezone=True), nullable=False, server_default=_NEVER),
    Column("open_until", DateTime(timezone=True), nullable=False, server_default=_NEVER),
    Column("messages_left", SmallInteger, nullable=False, server_default=text("0")),
    Column("ended_at", DateTime(timezone=True)),
    CheckConstraint("messages_left >= 0", name="never_below_zero"),
    CheckConstraint("(ended_at IS NULL) = (openid_index IS NOT NULL)", name="ended_knows_nobody"),
)
"""客服会话: one a WeChat user. `memory`: what the next answer needs to know. `said_at`: when the
person last wrote. `opened_at`, `open_until`, `messages_left`: WeChat's window for our messages.
`ended_at`: the account was closed (the database sees to it): the openid and the memory are gone,
nothing more is sent, and the next word begins another conversation."""

UTTERANCE: Final = Table(
    "utterance",
    Base.metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("conversation_id", BigInteger, ForeignKey("conversation.id"), nullable=False),
    Column("cause", LargeBinary, unique=True),
    Column("said_by", Text, nullable=False),
    Column("staff_no", Text),
    Column("kind", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("intent", Text, nullable=False, server_default=""),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("state", Text, nullable=False),
    Column("errcode", BigInteger),
    CheckConstraint("said_by IN ('resident', 'assistant', 'staff')", name="said_by_known"),
    CheckConstraint("(said_by = 'staff') = (staff_no IS NOT NULL)", name="staff_named"),
    CheckConstraint("kind IN ('text', 'card', 'other')", name="kind_known"),
    CheckConstraint(
        "CASE said_by WHEN 'resident' THEN state IN ('heard', 'answered')"
        " ELSE state IN ('due', 'sending', 'sent', 'waiting', 'unknown', 'refused') END",
        name="state_known",
    ),
    Index("ix_utterance_conversation_id_id", "conversation_id", "id"),
    Index(
        "ix_utterance_conversation_id_unsent", "conversation_id",
        postgresql_where=text("state IN ('due', 'sending', 'waiting')"),
    ),
)  # fmt: skip
"""一句话. `cause`: the push that brought it. `waiting`: WeChat takes nothing now; it is sent when
the person writes again, and can be read in the mini-program meanwhile. `unknown`: perhaps sent."""
