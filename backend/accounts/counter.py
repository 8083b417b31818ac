"""柜台确认 (counter): staff who see somebody and the identity card say whose account it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.accounts.codes import account_told
from backend.accounts.real_name import AlreadyNamed, PersonHasAccount
from backend.accounts.residents import person_seen
from backend.accounts.scope import Actor
from backend.accounts.tasks import tell_named
from backend.kernel import audit
from backend.kernel.audit import of_account
from backend.kernel.errors import DomainError, Fault
from backend.kernel.jobs import defer

ROLES: Final = ("township_reviewer", "county_officer")
"""Those who sit at counters. Not those who visit: nobody shall hold a village's accounts."""
_CONFIRM: Final = text("SELECT * FROM confirm_name(:whom, :replaces)")
_ALREADY: Final = "出示身份码的账号已经实名：请核对是不是本人的微信。"
_REPLACE: Final = (
    "此人已在另一个微信号上实名。确实要更换的，请核对身份证，再以 replace 为 true 重新提交；"
    "原来的账号会注销。"
)


class ConfirmedUnseen(DomainError):
    """Whoever confirms must have seen the identity card."""

    code: ClassVar[str] = "identity-card-unseen"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What staff confirm. `replace`: the person's account so far is closed."""

    person_id: int
    code: str = field(repr=False)
    card_seen: bool
    replace: bool = False


def confirm_at_counter(
    session: Session, actor: Actor, confirmation: Confirmation, today: date
) -> None:
    """Bring the account whose code was told to level 2, as the person, who hears of it by another
    way than that account: it may be somebody else's. Of one that replaces another, by the other.

    Raises `UnknownPerson`, `ConfirmedUnseen`, `CodeUnknown`, `AlreadyNamed`, `PersonHasAccount`.
    """
    person = confirmation.person_id
    person_seen(session, person)
    if not confirmation.card_seen:
        raise ConfirmedUnseen(Fault("/card_seen", "请先核对身份证原件，再确认。"))
    account = account_told(session, confirmation.code)
    asked = {"whom": person, "replaces": confirmation.replace}
    outcome, closed = session.execute(_CONFIRM, asked).one()
    if outcome == "already_named":
        raise AlreadyNamed(Fault("/code", _ALREADY))
    if outcome == "taken":
        raise PersonHasAccount(Fault("/replace", _REPLACE))
    for former in closed:
        audit.deed(session, actor, "resident.close", of_account(former), why="replaced")
    audit.deed(session, actor, "resident.confirm_name", of_account(account), person=person)
    audit.read_person(session, actor, person, "verify", ("basic", "number"))
    day, replaced = today.isoformat(), bool(closed)
    defer(session, tell_named, account=account, day=day, replaced=replaced)
