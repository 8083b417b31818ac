"""实名 (real name): a resident becomes known as a person of the register, by name and number.

A phone is bound first: who claims a name can be called. The number is looked up by its blind index,
the name compared with the one on record. The database gives an account, and the WeChat user behind
it, few tries in some hours; a wrong name, a number that nobody has and a person who has an
account already are answered alike. Whoever cannot do it here is confirmed at a counter
(`counter.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from backend.accounts.residents import PhoneMissing, own_account
from backend.accounts.scope import Actor
from backend.citizens import id_number, names
from backend.kernel import audit
from backend.kernel.audit import of_account
from backend.kernel.crypto import Keyring, Place
from backend.kernel.errors import DomainError, Fault

MOST_TRIES: Final = 5
TRIES_HOURS: Final = 6
"""As the functions `person_by_number` and `prove_name` of the database have them."""
_FIND: Final = text("SELECT * FROM person_by_number(CAST(:indexes AS bytea[]))")
_PROVE: Final = text("SELECT * FROM prove_name(CAST(:indexes AS bytea[]), :right)")
_NOT_MATCHED: Final = (
    "没有办成：请对照身份证核对姓名和号码后再试。没有填错的，或者您已在另一个微信号上实名、"
    "不能再用的，带身份证到乡镇（街道）柜台办理。"
)
_TOO_MANY: Final = (
    f"{TRIES_HOURS} 小时内只能试 {MOST_TRIES} 次：请过几个小时再试，"
    "或带身份证到乡镇（街道）柜台办理。"
)
_NO_NAME: Final = "请填写身份证上的姓名。"
_ALREADY: Final = "这个账号已经实名，不能再改成别人；要给家人办理的，请在“家人”或“委托代办”里添加。"


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


_REFUSALS: Final[Mapping[str, tuple[str, Callable[[], DomainError]]]] = {
    "too_many": (
        f"{audit.DENIED}.resident.prove_name",
        lambda: TooManyTries(Fault("/id_number", _TOO_MANY)),
    ),
    "not_matched": (
        "resident.name_not_matched",
        lambda: NameNotMatched(Fault("/id_number", _NOT_MATCHED)),
    ),
    "taken": (
        "resident.name_taken",
        lambda: NameNotMatched(Fault("/id_number", _NOT_MATCHED)),
    ),
}
"""What the database says → what is audited, and what is answered: whether somebody has an account
is told to nobody who merely knows a name and a number."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who somebody says to be."""

    name: str = field(repr=False)
    number: str = field(repr=False)


def prove_name(
    session: Session, keyring: Keyring, actor: Actor, claim: Claim, today: date
) -> int | DomainError:
    """Bring the account to level 2; returns the person.

    A refusal that is written down is returned, not raised: `NameNotMatched`, which counts as a try,
    also where the person has another account, and `TooManyTries`. Raises `PhoneMissing`,
    `IdentityMalformed`, `AlreadyNamed`.
    """
    account = own_account(actor)
    if actor.level == 0:
        raise PhoneMissing
    number = _checked(claim, today)
    indexes = list(keyring.indexes("id_number", number))
    shown = {"indexes": indexes, "right": _is_name(session, keyring, claim.name, indexes)}
    outcome, person = session.execute(_PROVE, shown).one()
    if outcome == "already_named":
        raise AlreadyNamed(Fault("", _ALREADY))
    if outcome == "no_phone":
        raise PhoneMissing
    action, refusal = _REFUSALS.get(outcome, ("resident.prove_name", None))
    audit.deed(session, actor, action, of_account(account))
    if refusal is not None:
        return refusal()
    audit.read_person(session, actor, person, "verify", ("basic", "number"))
    return int(person)


def _checked(claim: Claim, today: date) -> str:
    number = id_number.normalise("".join(claim.number.split()))
    if (reason := id_number.why_not(number, today)) is not None:
        raise IdentityMalformed(Fault("/id_number", f"{reason}。"))
    if not names.normalise(claim.name):
        raise IdentityMalformed(Fault("/name", _NO_NAME))
    return number


def _is_name(session: Session, keyring: Keyring, name: str, indexes: list[bytes]) -> bool:
    """Whether it is the name of whoever has the number; of nobody where no tries are left."""
    row = session.execute(_FIND, {"indexes": indexes}).first()
    return row is not None and names.same(name, _name(keyring, row))


def _name(keyring: Keyring, row: Row[Any]) -> str:
    cipher = keyring.person(row.person_id, bytes(row.data_key))
    return cipher.open(Place("person", "name", row.person_id), bytes(row.name))
