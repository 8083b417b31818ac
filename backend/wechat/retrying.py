"""重试 (retrying): what each answer of WeChat means, and what is tried again. It all stands here.

What people would receive twice (`SEND`) is sent again only where WeChat says that nothing was done
or nobody was reached; what only asks (`READ`) also after an answer that was lost.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from backend.kernel.clock import CHINA
from backend.wechat.errors import (
    WeChatBusy,
    WeChatError,
    WeChatRefused,
    WeChatUnavailable,
    WeChatUnknown,
)

Meaning = Literal[
    "refused",  # no, now and later
    "token",  # the access token does not count: another one, once
    "again",  # WeChat is busy
    "wait",  # too many in a second or minute, or two at once to one person
    "closed",  # the day's quota is used up: nothing more until midnight
    "ours",  # our account or its settings: somebody must look
    "unreached",  # no connection
    "failed",  # HTTP 4xx, 5xx
    "unclear",  # sent, and no answer that can be read
]

USED_UP_TODAY: Final = 45009
MEANINGS: Final[Mapping[int, Meaning]] = {
    **dict.fromkeys((40001, 40014, 42001), "token"),
    -1: "again",
    **dict.fromkeys((43108, 44990, 44991, 45011), "wait"),
    USED_UP_TODAY: "closed",
    **dict.fromkeys((40013, 40125, 40164, 40243, 41002, 41004, 48001, 48004, 50004, 50007), "ours"),
    **dict.fromkeys((89503, 89506, 89507), "ours"),
}
"""WeChat's number → what it means; every other one: refused."""

WAITS: Final[Mapping[int, float]] = {-1: 10, 43108: 3, 44990: 1, 44991: 60, 45011: 60}
"""Seconds to leave it alone."""
BUDGET_SECONDS: Final = 5.0
"""Nothing is tried again later than this after the first try began."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a call is tried again: after what, and after how many seconds each time.

    `asks_only`: whether it does no harm that a lost answer was a yes.
    """

    pauses: tuple[float, ...]
    after: frozenset[Meaning]
    asks_only: bool


READ: Final = Manner((0.2, 0.8), frozenset({"again", "unreached", "failed", "unclear"}), True)
SEND: Final = Manner((0.2,), frozenset({"again", "unreached"}), False)
TOKEN: Final = Manner((0.2,), frozenset({"again", "unreached", "failed"}), True)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What came instead of an answer. `field`: the value that WeChat names as wrong."""

    meaning: Meaning
    errcode: int | None = None
    field: str | None = None


def trouble_of(errcode: int, field: str | None = None) -> Trouble:
    """What WeChat's number means."""
    return Trouble(MEANINGS.get(errcode, "refused"), errcode, field)


class Course:
    """The tries of one call."""

    def __init__(self, manner: Manner) -> None:
        self._manner = manner
        self._pauses = list(manner.pauses)
        self._until = time.monotonic() + BUDGET_SECONDS
        self._may_renew = True

    def renews(self, trouble: Trouble) -> bool:
        """Whether another token may help; at most once."""
        may, self._may_renew = self._may_renew, False
        return may and trouble.meaning == "token"

    def goes_on(self, trouble: Trouble) -> bool:
        """Whether it is tried again; waits before it says so."""
        if trouble.meaning not in self._manner.after or not self._pauses:
            return False
        pause = self._pauses.pop(0) * random.uniform(0.5, 1.5)
        if time.monotonic() + pause > self._until:
            return False
        time.sleep(pause)
        return True


def failure(trouble: Trouble, manner: Manner, moment: datetime) -> WeChatError:
    """The error for a trouble that stays."""
    errcode = trouble.errcode
    if trouble.meaning == "refused" and errcode is not None:
        return WeChatRefused(errcode, trouble.field)
    if trouble.meaning == "closed":
        return WeChatBusy(seconds_to_midnight(moment), errcode)
    if trouble.meaning in ("again", "wait"):
        return WeChatBusy(WAITS.get(errcode or -1, 60), errcode)
    if trouble.meaning in ("failed", "unclear") and not manner.asks_only:
        return WeChatUnknown(errcode)
    return WeChatUnavailable(errcode)


def seconds_to_midnight(moment: datetime) -> float:
    """Until the quotas of a day begin anew: midnight in China."""
    local = moment.astimezone(CHINA)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return (midnight - local).total_seconds()
