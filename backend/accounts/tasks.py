"""任务 (tasks): what WeChat tells of accounts, what people hear of them, what is forgotten."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from backend.accounts import wechat_events as wechat_events
from backend.accounts.closing import forget_closed
from backend.accounts.sessions import STAFF_IDLE
from backend.accounts.tables import DELEGATION, FAMILY_AUTHORITY, RESIDENT
from backend.kernel.clock import CHINA
from backend.kernel.database import transaction
from backend.kernel.jobs import task
from backend.kernel.jobs_schedule import every_day
from backend.worklist.notices import Notice, notice_due

QUEUE: Final = "accounts"
NIGHT: Final = time(3)
AFTERNOON: Final = time(15)
SESSIONS_KEPT: Final = timedelta(days=184)
"""From when a session would have ended. Who was signed in, and from where, is a network log:
网络安全法 wants six months of it, 个人信息保护法 art. 19 no more than is needed. Who did what stays
in the audit."""
WINDOWS_KEPT: Final = timedelta(days=2)
"""A window weighs until the next one is over: twice the longest limit, which is a day."""
_WINDOWS: Final = text("DELETE FROM rate_window WHERE window_start < now() - :kept")
_OVER: Final = text(
    "UPDATE account_session SET ended_at = now(), ended_why = 'over' WHERE ended_at IS NULL"
    " AND (expires_at <= now()"
    " OR staff_id IS NOT NULL AND last_seen_at <= now() - :idle)"
)
_NETWORKS: Final = text("DELETE FROM staff_network WHERE seen_at < now() - :kept")
_SESSIONS: Final = text("DELETE FROM account_session WHERE expires_at < now() - :kept")


@task("accounts.tell_delegated", queue=QUEUE)
def tell_delegated(delegation_id: int) -> None:
    """The person is owed to hear of a delegation that staff recorded: it may be a forged one.

    A job of the transaction that recorded it, like the two below.
    """
    query = select(DELEGATION.c.person_id, DELEGATION.c.from_on)
    with transaction() as session:
        row = session.execute(query.where(DELEGATION.c.id == delegation_id)).one()
        cause = f"delegation:{delegation_id}"
        notice_due(session, Notice(row.person_id, "delegated", cause, row.from_on))


@task("accounts.tell_family", queue=QUEUE)
def tell_family(authority_id: int) -> None:
    """The person is owed to hear that staff let somebody of the family act."""
    query = select(FAMILY_AUTHORITY.c.person_id, FAMILY_AUTHORITY.c.from_on)
    with transaction() as session:
        row = session.execute(query.where(FAMILY_AUTHORITY.c.id == authority_id)).one()
        cause = f"family:{authority_id}"
        notice_due(session, Notice(row.person_id, "family_added", cause, row.from_on))


@task("accounts.tell_named", queue=QUEUE)
def tell_named(account: int, day: str, replaced: bool = False) -> None:
    """The person is owed to hear that staff made an account theirs: not by that account.

    `replaced`: in place of another, which was closed.
    """
    kind = "account_replaced" if replaced else "account_named"
    query = select(RESIDENT.c.person_id).where(RESIDENT.c.id == account)
    with transaction() as session:
        person = session.execute(query).scalar_one()
        notice_due(session, Notice(person, kind, f"resident:{account}", date.fromisoformat(day)))


@every_day("accounts.clear", queue=QUEUE, at=NIGHT)
def clear_day(session: Session, period: str) -> None:
    """Counts of windows that are over, sessions and known networks of long ago; a session whose
    time is over is marked as ended, whatever clocks do later."""
    session.execute(_WINDOWS, {"kept": WINDOWS_KEPT})
    session.execute(_OVER, {"idle": STAFF_IDLE})
    session.execute(_SESSIONS, {"kept": SESSIONS_KEPT})
    session.execute(_NETWORKS, {"kept": SESSIONS_KEPT})


@every_day("accounts.forget_closed", queue=QUEUE, at=NIGHT)
def forget_at_night(session: Session, period: str) -> None:
    """What is left of the WeChat users whose accounts were closed: within 24 hours, so twice."""
    _forget(session, period, NIGHT)


@every_day("accounts.forget_closed_again", queue=QUEUE, at=AFTERNOON)
def forget_in_the_afternoon(session: Session, period: str) -> None:
    """The same, half a day later."""
    _forget(session, period, AFTERNOON)


def _forget(session: Session, period: str, at: time) -> None:
    day = datetime.fromisoformat(period).date()
    forget_closed(session, datetime.combine(day, at, CHINA))
