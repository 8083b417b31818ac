"""次数的存放 (limits store): how often something was done, counted in the database for everyone.

A window slides: what the window before counted weighs as much of it as still lies within the last
period. One function of the database counts and decides, so that processes cannot pass the limit
together.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from limits.storage import SlidingWindowCounterSupport, Storage
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend.kernel.database import ping, transaction

_WINDOW: Final = """
    WITH moment AS (
        SELECT extract(epoch FROM now())::float8 AS at,
            floor(extract(epoch FROM now()) / :expiry)::float8 * :expiry AS start
    ), before AS (
        SELECT coalesce(max(hits), 0) AS hits FROM rate_window, moment
        WHERE key = :key AND window_start = to_timestamp(start - :expiry)
    )
"""
_ACQUIRE: Final = text("SELECT count_hit(:key, :amount, :limit, :expiry)")
_LOOK: Final = text(
    _WINDOW
    + """
    SELECT before.hits AS before, start + :expiry - at AS remaining, (
            SELECT coalesce(max(hits), 0) FROM rate_window
            WHERE key = :key AND window_start = to_timestamp(start)) AS current
    FROM moment, before
    """
)


class DatabaseStorage(Storage, SlidingWindowCounterSupport):
    """For `limits`' sliding windows, the only strategy used here."""

    STORAGE_SCHEME = None

    @property
    def base_exceptions(self) -> type[Exception]:
        """What goes wrong in it."""
        return SQLAlchemyError

    def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        """Count, unless that would pass the limit; opens a transaction."""
        with transaction() as session:
            # Lost in a crash, as the table is: nobody waits for the disk.
            session.execute(text("SET LOCAL synchronous_commit = off"))
            return self.acquire_within(session, (key, limit, expiry), amount)

    def acquire_within(
        self, session: Session, window: tuple[str, int, int], amount: int = 1
    ) -> bool:
        """The same in a transaction that is open already: undone with it. `window`: key, limit and
        expiry.
        """
        key, limit, expiry = window
        values = {"key": _digest(key), "limit": limit, "expiry": expiry, "amount": amount}
        return bool(session.execute(_ACQUIRE, values).scalar_one())

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """The window before and this one: counts, and the seconds until they count no more."""
        with transaction() as session:
            row = session.execute(_LOOK, {"key": _digest(key), "expiry": expiry}).one()
        return row.before, row.remaining, row.current, row.remaining + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget the counts."""
        self.clear(key)

    def clear(self, key: str) -> None:
        """Forget the counts."""
        with transaction() as session:
            session.execute(text("DELETE FROM rate_window WHERE key = :key"), {"key": _digest(key)})

    def check(self) -> bool:
        """Whether the database answers."""
        return ping()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Not for fixed windows."""
        raise _not_fixed()

    def get(self, key: str) -> int:
        """Not for fixed windows."""
        raise _not_fixed()

    def get_expiry(self, key: str) -> float:
        """Not for fixed windows."""
        raise _not_fixed()

    def reset(self) -> int | None:
        """Forget every count."""
        with transaction() as session:
            deleted: Any = session.execute(text("DELETE FROM rate_window"))
            return int(deleted.rowcount)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _not_fixed() -> NotImplementedError:
    return NotImplementedError("only sliding windows are counted in the database")
