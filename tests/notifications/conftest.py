"""What the tests of messages share: people who can be told, and a delivery at noon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.kernel import keys
from backend.kernel.crypto import Keyring
from backend.kernel.settings_wechat import SIMULATOR_SECRET, WeChatSettings
from backend.notifications import sms
from backend.notifications.breaker import Breaker
from backend.notifications.delivery import Means, deliver
from backend.wechat import connection
from tests.support.recipients import NOON, Recipients
from tests.support.wechat import APPID, Simulator


@pytest.fixture(autouse=True)
def _speaks_for_nobody() -> Iterator[None]:
    """A site that an earlier test made may have bound a mini-program to this process."""
    with connection.bound(None):
        yield


@pytest.fixture
def keyring(tmp_path: Path) -> Iterator[Keyring]:
    """Keys of the test's own, bound."""
    ring = Keyring.open_or_create(tmp_path / "keys.json")
    with keys.bound(ring):
        yield ring


@pytest.fixture
def recipients(worker_database: Engine, keyring: Keyring) -> Recipients:
    return Recipients(worker_database, keyring)


@pytest.fixture
def connected(wechat_simulator: Simulator, recipients: Recipients) -> Iterator[Simulator]:
    """The simulator, which this process speaks for; its templates are known."""
    with connection.bound(WeChatSettings(APPID, SIMULATOR_SECRET, wechat_simulator.api)):
        recipients.templates()
        yield wechat_simulator
        connection.mini_program().close()


@pytest.fixture
def texting() -> Iterator[None]:
    """Text messages are recorded."""
    with sms.bound(sms.RecordingSms()):
        yield


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.moment = NOON

    def __call__(self) -> datetime:
        return self.moment

    def pass_(self, **span: float) -> None:
        self.moment += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def delivered(keyring: Keyring, clock: Clock) -> Callable[[], bool]:
    """Deliver what is due at the clock's moment; a breaker of the test's own."""
    means = Means(keyring, clock, Breaker())
    return lambda: deliver(means)
