"""欠下的消息 (messages): written with their cause: owed exactly when it happened.

By workers and commands. What the site does owes a notice (`worklist/notices.py`), from which a
worker makes the message: the site may write none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.kernel.clock import CHINA
from backend.notifications.events import EVENTS
from backend.notifications.quiet import earliest
from backend.notifications.tables import MESSAGE


@dataclass(frozen=True, slots=True)
class Owed:
    """What somebody is to hear. `event`: of `EVENTS`; `cause`: `match_run:3`, told once; `day`: of
    the cause, None: today; `data`: ids that the page of the message needs, nothing personal.
    """

    event: str
    person_id: int
    cause: str
    day: date | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def owe(session: Session, owed: Owed, moment: datetime) -> bool:
    """Owe one message from a moment on (aware); False: it was owed already. See `owe_all`."""
    return owe_all(session, (owed,), moment) == 1


def owe_all(session: Session, owed: Sequence[Owed], moment: datetime) -> int:
    """Owe people messages, in the transaction of their cause; returns how many are new.

    Workers look for them every few seconds. Raises `KeyError` for an unknown event.
    """
    rows = [_row(one, moment) for one in owed]
    if not rows:
        return 0
    new = insert(MESSAGE).on_conflict_do_nothing().returning(MESSAGE.c.id)
    return len(session.execute(new, rows).all())


def _row(owed: Owed, moment: datetime) -> dict[str, Any]:
    event = EVENTS[owed.event]
    due = earliest(moment, urgent=event.urgent)
    return {
        "person_id": owed.person_id,
        "event": owed.event,
        "cause": owed.cause,
        "day": owed.day or moment.astimezone(CHINA).date(),
        "data": dict(owed.data),
        "urgent": event.urgent,
        "created_at": moment,
        "due_at": due,
        "next_at": due,
        "channel": event.channels[0],
    }
