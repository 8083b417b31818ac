"""换密钥 (rotation): what the older keys wrapped, sealed or indexed goes over to the active ones.

It runs beside everything else: a few pages of a table a transaction, rows that others hold are
left for the next pass, and nobody is waited for. Killed and run again, it goes on with what is
left. Data versions do not rise: the data are the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from backend.kernel.crypto import Cipher, Keyring, Place, SealedBroken
from backend.kernel.database import transaction

PAGES_AT_ONCE: Final = 128
_PAUSE_S: Final = 0.2
_NUMBER: Final = 2
"""Bytes of a key's number: after the algorithm in what is sealed, first in an index."""


@dataclass(frozen=True, slots=True)
class BlindIndex:
    """A column that holds the blind index of the value in another one."""

    column: str
    kind: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Keyed:
    """What of a table depends on the master and index keys.

    `table`: also that of the places, but of a history table, where `place` names the current one.
    `row`: the column of the place's row. `person`: the column of the person whose key sealed the
    values; None: the shared key did. `wrapped`: the column of a person's wrapped key.
    """

    table: str
    row: str
    person: str | None = None
    place: str | None = None
    wrapped: str | None = None
    indexes: tuple[BlindIndex, ...] = ()
    shared: tuple[str, ...] = ()

    @property
    def changing(self) -> tuple[str, ...]:
        """The columns that rotation writes."""
        wrapped = () if self.wrapped is None else (self.wrapped,)
        return (*wrapped, *self.shared, *(index.column for index in self.indexes))

    def numbers(self) -> Iterator[tuple[str, str]]:
        """Each such column, and SQL for the number of its key."""
        for column in self.changing:
            first = 1 if column in {index.column for index in self.indexes} else 2
            yield column, f"substring({self.table}.{column} FROM {first} FOR {_NUMBER})"


@dataclass(slots=True)
class Progress:
    """How a rotation goes, in rows. `broken`: rows whose values do not open."""

    total: int
    done: int = 0
    broken: int = 0


def rotate(keyring: Keyring, keyed: Sequence[Keyed], tell: Callable[[Progress], None]) -> Progress:
    """Bring everything over to the active keys; opens transactions, as `worker`."""
    with transaction() as session:
        progress = Progress(sum(left(session, one, keyring) for one in keyed))
    broken = {one.table: 0 for one in keyed}
    waiting = list(keyed)
    while waiting:
        for one in waiting:
            broken[one.table] = _pass(one, keyring, progress, tell)
        with transaction() as session:
            waiting = [one for one in keyed if left(session, one, keyring) > broken[one.table]]
        if waiting:  # for rows that others hold
            time.sleep(_PAUSE_S)
    progress.broken = sum(broken.values())
    return progress


def left(session: Session, keyed: Keyed, keyring: Keyring) -> int:
    """The rows of a table that depend on another key than the active one."""
    return _count(session, keyed, "<>", keyring.active)


def uses(session: Session, keyed: Keyed, number: int) -> int:
    """The rows of a table that depend on a key."""
    return _count(session, keyed, "=", number)


def hold_still(session: Session, keyed: Sequence[Keyed]) -> None:
    """Wait for those who write, and let nobody write until the transaction ends."""
    session.execute(text("SET LOCAL lock_timeout = '60s'"))
    session.execute(text(f"LOCK TABLE {', '.join(one.table for one in keyed)} IN SHARE MODE"))


def _pass(
    keyed: Keyed, keyring: Keyring, progress: Progress, tell: Callable[[Progress], None]
) -> int:
    """Once through the table; returns how many rows do not open."""
    broken = page = 0
    while page < _pages(keyed):
        with transaction() as session:
            session.execute(text("SET LOCAL shukun.resealing = 'on'"))
            rows = _rows(session, keyed, keyring, page)
            renewed = [new for row in rows if (new := _renewed(keyed, keyring, row)) is not None]
            _write(session, keyed, renewed, page)
        broken += len(rows) - len(renewed)
        progress.done += len(renewed)
        tell(progress)
        page += PAGES_AT_ONCE
    return broken


def _pages(keyed: Keyed) -> int:
    size = "SELECT pg_relation_size(:name) / current_setting('block_size')::bigint"
    with transaction() as session:
        return int(session.execute(text(size), {"name": keyed.table}).scalar_one())


def _count(session: Session, keyed: Keyed, sign: str, number: int) -> int:
    session.execute(text("SET LOCAL statement_timeout = '30min'"))
    question = f"SELECT count(*) FROM {_from(keyed)} WHERE {_of_key(keyed, sign)}"
    return int(session.execute(text(question), {"number": _bytes(number)}).scalar_one())


def _from(keyed: Keyed) -> str:
    if keyed.person is None or keyed.wrapped is not None:
        return keyed.table
    return f"{keyed.table} JOIN person AS owner ON owner.id = {keyed.table}.{keyed.person}"


def _of_key(keyed: Keyed, sign: str) -> str:
    """SQL: a column of the row depends on such a key, and the person is not forgotten."""
    some = [
        f"({keyed.table}.{column} <> '' AND {number} {sign} :number)"
        for column, number in keyed.numbers()
    ]
    forgotten = "" if keyed.person is None else f" AND {_key_column(keyed)} <> ''"
    return f"({' OR '.join(some)}){forgotten}"


def _key_column(keyed: Keyed) -> str:
    return "owner.data_key" if keyed.wrapped is None else f"{keyed.table}.{keyed.wrapped}"


def _rows(session: Session, keyed: Keyed, keyring: Keyring, page: int) -> Sequence[Row[Any]]:
    """The rows of some pages that others do not hold, locked."""
    own = dict.fromkeys([keyed.row, *keyed.changing, *(one.sealed for one in keyed.indexes)])
    columns = [f"{keyed.table}.{column}" for column in own]
    if keyed.person is not None:
        columns += [f"{keyed.table}.{keyed.person} AS key_owner", f"{_key_column(keyed)} AS key"]
    question = (
        f"SELECT {keyed.table}.ctid::text AS place, {', '.join(columns)} FROM {_from(keyed)}"
        f" WHERE {_of_pages(keyed)} AND {_of_key(keyed, '<>')}"
        f" FOR UPDATE OF {keyed.table} SKIP LOCKED"
    )
    return session.execute(text(question), {"number": _bytes(keyring.active), **_span(page)}).all()


def _of_pages(keyed: Keyed) -> str:
    return f"{keyed.table}.ctid >= CAST(:first AS tid) AND {keyed.table}.ctid < CAST(:end AS tid)"


def _span(page: int) -> Mapping[str, str]:
    return {"first": f"({page},0)", "end": f"({page + PAGES_AT_ONCE},0)"}


def _renewed(keyed: Keyed, keyring: Keyring, row: Row[Any]) -> dict[str, Any] | None:
    """The row's new values by column, with its place; None where it does not open."""
    found = row._asdict()
    try:
        shared = keyring.shared()
        cipher = shared if keyed.person is None else keyring.person(row.key_owner, row.key)
        new: dict[str, Any] = {"place": row.place}
        if keyed.wrapped is not None:
            new[keyed.wrapped] = keyring.rewrapped(row.key_owner, row.key)
        for column in keyed.shared:
            place = _place(keyed, column, found)
            new[column] = shared.seal(place, shared.open(place, found[column]))
        for index in keyed.indexes:
            opened = _opened(keyed, index, cipher, found)
            new[index.column] = keyring.index(index.kind, opened)
    except SealedBroken:
        return None
    return new


def _opened(keyed: Keyed, index: BlindIndex, cipher: Cipher, found: Mapping[str, Any]) -> str:
    return cipher.open(_place(keyed, index.sealed, found), found[index.sealed])


def _place(keyed: Keyed, column: str, found: Mapping[str, Any]) -> Place:
    return Place(keyed.place or keyed.table, column, found[keyed.row])


def _write(session: Session, keyed: Keyed, rows: list[dict[str, Any]], page: int) -> None:
    if not rows:
        return
    columns = keyed.changing
    given = ", ".join(f"CAST(:{column} AS bytea[])" for column in columns)
    session.execute(
        text(
            f"UPDATE {keyed.table} SET {', '.join(f'{one} = new.{one}' for one in columns)}"
            f" FROM unnest(CAST(:places AS text[]), {given}) AS new (place, {', '.join(columns)})"
            f" WHERE {keyed.table}.ctid = CAST(new.place AS tid) AND {_of_pages(keyed)}"
        ),
        {
            "places": [row["place"] for row in rows],
            **{column: [row[column] for row in rows] for column in columns},
            **_span(page),
        },
    )


def _bytes(number: int) -> bytes:
    return number.to_bytes(_NUMBER, "big")
