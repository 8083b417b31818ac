"""导出 (export): what matching granted, one row a bill and computed layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from backend.citizens.codes import Codes
from backend.kernel import audit
from backend.kernel.areas import code_range
from backend.kernel.crypto import Keyring, Place
from backend.kernel.money import format_yuan

AT_ONCE: Final = 10_000
"""Rows that are held at a time."""
_EXPORTED: Final = ("number", "bills", "grants", "identities")
_GRANTED: Final = text(
    """
    SELECT b.bill_no, l.code AS layer, n.number, p.id AS person_id, p.data_key, g.policy,
        g.identity, g.amount_after
    FROM person p
    JOIN person_number n ON n.person_id = p.id AND n.current
    JOIN bill b ON b.person_id = p.id
    JOIN grant_entry g ON g.bill_id = b.id AND g.year = :year AND g.amount_after > 0
    JOIN code_number l ON l.kind = 'layer' AND l.number = g.layer
    WHERE p.area BETWEEN :low AND :high AND NOT EXISTS (
        SELECT FROM grant_entry later
        WHERE later.bill_id = g.bill_id AND later.layer = g.layer AND later.seq > g.seq
    )
    ORDER BY b.bill_no, l.code COLLATE "C"
    """
)


class Granted(NamedTuple):
    """A row of the exported file; `identity` is empty but for medical assistance."""

    bill_no: str
    id_number: str
    policy: str
    layer: str
    identity: str
    amount: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is exported, and by whom. `area`: a code of 6, 9 or 12 digits."""

    area: str
    year: int
    who: audit.Who


def grants(session: Session, keyring: Keyring, asked: Asked) -> Iterator[Granted]:
    """What stands granted, released or not, by bill number and layer.

    That somebody's grants were exported is told to that person: written down before the first of
    the person's rows is given out.
    """
    low, high = code_range(asked.area)
    session.execute(text("SET LOCAL statement_timeout = 0"))  # a province takes longer than a page
    names = {kind: Codes.names(session, kind) for kind in ("policy", "category")}
    wanted, told = {"year": asked.year, "low": low, "high": high}, set[int]()
    rows = session.execute(_GRANTED, wanted, execution_options={"yield_per": AT_ONCE})
    for some in rows.partitions():
        new = {row.person_id for row in some} - told
        audit.read_people(session, asked.who, sorted(new), "export", _EXPORTED)
        told |= new
        for row in some:
            yield _granted(keyring, row, names)


def _granted(keyring: Keyring, row: Row[Any], names: Mapping[str, Mapping[int, str]]) -> Granted:
    cipher = keyring.person(row.person_id, row.data_key)
    return Granted(
        bill_no=row.bill_no,
        id_number=cipher.open(Place("person_number", "number", row.person_id), row.number),
        policy=names["policy"][row.policy],
        layer=row.layer,
        identity=names["category"].get(row.identity, ""),
        amount=format_yuan(row.amount_after),
    )
