"""注销 (closing): an account ends, with everything that hangs on it, whoever closes it.

The database ends its sessions, authorities and delegations with it, and forgets the openid. The
openid's index stays until tries of it count no more, so that a new account gives no new tries.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from backend.accounts.real_name import TRIES_HOURS
from backend.accounts.tables import CONSENT, CONSENT_WITHDRAWAL, RESIDENT, WECHAT_USER
from backend.kernel import audit
from backend.kernel.audit import Subject


def close_account(session: Session, account: int, by: str, why: str) -> None:
    """Close it. `why`: `left`, `replaced` (at a counter), `cancelled` (at WeChat).

    Once only; nothing for one that is closed. Whoever leaves withdraws what they agreed to in the
    mini-program; whoever changes the account does not.
    """
    gone = {"closed_at": func.now(), "phone": b"", "phone_index": b"", "phone_at": None}
    one = RESIDENT.c.id == account
    open_ = select(RESIDENT.c.id).where(one, RESIDENT.c.closed_at.is_(None)).with_for_update()
    if session.execute(open_).first() is None:
        return
    if why != "replaced":
        _withdraw(session, account, by)
    subject = Subject("resident", str(account))
    audit.record(session, actor=by, action="resident.close", subject=subject, detail={"why": why})
    session.execute(update(RESIDENT).where(one).values(gone))


def forget_closed(session: Session, moment: datetime) -> int:
    """Delete what is left of the WeChat users whose accounts were closed some hours before the
    moment; returns how many. As `worker`.
    """
    long_ago: Final = moment - timedelta(hours=TRIES_HOURS)
    gone = delete(WECHAT_USER).where(WECHAT_USER.c.revoked_at < long_ago)
    count: int = session.execute(gone).rowcount  # type: ignore[attr-defined]
    return count


def _withdraw(session: Session, account: int, by: str) -> None:
    withdrawn = select(CONSENT_WITHDRAWAL.c.consent_id)
    standing = session.scalars(
        select(CONSENT.c.id).where(
            CONSENT.c.resident_id == account,
            CONSENT.c.channel == "mini_program",
            CONSENT.c.id.not_in(withdrawn),
        )
    )
    rows = [{"consent_id": one, "channel": "mini_program", "by": by} for one in standing]
    if rows:
        session.execute(CONSENT_WITHDRAWAL.insert().inline(), rows)
