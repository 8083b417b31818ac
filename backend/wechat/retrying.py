"""重试 (retrying): what each answer of WeChat means, and what is tried again. All of it stands here.

What people would receive twice (`SEND`) is sent again only where WeChat says that nothing was done
or nobody was reached; what only asks (`READ`) also after an answer that was lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Meaning = Literal[
    "refused",  # no, and no again
    "token",  # the access token does not count: another one, once
    "again",  # WeChat is busy (-1)
    "wait",  # too many in a second or minute, or two at once to one person
    "closed",  # the day's quota is used up: nothing more until midnight
    "ours",  # our account or its settings: somebody must look
    "unreached",  # no connection
    "failed",  # HTTP 5xx
    "unclear",  # sent, and no answer that can be read
]

MEANINGS: Final[Mapping[int, Meaning]] = {
    **dict.fromkeys((40001, 40014, 42001), "token"),
    -1: "again",
    **dict.fromkeys((43108, 44990, 44991, 45011), "wait"),
    45009: "closed",
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
    """How often a call is tried again, and after what. `pauses`: seconds, one for each try."""

    pauses: tuple[float, ...]
    after: frozenset[Meaning]
    lost_is_harmless: bool


READ: Final = Manner((0.2, 0.8), frozenset({"again", "unreached", "failed", "unclear"}), True)
SEND: Final = Manner((0.2,), frozenset({"again", "unreached"}), False)
TOKEN: Final = Manner((0.2,), frozenset({"again", "unreached", "failed"}), True)


def meaning_of(errcode: int) -> Meaning:
    """What WeChat's number means."""
    return MEANINGS.get(errcode, "refused")
