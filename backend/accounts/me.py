"""我的账号 (me): how the account stands, and how the mini-program shows itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from backend.accounts.residents import own_account
from backend.accounts.scope import Actor
from backend.accounts.tables import RESIDENT
from backend.citizens import phone
from backend.kernel import audit
from backend.kernel.audit import of_account
from backend.kernel.crypto import Keyring, Place

UI_MODES: Final = {"normal": "标准", "elder": "长辈版：大字、简明"}
_OWN: Final = select(RESIDENT.c.phone, RESIDENT.c.ui_mode, RESIDENT.c.created_at)
_CHOOSE: Final = text("SELECT choose_ui_mode(:mode)")
LEVELS: Final = {0: "只有微信", 1: "绑定了手机号", 2: "已实名"}


@dataclass(frozen=True, slots=True)
class Account:
    """An account as its owner sees it. `phone`: masked; "": none. `person_id` at level 2."""

    level: int
    person_id: int | None
    ui_mode: str
    phone: str
    created_at: datetime


def account_of(session: Session, keyring: Keyring, actor: Actor) -> Account:
    """The account of the resident who acts."""
    account = own_account(actor)
    row = session.execute(_OWN.where(RESIDENT.c.id == account)).one()
    number = keyring.shared().open(Place("resident", "phone", account), bytes(row.phone))
    return Account(actor.level, actor.person_id, row.ui_mode, phone.masked(number), row.created_at)


def choose_ui_mode(session: Session, actor: Actor, mode: str) -> None:
    """Show the mini-program in a mode of `UI_MODES` from now on."""
    account = own_account(actor)
    session.execute(_CHOOSE, {"mode": mode})
    audit.deed(session, actor, "resident.choose_ui_mode", of_account(account), mode=mode)
