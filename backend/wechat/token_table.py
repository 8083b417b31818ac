"""凭证的存放 (token table): the access token in the database, sealed, for all processes.

The moments are those of the database's clock: machines need not agree about the time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend.kernel.crypto import Keyring, Place, SealedBroken
from backend.kernel.database import transaction
from backend.wechat.errors import WeChatUnavailable
from backend.wechat.token import LEASE_SECONDS, Kept, Lease, Token

log = logging.getLogger(__name__)

_MAKE: Final = text("INSERT INTO wechat_token (appid) VALUES (:appid) ON CONFLICT DO NOTHING")
_READ: Final = text(
    "SELECT id, token, version,"
    " coalesce(extract(epoch FROM nullif(expires_at, '-infinity') - clock_timestamp()), 0)::float8"
    " AS seconds FROM wechat_token WHERE appid = :appid"
)
_LEASE: Final = text(
    "UPDATE wechat_token"
    " SET refreshing_until = clock_timestamp() + make_interval(secs => :seconds)"
    " WHERE appid = :appid AND version = :version"
    " AND (refreshing_until IS NULL OR refreshing_until < clock_timestamp())"
    " RETURNING refreshing_until::text"
)
_STORE: Final = text(
    "UPDATE wechat_token SET token = :token, version = version + 1,"
    " expires_at = clock_timestamp() + make_interval(secs => :seconds),"
    " refreshing_until = nullif(refreshing_until, CAST(:until AS timestamptz))"
    " WHERE appid = :appid"
)
_GIVE_BACK: Final = text(
    "UPDATE wechat_token SET refreshing_until = NULL"
    " WHERE appid = :appid AND refreshing_until = CAST(:until AS timestamptz)"
)


class TokenTable:
    """The token of one mini-program. Each method is a short transaction of its own, and raises
    `WeChatUnavailable` while the database is away.
    """

    def __init__(self, appid: str, keyring: Keyring) -> None:
        self._appid, self._keyring = appid, keyring

    def read(self) -> Kept:
        """What is there; a token whose key is gone counts as none."""
        with _opened() as session:
            row = session.execute(_READ, {"appid": self._appid}).one_or_none()
            if row is None:
                session.execute(_MAKE, {"appid": self._appid})
                return Kept(0, None)
        try:
            value = self._keyring.shared().open(_place(row.id), row.token)
        except SealedBroken:
            value = ""
        return Kept(row.version, Token(value, time.monotonic() + row.seconds) if value else None)

    def take_lease(self, version: int) -> Lease | None:
        """The right to fetch, unless another has it or has stored a token since that version."""
        asked = {"appid": self._appid, "version": version, "seconds": LEASE_SECONDS}
        with _opened() as session:
            until = session.execute(_LEASE, asked).scalar_one_or_none()
        return None if until is None else Lease(version, until)

    def store(self, lease: Lease, token: Token) -> None:
        """Keep the token for all, and end the lease."""
        with _opened() as session:
            row = session.execute(_READ, {"appid": self._appid}).one()
            sealed = self._keyring.shared().seal(_place(row.id), token.value)
            seconds = max(token.ends - time.monotonic(), 0)
            stored = {"token": sealed, "seconds": seconds, "until": lease.until}
            session.execute(_STORE, {"appid": self._appid, **stored})

    def give_back(self, lease: Lease) -> None:
        """End the lease: nothing was fetched."""
        with _opened() as session:
            session.execute(_GIVE_BACK, {"appid": self._appid, "until": lease.until})


@contextmanager
def _opened() -> Iterator[Session]:
    """A transaction. While the database is away nothing is asked of WeChat."""
    try:
        with transaction() as session:
            yield session
    except SQLAlchemyError as error:
        log.warning("no access token without the database", extra={"reason": type(error).__name__})
        raise WeChatUnavailable from error


def _place(row: int) -> Place:
    return Place("wechat_token", "token", row)
