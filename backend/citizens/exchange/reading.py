"""读文件 (reading files): a department's file → checked rows, and a reason for each bad cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from backend.citizens.exchange.across import completed, contradictions
from backend.citizens.exchange.chunk import Chunk, Reject
from backend.citizens.exchange.csv_file import CsvFile
from backend.citizens.exchange.header import Header, bound
from backend.citizens.exchange.kinds import Field, fields
from backend.citizens.exchange.mapping import DepartmentMapping
from backend.citizens.exchange.parquet_file import ParquetFile
from backend.citizens.exchange.parsed import EXCEL_ERROR, EXCEL_ERRORS, Parsed
from backend.citizens.exchange.source import LINE, Batch, Source, refuse
from backend.citizens.exchange.words import departments
from backend.citizens.exchange.xlsx_file import XlsxFile
from backend.kernel import clock

CHUNK_ROWS: Final = 20_000
VISITS: Final = ("outpatient", "chronic_outpatient")
"""Settings in which a bill is of one day."""

_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"


def read_chunks(
    kind: str,
    path: Path,
    *,
    mapping: DepartmentMapping | None = None,
    skip_rows: int = 0,
    size: int = CHUNK_ROWS,
) -> Iterator[Chunk]:
    """The file's rows after the first `skip_rows`, at most `size` at a time, each row checked.

    The format is known by the content, not by the name. Raises `FileError` at the call where the
    file cannot be used: another format or encoding, a header that lacks a column. Memory does not
    grow with the file for CSV and Parquet.
    """
    if mapping is not None and mapping.kind != kind:
        refuse(path, f"对照文件是给 {mapping.kind} 用的，不是给 {kind} 用的")
    source = _opened(path)
    # The day of delivery: what is born later cannot be in a file yet.
    columns = fields(kind, clock.today())
    header = bound(path, source.headers, columns, mapping)
    reader = _Reader(kind, columns, header, mapping)
    reader.notes.extend((*source.notes, *header.notes))
    wanted = sorted(set(header.positions.values()))
    return (reader.chunk(batch) for batch in source.batches(wanted, skip_rows, size))


def _in_order(rejects: Sequence[Reject]) -> tuple[Reject, ...]:
    """By line; one reject a cell, also where one column of the file is two of ours."""
    cells: dict[tuple[int, str], Reject] = {}
    for reject in rejects:
        cells.setdefault((reject.line, reject.column), reject)
    return tuple(sorted(cells.values(), key=lambda reject: reject.line))


def _opened(path: Path) -> Source:
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        refuse(path, f"文件读不到：{error.strerror}")
    if start == b"PAR1":
        return ParquetFile(path)
    if start == b"PK\x03\x04":
        return XlsxFile(path)
    if start == _OLD_EXCEL:
        refuse(path, "这是老格式的 Excel 文件（.xls）或者加了密码，请另存为 XLSX 或“CSV UTF-8”")
    return CsvFile(path)


@dataclass
class _Reader:
    """`notes`: not handed on yet; `told`: warnings that were given once."""

    kind: str
    columns: tuple[Field, ...]
    header: Header
    mapping: DepartmentMapping | None
    notes: list[str] = field(default_factory=list)
    told: set[str] = field(default_factory=set)

    def chunk(self, batch: Batch) -> Chunk:
        """The batch checked: cell by cell, then across each row."""
        lines = batch.cells[LINE]
        parsed = {}
        rejects = list(batch.refused)
        sound = pl.repeat(True, len(lines), dtype=pl.Boolean, eager=True)
        for one in self.columns:
            cells = self._cells(one.name, batch)
            parsed[one.name] = result = one.parse(cells)
            if result.bad.any():
                rejects.extend(self._bad_cells(one.name, lines, cells, result))
                sound &= ~result.bad
        rows = pl.DataFrame({LINE: lines, **{name: one.values for name, one in parsed.items()}})
        rows = self._without_contradictions(rows.filter(sound), rejects)
        self._warn(rows)
        notes, self.notes = tuple(self.notes), []
        return Chunk(completed(self.kind, rows), _in_order(rejects), batch.read, notes)

    def _cells(self, column: str, batch: Batch) -> pl.Series:
        """A column as text of the contract, trimmed, never null; constants and absent ones too."""
        place = self.header.positions.get(column)
        if place is not None:
            cells = batch.cells[str(place)].fill_null("").str.strip_chars()
            return cells if self.mapping is None else self.mapping.translated(column, cells)
        constant = "" if self.mapping is None else self.mapping.constants.get(column, "")
        return pl.repeat(constant, batch.cells.height, dtype=pl.String, eager=True)

    def _bad_cells(
        self, column: str, lines: pl.Series, cells: pl.Series, result: Parsed
    ) -> Iterator[Reject]:
        shown = self.header.shown.get(column, column)
        bad = zip(lines.filter(result.bad), cells.filter(result.bad), strict=True)
        for line, cell in bad:
            excel = re.search(EXCEL_ERRORS, cell)
            yield Reject(line, shown, EXCEL_ERROR if excel else result.explain(cell))

    def _without_contradictions(self, rows: pl.DataFrame, rejects: list[Reject]) -> pl.DataFrame:
        sound = pl.repeat(True, rows.height, dtype=pl.Boolean, eager=True)
        for one in contradictions(self.kind):
            bad = rows.select(one.rows.fill_null(False)).to_series()
            shown = self.header.shown.get(one.column, one.column)
            rejects.extend(Reject(line, shown, one.reason) for line in rows[LINE].filter(bad))
            sound &= ~bad
        return rows if sound.all() else rows.filter(sound)

    def _warn(self, rows: pl.DataFrame) -> None:
        """Notes on what is taken and still deserves a look, each the first time only."""
        if self.kind == "identities":
            unknown = ~pl.col("department").is_in(list(departments().values()))
            self._tell(rows, unknown, "部门不在名册里，已照原样收下")
        if self.kind == "bills":
            longer = pl.col("setting").is_in(VISITS) & (
                pl.col("admitted_on") != pl.col("discharged_on")
            )
            self._tell(rows, longer, "门诊的开始和结束不是同一天，已照收，以结束日为准；请核对")

    def _tell(self, rows: pl.DataFrame, odd: pl.Expr, what: str) -> None:
        lines = rows.filter(odd)[LINE]
        if len(lines) and what not in self.told:
            self.told.add(what)
            self.notes.append(f"第 {lines[0]} 行等：{what}")
