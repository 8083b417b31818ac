"""会话 (sessions): opened after signing in, known by an opaque token, ended at once.

A token is 32 random bytes; the database keeps its SHA-256. Whether a session is valid is decided by
the database at every question, by its own clock (`session_actor` of migration 0012): not ended, not
expired, seen in the last 15 minutes (staff), account active, duty in force. The website opens none
by itself: the database does, for whoever shows a password's proof or asked WeChat
(`staff_login.py`, `login.py`), and ends the longest unused of more than `MOST_OPEN`.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal, TypeAlias

from sqlalchemy import func, text, update
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor
from backend.accounts.staff_tables import ACCOUNT_SESSION

RESIDENT_LIFE: Final = timedelta(days=30)
STAFF_LIFE: Final = timedelta(hours=12)
"""From signing in, however busy."""
STAFF_IDLE: Final = timedelta(minutes=15)
MOST_OPEN: Final = 5
"""All as the database has them (`account_deeds.sql`, `session_actor`): for words and tests."""
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)

Why: TypeAlias = Literal["left", "switched", "too_many", "password_changed", "revoked"]
_SEEN: Final = text("SELECT note_seen()")
_LEAVE: Final = text("SELECT end_own_session()")


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token for a session to be opened, and its digest, which alone is kept."""

    token: str = field(repr=False)
    digest: bytes


def new_token() -> NewToken:
    """A random one."""
    token = secrets.token_urlsafe(32)
    return NewToken(token, hashlib.sha256(token.encode()).digest())


def is_token(shown: str) -> bool:
    """Whether it could be a token at all; what could not is not asked of the database."""
    return TOKEN.fullmatch(shown) is not None


def note_seen(session: Session, actor: Actor) -> None:
    """Keep the session in which the transaction acts alive; written at most once a minute."""
    if actor.stale:
        session.execute(_SEEN)


def end_if_over(session: Session, token: str) -> None:
    """End the session of this token where its time is over: no clock set back revives it."""
    session.execute(text("SELECT end_if_over(:token)"), {"token": token})


def end_own_session(session: Session) -> None:
    """End the session in which the transaction acts; the account's others go on."""
    session.execute(_LEAVE)


def end_sessions_of_staff(session: Session, staff_id: int, why: Why) -> None:
    """End every session of a member of staff. As `worker`."""
    own = (ACCOUNT_SESSION.c.staff_id == staff_id) & ACCOUNT_SESSION.c.ended_at.is_(None)
    ended = update(ACCOUNT_SESSION).where(own)
    session.execute(ended.values(ended_at=func.now(), ended_why=why))
