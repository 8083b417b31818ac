"""会话 (sessions): opened after signing in, known by an opaque token, ended at once.

A token is 32 random bytes; the database keeps its SHA-256. Whether a session is valid is decided by
the database at every question, by its own clock (`session_actor` of migration 0012): not ended, not
expired, seen in the last 15 minutes (staff), account active, duty in force.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor, act_as
from backend.accounts.staff_tables import ACCOUNT_SESSION

RESIDENT_LIFE: Final = timedelta(days=30)
STAFF_LIFE: Final = timedelta(hours=12)
"""From signing in, however busy."""
STAFF_IDLE: Final = timedelta(minutes=15)
"""As `session_actor` has it: for words and tests."""
MOST_OPEN: Final = 5
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)

Why: TypeAlias = Literal["left", "switched", "too_many", "password_changed", "revoked"]


@dataclass(frozen=True, slots=True)
class Opening:
    """A session to open: of a resident, or of staff in a duty. `address`: already masked.

    `expires_at` None: the whole life of its kind.
    """

    resident_id: int | None = None
    staff_id: int | None = None
    duty_id: int | None = None
    address: str = ""
    expires_at: datetime | None = None


def open_session(session: Session, opening: Opening) -> str:
    """A new session; returns its token, which is kept nowhere, and lets the transaction act in it.

    Of more than `MOST_OPEN` the longest unused end.
    """
    token = secrets.token_urlsafe(32)
    life = STAFF_LIFE if opening.staff_id is not None else RESIDENT_LIFE
    session.execute(
        ACCOUNT_SESSION.insert()
        .values(
            token_sha256=hashlib.sha256(token.encode()).digest(),
            resident_id=opening.resident_id,
            staff_id=opening.staff_id,
            duty_id=opening.duty_id,
            expires_at=opening.expires_at or func.now() + life,
            address_masked=opening.address,
        )
        .inline()
    )
    actor = act_as(session, token)
    if actor is not None:
        _end_oldest(session, actor)
    return token


def is_token(shown: str) -> bool:
    """Whether it could be a token at all; what could not is not asked of the database."""
    return TOKEN.fullmatch(shown) is not None


def note_seen(session: Session, actor: Actor) -> None:
    """Keep a session alive; written at most once a minute."""
    if actor.stale:
        one = ACCOUNT_SESSION.c.id == actor.session_id
        session.execute(update(ACCOUNT_SESSION).where(one).values(last_seen_at=func.now()))


def end_if_over(session: Session, token: str) -> None:
    """End the session of this token where its time is over: no clock set back revives it."""
    session.execute(text("SELECT end_if_over(:token)"), {"token": token})


def end_session(session: Session, session_id: int, why: Why) -> None:
    """End one session of the account that acts (as worker: any); one that has ended stays so."""
    one = ACCOUNT_SESSION.c.id == session_id
    _end(session, why, one)


def end_sessions_of_staff(session: Session, staff_id: int, why: Why, but: int = 0) -> None:
    """End every session of a member of staff, but the one with the id `but`."""
    own = ACCOUNT_SESSION.c.staff_id == staff_id
    _end(session, why, own & (ACCOUNT_SESSION.c.id != but))


def end_sessions_of_resident(session: Session, resident_id: int, why: Why) -> None:
    """End every session of a resident."""
    _end(session, why, ACCOUNT_SESSION.c.resident_id == resident_id)


def _end_oldest(session: Session, actor: Actor) -> None:
    table = ACCOUNT_SESSION.c
    mine = table.staff_id == actor.staff_id
    if actor.resident_id is not None:
        mine = table.resident_id == actor.resident_id
    order = (table.id == actor.session_id).desc(), table.last_seen_at.desc(), table.id.desc()
    older = select(table.id).where(mine, table.ended_at.is_(None)).order_by(*order)
    _end(session, "too_many", table.id.in_(older.offset(MOST_OPEN)))


def _end(session: Session, why: Why, which: ColumnElement[bool]) -> None:
    ended = update(ACCOUNT_SESSION).where(which, ACCOUNT_SESSION.c.ended_at.is_(None))
    session.execute(ended.values(ended_at=func.now(), ended_why=why))
