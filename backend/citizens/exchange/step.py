"""一步 (step): what one chunk of a file needs while it is applied, and what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.citizens.exchange.chunk import Reject
from backend.kernel.copy import raw
from backend.kernel.crypto import Keyring

_ONE_AT_A_TIME: Final = 7_205_203
"""One change of people's data at a time over the whole database: revisions rise as they commit."""
_BROUGHT: Final = (
    "SELECT one FROM data_file_unchanged, unnest(row_ids) AS one"
    " WHERE file_id = %s AND one = ANY(%b)"
)


@dataclass
class Tally:
    """Rows by what became of them; `waiting`: of people whom the register does not
    know yet; `money`: the total of the rows that were taken, fen."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    waiting: int = 0
    money: int = 0


@dataclass
class Step:
    """One transaction that changes people's data. `revision`: the data version it makes."""

    session: Session
    keyring: Keyring
    file_id: int
    origin_area: int
    actor: str
    revision: int
    households_per_phone: int
    tally: Tally = field(default_factory=Tally)
    rejects: list[Reject] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)
    confirmed: list[int] = field(default_factory=list)
    """Ids of rows that the chunk brought as they stood."""

    def brought(self, ids: Sequence[int]) -> set[int]:
        """Those of the rows, not written by the file, that it brought as they stood."""
        if not ids:
            return set()
        return {row[0] for row in self.connection.execute(_BROUGHT, [self.file_id, list(ids)])}

    @property
    def connection(self) -> psycopg.Connection[Any]:
        """The psycopg connection of the transaction."""
        return raw(self.session)


def take_turn(session: Session) -> int:
    """Wait until no other transaction changes people's data; the new data version."""
    session.execute(text("SET LOCAL statement_timeout = '30min'"))
    session.execute(text("SET LOCAL lock_timeout = '30min'"))
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
    version: int = session.execute(text("SELECT nextval('data_version')")).scalar_one()
    return version
