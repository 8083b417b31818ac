"""表 (tables): the access token that all processes share, and the pushes received, each once."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    func,
    text,
)

from backend.kernel.database import Base

WECHAT_TOKEN: Final = Table(
    "wechat_token",
    Base.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("appid", Text, nullable=False, unique=True),
    Column("token", LargeBinary, nullable=False, server_default=text("''::bytea")),
    Column("version", Integer, nullable=False, server_default=text("0")),
    Column(
        "expires_at", DateTime(timezone=True), nullable=False,
        server_default=text("'-infinity'::timestamptz"),
    ),
    Column("refreshing_until", DateTime(timezone=True)),
)  # fmt: skip
"""接口调用凭证: one row a mini-program. The token is sealed with the shared key. `version` counts
the tokens; `refreshing_until`: somebody fetches the next one, and is given up then."""

WECHAT_PUSH: Final = Table(
    "wechat_push",
    Base.metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("dedupe_key", LargeBinary, nullable=False, unique=True),
    Column("stamp", LargeBinary, nullable=False, unique=True),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("kind", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("state", Text, nullable=False, server_default="new"),
    CheckConstraint("state IN ('new', 'done', 'failed')", name="state_known"),
    Index(
        "ix_wechat_push_received_at_open", "received_at",
        postgresql_where=text("state <> 'done'"),
    ),
)  # fmt: skip
"""消息推送: what WeChat told us, sealed with the shared key; emptied when it is done. `dedupe_key`:
what tells one message from another; `stamp`: digest of the timestamp and nonce of its envelope.
`failed`: given up, until somebody retries it."""
