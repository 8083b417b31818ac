"""按时答复 (in time): work that is answered within a time, whatever the database does.

A database that hangs ends no statement, not even by its own limits. The thread that waits for it is
left behind; there are never more of them than a few.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import BoundedSemaphore, Thread
from typing import Final

LEFT_BEHIND: Final = 16
"""Threads that may wait at once, in this process."""
_free: Final = BoundedSemaphore(LEFT_BEHIND)


class NotInTime(Exception):
    """It was not done in time; it may be done later."""


def within(seconds: float, deed: Callable[[], None]) -> None:
    """Do it in a thread of its own, and return when it is done; raises what it raises.

    Raises `NotInTime` after `seconds`, and at once where too many wait already.
    """
    if not _free.acquire(blocking=False):
        raise NotInTime
    ended: Future[None] = Future()
    Thread(target=_do, args=(deed, ended), daemon=True).start()
    try:
        ended.result(seconds)
    except TimeoutError as error:
        raise NotInTime from error


def _do(deed: Callable[[], None], ended: Future[None]) -> None:
    try:
        deed()
    except Exception as error:  # raised where it is waited for
        ended.set_exception(error)
    else:
        ended.set_result(None)
    finally:
        _free.release()
