"""连接检查 (pool checks): a pooled connection is tried before use, where that can tell anything.

SQLAlchemy's `pool_pre_ping` asks the server at every checkout: a round trip in each request. One
that was in use within the last second is looked at instead: what a server says when it ends a
connection, and the end itself, lie readable in the socket.
"""

from __future__ import annotations

import select
import time
from typing import Any, Final

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

RESTED_S: Final = 1.0
"""After so long a network may have dropped it without a word: then the server is asked."""
_SINCE: Final = "shukun_rests_since"


def check_before_use(target: Engine) -> Engine:
    """Let every connection of the engine be checked as it leaves the pool; the engine again."""

    def rests(_connection: Any, record: Any) -> None:
        record.info[_SINCE] = time.monotonic()

    def leaves(connection: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get(_SINCE)
        if since is None or (time.monotonic() - since < RESTED_S and not _speaks(connection)):
            return
        try:
            target.dialect.do_ping(connection)
        except target.dialect.loaded_dbapi.Error as error:
            # All of the pool are as old: each is made anew.
            raise InvalidatePoolError from error

    event.listen(target, "checkin", rests)
    event.listen(target, "checkout", leaves)
    return target


def _speaks(connection: Any) -> bool:
    """Whether something unasked came from the server, or its end."""
    if connection.closed:
        return True
    watch = select.poll()
    watch.register(connection.fileno(), select.POLLIN)
    return bool(watch.poll(0))
