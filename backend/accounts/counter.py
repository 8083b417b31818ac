"""柜台确认 (counter): staff who see somebody and the identity card say whose account it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.accounts.closing import close_account
from backend.accounts.codes import account_told, use_up
from backend.accounts.merged import of_people
from backend.accounts.real_name import AlreadyNamed, PersonHasAccount, give_name, note_check
from backend.accounts.residents import person_seen
from backend.accounts.scope import Actor
from backend.accounts.tables import RESIDENT
from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.errors import DomainError, Fault

ROLES: Final = ("township_reviewer", "county_officer")
"""Those who sit at counters. Not those who visit: nobody shall hold a village's accounts."""
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


def confirm_at_counter(session: Session, actor: Actor, confirmation: Confirmation) -> None:
    """Bring the account whose code was told to level 2, as the person.

    Raises `UnknownPerson`, `ConfirmedUnseen`, `CodeUnknown`, `AlreadyNamed`, `PersonHasAccount`.
    """
    person = confirmation.person_id
    person_seen(session, person)
    if not confirmation.card_seen:
        raise ConfirmedUnseen(Fault("/card_seen", "请先核对身份证原件，再确认。"))
    account = account_told(session, confirmation.code)
    level = select(RESIDENT.c.level).where(RESIDENT.c.id == account).with_for_update()
    if session.execute(level).scalar_one() == 2:
        raise AlreadyNamed(Fault("/code", _ALREADY))
    if confirmation.replace:
        _close_former(session, actor, person)
    if not give_name(session, account, person):
        raise PersonHasAccount(Fault("/replace", _REPLACE))
    note_check(session, account, person, "counter", actor.label)
    use_up(session, account)
    _audit(session, actor, account, person)


def _close_former(session: Session, actor: Actor, person: int) -> None:
    former = select(RESIDENT.c.id).where(
        of_people(RESIDENT.c.person_id, (person,)), RESIDENT.c.closed_at.is_(None)
    )
    for account in session.scalars(former).all():
        close_account(session, account, actor.label, "replaced")


def _audit(session: Session, actor: Actor, account: int, person: int) -> None:
    audit.record(
        session, actor=actor.label, action="resident.confirm_name",
        subject=Subject("resident", str(account)), detail={"person": person},
        role=actor.role or "", area=actor.area_from,
    )  # fmt: skip
    audit.read_person(session, actor, person, "verify", ("basic", "number"))
