"""Parquet: streamed in batches, typed columns turned into the text of the contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Final

import polars as pl
from polars.exceptions import PolarsError

from backend.citizens.exchange.source import LINE, Batch, refuse
from backend.citizens.exchange.xlsx_file import MANGLED_NUMBER

ROWS_AT_ONCE: Final = 50_000
MOST_EXACT: Final = 1e15
"""Above it a floating-point number no longer holds every integer that has as many digits."""

_BROKEN: Final = "Parquet 文件打不开或者已损坏，请重新导出"
_NO_TEXT: Final = (pl.List, pl.Array, pl.Struct, pl.Binary, pl.Object)


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet file; raises `FileError` where it cannot be read."""

    path: Path
    notes: tuple[str, ...] = ()

    @cached_property
    def headers(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(name.strip() for name in self._schema.names())

    def batches(self, wanted: Sequence[int], skip: int, size: int) -> Iterator[Batch]:
        """Rows after the first `skip`, at most `size` at a time, only the wanted columns."""
        names = self._schema.names()
        rows = self._rows.select([self._text(names[at]).alias(str(at)) for at in wanted])
        return self._sliced(rows, skip, size)

    def _sliced(self, rows: pl.LazyFrame, skip: int, size: int) -> Iterator[Batch]:
        # Slices, not polars' own batches: those hold several row groups at once.
        for start in count(skip, max(size, ROWS_AT_ONCE)):
            part = self._read(rows.slice(start, max(size, ROWS_AT_ONCE)))
            if part.is_empty():
                return
            lines = pl.int_range(start + 2, start + 2 + part.height, dtype=pl.Int64, eager=True)
            whole = part.insert_column(0, lines.alias(LINE))
            for cells in whole.iter_slices(size):
                yield Batch(cells, (), cells.height)

    def _read(self, rows: pl.LazyFrame) -> pl.DataFrame:
        try:
            return rows.collect()
        except PolarsError:
            refuse(self.path, _BROKEN)

    @property
    def _rows(self) -> pl.LazyFrame:
        return pl.scan_parquet(self.path, glob=False)

    @cached_property
    def _schema(self) -> pl.Schema:
        try:
            return self._rows.collect_schema()
        except PolarsError:
            refuse(self.path, _BROKEN)

    def _text(self, name: str) -> pl.Expr:
        dtype, column = self._schema[name], pl.col(name)
        if isinstance(dtype, _NO_TEXT):
            refuse(self.path, f"“{name}”这一列的类型（{dtype}）不是文字、数字或日期，请改好再导出")
        if dtype == pl.Boolean:
            return column.cast(pl.Int8).cast(pl.String)
        if isinstance(dtype, pl.Datetime):
            return column.dt.to_string("%Y-%m-%d %H:%M:%S").str.strip_suffix(" 00:00:00")
        return _float_text(column) if dtype.is_float() else column.cast(pl.String)


def _float_text(column: pl.Expr) -> pl.Expr:
    """As a spreadsheet shows it: 15 significant digits, no exponent."""
    exact = column.round_sig_figs(15)
    whole = exact.cast(pl.Int64, strict=False)
    text = pl.when(exact == whole).then(whole.cast(pl.String)).otherwise(exact.cast(pl.String))
    return pl.when(column.abs() >= MOST_EXACT).then(pl.lit(MANGLED_NUMBER)).otherwise(text)
