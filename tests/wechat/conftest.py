"""What the tests of WeChat share: a mini-program of nobody, and a keyring."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.kernel import keys
from backend.kernel.crypto import Keyring
from backend.kernel.settings_wechat import SIMULATOR_SECRET, PushSettings, WeChatSettings
from backend.wechat.client import MiniProgram
from tests.support.tokens import MemoryTokens
from tests.support.wechat import APPID, PUSH_AES_KEY, PUSH_TOKEN, Simulator


@pytest.fixture
def keyring(tmp_path: Path) -> Iterator[Keyring]:
    """Keys of the test's own, bound."""
    ring = Keyring.open_or_create(tmp_path / "keys.json")
    with keys.bound(ring):
        yield ring


@pytest.fixture
def push_settings() -> PushSettings:
    return PushSettings(PUSH_TOKEN, PUSH_AES_KEY)


@pytest.fixture
def chosen(wechat_simulator: Simulator, push_settings: PushSettings) -> WeChatSettings:
    """The simulator's mini-program."""
    return WeChatSettings(APPID, SIMULATOR_SECRET, wechat_simulator.api, push_settings)


@pytest.fixture
def wechat(chosen: WeChatSettings) -> Iterator[MiniProgram]:
    """A client of the simulator that keeps its token in memory."""
    client = MiniProgram(chosen, MemoryTokens())
    yield client
    client.close()
