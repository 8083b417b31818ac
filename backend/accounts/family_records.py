"""家人的登记 (family records): how a resident comes to act for a member of the household.

A guardian of record takes up a minor alone, by declaration; every other authority is recorded by
staff, who saw the proof. Of a child under 14 the guardian's consent is the basis besides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import ClassVar, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from backend.accounts.codes import account_told, use_up
from backend.accounts.consents import CHILDREN, Giving, give_consent, missing
from backend.accounts.family import HOLDS, wards_of
from backend.accounts.merged import of_people
from backend.accounts.residents import (
    MINOR_UNTIL,
    Seen,
    birthday,
    is_child,
    own_account,
    seen_person,
)
from backend.accounts.scope import Actor
from backend.accounts.tables import FAMILY_AUTHORITY
from backend.accounts.tasks import tell_family
from backend.kernel import audit
from backend.kernel.audit import of_person
from backend.kernel.crypto import Keyring, Place
from backend.kernel.errors import DomainError, Fault
from backend.kernel.jobs import defer
from backend.kernel.row_ids import next_id

ROLES: Final = ("township_reviewer", "county_officer")
"""Who records an authority: as `counter.ROLES`."""
_BEGIN: Final = text(
    "SELECT begin_authority(:own, :whom, :kin, :ground, :sealed, :from_on, :to_on)"
)
_DECLARE: Final = "请先声明您是孩子的监护人，再添加。"
_NO_WARD: Final = "登记中您不是这个孩子的监护人：请带户口簿或出生证明到乡镇（街道）柜台办理。"
_ADDED: Final = "这位家人已经在账号里，不必再添加。"
_DAYS: Final = "结束的日期不能早于今天；未成年人的，不能晚于满 18 周岁的前一天。"


class NotAWard(DomainError):
    """The register does not have the resident as the guardian of such a minor."""

    code: ClassVar[str] = "not-a-ward"


class GuardianshipUndeclared(DomainError):
    """The resident did not declare to be the guardian."""

    code: ClassVar[str] = "guardianship-undeclared"


class FamilyMemberAdded(DomainError):
    """There is an authority for this person already."""

    code: ClassVar[str] = "family-member-added"


class AuthorityDaysWrong(DomainError):
    """The authority would be over, or outlast childhood."""

    code: ClassVar[str] = "authority-days-wrong"


@dataclass(frozen=True, slots=True)
class Declared:
    """A guardian takes up a minor. `consent`: the version agreed to, of a child under 14."""

    person_id: int
    relationship: str
    declares: bool
    consent: int | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """Staff record an authority whose proof they saw. `code`: of the account that receives it.

    `to_on` None: without an end; over a minor as a guardian: until of age.
    """

    person_id: int
    code: str = field(repr=False)
    relationship: str
    basis: str
    proof: str = field(repr=False)
    to_on: date | None = None
    consent: int | None = None


@dataclass(frozen=True, slots=True)
class _New:
    account: int
    person_id: int
    relationship: str
    basis: str
    to_on: date | None


def take_up_ward(
    session: Session, keyring: Keyring, actor: Actor, declared: Declared, today: date
) -> int:
    """A guardian of record may act for a minor, until of age; the authority's id.

    Raises `NotAWard`, `GuardianshipUndeclared`, `FamilyMemberAdded`, `ConsentMissing`,
    `ConsentOutdated`.
    """
    wards = {one.person_id: one for one in wards_of(session, keyring, today)}
    ward = wards.get(declared.person_id)
    if ward is None:
        raise NotAWard(Fault("/person", _NO_WARD))
    if not declared.declares:
        raise GuardianshipUndeclared(Fault("/declares", _DECLARE))
    last = _last_as_minor(ward.born_on)
    new = _New(own_account(actor), ward.person_id, declared.relationship, "guardian", last)
    made = _insert(session, actor, new, today)
    if ward.child:
        version = _agreed(declared.consent)
        giving = Giving(ward.person_id, CHILDREN, version, "mini_program")
        give_consent(session, keyring, actor, giving)
    return made


def record_family(
    session: Session, keyring: Keyring, actor: Actor, recorded: Recorded, today: date
) -> int:
    """Staff who saw the proof let a resident act for a person whom they see, who hears of it; the
    authority's id.

    Raises `UnknownPerson`, `CodeUnknown`, `FamilyMemberAdded`, `AuthorityDaysWrong`,
    `ConsentMissing`, `ConsentOutdated`.
    """
    person = seen_person(session, keyring, recorded.person_id)
    account = account_told(session, recorded.code)
    to_on = _to_on(recorded, person, today)
    new = _New(account, person.id, recorded.relationship, recorded.basis, to_on)
    made = _insert(session, actor, new, today, (person, recorded.proof))
    if recorded.basis == "guardian" and is_child(person.born_on, today):
        version, proof = _agreed(recorded.consent), recorded.proof
        giving = Giving(person.id, CHILDREN, version, "counter", proof)
        give_consent(session, keyring, actor, giving)
    use_up(session)
    defer(session, tell_family, authority_id=made)
    return made


def _to_on(recorded: Recorded, person: Seen, today: date) -> date | None:
    last = _last_as_minor(person.born_on)
    guards_minor = recorded.basis == "guardian" and last >= today
    to_on = recorded.to_on or (last if guards_minor else None)
    if to_on is not None and (to_on < today or (guards_minor and to_on > last)):
        raise AuthorityDaysWrong(Fault("/to_on", _DAYS))
    return to_on


def _last_as_minor(born_on: date) -> date:
    return birthday(born_on, MINOR_UNTIL) - timedelta(days=1)


def _agreed(version: int | None) -> int:
    if version is None:
        raise missing(CHILDREN)
    return version


def _insert(
    session: Session, actor: Actor, new: _New, today: date, proved: tuple[Seen, str] | None = None
) -> int:
    table, own, sealed = FAMILY_AUTHORITY.c, next_id(session), b""
    same = (table.resident_id == new.account) & of_people(table.person_id, (new.person_id,))
    if session.execute(select(table.id).where(same, HOLDS)).first() is not None:
        raise FamilyMemberAdded(Fault("/person", _ADDED))
    if proved is not None:
        person, proof = proved
        sealed = person.cipher.seal(Place("family_authority", "proof_note", own), proof)
    begun = {
        "own": own, "whom": new.person_id, "kin": new.relationship, "ground": new.basis,
        "sealed": sealed, "from_on": today, "to_on": new.to_on,
    }  # fmt: skip
    session.execute(_BEGIN, begun)
    audit.deed(session, actor, "family.begin", of_person(new.person_id), authority=own)
    return own
