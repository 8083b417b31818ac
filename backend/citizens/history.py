"""历史表 (history): what was known before a later file corrected it, beside each current table."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Table

from backend.citizens import tables
from backend.kernel.database import Base

SUPERSEDED_BY: Final = "superseded_by"


def _history_of(table: Table) -> Table:
    """The same columns, with the data version that replaced the row; none of the constraints."""
    owner = "person_id" if "person_id" in table.c else table.primary_key.columns.keys()[0]
    columns = [Column(c.name, c.type, nullable=False) for c in table.columns]
    return Table(
        f"{table.name}_history",
        Base.metadata,
        *columns,
        Column(SUPERSEDED_BY, BigInteger, nullable=False),
        Index(None, owner),
        Index(None, "file_id"),
        *(Index(None, name) for name in ("bill_no",) if name in table.c),
    )


HISTORIES: Final = {
    table.name: _history_of(table)
    for table in (
        tables.PERSON,
        tables.PERSON_NUMBER,
        tables.HOUSEHOLD_INCOME,
        tables.IDENTITY,
        tables.HOSPITAL,
        tables.BILL,
        tables.ASSIGNMENT,
        tables.VITAL_EVENT,
    )
}
"""Current table → history table. A row held from `revision` until before `superseded_by`."""
