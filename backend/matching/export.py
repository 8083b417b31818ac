"""导出 (export): what matching granted, one row a bill and computed layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.citizens.codes import Codes
from backend.kernel.areas import code_range
from backend.kernel.crypto import Keyring, Place
from backend.kernel.money import format_yuan

_GRANTED = text(
    """
    SELECT b.bill_no, n.number, n.row_id, p.id AS person_id, p.data_key, g.policy, g.layer,
        g.identity, g.amount_after
    FROM (
        SELECT DISTINCT ON (bill_id, layer) * FROM grant_entry
        ORDER BY bill_id, layer, seq DESC
    ) g
    JOIN bill b ON b.id = g.bill_id
    JOIN person p ON p.id = b.person_id
    JOIN LATERAL (
        SELECT number, person_id AS row_id FROM person_number
        WHERE person_number.person_id = p.id AND person_number.current LIMIT 1
    ) n ON true
    WHERE g.amount_after > 0 AND g.year = :year AND p.area BETWEEN :low AND :high
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
    names = {kind: Codes.names(session, kind) for kind in ("policy", "layer", "category")}
    rows = session.execute(_GRANTED, {"year": year, "low": low, "high": high}).all()
    found = sorted(rows, key=lambda row: (row.bill_no, names["layer"][row.layer]))
    for row in found:
        cipher = keyring.person(row.person_id, row.data_key)
        yield Granted(
            bill_no=row.bill_no,
            id_number=cipher.open(Place("person_number", "number", row.row_id), row.number),
            policy=names["policy"][row.policy],
            layer=names["layer"][row.layer],
            identity=names["category"].get(row.identity, ""),
            amount=format_yuan(row.amount_after),
        )
