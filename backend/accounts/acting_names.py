"""代办人是谁 (acting names): by whom people are or were acted for, by name, for those people.

A name is known of an account that is; before that it can act for nobody (level 2 of the routes).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor
from backend.kernel import audit
from backend.kernel.crypto import Keyring, Place

PURPOSE: Final = "acted_for"
_NAMES: Final = text("SELECT * FROM acting_names(CAST(:people AS bigint[]))")


@dataclass(frozen=True, slots=True)
class Named:
    """Whose account it is. `closed`: it was; staff may have replaced it, as not that person's."""

    person_id: int
    name: str
    closed: bool


def acting_names(
    session: Session, keyring: Keyring, actor: Actor, people: Iterable[int]
) -> Mapping[int, Named]:
    """Account → whose it is, of every account that acts or acted for these people, their own as
    well. To residents of those for whom they speak, to staff of those whom they see; the look at
    the names of others is written down.
    """
    rows = session.execute(_NAMES, {"people": sorted(people)}).all()
    found = {}
    for row in rows:
        cipher = keyring.person(row.whom, bytes(row.data_key))
        name = cipher.open(Place("person", "name", row.whom), bytes(row.name))
        found[row.account] = Named(row.whom, name, row.closed)
    others = sorted({one.person_id for one in found.values()} - {*people})
    audit.read_people(session, actor, others, PURPOSE, ("name",))
    return found
