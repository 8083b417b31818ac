"""委托的清单 (delegation list): what somebody delegated, and what was delegated to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    LargeBinary,
    Row,
    Select,
    case,
    column,
    func,
    select,
    true,
)
from sqlalchemy.orm import Session

from backend.accounts.acting_names import Named, acting_names
from backend.accounts.authority import people_spoken_for
from backend.accounts.merged import now, of_people
from backend.accounts.residents import own_account, person_seen
from backend.accounts.scope import Actor
from backend.accounts.staff_tables import STAFF
from backend.accounts.tables import DELEGATION
from backend.citizens.tables import PERSON
from backend.kernel import audit
from backend.kernel.crypto import Keyring, Place

State: TypeAlias = Literal["coming", "standing", "over", "ended"]
STATES: Final = {
    "coming": "还没有开始",
    "standing": "有效",
    "over": "已到期",
    "ended": "已结束",
}
_ROW: Final = select(DELEGATION, STAFF.c.staff_no, STAFF.c.name.label("staff_name")).outerjoin(
    STAFF, STAFF.c.id == DELEGATION.c.staff_id
)
_SEALED_WITH: Final = case(
    (PERSON.c.id == DELEGATION.c.person_id, PERSON.c.data_key),
    else_=func.former_key(DELEGATION.c.person_id, type_=LargeBinary),
).label("sealed_with")
_AGREED: Final = func.consent_stands(DELEGATION.c.consent_id, type_=Boolean).label("agreed")
_OF_SEEN: Final = _ROW.add_columns(
    PERSON.c.id.label("whom"), PERSON.c.name, PERSON.c.data_key, _SEALED_WITH, _AGREED
).join(PERSON, PERSON.c.id == now(DELEGATION.c.person_id))
"""Given by people whom the session sees."""
_FROM: Final = func.delegators().table_valued(
    column("delegation_id", BigInteger), column("person_id", BigInteger),
    column("name", LargeBinary), column("data_key", LargeBinary),
    column("sealed_with", LargeBinary),
)  # fmt: skip
_RECEIVED: Final = _ROW.add_columns(
    _FROM.c.person_id.label("whom"), _FROM.c.name, _FROM.c.data_key, _FROM.c.sealed_with,
    true().label("agreed"),
).join(_FROM, _FROM.c.delegation_id == DELEGATION.c.id)  # fmt: skip
"""Those that hold, whatever for: who has only papers to bring sees nothing but the name."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A delegation as both sides see it. To staff: `staff_no`, `staff_name`; to a relative:
    `relationship`, as the person called them, and `relative_name`, of what was given ("": not known
    by name yet, and so not able to act).
    """

    id: int
    person_id: int
    person_name: str
    staff_no: str | None
    staff_name: str | None
    relationship: str
    relative_name: str
    scope: tuple[str, ...]
    from_on: date
    to_on: date
    channel: str
    state: State


@dataclass(frozen=True, slots=True)
class Delegations:
    """`given`: by the person and those under guardianship; `received`: by the account. Both newest
    first; of `received` those that hold.
    """

    given: tuple[Shown, ...]
    received: tuple[Shown, ...]


def delegations_of(session: Session, keyring: Keyring, actor: Actor, today: date) -> Delegations:
    """Those of the resident who acts; the look is written down."""
    own = people_spoken_for(session)
    spoken = of_people(DELEGATION.c.person_id, own)
    mine = DELEGATION.c.resident_id == own_account(actor)
    names = acting_names(session, keyring, actor, own)
    given = _list(session, keyring, _OF_SEEN.where(spoken), _At(today, names))
    received = _list(session, keyring, _RECEIVED.where(mine & ~spoken), _At(today))
    seen = {one.person_id for one in received}
    audit.read_people(session, actor, sorted(own), "own", ("consents",))
    audit.read_people(session, actor, sorted(seen), "delegated", ("basic", "consents"))
    return Delegations(given, received)


def delegations_about(
    session: Session, keyring: Keyring, actor: Actor, person_id: int, today: date
) -> tuple[Shown, ...]:
    """Those of one person whom staff see; the look is written down. Raises `UnknownPerson`."""
    person_seen(session, person_id)
    purpose = "visit" if actor.visits else "review"
    audit.read_person(session, actor, person_id, purpose, ("basic", "consents"))
    about = of_people(DELEGATION.c.person_id, (person_id,))
    names = acting_names(session, keyring, actor, (person_id,))
    return _list(session, keyring, _OF_SEEN.where(about), _At(today, names))


@dataclass(frozen=True, slots=True)
class _At:
    """On which day, and whose accounts are known."""

    today: date
    names: Mapping[int, Named] = field(default_factory=dict)


def _list(session: Session, keyring: Keyring, which: Select[Any], at: _At) -> tuple[Shown, ...]:
    rows = session.execute(which.order_by(DELEGATION.c.id.desc()))
    return tuple(_shown(keyring, row, at) for row in rows)


def _shown(keyring: Keyring, row: Row[Any], at: _At) -> Shown:
    cipher = keyring.person(row.whom, bytes(row.data_key))
    return Shown(
        row.id,
        row.whom,
        cipher.open(Place("person", "name", row.whom), bytes(row.name)),
        row.staff_no,
        row.staff_name,
        _relationship(keyring, row),
        at.names[row.resident_id].name if row.resident_id in at.names else "",
        tuple(row.scope),
        row.from_on,
        row.to_on,
        row.channel,
        _state(row, at.today),
    )


def _relationship(keyring: Keyring, row: Row[Any]) -> str:
    if row.resident_id is None:
        return ""
    cipher = keyring.person(row.person_id, bytes(row.sealed_with))
    return cipher.open(Place("delegation", "proof", row.id), bytes(row.proof))


def _state(row: Row[Any], today: date) -> State:
    if row.ended_at is not None or not row.agreed:
        return "ended"
    if today < row.from_on:
        return "coming"
    return "standing" if today <= row.to_on else "over"
