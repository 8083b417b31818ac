"""尝试 (attempts): one message on its way by one channel, and how that may end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from backend.notifications.events import Channel
from backend.notifications.wording import Said
from backend.wechat import retrying

Ending: TypeAlias = Literal["sent", "refused", "failed", "unknown"]
"""`refused`: no, for good; `failed`: nothing was done, later perhaps; `unknown`: perhaps done."""
NOT_ASKED: Final = "wechat-busy"
"""The code where WeChat was not asked at all: others were still waiting for its access token."""
USED_UP_TODAY: Final = f"wechat-{retrying.USED_UP_TODAY}"
"""The code where WeChat gives nothing more today."""


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt that was claimed. By WeChat it has an account and a template."""

    id: int
    message_id: int
    channel: Channel
    resident_id: int | None = None
    template_id: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent now, by an attempt that is committed. `to`: an openid or a phone number;
    `values`: of a WeChat template by key.
    """

    tried: Tried
    said: Said
    to: str = field(repr=False)
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Result:
    """How an attempt ended. `code`: why, without personal data; `receipt`: the other side's number;
    `pause`: seconds to leave it alone.
    """

    tried: Tried
    ending: Ending
    code: str = ""
    receipt: str | None = None
    pause: float = 0
