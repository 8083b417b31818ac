"""Real workers, a real database and a WeChat that fails, all killed at random: every message ends,
reaches somebody, and none comes twice by WeChat (trust.md A5, A6, A8).

`SHUKUN_DELIVERY_MESSAGES`, `SHUKUN_DELIVERY_KILLS`, `SHUKUN_DELIVERY_DATABASE_KILLS`: the long
version in the release check.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.notifications.delivery import SENDERS
from tests.support.mailroom import QUICKLY, Mailroom, mailroom, until

pytestmark = pytest.mark.postgres

MESSAGES = int(os.environ.get("SHUKUN_DELIVERY_MESSAGES", "300"))
KILLS = int(os.environ.get("SHUKUN_DELIVERY_KILLS", "4"))
DATABASE_KILLS = int(os.environ.get("SHUKUN_DELIVERY_DATABASE_KILLS", "1"))
SEND = "/cgi-bin/message/subscribe/send"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Mailroom]:
    with mailroom(tmp_path) as made:
        yield made


def faults(room: Mailroom) -> None:
    """What WeChat does on a bad day."""
    room.wechat.clear_faults()
    for rule in (
        {"action": "errcode", "code": 45009, "nth": 60},
        {"action": "http", "status": 500, "probability": 0.1},
        {"action": "http", "status": 503, "probability": 0.1},
        {"action": "hang", "probability": 0.05},
        {"action": "duplicate_effect", "probability": 0.02},
        {"action": "errcode", "code": 43101, "probability": 0.05},
        {"action": "expire_token", "probability": 0.01},
        {"action": "errcode", "code": -1, "probability": 0.02},
        {"action": "reset", "probability": 0.02},
    ):
        room.wechat.fault(str(rule.pop("action")), SEND, **rule)


def outage(room: Mailroom, seconds: float) -> None:
    """Nothing answers at all."""
    room.wechat.clear_faults()
    for path in (SEND, "/cgi-bin/stable_token"):
        room.wechat.fault("http", path, status=502)
    time.sleep(seconds)
    faults(room)


def test_every_message_ends_and_reaches_somebody_through_kills_and_faults(room: Mailroom) -> None:
    dice = random.Random(7)
    by_phone = [room.recipients.texted(f"texted{one}") for one in range(MESSAGES // 10)]
    by_foot = [room.recipients.person(f"told{one}") for one in range(MESSAGES // 10)]
    crowd = room.recipients.crowd(room.wechat, MESSAGES - len(by_phone) - len(by_foot))
    people = [*by_phone, *by_foot, *crowd]
    dice.shuffle(people)
    faults(room)
    room.work(2)
    kills = ["worker"] * KILLS + ["database"] * DATABASE_KILLS + ["outage"]
    dice.shuffle(kills)
    share = len(people) // len(kills) + 1
    for number, kill in enumerate(kills):
        before = room.attempts()
        room.owe(people[number * share : (number + 1) * share])
        until(lambda: room.attempts() > before + share // 4 or not room.open())  # noqa: B023
        time.sleep(dice.uniform(0, 0.5))
        {
            "worker": room.kill_worker,
            "database": room.kill_database,
            "outage": lambda: outage(room, 10),
        }[kill]()
    room.wechat.clear_faults()
    room.drain()
    room.rest()
    fate = room.fate()
    assert sum(fate.ends.values()) == MESSAGES
    assert set(fate.ends) == {"delivered", "handed_on"}
    assert fate.lost == []
    assert fate.twice_by_wechat == []
    assert len(fate.twice) <= max(MESSAGES * 0.005, room.killed), fate.twice


def stop_in_the_middle(room: Mailroom, before: str) -> None:
    """A worker is killed when WeChat has taken its messages and has not answered."""
    people = room.recipients.crowd(room.wechat, 3 * SENDERS, quota=2)
    room.recipients.templates()
    room.wechat.fault("duplicate_effect", SEND)
    room.work(before=before)
    until(lambda: "就绪" in (room.folder / "log").read_text())
    room.owe(people)
    until(lambda: len(room.wechat.journal(SEND)) >= SENDERS)
    room.kill_worker(again=False)
    room.wechat.clear_faults()
    room.work(before=before)
    room.drain()
    room.rest()


def test_what_a_killed_worker_had_in_hand_comes_once(room: Mailroom) -> None:
    stop_in_the_middle(room, QUICKLY)
    fate = room.fate()
    assert fate.lost == fate.twice_by_wechat == fate.twice == []
    assert fate.ends == {"delivered": 3 * SENDERS}


NO_CLAIM = """
from sqlalchemy import text
from backend.kernel.database import transaction
from backend.notifications import delivery
from backend.notifications.claiming import Claimed, Room, claim
in_hand = set()
def _turn_once(means, ended, free):
    with transaction() as session:
        for one in ended:
            in_hand.discard(one.tried.message_id)
            session.execute(text(
                "UPDATE message SET state = 'delivered', final_at = now() WHERE id = :id"
            ), {"id": one.tried.message_id})
    if not free:
        return Claimed((), 0)
    with transaction() as session:
        found = claim(session, means.keyring, means.now(), Room(free, free))
        session.rollback()
    calls = [one for one in found.calls if one.tried.message_id not in in_hand]
    in_hand.update(one.tried.message_id for one in calls)
    return Claimed(calls, len(calls))
delivery._turn_once = _turn_once
"""
DONE_FIRST = """
from sqlalchemy import text
from backend.notifications import claiming
claiming._CLAIM = text(claiming._CLAIM.text
    .replace("template_id, claimed_at)", "template_id, claimed_at, state)")
    .replace("template_id, :moment FROM", "template_id, :moment, 'sent' FROM"))
claiming._SENDING = text(
    "UPDATE message SET state = 'delivered', channel = :channel, final_at = now()"
    " WHERE id = ANY(:ids)")
"""


def test_without_the_claim_before_it_messages_come_twice(room: Mailroom) -> None:
    """The sabotage control: what the test above is there to see."""
    stop_in_the_middle(room, QUICKLY + NO_CLAIM)
    assert len(room.fate().twice_by_wechat) > 0


def test_marked_as_done_before_it_is_sent_a_message_is_lost(room: Mailroom) -> None:
    """The other one."""
    people = room.recipients.crowd(room.wechat, 3 * SENDERS)
    room.recipients.templates()
    room.wechat.fault("hang", SEND)
    room.work(before=QUICKLY + DONE_FIRST)
    room.owe(people)
    until(lambda: len(room.wechat.journal(SEND)) >= SENDERS)
    room.kill_worker(again=False)
    room.wechat.clear_faults()
    room.work(before=QUICKLY + DONE_FIRST)
    room.drain()
    room.rest()
    assert len(room.fate().lost) > 0
