"""照看 (watching): finds what nobody is at: dead senders' attempts, messages due, and late."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.notifications.alarms import LATE, raise_in
from backend.notifications.attempts import Result, Tried
from backend.notifications.events import EVENTS
from backend.notifications.outcomes import record
from backend.notifications.quiet import is_quiet, morning

log = logging.getLogger(__name__)

DEAD_AFTER: Final = timedelta(seconds=60)
"""Longer than any call takes with all its tries: a sender that has not ended by then is gone."""
LATE_AFTER: Final = timedelta(minutes=5)
LOCK: Final = 7_205_214
_ALONE: Final = text("SELECT pg_try_advisory_xact_lock(:lock)")
_DEAD: Final = text(
    """
    SELECT id, message_id, channel, resident_id, template_id FROM message_attempt
    WHERE state = 'claimed' AND claimed_at < :before
    ORDER BY claimed_at LIMIT 500 FOR UPDATE SKIP LOCKED
    """
)
_WAITING: Final = text(
    """
    SELECT EXISTS (SELECT FROM notice_due WHERE taken_at IS NULL AND kind = ANY(:known)),
        EXISTS (SELECT FROM message WHERE state = 'waiting' AND next_at <= :moment
            AND (urgent OR channel = 'task' OR NOT :quiet))
    """
)
_UNSENT: Final = text("SELECT * FROM messages_unsent(:moment, :morning, :quiet)")
# Of ten thousand at most: where more wait, it is not about one city.
_CITIES: Final = text(
    """
    WITH late AS (
        (SELECT person_id FROM message WHERE state IN ('waiting', 'sending') AND due_at < :before
            ORDER BY due_at LIMIT 10000)
        UNION (SELECT person_id FROM notice_due WHERE taken_at IS NULL AND owed_at < :before
            ORDER BY id LIMIT 10000)
    )
    SELECT DISTINCT coalesce(nullif(p.lives_in, 0), p.area) / 100000000 AS city
    FROM late JOIN person AS p ON p.id = person_now(late.person_id)
    WHERE coalesce(nullif(p.lives_in, 0), p.area) > 0
    LIMIT 20
    """
)


@dataclass(frozen=True, slots=True)
class Unsent:
    """What is due and not settled: how many, to ten thousand, and for how long the oldest. Nights
    do not count, unless it is urgent. `failed`: given up in the last 24 hours.
    """

    waiting: int
    oldest_seconds: float
    failed: int


@dataclass(frozen=True, slots=True)
class Waits:
    """Whether there is anything to take, and to deliver."""

    notices: bool
    messages: bool


def alone(session: Session) -> bool:
    """Whether this transaction looks alone; one at a time is enough."""
    return bool(session.execute(_ALONE, {"lock": LOCK}).scalar_one())


def bury(session: Session, moment: datetime) -> int:
    """End the attempts of senders that died; how many.

    By WeChat nobody knows how they ended. A text message is sent again under its reference.
    """
    dead = session.execute(_DEAD, {"before": moment - DEAD_AFTER}).all()
    record(
        session,
        [
            Result(Tried(*row), "unknown" if row.channel == "subscribe" else "failed", "died")
            for row in dead
        ],
        moment,
    )
    if dead:
        log.warning("attempts of dead senders ended", extra={"attempts": len(dead)})
    return len(dead)


def what_waits(session: Session, moment: datetime) -> Waits:
    """What jobs are needed for."""
    asked = {"moment": moment, "quiet": is_quiet(moment), "known": list(EVENTS)}
    found = session.execute(_WAITING, asked).one()
    return Waits(*found)


def unsent(session: Session, moment: datetime) -> Unsent:
    """How much waits; the site's role may ask."""
    asked = {"moment": moment, "morning": morning(moment), "quiet": is_quiet(moment)}
    return Unsent(*session.execute(_UNSENT, asked).one())


def raise_alarm(session: Session, moment: datetime) -> bool:
    """Have somebody look, once a day and city, where messages wait for more than five minutes, or
    notices to become messages.

    Asked by workers: where none works, the metric alone tells it (`docs/alerts.yaml`).
    """
    if unsent(session, moment).oldest_seconds < LATE_AFTER.total_seconds():
        return False
    raise_in(session, LATE, session.scalars(_CITIES, {"before": moment - LATE_AFTER}), moment)
    return True
