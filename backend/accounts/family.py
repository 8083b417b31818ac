"""家人 (family): whom a resident acts for, by authority that is on record, and may take up alone.

The latter are minors of whom the register has the resident as guardian.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from sqlalchemy import Boolean, Date, cast, func, select, text
from sqlalchemy.orm import Session

from backend.accounts.acting_names import acting_names
from backend.accounts.merged import now
from backend.accounts.residents import is_child, own_account
from backend.accounts.scope import Actor
from backend.accounts.tables import FAMILY_AUTHORITY
from backend.citizens.tables import PERSON
from backend.kernel import audit
from backend.kernel.audit import of_person
from backend.kernel.crypto import Keyring, Place
from backend.kernel.errors import DomainError

RELATIONSHIPS: Final[Mapping[str, str]] = {
    "child": "子女",
    "spouse": "配偶",
    "parent": "父母",
    "grandchild": "孙子女、外孙子女",
    "grandparent": "祖父母、外祖父母",
    "sibling": "兄弟姐妹",
    "other": "其他家人",
}
"""What the person is to the resident."""
BASES: Final[Mapping[str, str]] = {
    "guardian": "法定监护人",
    "spouse": "配偶",
    "written": "本人书面授权",
}
"""On what the authority rests."""
HOLDS: Final = func.authority_stands(FAMILY_AUTHORITY.c.id, type_=Boolean)
"""SQL: the authority holds today: recorded, of these days, and what it rests on is still so."""
_WARDS: Final = text("SELECT * FROM wards() ORDER BY born_on, person_id")
_END: Final = text("SELECT end_authority(:which)")
_TO_ON: Final = func.nullif(FAMILY_AUTHORITY.c.to_on, cast("infinity", Date)).label("to_on")


class UnknownAuthority(DomainError):
    """No such authority in force, or none that the session may see."""

    code: ClassVar[str] = "unknown-authority"


@dataclass(frozen=True, slots=True)
class Member:
    """A person whom the resident may act for. `to_on` None: without an end."""

    id: int
    person_id: int
    name: str
    relationship: str
    basis: str
    from_on: date
    to_on: date | None


@dataclass(frozen=True, slots=True)
class Ward:
    """A minor whose guardian of record the resident is. `child`: under 14."""

    person_id: int
    name: str
    born_on: date
    child: bool


@dataclass(frozen=True, slots=True)
class Helper:
    """Somebody who may act for the resident. `name` "": not known by name yet, and so not able to.
    `relationship`: what the resident is to them. `to_on` None: without an end.
    """

    id: int
    name: str
    relationship: str
    basis: str
    from_on: date
    to_on: date | None


@dataclass(frozen=True, slots=True)
class Family:
    """Whom a resident acts for, and may take up besides; who acts for the resident."""

    members: tuple[Member, ...]
    wards: tuple[Ward, ...]
    helpers: tuple[Helper, ...]


def family_of(session: Session, keyring: Keyring, actor: Actor, today: date) -> Family:
    """The family of the resident who acts; the look at their names is written down."""
    members = members_of(session, keyring, actor)
    taken = {one.person_id for one in members}
    wards = tuple(one for one in wards_of(session, keyring, today) if one.person_id not in taken)
    shown = [one.person_id for one in members] + [one.person_id for one in wards]
    audit.read_people(session, actor, shown, "own", ("basic",))
    return Family(members, wards, _helpers(session, keyring, actor))


def members_of(session: Session, keyring: Keyring, actor: Actor) -> tuple[Member, ...]:
    """Whom the resident who acts may act for today."""
    table = FAMILY_AUTHORITY.c
    rows = session.execute(
        select(
            table.id, PERSON.c.id.label("person_id"), table.relationship, table.basis,
            table.from_on, _TO_ON, PERSON.c.name, PERSON.c.data_key,
        )
        .join(PERSON, PERSON.c.id == now(table.person_id))
        .where(table.resident_id == own_account(actor), HOLDS)
        .order_by(table.id)
    )  # fmt: skip
    return tuple(
        Member(
            row.id, row.person_id, _name(keyring, row.person_id, row.data_key, row.name),
            row.relationship, row.basis, row.from_on, row.to_on,
        )
        for row in rows
    )  # fmt: skip


def wards_of(session: Session, keyring: Keyring, today: date) -> tuple[Ward, ...]:
    """The minors of the register whose guardian the resident who acts is; also those taken up."""
    return tuple(
        Ward(
            row.person_id, _name(keyring, row.person_id, row.data_key, row.name), row.born_on,
            is_child(row.born_on, today),
        )
        for row in session.execute(_WARDS)
    )  # fmt: skip


def end_authority(session: Session, actor: Actor, authority_id: int) -> None:
    """The resident acts for the person no more; or somebody, but a guardian, no more for the
    resident. Raises `UnknownAuthority`.
    """
    person = session.execute(_END, {"which": authority_id}).scalar_one()
    if person is None:
        raise UnknownAuthority
    audit.deed(session, actor, "family.end", of_person(person), authority=authority_id)


def _helpers(session: Session, keyring: Keyring, actor: Actor) -> tuple[Helper, ...]:
    if actor.person_id is None:
        return ()
    table, own = FAMILY_AUTHORITY.c, actor.person_id
    names = acting_names(session, keyring, actor, (own,))
    rows = session.execute(
        select(table.resident_id, table.id, table.relationship, table.basis, table.from_on, _TO_ON)
        .where(now(table.person_id) == own, HOLDS)
        .order_by(table.id)
    )
    return tuple(
        Helper(
            row.id, names[row.resident_id].name if row.resident_id in names else "",
            row.relationship, row.basis, row.from_on, row.to_on,
        )
        for row in rows
    )  # fmt: skip


def _name(keyring: Keyring, person: int, data_key: bytes, sealed: bytes) -> str:
    cipher = keyring.person(person, bytes(data_key))
    return cipher.open(Place("person", "name", person), bytes(sealed))
