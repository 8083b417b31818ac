"""封存 (sealing): chains what was written, one sealer at a time, in the order of the ids.

Ids are given out before the commit, so a row with a lower id may appear after a higher one was
sealed; it is sealed then. Whoever writes an event holds a lock on the table from before the id is
drawn until the end of the transaction. Once everybody who held one when the sealer looked has
ended, no id drawn by then can still appear: the last link says so (`closed`), and a row put there
later is known as put there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.kernel.audit_anchors import Anchors
from backend.kernel.audit_chain import (
    AUDIT_CHAIN,
    EVENT_FIELDS,
    Event,
    Link,
    Tail,
    digest,
    hash_at,
    microseconds,
    tail,
)
from backend.kernel.audit_written import anchor
from backend.kernel.copy import raw
from backend.kernel.database import transaction

log = logging.getLogger(__name__)

ROWS_AT_ONCE: Final = 1_000
"""Links of one transaction, and of one anchor."""
PATIENCE_S: Final = 1.0
"""How long those who were writing are waited for; after that their ids stay open till next time."""
FRESH_S: Final = 20.0
"""What was looked at longer ago is looked at again: this process may have been asleep."""
_AGAIN_S: Final = 0.02
_ONE_SEALER: Final = 7_205_213

_LOOK: Final = text(
    "SELECT clock_timestamp() AS at,"
    " coalesce(pg_sequence_last_value('audit_event_id_seq'), 0) AS last"
)
_WRITING: Final = text(
    """
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND relation = 'audit_event'::regclass AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND mode = 'RowExclusiveLock'
    """
)
_WINDOW: Final = text("SELECT waiting, oldest_seconds FROM audit_window()")
_NEXT: Final = (
    f"SELECT {EVENT_FIELDS} FROM audit_event AS event WHERE id > %(after)s AND id <= %(last)s"
    " AND NOT EXISTS (SELECT FROM audit_chain WHERE event_id = event.id AND event_id > %(after)s)"
    " ORDER BY id LIMIT %(most)s"
)


@dataclass(frozen=True, slots=True)
class Look:
    """What the sealer saw: when, the last id drawn, and whether all who drew one have ended."""

    at: datetime
    last: int
    settled: bool
    taken: float

    @property
    def fresh(self) -> bool:
        """Whether it may still be written down as the moment of sealing."""
        return time.monotonic() - self.taken < FRESH_S


@dataclass(frozen=True, slots=True)
class Window:
    """What is not sealed yet: how many events (at most 10,000 are counted), since how long."""

    waiting: int
    oldest_seconds: float


def window(session: Session) -> Window:
    """What a superuser of the database could still change unseen; the site's role may ask."""
    row = session.execute(_WINDOW).one()
    return Window(row.waiting, row.oldest_seconds)


def seal(anchors: Anchors | None, moment: datetime) -> int:
    """Chain everything that can be seen, and anchor it; how many events there were.

    Opens transactions, as `worker`. Killed anywhere, the next one goes on. Without `anchors` the
    chain is written alone. Raises `OSError` where the anchors cannot be written.
    """
    if anchors is not None:
        _compare(anchors)
    sealed, after = 0, 0
    look = _look()
    while True:
        with transaction() as session:
            end, done = _seal_next(session, look, after)
        sealed += done.events
        if anchors is not None:
            anchor(anchors, end, moment)
        if done.last:
            return sealed
        after = done.through
        if not look.fresh:
            after = after if look.settled else 0
            look = _look()


@dataclass(frozen=True, slots=True)
class _Done:
    """A step: events chained, the highest id among them, and whether nothing is left to do."""

    events: int
    through: int
    last: bool


def _look() -> Look:
    taken = time.monotonic()
    with transaction() as session:
        seen = session.execute(_LOOK).one()
    # In this order: who draws an id from now on has a higher one.
    return Look(seen.at, seen.last, _settled(_writing()), taken)


def _settled(writing: set[str]) -> bool:
    """Whether all of these transactions have ended by now; waits for them a little."""
    deadline = time.monotonic() + PATIENCE_S
    while writing:
        if time.monotonic() > deadline:
            return False
        time.sleep(_AGAIN_S)
        writing &= _writing()
    return True


def _writing() -> set[str]:
    """The transactions that may hold an id nobody else sees yet."""
    with transaction() as session:
        return set(session.execute(_WRITING).scalars())


def _seal_next(session: Session, look: Look, after: int) -> tuple[Tail, _Done]:
    mine = text("SELECT pg_try_advisory_xact_lock(:key)")
    if not session.execute(mine, {"key": _ONE_SEALER}).scalar_one():
        return tail(session), _Done(0, after, last=True)
    end = tail(session)
    if not look.fresh:
        return end, _Done(0, after, last=False)
    within = {"after": max(end.closed, after), "last": look.last, "most": ROWS_AT_ONCE}
    events: list[Event] = raw(session).execute(_NEXT, within).fetchall()
    whole = len(events) < ROWS_AT_ONCE
    made = list(_linked(end, look, events, whole=whole))
    _write(session, made, look)
    if made:
        end = Tail(made[-1].position, made[-1].closed, made[-1].hash)
    return end, _Done(len(events), events[-1][0] if events else after, last=whole)


def _linked(end: Tail, look: Look, events: list[Event], *, whole: bool) -> Iterator[Link]:
    """The links of the events, the last of which closes; or one without, only to close."""
    closing = whole and look.settled and end.closed < look.last
    said: list[Event | None] = [*events] or ([None] if closing else [])
    for number, event in enumerate(said, start=1):
        closed = look.last if closing and number == len(said) else end.closed
        link = _link(end, look, closed, event)
        yield link
        end = Tail(link.position, link.closed, link.hash)


def _link(end: Tail, look: Look, closed: int, event: Event | None) -> Link:
    number = None if event is None else event[0]
    link = Link(end.position + 1, number, microseconds(look.at), closed, b"", event)
    link.hash = digest(end.hash, link)
    return link


def _write(session: Session, made: list[Link], look: Look) -> None:
    rows = [
        {
            "position": one.position,
            "event_id": one.event_id,
            "sealed_at": look.at,
            "closed": one.closed,
            "hash": one.hash,
        }
        for one in made
    ]
    if rows:
        session.execute(AUDIT_CHAIN.insert(), rows)


def _compare(anchors: Anchors) -> None:
    """Say at once where the chain is no longer what the last anchor says."""
    last = anchors.last()
    if last is None:
        return
    with transaction() as session:
        found = hash_at(session, last.position)
    if found is None or found.hex() != last.hash:
        log.error("audit chain differs from its anchor", extra={"position": last.position})
