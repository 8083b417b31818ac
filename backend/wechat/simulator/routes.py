"""接口表 (routes): what a line of the API's table says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backend.wechat.simulator.state import World
from backend.wechat.simulator.wire import Answer, Call


@dataclass(frozen=True)
class Route:
    """A deed of the platform. `query`: the parameters it takes; `token`: besides, an access_token.

    `counted`: whether it counts towards the app's daily calls (deeds without a token count
    themselves).
    """

    method: str
    path: str
    deed: Callable[[World, Call], dict[str, Any] | Answer]
    query: tuple[str, ...] = ()
    token: bool = True
    counted: bool = True
