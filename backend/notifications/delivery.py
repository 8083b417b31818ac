"""投递 (delivery): batches of messages on several connections, each attempt committed before it.

One thread speaks with the database: it writes down what has ended and claims as much as there are
senders free, in one transaction. A process that dies leaves at most `SENDERS` attempts of which
nobody knows how they ended; they are not repeated by WeChat (`watching`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy.exc import OperationalError

from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.notifications.attempts import Result
from backend.notifications.breaker import Breaker
from backend.notifications.claiming import Claimed, Room, claim
from backend.notifications.outcomes import record
from backend.notifications.sending import send

log = logging.getLogger(__name__)

SENDERS: Final = 16
"""Calls at the same time."""
BATCH: Final = 200
"""Messages after which other jobs get their turn."""
PATIENCE_SECONDS: Final = 60.0
"""So long what is known of attempts is kept in mind while the database is away."""
_PAUSE_S: Final = 0.5
_NOTHING: Final = Claimed((), 0)


@dataclass(frozen=True, slots=True)
class Means:
    """What a delivery needs. `now`: the present moment, aware."""

    keyring: Keyring
    now: Callable[[], datetime]
    breaker: Breaker = field(default_factory=Breaker)


def deliver(means: Means, batch: int = BATCH) -> bool:
    """Deliver what is due, up to a batch; whether there may be more. Opens transactions."""
    running: set[Future[Result]] = set()
    ended: Sequence[Result] = ()
    handled = 0
    with ThreadPoolExecutor(SENDERS, "sender") as pool:
        while True:
            free = 0 if handled >= batch else SENDERS - len(running)
            claimed = _turn(means, ended, free)
            handled += claimed.handled
            running |= {pool.submit(send, call) for call in claimed.calls}
            ended = ()
            if running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                ended = [one.result() for one in done]
                for result in ended:
                    means.breaker.note(result)
            elif not claimed.handled:
                return handled >= batch


def _turn(means: Means, ended: Sequence[Result], free: int) -> Claimed:
    """One transaction; again and again while the database is away."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return _turn_once(means, ended, free)
        except OperationalError as error:
            if not ended or time.monotonic() > deadline:
                raise
            log.warning("endings not written yet", extra={"reason": type(error.orig).__name__})
        time.sleep(_PAUSE_S)


def _turn_once(means: Means, ended: Sequence[Result], free: int) -> Claimed:
    with transaction() as session:
        moment = means.now()
        record(session, ended, moment)
        if not free:
            return _NOTHING
        return claim(session, means.keyring, moment, Room(free, means.breaker.room(free)))
