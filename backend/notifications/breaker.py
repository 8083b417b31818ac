"""断路 (the breaker): while WeChat does not answer, it is left alone, and asked again by one call.

Each message sent into an outage may have arrived or not; so after some in a row without an answer
the rest wait. Per process; safe for one delivery at a time and harmless beside another.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

from backend.notifications.attempts import NOT_ASKED, Result

IN_A_ROW: Final = 5
FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 60.0
_DOWN: Final = frozenset({"wechat-unknown", "wechat-unavailable"})


class Breaker:
    """Counts calls to WeChat that nobody answered."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._in_a_row = 0
        self._closed_until = 0.0

    def room(self, free: int) -> int:
        """How many calls WeChat may get now: all, none, or one to try whether it is back, and then
        none for a while.
        """
        if self._in_a_row < IN_A_ROW:
            return free
        if self._clock() < self._closed_until:
            return 0
        self._closed_until = self._clock() + FIRST_PAUSE_S
        return min(free, 1)

    def note(self, result: Result) -> None:
        """Take in how a call ended."""
        if result.tried.channel != "subscribe" or result.code == NOT_ASKED:
            return
        if result.code not in _DOWN:
            self._in_a_row = 0
            return
        self._in_a_row += 1
        beyond = self._in_a_row - IN_A_ROW
        if beyond >= 0:
            pause = min(FIRST_PAUSE_S * 2 ** min(beyond, 10), LONGEST_PAUSE_S)
            self._closed_until = self._clock() + pause
