"""演示居民 (demo residents): which of the invented people hold the simulated phones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from backend.citizens.lookup import numbers_of
from backend.kernel.crypto import Keyring, Place

COUNTY: Final = "320281"
_FIND: Final = text(
    """
    SELECT id, name, data_key, area, lives_in FROM person
    WHERE known AND area BETWEEN :low AND :high AND lives_in = area
        AND born_on < '2000-01-01' AND died_on = 'infinity' AND left_on = 'infinity'
        AND EXISTS (SELECT FROM grant_entry AS g WHERE g.person_id = person.id AND g.kind = 1)
    ORDER BY id LIMIT :most
    """
)


@dataclass(frozen=True, slots=True)
class Resident:
    """An invented person. `village`: where they are registered and live, 12 digits; `bill`: one
    that they may name in an application."""

    person_id: int
    name: str
    number: str
    village: str
    bill: int | None = None


def residents(session: Session, keyring: Keyring, most: int) -> Sequence[Resident]:
    """Adults of one county to whom something was granted: always the same, as `worker`."""
    low = int(COUNTY) * 1_000_000
    found = session.execute(_FIND, {"low": low, "high": low + 999_999, "most": most}).all()
    numbers = numbers_of(session, keyring, [row.id for row in found])
    return [Resident(row.id, _name(keyring, row), numbers[row.id], str(row.area)) for row in found]


def _name(keyring: Keyring, row: Row[Any]) -> str:
    cipher = keyring.person(row.id, bytes(row.data_key))
    return cipher.open(Place("person", "name", row.id), bytes(row.name))
