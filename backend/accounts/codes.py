"""身份码 (account code): eight digits by which somebody shows which account is theirs.

Told to the staff at a counter, or to a relative: for ten minutes, used once. Nobody's number or
name has to be typed for it.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.accounts.residents import own_account
from backend.accounts.scope import Actor
from backend.kernel.errors import DomainError, Fault

LIFE: Final = timedelta(minutes=10)
"""As the function `show_code` has it."""
DIGITS: Final = 8
_SHOW: Final = text("SELECT show_code(:digest)")
_USE_UP: Final = text("SELECT use_up_code()")
_TOLD: Final = text("SELECT set_config('shukun.code', :code, true)")
_WHOSE: Final = text("SELECT resident_of_code()")
_UNKNOWN: Final = "身份码不对，或已经过期、用过：请对方在小程序里重新打开身份码，再填一次。"


class CodeUnknown(DomainError):
    """Nobody's code, or one that is over or used."""

    code: ClassVar[str] = "account-code-unknown"


@dataclass(frozen=True, slots=True)
class ShownCode:
    """The digits, and until when they are good."""

    code: str = field(repr=False)
    expires_at: datetime


def show_code(session: Session, actor: Actor) -> ShownCode:
    """A new code of the resident who acts; the one before is good no more."""
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    own_account(actor)
    digest = hashlib.sha256(code.encode()).digest()
    return ShownCode(code, session.execute(_SHOW, {"digest": digest}).scalar_one())


def account_told(session: Session, code: str) -> int:
    """Whose code it is; the transaction may then do with the account what a code allows.

    Raises `CodeUnknown`.
    """
    session.execute(_TOLD, {"code": code})
    account: int | None = session.execute(_WHOSE).scalar_one()
    if account is None:
        raise _unknown()
    return account


def use_up(session: Session) -> None:
    """The code that was told is good no more. Raises `CodeUnknown` where another was faster."""
    if not session.execute(_USE_UP).scalar_one():
        raise _unknown()


def _unknown() -> CodeUnknown:
    return CodeUnknown(Fault("/code", _UNKNOWN))
