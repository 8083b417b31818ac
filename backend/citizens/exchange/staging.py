"""成批换行 (staging): rows as frames to and from their tables; what is replaced goes to history.

A frame holds whole numbers as `Int64`, days as text (`infinity` included), flags as `Boolean` and
sealed values as `Binary`. Nothing personal is in a frame that is written but sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import polars as pl
import psycopg
from psycopg import sql
from sqlalchemy import BigInteger, Boolean, Date, Integer, LargeBinary, SmallInteger, Table

from backend.citizens.history import HISTORIES, SUPERSEDED_BY
from backend.kernel.row_ids import NEXT_ID

FOREVER: Final = "infinity"
NEVER: Final = "-infinity"
_NUMBERS: Final = (BigInteger, Integer, SmallInteger)


def fetch(
    connection: psycopg.Connection[Any], table: Table, column: str, values: Sequence[Any]
) -> pl.DataFrame:
    """The current rows whose `column` is among the values."""
    names = [
        sql.SQL("{}::text").format(sql.Identifier(one.name))
        if isinstance(one.type, Date)
        else sql.Identifier(one.name)
        for one in table.columns
    ]
    query = sql.SQL("SELECT {} FROM {} WHERE {} = ANY(%b)").format(
        sql.SQL(", ").join(names), sql.Identifier(table.name), sql.Identifier(column)
    )
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(query, [list(values)]).fetchall() if len(values) else []
    return pl.DataFrame(rows, schema_of(table), orient="row")


def schema_of(table: Table) -> dict[str, pl.DataType]:
    """Column → its type in a frame."""
    return {one.name: _type(one.type) for one in table.columns}


def _type(of: object) -> pl.DataType:
    if isinstance(of, _NUMBERS):
        return pl.Int64()
    if isinstance(of, Boolean):
        return pl.Boolean()
    return pl.Binary() if isinstance(of, LargeBinary) else pl.String()


def copy_in(connection: psycopg.Connection[Any], table: str, rows: pl.DataFrame) -> None:
    """Append the rows, column by name."""
    if rows.is_empty():
        return
    sealed = [name for name, of in rows.schema.items() if of == pl.Binary]
    written = rows.with_columns(
        (pl.lit("\\x") + pl.col(name).bin.encode("hex")).alias(name) for name in sealed
    ).write_csv(include_header=False, quote_style="non_numeric")
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, rows.columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(written)


def new_ids(connection: psycopg.Connection[Any], count: int) -> list[int]:
    """Surrogate keys that nothing else has."""
    query = f"SELECT {NEXT_ID} FROM generate_series(1, %s)"
    with connection.cursor() as cursor:
        return [row[0] for row in cursor.execute(query, [count])] if count else []


def keep(
    connection: psycopg.Connection[Any], table: Table, ids: Sequence[int], revision: int
) -> None:
    """Write the rows of these ids into history, as superseded by the revision."""
    if not len(ids):
        return
    names = sql.SQL(", ").join(sql.Identifier(one.name) for one in table.columns)
    statement = sql.SQL("INSERT INTO {} ({}, {}) SELECT {}, %s FROM {} WHERE id = ANY(%b)").format(
        sql.Identifier(HISTORIES[table.name].name),
        names,
        sql.Identifier(SUPERSEDED_BY),
        names,
        sql.Identifier(table.name),
    )
    connection.execute(statement, [revision, list(ids)])


def replace(
    connection: psycopg.Connection[Any], table: Table, ids: Sequence[int], rows: pl.DataFrame
) -> None:
    """Remove the rows of these ids, whose place the given rows take.

    Constraints see the outcome only: an interval may close and the next open in any order.
    """
    if len(ids):
        statement = sql.SQL("DELETE FROM {} WHERE id = ANY(%b)").format(sql.Identifier(table.name))
        connection.execute(statement, [list(ids)])
    copy_in(connection, table.name, rows)
