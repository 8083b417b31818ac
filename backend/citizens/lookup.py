"""查人 (lookup): people and households by their numbers, through blind indexes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import psycopg
from sqlalchemy.orm import Session

from backend.kernel.copy import raw
from backend.kernel.crypto import Keyring, Place

_PEOPLE: Final = (
    "SELECT n.number_index, p.id, p.data_key, p.area, p.known FROM person_number n"
    " JOIN person p ON p.id = n.person_id WHERE n.number_index = ANY(%b)"
)
_HOUSEHOLDS: Final = "SELECT number_index, id FROM household WHERE number_index = ANY(%b)"
_NUMBERS: Final = (
    "SELECT n.person_id, p.data_key, n.number FROM person_number n"
    " JOIN person p ON p.id = n.person_id WHERE n.current AND n.person_id = ANY(%b)"
)
NEWBORN: Final = "/"
"""In what stands for the number of a newborn; in no number."""


class Found(NamedTuple):
    """A person as a number leads to them. `data_key`: wrapped. `area`: registered; 0: not known."""

    id: int
    data_key: bytes
    area: int
    known: bool


def find_people(session: Session, keyring: Keyring, numbers: Iterable[str]) -> dict[str, Found]:
    """Number (as normalised by `id_number.normalise`) → person, of those that lead to anybody.

    Former numbers lead to their person too.
    """
    asked = _indexes(keyring, "id_number", numbers)
    return {asked[row[0]]: Found(*row[1:]) for row in _rows(raw(session), _PEOPLE, list(asked))}


def find_households(session: Session, keyring: Keyring, numbers: Iterable[str]) -> dict[str, int]:
    """Household number → id, of those that are known."""
    asked = _indexes(keyring, "household", numbers)
    return {asked[row[0]]: row[1] for row in _rows(raw(session), _HOUSEHOLDS, list(asked))}


def numbers_of(session: Session, keyring: Keyring, people: Sequence[int]) -> dict[int, str]:
    """Person → the identity number, in plain; `""` for a newborn on a guardian's record."""
    numbers: dict[int, str] = {}
    for person, data_key, sealed in _rows(raw(session), _NUMBERS, [int(one) for one in people]):
        cipher = keyring.person(person, data_key)
        number = cipher.open(Place("person_number", "number", person), sealed)
        numbers[person] = "" if NEWBORN in number else number
    return numbers


def newborn_key(guardian: str, name: str, born_on: date) -> str:
    """What stands for the number of a newborn without one: guardian, name and day of birth."""
    return NEWBORN.join((guardian, "".join(name.split()), born_on.isoformat()))


def _indexes(keyring: Keyring, kind: str, texts: Iterable[str]) -> dict[bytes, str]:
    """Under every key still in use: a value may not have been indexed anew yet."""
    return {index: one for one in set(texts) for index in keyring.indexes(kind, one)}


def _rows(
    connection: psycopg.Connection[Any], query: str, values: Sequence[Any]
) -> Iterable[tuple[Any, ...]]:
    if not values:
        return ()
    with connection.cursor(binary=True) as cursor:
        return cursor.execute(query, [values]).fetchall()
