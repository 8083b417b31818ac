"""收到的推送 (received): taken in once, however often it is told, and handled by a worker."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.kernel.crypto import Keyring, Place
from backend.kernel.database import constraint_of
from backend.kernel.jobs import Task, defer
from backend.wechat.errors import PushRefused
from backend.wechat.handlers import give_up, handle
from backend.wechat.push import Push
from backend.wechat.tables import WECHAT_PUSH

KEPT_DAYS: Final = 30
"""How long it is known that a push was done: much longer than one may be old. And how long one that
was given up may be tried again."""
_QUICKLY: Final = text("SET LOCAL statement_timeout = '3s'; SET LOCAL lock_timeout = '3s'")
_NEXT: Final = text("SELECT nextval('wechat_push_id')")
_STAMP_TAKEN: Final = "uq_wechat_push_stamp"


class _Payload(msgspec.Struct, frozen=True):
    openid: str
    created_at: datetime
    body: dict[str, Any]


def take_in(
    session: Session, keyring: Keyring, push: Push, stamp: bytes, task: Task[[int]]
) -> bool:
    """Keep a push and leave a job for it; False: it was told before, and nothing is done.

    Raises `PushRefused` where its envelope (`Envelope.stamp`) brought something else before, and
    gives up after 3 seconds for the database's lack of answer.
    """
    session.execute(_QUICKLY)
    number = session.execute(_NEXT).scalar_one()
    taken = insert(WECHAT_PUSH).on_conflict_do_nothing(index_elements=["dedupe_key"])
    row = {**_row(keyring, push, number), "stamp": stamp}
    try:
        made = session.execute(taken.returning(WECHAT_PUSH.c.dedupe_key), row)
        new = made.one_or_none() is not None
    except IntegrityError as error:
        if constraint_of(error) != _STAMP_TAKEN:
            raise
    else:
        if new:
            _leave(session, keyring, push, number, task)
        return new
    raise PushRefused


def _row(keyring: Keyring, push: Push, number: int) -> dict[str, Any]:
    payload = _Payload(push.openid, push.created_at, dict(push.body))
    said = msgspec.json.encode(payload).decode()
    sealed = keyring.shared().seal(_place(number), said)
    known = {"id": number, "dedupe_key": push.key, "kind": push.kind, "event": push.event}
    return {**known, "payload": sealed}


def _leave(session: Session, keyring: Keyring, push: Push, number: int, task: Task[[int]]) -> None:
    """A job; those of one person are done in the order in which they were told."""
    person = keyring.index("openid", push.openid).hex()
    defer(session, task, lock=f"wechat.push/{person}", push_id=number)


def handle_received(session: Session, keyring: Keyring, push_id: int) -> None:
    """Have a push handled, mark it as done and forget what it said. Nothing for one done before."""
    push = opened_push(session, keyring, push_id)
    if push is None:
        return
    handle(session, push)
    done = update(WECHAT_PUSH).where(WECHAT_PUSH.c.id == push_id)
    session.execute(done.values(state="done", payload=b""))


def note_failed(session: Session, push_id: int) -> None:
    """It is `failed` until somebody retries it (`shukun worker --retry-failed`)."""
    one = update(WECHAT_PUSH).where(WECHAT_PUSH.c.id == push_id, WECHAT_PUSH.c.state == "new")
    session.execute(one.values(state="failed"))


def give_up_received(session: Session, keyring: Keyring, push_id: int) -> None:
    """Have somebody else care for what a push that could not be handled was about."""
    push = opened_push(session, keyring, push_id)
    if push is not None:
        give_up(session, push, push_id)


def forget_over(session: Session, moment: datetime) -> int:
    """Delete what was done or given up, and came long ago; returns how many."""
    old = WECHAT_PUSH.c.received_at < moment - timedelta(days=KEPT_DAYS)
    gone = delete(WECHAT_PUSH).where(WECHAT_PUSH.c.state.in_(("done", "failed")), old)
    count: int = session.execute(gone).rowcount  # type: ignore[attr-defined]
    return count


def opened_push(session: Session, keyring: Keyring, push_id: int) -> Push | None:
    """What was told, its row held until the transaction ends; None where it is done."""
    query = select(WECHAT_PUSH).where(WECHAT_PUSH.c.id == push_id, WECHAT_PUSH.c.state != "done")
    row = session.execute(query.with_for_update()).one_or_none()
    if row is None:
        return None
    opened = keyring.shared().open(_place(push_id), row.payload)
    said = msgspec.json.decode(opened, type=_Payload)
    return Push(row.dedupe_key, row.kind, row.event, said.openid, said.created_at, said.body)


def _place(number: int) -> Place:
    return Place("wechat_push", "payload", number)
