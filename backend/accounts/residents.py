"""居民 (residents): what the deeds of residents ask first: who acts, and whose values they open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final

from sqlalchemy import Row, Select, select, text
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor
from backend.citizens.tables import PERSON
from backend.kernel.crypto import Cipher, Keyring, Place
from backend.kernel.errors import DomainError

CHILD_UNTIL: Final = 14
"""Under this age a guardian agrees to everything (个人信息保护法 art. 31)."""
MINOR_UNTIL: Final = 18
_SEES: Final = text("SELECT sees_person(:person)")
_OF_OPENID: Final = text("SELECT resident_of_openid(:indexes)")


class UnknownPerson(DomainError):
    """Nobody with this id, or nobody whom the session may see: not told which."""

    code: ClassVar[str] = "unknown-person"


class NotNamed(DomainError):
    """The deed needs a resident who is known by name and number."""

    code: ClassVar[str] = "not-named"


class PhoneMissing(DomainError):
    """The deed needs a phone that is bound to the account."""

    code: ClassVar[str] = "phone-missing"


@dataclass(frozen=True, slots=True)
class Seen:
    """A person whom the session sees, with what opens and seals the person's values."""

    id: int
    name: str
    born_on: date
    cipher: Cipher


def own_account(actor: Actor) -> int:
    """The account of the resident who acts. Raises `NotNamed` for staff."""
    if actor.resident_id is None:
        raise NotNamed
    return actor.resident_id


def own_person(actor: Actor) -> int:
    """Whom the resident who acts is known to be. Raises `NotNamed`."""
    if actor.person_id is None:
        raise NotNamed
    return actor.person_id


def sees(session: Session, person_id: int) -> bool:
    """Whether the session sees the person; it takes as long whether there is somebody or not."""
    seen: bool = session.execute(_SEES, {"person": person_id}).scalar_one()
    return seen


def person_seen(session: Session, person_id: int) -> None:
    """Raises `UnknownPerson` where the session does not see the person."""
    if not sees(session, person_id):
        raise UnknownPerson


def seen_person(session: Session, keyring: Keyring, person_id: int) -> Seen:
    """A person, as far as the session sees the person. Raises `UnknownPerson`."""
    columns = PERSON.c.id, PERSON.c.name, PERSON.c.born_on, PERSON.c.data_key
    query: Select[Any] = select(*columns).where(PERSON.c.id == person_id)
    row = session.execute(query).first()
    if row is None:
        raise UnknownPerson
    return opened_person(keyring, row)


def opened_person(keyring: Keyring, row: Row[Any]) -> Seen:
    """A person read as a row of `id`, `name`, `born_on`, `data_key`."""
    cipher = keyring.person(row.id, bytes(row.data_key))
    name = cipher.open(Place("person", "name", row.id), bytes(row.name))
    return Seen(row.id, name, row.born_on, cipher)


def account_of_openid(session: Session, keyring: Keyring, openid: str) -> int | None:
    """The account of a WeChat user, where one is open. Asked before there is a session."""
    indexes = list(keyring.indexes("openid", openid))
    found: int | None = session.execute(_OF_OPENID, {"indexes": indexes}).scalar_one()
    return found


def birthday(born_on: date, years: int) -> date:
    """The day from which on somebody is so old; who was born on 29 February: on 1 March."""
    try:
        return born_on.replace(year=born_on.year + years)
    except ValueError:
        return date(born_on.year + years, 3, 1)


def is_child(born_on: date, day: date) -> bool:
    """Whether somebody is under 14 on the day."""
    return day < birthday(born_on, CHILD_UNTIL)
