"""实名 (real name): a resident becomes known as a person of the register, by name and number.

The number is looked up by its blind index, the name compared with the one on record. The database
gives an account, and the WeChat user behind it, few tries in some hours; a wrong name and a number
that nobody has are answered alike. Who cannot do it here is confirmed at a counter (`counter.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Final

from sqlalchemy import Row, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.accounts.residents import own_account
from backend.accounts.scope import Actor
from backend.accounts.tables import IDENTITY_CHECK, RESIDENT
from backend.citizens import id_number, names
from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.crypto import Keyring, Place
from backend.kernel.errors import DomainError, Fault

MOST_TRIES: Final = 5
TRIES_HOURS: Final = 6
"""As the function `person_by_number` of migration 0012 has them."""
_TRIES: Final = text("SELECT identity_tries()")
_FIND: Final = text("SELECT * FROM person_by_number(CAST(:indexes AS bytea[]))")
_TAKEN_BEFORE: Final = text("SELECT has_account(:person)")
_TAKEN: Final = "uq_resident_person_id_open"
_NOT_MATCHED: Final = (
    "姓名和身份证号与登记的不一致：请对照身份证核对后再试，或带身份证到乡镇（街道）柜台办理。"
)
_TOO_MANY: Final = (
    f"{TRIES_HOURS} 小时内只能试 {MOST_TRIES} 次：请过几个小时再试，"
    "或带身份证到乡镇（街道）柜台办理。"
)
_NO_NAME: Final = "请填写身份证上的姓名。"
_ALREADY: Final = "您已经实名，不必再办。"
_OTHER_ACCOUNT: Final = (
    "您已在另一个微信号上实名：请用那个微信号登录；不能再用的，带身份证到乡镇（街道）柜台更换。"
)


class IdentityMalformed(DomainError):
    """The name or number cannot be one: nothing was looked up."""

    code: ClassVar[str] = "identity-malformed"


class NameNotMatched(DomainError):
    """Nobody of the register has this name with this number: not told which is wrong."""

    code: ClassVar[str] = "name-not-matched"


class TooManyTries(DomainError):
    """The account has used up its tries for some hours."""

    code: ClassVar[str] = "too-many-identity-tries"


class AlreadyNamed(DomainError):
    """The account is known by name already."""

    code: ClassVar[str] = "already-named"


class PersonHasAccount(DomainError):
    """The person has another account; one person has one."""

    code: ClassVar[str] = "person-has-account"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who somebody says to be."""

    name: str = field(repr=False)
    number: str = field(repr=False)


def prove_name(
    session: Session, keyring: Keyring, actor: Actor, claim: Claim, today: date
) -> int | DomainError:
    """Bring the account to level 2; returns the person.

    A refusal that is written down is returned, not raised: `NameNotMatched`, `PersonHasAccount`,
    which count as tries, and `TooManyTries`. Raises `IdentityMalformed`, `AlreadyNamed`.
    """
    account, number = own_account(actor), _checked(claim, today)
    query = select(RESIDENT.c.level).where(RESIDENT.c.id == account)
    if session.execute(query.with_for_update()).scalar_one() == 2:
        raise AlreadyNamed(Fault("", _ALREADY))
    if session.execute(_TRIES).scalar_one() >= MOST_TRIES:
        _audit(session, actor, f"{audit.DENIED}.resident.prove_name", account)
        return TooManyTries(Fault("/id_number", _TOO_MANY))
    found = _match(session, keyring, claim.name, number)
    note_check(session, account, found, "register", actor.label)
    if found is None:
        _audit(session, actor, "resident.name_not_matched", account)
        return NameNotMatched(Fault("/id_number", _NOT_MATCHED))
    if not give_name(session, account, found):
        _audit(session, actor, "resident.name_taken", account)
        return PersonHasAccount(Fault("", _OTHER_ACCOUNT))
    _audit(session, actor, "resident.prove_name", account)
    audit.read_person(session, actor, found, "verify", ("basic", "number"))
    return found


def give_name(session: Session, account: int, person: int) -> bool:
    """Bind the account to the person; False: the person has another account, perhaps from before
    being merged.
    """
    if session.execute(_TAKEN_BEFORE, {"person": person}).scalar_one():
        return False
    named = {"person_id": person, "level": 2}
    try:
        with session.begin_nested():
            session.execute(update(RESIDENT).where(RESIDENT.c.id == account).values(named))
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != _TAKEN:
            raise
        return False
    return True


def note_check(session: Session, account: int, person: int | None, method: str, by: str) -> None:
    """Write down that it was looked up who somebody is; never changed."""
    row = {"resident_id": account, "person_id": person, "method": method, "by": by}
    row["outcome"] = "not_matched" if person is None else "matched"
    session.execute(IDENTITY_CHECK.insert().values(row).inline())


def _checked(claim: Claim, today: date) -> str:
    number = id_number.normalise(claim.number)
    if (reason := id_number.why_not(number, today)) is not None:
        raise IdentityMalformed(Fault("/id_number", f"{reason}。"))
    if not names.normalise(claim.name):
        raise IdentityMalformed(Fault("/name", _NO_NAME))
    return number


def _match(session: Session, keyring: Keyring, name: str, number: str) -> int | None:
    indexes = list(keyring.indexes("id_number", number))
    row = session.execute(_FIND, {"indexes": indexes}).first()
    return row.person_id if row is not None and names.same(name, _name(keyring, row)) else None


def _name(keyring: Keyring, row: Row[Any]) -> str:
    cipher = keyring.person(row.person_id, bytes(row.data_key))
    return cipher.open(Place("person", "name", row.person_id), bytes(row.name))


def _audit(session: Session, actor: Actor, action: str, account: int) -> None:
    subject = Subject("resident", str(account))
    audit.record(session, actor=actor.label, action=action, subject=subject, role="resident")
