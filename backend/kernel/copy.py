"""成批读写 (copy): rows come and go as NumPy columns through PostgreSQL's binary COPY.

Rows have a fixed width: every column is NOT NULL and of a fixed-size type. Days are proleptic
ordinals (`date.toordinal`), `FAR_PAST` and `FAR_FUTURE` for PostgreSQL's infinities.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import sql
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy.orm import Session

Kind: TypeAlias = Literal["int8", "int4", "int2", "bool", "date"]
Columns: TypeAlias = Mapping[str, npt.NDArray[Any]]

FAR_PAST: Final = 0
FAR_FUTURE: Final = 4_000_000
"""A day after every other: `date.max` is 3,652,059."""

_WIRE: Final[Mapping[Kind, str]] = {
    "int8": ">i8", "int4": ">i4", "int2": ">i2", "bool": ">i1", "date": ">i4",
}  # fmt: skip
_NATIVE: Final[Mapping[Kind, Any]] = {
    "int8": np.int64, "int4": np.int32, "int2": np.int16, "bool": np.bool_, "date": np.int32,
}  # fmt: skip
_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack(">II", 0, 0)
_TRAILER: Final = struct.pack(">h", -1)
_EPOCH: Final = 730_120
"""PostgreSQL counts days from 2000-01-01."""
_INFINITY: Final = 2**31 - 1
_ROWS_AT_ONCE: Final = 1 << 16


def raw(session: Session) -> psycopg.Connection[Any]:
    """The psycopg connection under the session, in the same transaction."""
    return cast("psycopg.Connection[Any]", session.connection().connection.driver_connection)


def read_columns(
    connection: psycopg.Connection[Any],
    query: str | sql.Composed | sql.SQL,
    kinds: Mapping[str, Kind],
    values: Sequence[Any] = (),
) -> dict[str, npt.NDArray[Any]]:
    """The rows of a SELECT as one array a column, in the order of `kinds`.

    `values` fill the query's `%s`, client-side: COPY takes no parameters. Raises `ValueError` where
    a row is not of the fixed width: a NULL, or another type.
    """
    record = _record(kinds)
    bound = psycopg.ClientCursor(connection).mogrify(query, values) if values else query
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(
        sql.SQL(bound) if isinstance(bound, str) else bound
    )
    sent = received(connection, statement)
    rows = np.frombuffer(sent, record, count=_row_count(sent, record), offset=len(_HEADER))
    if len(rows) and not _widths_hold(rows, kinds):
        raise ValueError("a row is not of the fixed width: a NULL, or another type")
    return {name: _native(rows[name], kind) for name, kind in kinds.items()}


def received(connection: psycopg.Connection[Any], statement: sql.Composed | sql.SQL) -> bytearray:
    """Everything that a `COPY … TO STDOUT` sends.

    Through libpq itself: psycopg takes ten times as long for a row.
    """
    if connection.info.transaction_status == TransactionStatus.IDLE:
        connection.execute("")  # begins the transaction
    server = connection.pgconn
    begun = server.exec_(statement.as_bytes(connection))
    if begun.status != ExecStatus.COPY_OUT:
        raise psycopg.errors.error_from_result(begun, connection.info.encoding)
    sent = bytearray()
    size, data = server.get_copy_data(0)
    while size > 0:
        sent += data
        size, data = server.get_copy_data(0)
    ended = server.get_result()
    while (more := server.get_result()) is not None:
        ended = more
    if ended is not None and ended.status != ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(ended, connection.info.encoding)
    return sent


def write_columns(
    connection: psycopg.Connection[Any], table: str, kinds: Mapping[str, Kind], columns: Columns
) -> int:
    """Append rows to a table, one array a column of `kinds`; returns their number."""
    record = _record(kinds)
    count = len(next(iter(columns.values())))
    if any(len(columns[name]) != count for name in kinds):
        raise ValueError("the columns differ in length")
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, kinds))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEADER)
        for start in range(0, count, _ROWS_AT_ONCE):
            part = slice(start, min(start + _ROWS_AT_ONCE, count))
            copy.write(_rows(record, kinds, columns, part).tobytes())
        copy.write(_TRAILER)
    return count


def _record(kinds: Mapping[str, Kind]) -> np.dtype[Any]:
    """A row on the wire: the number of fields, then each field's size and value."""
    fields: list[tuple[str, str]] = [("#", ">i2")]
    for name, kind in kinds.items():
        fields += [(f"#{name}", ">i4"), (name, _WIRE[kind])]
    return np.dtype(fields)


def _row_count(received: bytearray, record: np.dtype[Any]) -> int:
    count, rest = divmod(len(received) - len(_HEADER) - len(_TRAILER), record.itemsize)
    if rest:
        raise ValueError("a row is not of the fixed width: a NULL, or another type")
    return count


def _widths_hold(rows: npt.NDArray[Any], kinds: Mapping[str, Kind]) -> bool:
    return bool((rows["#"] == len(kinds)).all()) and all(
        bool((rows[f"#{name}"] == np.dtype(_WIRE[kind]).itemsize).all())
        for name, kind in kinds.items()
    )


def _native(column: npt.NDArray[Any], kind: Kind) -> npt.NDArray[Any]:
    values = column.astype(_NATIVE[kind])
    if kind != "date":
        return values
    past, future = values == -_INFINITY - 1, values == _INFINITY
    values = np.where(past | future, 0, values) + np.int32(_EPOCH)
    values[past], values[future] = FAR_PAST, FAR_FUTURE
    return values


def _rows(
    record: np.dtype[Any], kinds: Mapping[str, Kind], columns: Columns, part: slice
) -> npt.NDArray[Any]:
    rows = np.empty(part.stop - part.start, record)
    rows["#"] = len(kinds)
    for name, kind in kinds.items():
        values = columns[name][part]
        if kind == "date":
            days = values.astype(np.int64) - _EPOCH
            days = np.where(values == FAR_FUTURE, _INFINITY, days)
            values = np.where(values == FAR_PAST, -_INFINITY - 1, days)
        rows[f"#{name}"] = np.dtype(_WIRE[kind]).itemsize
        rows[name] = values
    return rows
