"""结果 (outcomes): what follows from an attempt: done, the next channel, or later again.

Each is a compare-and-set on the attempt: told twice, or told by the sender and by WeChat's push, it
counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from backend.notifications.alarms import used_up_today
from backend.notifications.attempts import USED_UP_TODAY, Result, Tried
from backend.notifications.events import EVENTS, Channel
from backend.notifications.failing import fail
from backend.notifications.quiet import earliest
from backend.notifications.quota import give_back, used_up

PATIENCE: Final = timedelta(minutes=30)
"""So long WeChat may be away before the next channel is taken; and where it cannot wait:"""
PATIENCE_URGENT: Final = timedelta(minutes=1)
REPORT_WAIT: Final = timedelta(seconds=60)
"""So long WeChat has to report a message of which we do not know whether it went out."""
MOST_SMS_TRIES: Final = 6
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 5.0, 120.0
_USED_UP: Final = "wechat-43101"

_SENT: Final = text(
    """
    WITH told AS (
        SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:receipts AS text[])) AS t (id, receipt)
    ), ended AS (
        UPDATE message_attempt AS a SET state = 'sent', ended_at = :moment,
            receipt = coalesce(a.receipt, told.receipt)
        FROM told WHERE a.id = told.id AND a.state IN ('claimed', 'unknown')
        RETURNING a.message_id
    )
    UPDATE message AS m SET state = 'delivered', final_at = :moment
    FROM ended WHERE m.id = ended.message_id AND m.state IN ('waiting', 'sending')
    """
)
_ENDED: Final = text(
    """
    UPDATE message_attempt SET state = :ending, code = :code, ended_at = :moment
    WHERE id = :id AND state = ANY(:from_) RETURNING id
    """
)
_MESSAGE: Final = text(
    "SELECT id, person_id, event, urgent, due_at, tries, state, channel FROM message"
    " WHERE id = :id FOR UPDATE"
)
_WAIT: Final = text(
    """
    UPDATE message SET state = 'waiting', channel = :channel, next_at = :next_at, tries = :tries,
        unsure = :unsure, final_at = NULL
    WHERE id = :id
    """
)


def record(session: Session, results: Sequence[Result], moment: datetime) -> None:
    """Write down how attempts ended, and what follows."""
    sent = [one for one in results if one.ending == "sent"]
    if sent:
        ended = {one.tried.id: one.receipt for one in sent}
        columns = {"ids": list(ended), "receipts": list(ended.values())}
        session.execute(_SENT, {**columns, "moment": moment})
    for one in results:
        if one.ending != "sent" and _end(session, one, moment, ("claimed",)):
            _follow(session, one, moment)


def overturn(session: Session, tried: Tried, code: str, moment: datetime) -> None:
    """WeChat reports that a message did not arrive, whatever it answered at first."""
    result = Result(tried, "refused", code)
    if _end(session, result, moment, ("claimed", "unknown", "sent")):
        _follow(session, result, moment)


def patience(urgent: bool) -> timedelta:
    """How long a message waits for WeChat."""
    return PATIENCE_URGENT if urgent else PATIENCE


def _end(session: Session, one: Result, moment: datetime, from_: tuple[str, ...]) -> bool:
    values = {"id": one.tried.id, "ending": one.ending, "code": one.code, "moment": moment}
    return session.execute(_ENDED, {**values, "from_": list(from_)}).first() is not None


def _follow(session: Session, one: Result, moment: datetime) -> None:
    _settle_quota(session, one)
    message = session.execute(_MESSAGE, {"id": one.tried.message_id}).one()
    if one.code == USED_UP_TODAY:
        used_up_today(session, message.person_id, moment)
    if message.channel != one.tried.channel or message.state == "handed_on":
        return  # it went on by another way meanwhile
    if one.ending == "unknown":
        go_on(session, message, moment, wait=REPORT_WAIT)
    elif one.ending == "failed" and (again := _again(message, one, moment)) is not None:
        _wait(session, message, {"next_at": again, "tries": message.tries + 1})
    else:
        go_on(session, message, moment)


def go_on(
    session: Session, message: Row[Any], moment: datetime, wait: timedelta = timedelta(0)
) -> Channel | None:
    """Let a message go by its next channel, after a while; `failed` where there is none."""
    event = EVENTS.get(message.event)
    channel = None if event is None else event.after(message.channel)
    if channel is None:
        fail(session, message.id, moment)
        return None
    # A work item wakes nobody.
    urgent = message.urgent or channel == "task"
    next_at = earliest(moment + wait, urgent=urgent)
    changes = {"channel": channel, "next_at": next_at, "tries": 0, "unsure": bool(wait)}
    _wait(session, message, changes)
    return channel


def _settle_quota(session: Session, one: Result) -> None:
    """Of an unknown one it is not said that nothing was used."""
    tried = one.tried
    if tried.resident_id is None or not tried.template_id or one.ending == "unknown":
        return
    if one.code == _USED_UP:
        used_up(session, tried.resident_id, tried.template_id)
    else:
        give_back(session, tried.resident_id, tried.template_id)


def _again(message: Row[Any], one: Result, moment: datetime) -> datetime | None:
    """When the same channel is tried again; None: no more."""
    backoff = min(_FIRST_PAUSE_S * 2 ** min(message.tries, 10), _LONGEST_PAUSE_S)
    again = moment + timedelta(seconds=max(one.pause, backoff if not one.pause else 0))
    if one.tried.channel == "sms":
        too_late = message.tries + 1 >= MOST_SMS_TRIES
    else:
        too_late = again > message.due_at + patience(message.urgent)
    return None if too_late else earliest(again, urgent=message.urgent)


def _wait(session: Session, message: Row[Any], changes: Mapping[str, Any]) -> None:
    values = {"id": message.id, "channel": message.channel, "unsure": False, **changes}
    session.execute(_WAIT, values)
