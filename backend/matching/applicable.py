"""可申请名单 (applicable): bills on which an application would bring something, one row a bill."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.copy import raw
from backend.kernel.crypto import Keyring, Place
from backend.kernel.money import format_yuan
from backend.matching.deciding import barred
from backend.matching.editions import current_edition
from backend.matching.export import Asked
from backend.matching.on_application import layers_on_application
from backend.matching.parts import slices_of
from backend.matching.reading import Reader
from backend.matching.slices import Task, applicable, ground_of, read_slice

NO_RUN: Final = -1
_SHOWN: Final = ("number", "bills", "identities")
_NAMED: Final = text(
    "SELECT b.id, b.bill_no, b.person_id, p.data_key, n.number FROM bill b"
    " JOIN person p ON p.id = b.person_id"
    " JOIN person_number n ON n.person_id = p.id AND n.current WHERE b.id = ANY (:ids)"
)


class Applicable(NamedTuple):
    """A row of the exported file. `amount`: what the layer would pay if all were applied for."""

    bill_no: str
    id_number: str
    policy: str
    layer: str
    amount: str


@dataclass(frozen=True, slots=True)
class _Found:
    bill: int
    policy: str
    layer: str
    amount: int


def could_apply(
    session: Session, keyring: Keyring, asked: Asked, catalogue: Sequence[Path] = ()
) -> Iterator[Applicable]:
    """Who could apply for what in the area and year, as the rules and the data are now.

    That somebody is on the list is told to that person, before the person's row is given out.
    """
    session.execute(text("SET LOCAL statement_timeout = 0"))  # a county takes longer than a page
    edition = current_edition(session, catalogue)
    for part in slices_of(raw(session), asked.area, asked.year):
        found = _of_slice(session, Task(part, NO_RUN, edition))
        ids = [one.bill for one in found]
        known = {row.id: row for row in session.execute(_NAMED, {"ids": ids})}
        people = sorted({row.person_id for row in known.values()})
        audit.read_people(session, asked.who, people, "export", _SHOWN)
        yield from (_shown(keyring, known[one.bill], one) for one in found if one.bill in known)


def _of_slice(session: Session, task: Task) -> list[_Found]:
    ground = ground_of(session, task)
    if not any(layers_on_application(span.policy) for span in ground.spans):
        return []
    reader = Reader(raw(session), task.slice)
    nobody = reader.identities(None)["person_id"][:0]
    data = read_slice(reader, None, ground, (nobody, nobody))
    found = applicable(data, ground, barred(data))
    if found is None:
        return []
    numbers = ground.numbers
    layers = {number: code for code, number in numbers.layers.items()}
    policies = {number: code for code, number in numbers.policies.items()}
    columns = (data.bills["id"][found.bill], found.policy, found.layer, found.amount)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [_Found(bill, policies[one], layers[layer], fen) for bill, one, layer, fen in rows]


def _shown(keyring: Keyring, row: Row[Any], found: _Found) -> Applicable:
    cipher = keyring.person(row.person_id, row.data_key)
    number = cipher.open(Place("person_number", "number", row.person_id), row.number)
    return Applicable(row.bill_no, number, found.policy, found.layer, format_yuan(found.amount))
