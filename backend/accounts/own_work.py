"""我的待办 (own work): what lies in the list of whoever acts, and whom each item is about.

The list names nobody; opening an item about somebody is a look at that person's file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, select, text
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor
from backend.kernel import audit
from backend.kernel.areas import area_name
from backend.kernel.crypto import Keyring, Place
from backend.kernel.errors import Fault
from backend.worklist.items import UnknownItem
from backend.worklist.tables import WORK_ITEM

ITEM: Final = WORK_ITEM.c
_SHOWN: Final = ("basic", "phone")
_PERSON: Final = text(
    """
    SELECT p.id, p.name, p.phone, p.lives_in, p.data_key, coalesce(t.name, '') AS township,
        coalesce(v.name, '') AS village
    FROM person AS p
    LEFT JOIN area_unit AS t ON t.code = p.lives_in - mod(p.lives_in, 1000)
    LEFT JOIN area_unit AS v ON v.code = p.lives_in AND mod(v.code, 1000) <> 0
    WHERE p.id = person_now(:person)
    """
)
_BOUND: Final = text(
    """
    SELECT id, phone FROM resident
    WHERE person_id = ANY (same_people(ARRAY[CAST(:person AS bigint)]))
        AND closed_at IS NULL AND phone <> ''
    ORDER BY phone_at DESC NULLS LAST LIMIT 1
    """
)
_GONE: Final = "没有这件待办，或者已经办结：请刷新清单后再看。"


@dataclass(frozen=True, slots=True)
class Work:
    """One open item. `area`: the place it is about; `escalated`: overdue once, passed up."""

    id: int
    kind: str
    area: str
    reason: str
    due_on: date
    escalated: bool


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom an item is about, to be visited or called. `phone`: the registered one, else the one
    that the person bound in the mini-program; "": there is none. `lives_in_name`: as far down as
    names are known.
    """

    person_id: int
    name: str = field(repr=False)
    phone: str = field(repr=False)
    lives_in: str
    lives_in_name: str


def own_work(session: Session, actor: Actor, most: int) -> Sequence[Work]:
    """The open items of the list, those due first in front."""
    query = _open(actor).order_by(ITEM.due_on, ITEM.id).limit(most)
    return [_work(row) for row in session.execute(query)]


def own_item(
    session: Session, keyring: Keyring, actor: Actor, item_id: int
) -> tuple[Work, Concerned | None]:
    """An item of the list, and whom it is about; None: nobody, or nobody whom the session sees.
    The look is written down. Raises `UnknownItem`.
    """
    row = session.execute(_open(actor).where(ITEM.id == item_id)).first()
    if row is None:
        raise UnknownItem(Fault("/item", _GONE))
    if row.person_id is None:
        return _work(row), None
    return _work(row), _concerned(session, keyring, actor, row.person_id)


def _open(actor: Actor) -> Any:
    own: Sequence[ColumnElement[bool]] = (
        ITEM.state != "done",
        ITEM.role == actor.role,
        ITEM.list_area.between(actor.area_from, actor.area_to),
    )
    return select(WORK_ITEM).where(*own)


def _work(row: Row[Any]) -> Work:
    escalated = row.state == "escalated"
    return Work(row.id, row.kind, f"{row.area:012d}", row.reason, row.due_on, escalated)


def _concerned(
    session: Session, keyring: Keyring, actor: Actor, person_id: int
) -> Concerned | None:
    row = session.execute(_PERSON, {"person": person_id}).first()
    if row is None:
        return None
    audit.read_person(session, actor, row.id, "visit" if actor.visits else "review", _SHOWN)
    cipher = keyring.person(row.id, bytes(row.data_key))
    name = cipher.open(Place("person", "name", row.id), bytes(row.name))
    phone = cipher.open(Place("person", "phone", row.id), bytes(row.phone))
    code = f"{row.lives_in:012d}"
    where = f"{area_name(code) or ''}{row.township}{row.village}"
    return Concerned(row.id, name, phone or _bound_phone(session, keyring, row.id), code, where)


def _bound_phone(session: Session, keyring: Keyring, person_id: int) -> str:
    """The phone of the person's own account; "" where there is none."""
    found = session.execute(_BOUND, {"person": person_id}).first()
    if found is None:
        return ""
    return keyring.shared().open(Place("resident", "phone", found.id), bytes(found.phone))
