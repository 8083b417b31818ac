"""委托代办 (delegations): somebody acts for a person, for named matters and days, with consent.

Given by the person in the mini-program to staff who visit, or to a relative who shows the code of
their account; or recorded at the bedside by those staff, with proof. It ends with its consent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, ClassVar, Final

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from backend.accounts.authority import people_spoken_for
from backend.accounts.codes import account_told, use_up
from backend.accounts.consents import (
    DELEGATION_PURPOSE,
    Giving,
    give_consent,
    withdraw_consent,
)
from backend.accounts.merged import now
from backend.accounts.residents import (
    UnknownPerson,
    own_account,
    person_seen,
    seen_person,
    sees,
)
from backend.accounts.scope import Actor
from backend.accounts.tables import DELEGATION
from backend.accounts.tasks import tell_delegated
from backend.kernel import audit
from backend.kernel.audit import of_person
from backend.kernel.crypto import Keyring, Place
from backend.kernel.errors import DomainError, Fault
from backend.kernel.jobs import defer
from backend.kernel.row_ids import next_id

LONGEST: Final = timedelta(days=366)
_BEGIN: Final = text(
    "SELECT begin_delegation(:own, :consent, :whom, :staff, :scope, :from_on, :to_on, :sealed)"
)
_STANDING: Final = text(
    "SELECT standing_delegation(:whom, :staff, :scope, :from_on, :to_on, :edition)"
)
_GIVE_BACK: Final = text("SELECT give_back(:which)")
_VISITING: Final = text("SELECT visiting_staff(:number)")
_DAYS: Final = "委托从今天或以后开始，最长一年：请核对两个日期。"
_NOBODY: Final = "没有可以委托的这位工作人员：请核对工号；只能委托家庭医生、村居协管员或帮扶干部。"
_ONESELF: Final = "不能委托自己：请让受托人在他的小程序里打开身份码。"


class DelegateUnfit(DomainError):
    """Nobody to whom it may be delegated: not staff who visit, or the person's own account."""

    code: ClassVar[str] = "delegate-unfit"


class DelegationDaysWrong(DomainError):
    """The days are in the wrong order, over, or more than a year."""

    code: ClassVar[str] = "delegation-days-wrong"


class UnknownDelegation(DomainError):
    """No such delegation that stands, or none that is the session's to end."""

    code: ClassVar[str] = "unknown-delegation"


@dataclass(frozen=True, slots=True)
class Terms:
    """For what and how long. `scope`: of `authority.SCOPES`; `consent`: the version agreed to."""

    person_id: int
    scope: tuple[str, ...]
    from_on: date
    to_on: date
    consent: int


@dataclass(frozen=True, slots=True)
class Delegate:
    """To whom: staff by number, or a relative by the code of the account and what they are."""

    staff_no: str | None = None
    code: str | None = field(default=None, repr=False)
    relationship: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a resident delegates, and to whom."""

    terms: Terms
    to: Delegate


@dataclass(frozen=True, slots=True)
class AtBedside:
    """What staff record as delegated to them. `proof`: which, and where it is kept; sealed."""

    terms: Terms
    proof: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _To:
    """`staff_id` None: the account whose code was told."""

    staff_id: int | None = None
    channel: str = "mini_program"
    proof: str = ""


def delegate(session: Session, keyring: Keyring, actor: Actor, asked: Asked, today: date) -> int:
    """The person, or the person's guardian, delegates in the mini-program; the delegation's id, or
    that of the same one where it stands already.

    Raises `UnknownPerson`, `DelegationDaysWrong`, `DelegateUnfit`, `CodeUnknown`,
    `ConsentOutdated`.
    """
    terms, to = asked.terms, asked.to
    if terms.person_id not in people_spoken_for(session):
        raise UnknownPerson
    _check_days(terms, today)
    if to.staff_no is not None:
        receiver = _To(staff_id=_visiting_staff(session, to.staff_no))
        return _record(session, keyring, actor, terms, receiver)
    account = account_told(session, to.code or "")
    if account == own_account(actor):
        raise DelegateUnfit(Fault("/code", _ONESELF))
    receiver = _To(proof=to.relationship)
    made = _record(session, keyring, actor, terms, receiver)
    use_up(session)
    return made


def delegate_at_bedside(
    session: Session, keyring: Keyring, actor: Actor, asked: AtBedside, today: date
) -> int:
    """Staff who visit record that a person whom they see delegated to them; the delegation's id.

    Raises `UnknownPerson`, `DelegationDaysWrong`, `ConsentOutdated`.
    """
    person_seen(session, asked.terms.person_id)
    _check_days(asked.terms, today)
    receiver = _To(staff_id=actor.staff_id, channel="bedside", proof=asked.proof)
    return _record(session, keyring, actor, asked.terms, receiver)


def end_delegation(session: Session, actor: Actor, delegation_id: int) -> None:
    """A resident ends it at once, with its consent and every other one to the same receiver; or
    gives back all of the person, who received it.

    Nothing for one that was ended. Raises `UnknownDelegation`.
    """
    row = _found(session, delegation_id)
    if row.whom in people_spoken_for(session):
        _withdraw(session, actor, row, "mini_program")
    elif row.resident_id == own_account(actor):
        _give_back(session, actor, row)
    else:
        raise UnknownDelegation


def end_for_person(session: Session, actor: Actor, delegation_id: int, channel: str) -> None:
    """Staff whom the person told so end it at once, with its consent; or give it back, who received
    it and does not see the person.

    Nothing for one that was ended. Raises `UnknownDelegation`.
    """
    row = _found(session, delegation_id)
    if sees(session, row.whom):
        _withdraw(session, actor, row, channel)
    else:
        _give_back(session, actor, row)


def _found(session: Session, delegation_id: int) -> Row[Any]:
    whom = now(DELEGATION.c.person_id).label("whom")
    query = select(DELEGATION, whom).where(DELEGATION.c.id == delegation_id)
    row = session.execute(query).first()
    if row is None:
        raise UnknownDelegation
    return row


def _withdraw(session: Session, actor: Actor, row: Row[Any], channel: str) -> None:
    if row.ended_at is None:
        withdraw_consent(session, actor, row.consent_id, channel)


def _give_back(session: Session, actor: Actor, row: Row[Any]) -> None:
    for ended in session.execute(_GIVE_BACK, {"which": row.id}).scalar_one():
        audit.deed(session, actor, "delegation.end", of_person(row.whom), delegation=ended)


def _check_days(terms: Terms, today: date) -> None:
    if not today <= terms.from_on <= terms.to_on <= terms.from_on + LONGEST:
        raise DelegationDaysWrong(Fault("/to_on", _DAYS))


def _visiting_staff(session: Session, staff_no: str) -> int:
    staff: int | None = session.execute(_VISITING, {"number": staff_no}).scalar_one()
    if staff is None:
        raise DelegateUnfit(Fault("/staff_no", _NOBODY))
    return staff


def _record(session: Session, keyring: Keyring, actor: Actor, terms: Terms, to: _To) -> int:
    person = seen_person(session, keyring, terms.person_id)
    agreed = {
        "whom": person.id,
        "staff": to.staff_id,
        "scope": sorted(set(terms.scope)),
        "from_on": terms.from_on,
        "to_on": terms.to_on,
    }
    asked = agreed | {"edition": terms.consent}
    standing: int | None = session.execute(_STANDING, asked).scalar_one()
    if standing is not None:
        return standing
    giving = Giving(person.id, DELEGATION_PURPOSE, terms.consent, to.channel, to.proof)
    consent, own = give_consent(session, keyring, actor, giving), next_id(session)
    sealed = person.cipher.seal(Place("delegation", "proof", own), to.proof)
    session.execute(_BEGIN, agreed | {"own": own, "consent": consent, "sealed": sealed})
    if to.channel != "mini_program":  # the person knows what was done in the own account
        defer(session, tell_delegated, delegation_id=own)
    audit.deed(session, actor, "delegation.begin", of_person(person.id), delegation=own)
    return own
