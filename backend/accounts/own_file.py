"""我的档案 (own file): what the register knows of somebody, as the person or family sees it.

Numbers are masked: who reads over a shoulder shall not learn them. Every look is written down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import Date, Row, Select, cast, func, select, text
from sqlalchemy.orm import Session

from backend.accounts.acting_names import Named, acting_names
from backend.accounts.authority import people_acted_for, people_spoken_for
from backend.accounts.residents import UnknownPerson
from backend.accounts.scope import Actor
from backend.accounts.staff_tables import STAFF
from backend.citizens import id_number, phone
from backend.citizens.codes import Codes
from backend.citizens.tables import AREA_UNIT, ASSIGNMENT, BILL, IDENTITY, INSURANCE, PERSON
from backend.kernel import audit
from backend.kernel.areas import area_short_name
from backend.kernel.audit_seen import NEWEST, Seen, SeenAsked, seen_by
from backend.kernel.crypto import Cipher, Keyring, Place

_NUMBER: Final = text("SELECT own_number(:person)")
_INFINITY: Final = cast("infinity", Date)
_READ: Final[Select[Any]] = select(
    PERSON.c.name, PERSON.c.born_on, PERSON.c.area, PERSON.c.lives_in, PERSON.c.phone,
    PERSON.c.insurance, PERSON.c.data_key,
)  # fmt: skip
_SHOWN: Final = ("basic", "number", "phone", "identities", "bills")


@dataclass(frozen=True, slots=True)
class HeldIdentity:
    """救助身份: a recognised category, from day to day; `to_on` None: without an end."""

    category: str
    department: str
    from_on: date
    to_on: date | None


@dataclass(frozen=True, slots=True)
class Carer:
    """1+1+1: who looks after the person. `name` "": not among the staff here."""

    role: str
    staff_no: str
    name: str


@dataclass(frozen=True, slots=True)
class OwnFile:
    """What is known. `area`, `lives_in`: 12-digit places; their names: the county's, with that of
    the village where somebody gave it one.
    """

    person_id: int
    name: str
    number: str
    born_on: date
    area: str
    area_name: str
    lives_in: str
    lives_in_name: str
    phone: str
    insurance: str
    identities: tuple[HeldIdentity, ...]
    bills: int
    carers: tuple[Carer, ...]


def own_file(
    session: Session, keyring: Keyring, actor: Actor, person_id: int, today: date
) -> OwnFile:
    """The file of a person for whom the resident who acts may look. Raises `UnknownPerson`."""
    row = _row(session, person_id)
    if row is None:
        raise UnknownPerson
    purpose = "own" if person_id in people_spoken_for(session) else "delegated"
    audit.read_person(session, actor, person_id, purpose, _SHOWN)
    cipher = keyring.person(person_id, bytes(row.data_key))
    number = cipher.open(Place("person", "phone", person_id), bytes(row.phone))
    places = _places(session, [row.area, row.lives_in])
    return OwnFile(
        person_id,
        cipher.open(Place("person", "name", person_id), bytes(row.name)),
        id_number.masked(_number(session, cipher, person_id)),
        row.born_on,
        f"{row.area:012d}", _office(row.area, places),
        f"{row.lives_in:012d}", _office(row.lives_in, places),
        phone.masked(number),
        INSURANCE[row.insurance],
        _identities(session, person_id),
        _bills(session, person_id),
        _carers(session, person_id, today),
    )  # fmt: skip


def viewers(
    session: Session, keyring: Keyring, actor: Actor, person_id: int, asked: SeenAsked = NEWEST
) -> list[Seen]:
    """Who looked at the file of a person for whom the resident who acts speaks, newest first, with
    the names of their offices, and of those who act for the person; to look at this is written down
    too. Raises `UnknownPerson`.
    """
    if person_id not in people_spoken_for(session):
        raise UnknownPerson
    found = seen_by(session, person_id, asked)
    audit.read_person(session, actor, person_id, "own", ("viewers",))
    places = _places(session, [one.area for one in found if one.area is not None])
    names = acting_names(session, keyring, actor, (person_id,))
    return [
        replace(one, office=_office(one.area, places), who=_who(one, person_id, names))
        for one in found
    ]


def _who(seen: Seen, person_id: int, names: Mapping[int, Named]) -> str:
    """A resident who looked, as the person knows them; "": it was staff."""
    kind, _, account = seen.actor.partition(":")
    if kind != "resident":
        return ""
    named = names.get(int(account))
    if named is None:  # nobody who acts for the person: the other way round
        return "您代为办理的人"
    if named.person_id == person_id:
        return "以前的微信账户（已停用）" if named.closed else "本人"
    return f"{named.name}（{'受托人' if seen.purpose == 'delegated' else '家人'}）"


def _office(area: int | None, places: Mapping[int, str]) -> str:
    """The place in whose name somebody acts, `江阴市测试村`; "": of none, or unknown."""
    if area is None:
        return ""
    code = f"{area:012d}"
    county = area_short_name(code[:6]) or ""
    return county if code.endswith("000000") else f"{county}{places.get(area, '')}"


def _row(session: Session, person_id: int) -> Row[Any] | None:
    if person_id not in people_acted_for(session, "see"):
        return None
    row: Row[Any] | None = session.execute(_READ.where(PERSON.c.id == person_id)).first()
    return row


def _number(session: Session, cipher: Cipher, person_id: int) -> str:
    """The identity number in plain; "" where there is none."""
    sealed = session.execute(_NUMBER, {"person": person_id}).scalar_one()
    return cipher.open(Place("person_number", "number", person_id), bytes(sealed or b""))


def _places(session: Session, codes: Sequence[int]) -> dict[int, str]:
    query = select(AREA_UNIT.c.code, AREA_UNIT.c.name).where(AREA_UNIT.c.code.in_(codes))
    return {row.code: row.name for row in session.execute(query)}


def _identities(session: Session, person_id: int) -> tuple[HeldIdentity, ...]:
    categories, departments = (Codes.names(session, one) for one in ("category", "department"))
    table = IDENTITY.c
    to_on = func.nullif(table.to_on, _INFINITY).label("to_on")
    rows = session.execute(
        select(table.category, table.department, table.from_on, to_on)
        .where(table.person_id == person_id)
        .order_by(table.from_on.desc(), table.id)
    )
    return tuple(
        HeldIdentity(
            categories[row.category], departments.get(row.department, ""), row.from_on, row.to_on
        )
        for row in rows
    )


def _bills(session: Session, person_id: int) -> int:
    query = select(func.count()).select_from(BILL).where(BILL.c.person_id == person_id)
    return int(session.execute(query).scalar_one())


def _carers(session: Session, person_id: int, today: date) -> tuple[Carer, ...]:
    table = ASSIGNMENT.c
    rows = session.execute(
        select(table.role, table.staff_no, func.coalesce(STAFF.c.name, ""))
        .outerjoin(STAFF, STAFF.c.staff_no == table.staff_no)
        .where(table.person_id == person_id, table.from_on <= today, table.to_on >= today)
        .order_by(table.role, table.staff_no)
    )
    return tuple(Carer(*row) for row in rows)
