"""注销 (closing): an account ends, with everything that hangs on it, whoever closes it.

The database ends its sessions, authorities and delegations with it, and forgets openid and phone;
of one that staff replaced some hours later, so that its owner hears of it. The openid's index stays
until tries of it count no more, so that a new account gives no new tries.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from backend.accounts.consents import withdraw_given
from backend.accounts.real_name import TRIES_HOURS
from backend.accounts.scope import Actor
from backend.accounts.tables import RESIDENT, WECHAT_USER
from backend.kernel import audit
from backend.kernel.audit import Who, of_account

_CLOSE_OWN: Final = text("SELECT close_own_account()")
_CLOSE: Final = text("SELECT close_account(:account)")


def close_account(session: Session, account: int, by: Who, why: str) -> None:
    """Close it. `why`: `left` (the own, in its session), `cancelled` (at WeChat; as `worker`).

    Once only; nothing for one that is closed. Whoever leaves withdraws what they agreed to in the
    mini-program, and with it ends what they delegated; whoever changes the account at a counter
    (`counter.py`) does not.
    """
    withdraw_given(session, by, account)
    closing = _CLOSE_OWN if isinstance(by, Actor) else _CLOSE
    if session.execute(closing, {"account": account}).scalar_one():
        audit.deed(session, by, "resident.close", of_account(account), why=why)


def forget_closed(session: Session, moment: datetime) -> int:
    """Delete what is left of the WeChat users whose accounts were closed some hours before the
    moment, and their phones; returns how many. As `worker`.
    """
    long_ago: Final = moment - timedelta(hours=TRIES_HOURS)
    nothing = {"phone": b"", "phone_index": b"", "phone_at": None}
    silent = (RESIDENT.c.closed_at < long_ago) & (RESIDENT.c.phone != b"")
    session.execute(update(RESIDENT).where(silent).values(nothing))
    gone = delete(WECHAT_USER).where(WECHAT_USER.c.revoked_at < long_ago)
    count: int = session.execute(gone).rowcount  # type: ignore[attr-defined]
    return count
