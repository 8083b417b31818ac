"""手机号 (phone): bound by a code that WeChat answers with the number; taken back at will."""

from __future__ import annotations

from typing import ClassVar, Final

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from backend.accounts.login import openid_place
from backend.accounts.residents import own_account
from backend.accounts.scope import Actor
from backend.accounts.tables import RESIDENT, WECHAT_USER
from backend.citizens import phone
from backend.kernel import audit
from backend.kernel.audit import Who, of_account
from backend.kernel.crypto import Keyring, Place
from backend.kernel.errors import DomainError, Fault
from backend.wechat.calls import Phone, phone_number
from backend.wechat.client import MiniProgram
from backend.wechat.errors import WeChatRefused

CHINA: Final = "86"
SPENT: Final = (40029, 40013)
"""WeChat's numbers for a code that is none of this user, or was used or is over."""
_KEEP: Final = text("SELECT keep_phone(:sealed, :index)")
_ABROAD: Final = "请绑定中国内地的手机号。"


class PhoneUnusable(DomainError):
    """The number is none of the mainland: nobody could be called or written to."""

    code: ClassVar[str] = "phone-unusable"


class PhoneCodeUnusable(DomainError):
    """The code of the phone button was used, is over, or is another user's."""

    code: ClassVar[str] = "phone-code-unusable"


def openid_of(session: Session, keyring: Keyring, actor: Actor) -> str:
    """The openid of the resident who acts: what WeChat checks a phone's code against."""
    account = own_account(actor)
    query = select(WECHAT_USER.c.openid).where(WECHAT_USER.c.resident_id == account)
    sealed = session.execute(query).scalar_one()
    return keyring.shared().open(openid_place(account), bytes(sealed))


def phone_behind(wechat: MiniProgram, code: str, openid: str) -> Phone:
    """The number behind the code of the phone button, of that user; a network call, never inside a
    transaction. Raises `PhoneCodeUnusable`, and the errors of `backend.wechat`.
    """
    try:
        return phone_number(wechat, code, openid)
    except WeChatRefused as error:
        if error.errcode in SPENT:
            raise PhoneCodeUnusable from error
        raise


def bind_phone(session: Session, keyring: Keyring, actor: Actor, given: Phone) -> str:
    """Keep the number that WeChat gave, in place of a former one; returns it masked.

    The account is then at level 1 at least. Raises `PhoneUnusable`.
    """
    account, number = own_account(actor), phone.normalise(given.number)
    if given.country != CHINA or phone.why_not(number) is not None:
        raise PhoneUnusable(Fault("/code", _ABROAD))
    kept = {
        "sealed": keyring.shared().seal(Place("resident", "phone", account), number),
        "index": keyring.index("phone", number),
    }
    session.execute(_KEEP, kept)
    audit.deed(session, actor, "resident.bind_phone", of_account(account))
    return phone.masked(number)


def forget_phone(session: Session, account: int, by: Who) -> None:
    """Delete the number of an account: in its own session, or as `worker`. Who was known by nothing
    else is at level 0 again.
    """
    if isinstance(by, Actor):
        session.execute(_KEEP, {"sealed": b"", "index": b""})
    else:
        nothing = {"phone": b"", "phone_index": b"", "phone_at": None}
        session.execute(update(RESIDENT).where(RESIDENT.c.id == account).values(nothing))
    audit.deed(session, by, "resident.forget_phone", of_account(account))
