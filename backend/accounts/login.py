"""居民登录 (login): a user of WeChat becomes a resident with a session.

WeChat is asked first, outside any transaction, who showed the code of `wx.login`; it takes each
code once. Of its answer the openid alone is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.accounts.scope import act_as
from backend.accounts.sessions import new_token
from backend.accounts.tables import RESIDENT
from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.crypto import Keyring, Place
from backend.kernel.database import constraint_of
from backend.kernel.errors import DomainError
from backend.kernel.row_ids import next_id
from backend.wechat.calls import code_to_session
from backend.wechat.client import MiniProgram
from backend.wechat.errors import WeChatRefused

BLOCKED: Final = 40226
SPENT: Final = (40029, 40163)
"""WeChat's numbers for a code that is no code, or was used or is over."""
_OPEN: Final = text("SELECT open_resident_session(CAST(:indexes AS bytea[]), :digest, :address)")
_ADD: Final = text("SELECT add_resident(:account, :index, :sealed)")
_TAKEN: Final = "uq_wechat_user_openid_index_open"


class LoginCodeUnusable(DomainError):
    """The code of `wx.login` was used, is over, or is none."""

    code: ClassVar[str] = "login-code-unusable"


class LoginBlocked(DomainError):
    """WeChat does not let this user log in."""

    code: ClassVar[str] = "login-blocked"


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The session that was opened. `level`: 0 WeChat only, 1 with a phone, 2 known by name.
    `new`: the account was made just now. The token is kept nowhere else.
    """

    token: str = field(repr=False)
    level: int
    ui_mode: str
    new: bool


def who_shows(wechat: MiniProgram, code: str) -> str:
    """The openid behind a code; a network call, never inside a transaction.

    Raises `LoginCodeUnusable`, `LoginBlocked`, and the errors of `backend.wechat`.
    """
    try:
        return code_to_session(wechat, code).openid
    except WeChatRefused as error:
        if error.errcode in SPENT:
            raise LoginCodeUnusable from error
        if error.errcode == BLOCKED:
            raise LoginBlocked from error
        raise


def log_in(session: Session, keyring: Keyring, openid: str, address: str) -> LoggedIn:
    """Open a session for the WeChat user, who gets an account at the first time; audited.

    `address`: already masked. The transaction acts in the session from then on.
    """
    new = new_token()
    shown = {
        "indexes": list(keyring.indexes("openid", openid)),
        "digest": new.digest, "address": address,
    }  # fmt: skip
    known: int | None = session.execute(_OPEN, shown).scalar_one()
    if known is None:
        _make(session, keyring, openid)
    resident = known or session.execute(_OPEN, shown).scalar_one()
    act_as(session, new.token)
    row = session.execute(
        select(RESIDENT.c.level, RESIDENT.c.ui_mode).where(RESIDENT.c.id == resident)
    ).one()
    subject = Subject("resident", str(resident))
    label = f"resident:{resident}"
    audit.record(session, actor=label, action="resident.log_in", subject=subject, role="resident")
    return LoggedIn(new.token, row.level, row.ui_mode, known is None)


def openid_place(resident_id: int) -> Place:
    """Where the openid of an account is sealed."""
    return Place("wechat_user", "openid", resident_id)


def _make(session: Session, keyring: Keyring, openid: str) -> None:
    """A new account, unless another request of the same user was first."""
    resident = next_id(session)
    user = {
        "account": resident,
        "index": keyring.index("openid", openid),
        "sealed": keyring.shared().seal(openid_place(resident), openid),
    }
    try:
        with session.begin_nested():
            session.execute(_ADD, user)
    except IntegrityError as error:
        if constraint_of(error) != _TAKEN:
            raise
