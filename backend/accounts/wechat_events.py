"""微信的账号事件 (WeChat events): what somebody takes back at WeChat is deleted here.

Run by workers, once for each event, in the transaction that marks it as done.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from backend.accounts.closing import close_account
from backend.accounts.phone import forget_phone
from backend.accounts.residents import account_of_openid
from backend.kernel import audit, keys
from backend.kernel.audit import Operator, of_account
from backend.wechat.handlers import on_push
from backend.wechat.push import Push

BY: Final = Operator("wechat", "wechat")
PHONE: Final = "8"
"""Of `RevokeInfo`. The others name what we never ask for: place, photos, camera, profile …"""


@on_push("user_authorization_revoke")
def take_back(session: Session, push: Push) -> None:
    """A permission was taken back: the item goes."""
    account = _account(session, push)
    if account is None:
        return
    told = str(push.body.get("RevokeInfo", ""))
    if PHONE in told.split(","):
        forget_phone(session, account, BY)
    else:
        _note(session, account, "revoked")


@on_push("user_authorization_cancellation")
def close(session: Session, push: Push) -> None:
    """The WeChat account was closed: ours is as well."""
    account = _account(session, push)
    if account is not None:
        close_account(session, account, BY, "cancelled")


@on_push("user_info_modified")
def forget_profile(session: Session, push: Push) -> None:
    """Nickname and picture changed: none were ever kept, which is written down."""
    account = _account(session, push)
    if account is not None:
        _note(session, account, "profile")


def _account(session: Session, push: Push) -> int | None:
    return account_of_openid(session, keys.keyring(), push.openid)


def _note(session: Session, account: int, what: str) -> None:
    audit.deed(session, BY, "resident.wechat_told", of_account(account), told=what, kept="nothing")
