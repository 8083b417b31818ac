"""导出 (export): what matching granted, one row a bill and computed layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.citizens.codes import Codes
from backend.kernel.areas import code_range
from backend.kernel.crypto import Keyring, Place
from backend.kernel.money import format_yuan

AT_ONCE: Final = 10_000
"""Rows that are held at a time."""
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


def grants(session: Session, keyring: Keyring, area: str, year: int) -> Iterator[Granted]:
    """What stands granted, released or not, by bill number and layer."""
    low, high = code_range(area)
    session.execute(text("SET LOCAL statement_timeout = 0"))  # a province takes longer than a page
    names = {kind: Codes.names(session, kind) for kind in ("policy", "category")}
    asked = {"year": year, "low": low, "high": high}
    for row in session.execute(_GRANTED, asked, execution_options={"yield_per": AT_ONCE}):
        cipher = keyring.person(row.person_id, row.data_key)
        yield Granted(
            bill_no=row.bill_no,
            id_number=cipher.open(Place("person_number", "number", row.person_id), row.number),
            policy=names["policy"][row.policy],
            layer=row.layer,
            identity=names["category"].get(row.identity, ""),
            amount=format_yuan(row.amount_after),
        )
