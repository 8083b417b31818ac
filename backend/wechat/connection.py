"""连接 (connection): the mini-program that this process speaks for, named once at start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from backend.kernel import keys
from backend.kernel.settings_wechat import PushSettings, WeChatSettings
from backend.wechat.client import MiniProgram
from backend.wechat.errors import WeChatNotConfigured
from backend.wechat.token_table import TokenTable

_bound: Final[list[_Connected]] = []


@dataclass(slots=True)
class _Connected:
    """`client` is made at the first call, when the keys are there."""

    chosen: WeChatSettings
    client: MiniProgram | None = None


def bind(chosen: WeChatSettings | None) -> None:
    """Name the mini-program; None: there is none. A later call replaces it."""
    _bound[:] = [] if chosen is None else [_Connected(chosen)]


@contextmanager
def bound(chosen: WeChatSettings | None) -> Iterator[None]:
    """`bind` for the length of the block, for tests."""
    before = _bound[:]
    bind(chosen)
    try:
        yield
    finally:
        _bound[:] = before


def mini_program() -> MiniProgram:
    """The client for `calls`; the keyring must be bound. Raises `WeChatNotConfigured`."""
    connected = _connected()
    if connected.client is None:
        store = TokenTable(connected.chosen.appid, keys.keyring())
        connected.client = MiniProgram(connected.chosen, store)
    return connected.client


def appid() -> str:
    """The mini-program's AppID. Raises `WeChatNotConfigured`."""
    return _connected().chosen.appid


def push_settings() -> PushSettings:
    """How its pushes are read. Raises `WeChatNotConfigured`."""
    push = _connected().chosen.push
    if push is None:
        raise WeChatNotConfigured
    return push


def _connected() -> _Connected:
    if not _bound:
        raise WeChatNotConfigured
    return _bound[0]
