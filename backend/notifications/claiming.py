"""认领 (claiming): takes the next messages, and finds for each the channel that leads there.

What needs a call gets an attempt, committed with the caller's transaction before anything is sent.
What only a coordinator can tell is handed on at once. Others may claim at the same time: rows they
hold are left to them, and the database lets one account have one WeChat attempt at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from backend.kernel.clock import CHINA
from backend.kernel.crypto import Keyring
from backend.notifications.attempts import Call, Tried
from backend.notifications.culprits import NOBODYS, Attempt, set_aside
from backend.notifications.events import EVENTS, Channel
from backend.notifications.failing import fail
from backend.notifications.handing_on import Letter, Note, hand_on
from backend.notifications.outcomes import PATIENCE, PATIENCE_URGENT
from backend.notifications.quiet import is_quiet
from backend.notifications.quota import give_back, reserve
from backend.notifications.reach import reach
from backend.notifications.ways import Means, NoWay, Way, by_sms, by_wechat, wechat_connected
from backend.notifications.wechat_templates import known_templates
from backend.notifications.wording import Said

AT_ONCE: Final = 40
"""Messages looked at in one transaction."""
UNREAD: Final = timedelta(minutes=10)
"""So long a message that may have arrived waits for WeChat's reports to be read."""
BUSY_ACCOUNT: Final = timedelta(seconds=2)
_NEXT: Final = text(
    """
    SELECT id, person_id, event, day, channel, urgent FROM message
    WHERE state = 'waiting' AND next_at <= :moment AND (urgent OR channel = 'task' OR NOT :quiet)
        AND (channel <> 'subscribe' OR :wechat
            OR due_at < CASE WHEN urgent THEN CAST(:hasty AS timestamptz) ELSE :patient END)
        AND (NOT unsure OR next_at < :unread_since OR NOT EXISTS (
            SELECT FROM wechat_push WHERE state = 'new' AND event = 'subscribe_msg_sent_event'
                AND received_at <= message.next_at))
    ORDER BY urgent DESC, next_at, id LIMIT :most FOR UPDATE SKIP LOCKED
    """
)
_CLAIM: Final = text(
    """
    INSERT INTO message_attempt (message_id, channel, resident_id, template_id, claimed_at)
    SELECT message_id, :channel, resident_id, template_id, :moment FROM unnest(
        CAST(:messages AS bigint[]), CAST(:residents AS bigint[]), CAST(:templates AS text[])
    ) AS c (message_id, resident_id, template_id) ORDER BY resident_id
    ON CONFLICT (resident_id) WHERE state = 'claimed' AND channel = 'subscribe' DO NOTHING
    RETURNING id, message_id
    """
)
_NOTE: Final = text(
    """
    INSERT INTO message_attempt (message_id, channel, state, code, claimed_at, ended_at)
    SELECT message_id, channel, state, code, :moment, :moment FROM unnest(
        CAST(:messages AS bigint[]), CAST(:channels AS text[]), CAST(:states AS text[]),
        CAST(:codes AS text[])
    ) AS n (message_id, channel, state, code)
    """
)
_SENDING: Final = text(
    """
    UPDATE message SET state = 'sending', channel = :channel,
        tries = CASE WHEN channel = :channel THEN tries ELSE 0 END
    WHERE id = ANY(:ids)
    """
)
_LATER: Final = text("UPDATE message SET next_at = :next_at WHERE id = ANY(:ids)")
_TURN: Final = text("UPDATE message SET channel = 'sms', tries = 0 WHERE id = ANY(:ids)")


@dataclass(frozen=True, slots=True)
class Room:
    """How many calls there is room for, and how many of them WeChat may get; 0: it is left alone
    now.
    """

    calls: int
    wechat: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """What is to be sent now, and how many messages came on by the claiming itself."""

    calls: Sequence[Call]
    handled: int


def claim(session: Session, keyring: Keyring, moment: datetime, room: Room) -> Claimed:
    """Claim the next messages that are due; what cannot be claimed is set aside."""
    templates = known_templates(session)
    if not templates and wechat_connected():
        room = replace(room, wechat=0)  # until WeChat's list is here
    asked = {
        "moment": moment,
        "quiet": is_quiet(moment),
        "wechat": room.wechat > 0,
        "hasty": moment - PATIENCE_URGENT,
        "patient": moment - PATIENCE,
        "unread_since": moment - UNREAD,
        "most": AT_ONCE,
    }
    rows = session.execute(_NEXT, asked).all()
    if not rows:
        return Claimed((), 0)
    means = Means(keyring, moment.astimezone(CHINA).date(), templates)

    def attempt(some: Sequence[Row[Any]]) -> Claimed:
        return _Claiming(session, means, moment, room).run(some)

    return _all_or_apart(session, rows, attempt, moment)


def _all_or_apart(
    session: Session, rows: Sequence[Row[Any]], attempt: Attempt[Claimed], moment: datetime
) -> Claimed:
    """Claim them all; where that raises, none, and those that raise alone are out of the way."""
    try:
        with session.begin_nested():
            return attempt(rows)
    except NOBODYS:
        raise
    except Exception:
        aside = set_aside(session, rows, attempt, moment)
        if not aside:
            raise
    return Claimed((), aside)


class _Claiming:
    """One transaction's work. What has no room for its call is left as it was."""

    def __init__(self, session: Session, means: Means, moment: datetime, room: Room) -> None:
        self._session, self._means, self._moment = session, means, moment
        self._room = room
        self._notes: list[Note] = []
        self._calls: list[Call] = []
        self._handled = 0

    def run(self, rows: Sequence[Row[Any]]) -> Claimed:
        letters = self._letters(rows)
        left = self._by_wechat([one for one in letters if one.channel == "subscribe"])
        left = self._by_sms([*left, *(one for one in letters if one.channel == "sms")])
        self._by_task([*left, *(one for one in letters if one.channel == "task")])
        self._write_notes()
        return Claimed(self._calls, self._handled + len(self._calls))

    def _letters(self, rows: Sequence[Row[Any]]) -> list[Letter]:
        """Those that can be told at all; the others fail here."""
        people = reach(self._session, (row.person_id for row in rows), self._means.today)
        found = []
        for row in rows:
            if row.event in EVENTS and row.person_id in people:
                said = Said(row.event, row.day, row.id)
                found.append(Letter(row.id, row.channel, said, people[row.person_id]))
            else:
                fail(self._session, row.id, self._moment)
                self._handled += 1
        return found

    # -- WeChat ------------------------------------------------------------------------------------

    def _by_wechat(self, letters: Sequence[Letter]) -> list[Letter]:
        """Claims those that go by WeChat; returns those that go another way."""
        if not letters:
            return []
        ways: dict[int, tuple[Letter, Way]] = {}
        others, later = [], []
        most = min(self._room.calls, self._room.wechat)
        for letter in letters:
            if len(ways) == most and self._room.wechat:
                break
            way = self._wechat_way(letter)
            if isinstance(way, NoWay):
                others += self._pass_on(letter, way.code)
            elif way.resident_id in ways:
                later.append(letter.id)
            elif way.resident_id is not None:
                ways[way.resident_id] = letter, way
        allowed = reserve(self._session, [(one, way.template_id) for one, (_, way) in ways.items()])
        for resident, (letter, way) in [*ways.items()]:
            if (resident, way.template_id) not in allowed:
                others += self._pass_on(letter, "no-consent")
                del ways[resident]
        taken = self._claimed("subscribe", [*ways.values()])
        for resident, (letter, way) in ways.items():
            if letter.id not in taken:  # another worker is sending to this account
                give_back(self._session, resident, way.template_id)
                later.append(letter.id)
        self._put_off(later)
        return others

    def _wechat_way(self, letter: Letter) -> Way | NoWay:
        way = by_wechat(letter.said, letter.whom, self._means)
        return way if self._room.wechat or isinstance(way, NoWay) else NoWay("paused")

    def _put_off(self, ids: Sequence[int]) -> None:
        if ids:
            later = {"ids": list(ids), "next_at": self._moment + BUSY_ACCOUNT}
            self._session.execute(_LATER, later)

    # -- text messages and tasks -------------------------------------------------------------------

    def _by_sms(self, letters: Sequence[Letter]) -> list[Letter]:
        """Claims those that go by text message; returns those that a person must tell."""
        ways: list[tuple[Letter, Way]] = []
        others, waiting = [], []
        for letter in letters:
            if letter.channel != "sms":
                others.append(letter)
                continue
            way = by_sms(self._session, letter.said, letter.whom, self._means)
            if isinstance(way, NoWay):
                others += self._pass_on(letter, way.code)
            elif len(self._calls) + len(ways) < self._room.calls:
                ways.append((letter, way))
            else:
                waiting.append(letter.id)
        self._write_notes()
        self._claimed("sms", ways)
        if waiting:
            self._session.execute(_TURN, {"ids": waiting})
        return others

    def _by_task(self, letters: Sequence[Letter]) -> None:
        handed = hand_on(self._session, letters, self._moment)
        self._notes += handed.notes
        for letter in handed.without_place:
            fail(self._session, letter.id, self._moment)
        self._handled += len(letters)

    # -- both --------------------------------------------------------------------------------------

    def _claimed(self, channel: Channel, ways: Sequence[tuple[Letter, Way]]) -> set[int]:
        """Write the attempts down; returns the messages that have one now."""
        if not ways:
            return set()
        columns = {
            "messages": [letter.id for letter, _ in ways],
            "residents": [way.resident_id for _, way in ways],
            "templates": [way.template_id for _, way in ways],
        }
        made = self._session.execute(
            _CLAIM, {**columns, "channel": channel, "moment": self._moment}
        )
        attempts = {row.message_id: row.id for row in made}
        for letter, way in ways:
            if letter.id in attempts:
                attempt, account = attempts[letter.id], (way.resident_id, way.template_id)
                tried = Tried(attempt, letter.id, channel, *account)
                self._calls.append(Call(tried, letter.said, way.to, way.values))
        self._session.execute(_SENDING, {"ids": list(attempts), "channel": channel})
        return set(attempts)

    def _pass_on(self, letter: Letter, code: str) -> list[Letter]:
        """The message by its next channel; none where it fails."""
        self._notes.append(Note(letter.id, letter.channel, "skipped", code))
        channel = EVENTS[letter.said.event].after(letter.channel)
        if channel is not None:
            return [replace(letter, channel=channel)]
        fail(self._session, letter.id, self._moment)
        self._handled += 1
        return []

    def _write_notes(self) -> None:
        if self._notes:
            messages, channels, states, codes = zip(*self._notes, strict=True)
            columns = {"messages": list(messages), "channels": list(channels)}
            columns |= {"states": list(states), "codes": list(codes)}
            self._session.execute(_NOTE, {**columns, "moment": self._moment})
            self._notes.clear()
