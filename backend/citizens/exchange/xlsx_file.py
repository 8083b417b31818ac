"""XLSX: the first sheet, read whole (hence the cap on size), every cell as text.

Excel keeps 15 digits of a number. A long number that stands in a cell as a number, not as text, is
given on as `MANGLED_NUMBER`, which no column takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final
from zipfile import BadZipFile, ZipFile

import fastexcel
import polars as pl

from backend.citizens.exchange.chunk import WHOLE_ROW, Reject
from backend.citizens.exchange.source import LINE, Batch, refuse

LARGEST: Final = 30 << 20
LARGEST_UNPACKED: Final = 300 << 20
"""Bytes of the file, and of the sheets in it; a larger one is delivered as CSV or Parquet."""
LARGEST_SHEET: Final = 32 << 20
"""Cells between the first and the last one of a sheet: a few bytes of XLSX can name a cell so far
off that the empty ones before it fill the memory of the machine."""
MANGLED_NUMBER: Final = "1E+17"

_LONG: Final = "^[0-9]{16,}$"
_MIDNIGHT: Final = " 00:00:00"
_ERROR_CELL: Final = re.compile(rb'<(?:\w+:)?c\b[^>]*\bt="e"[^>]*>')
_PLACE: Final = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_CELL: Final = re.compile(rb"<(?:\w+:)?c\b[^>]*?\sr\s*=\s*[\"']([A-Za-z]{1,3})([0-9]{1,7})[\"']")
_LONGEST_TAG: Final = 256
_FIRST_SHEET: Final = re.compile(rb'<sheet\b[^>]*?\b[\w]+:id="([^"]+)"')
_TOO_LARGE: Final = "XLSX 文件太大（上限 {} MB），请另存为“CSV UTF-8”再导入"
_TOO_WIDE: Final = (
    "第一张工作表太大：最后面还有单元格（第 {} 行、第 {} 列），请删去数据以外的行和列，"
    "或者另存为“CSV UTF-8”再导入"
)


@dataclass(frozen=True)
class XlsxFile:
    """An XLSX file; raises `FileError` where it is too large or cannot be opened."""

    path: Path

    @property
    def notes(self) -> tuple[str, ...]:
        """Whether there are sheets that were not read."""
        others = len(self._reader.sheet_names) - 1
        return (f"文件里还有 {others} 张工作表，只读了第一张",) if others else ()

    @cached_property
    def headers(self) -> tuple[str, ...]:
        """The first row that is not empty."""
        if self._header_row is None:
            refuse(self.path, "文件是空的，请重新导出")
        cells = self._cells.row(self._header_row)[1:]
        return tuple("" if cell is None else str(cell).strip() for cell in cells)

    def batches(self, wanted: Sequence[int], skip: int, size: int) -> Iterator[Batch]:
        """Rows after the first `skip`, at most `size` at a time, only the wanted columns."""
        _ = self.headers
        chosen = self._cells.select(
            LINE,
            *(self._unmangled(at).alias(str(at)) for at in wanted),
            empty=pl.all_horizontal(pl.exclude(LINE).fill_null("").str.strip_chars() == ""),
        )
        rows = chosen.slice((self._header_row or 0) + 1)
        rows = rows.filter(~pl.col("empty") | pl.col(LINE).is_in(list(self._errors)))
        for start in range(skip, rows.height, size):
            yield self._batch(rows.slice(start, size).drop("empty"))

    def _batch(self, rows: pl.DataFrame) -> Batch:
        faulty = [line for line in rows[LINE].to_list() if line in self._errors]
        reason = "第 {} 列是 Excel 的公式错误（如 #N/A），请改成真实的内容"
        refused = (Reject(line, WHOLE_ROW, reason.format(self._errors[line])) for line in faulty)
        sound = rows.filter(~pl.col(LINE).is_in(faulty))
        return Batch(sound, tuple(refused), rows.height)

    @cached_property
    def _reader(self) -> fastexcel.ExcelReader:
        self._check_size()
        try:
            return fastexcel.read_excel(self.path)
        except fastexcel.FastExcelError:
            refuse(self.path, "XLSX 文件打不开（可能加了密码或者已损坏），请重新另存为 XLSX 或 CSV")

    def _check_size(self) -> None:
        if self.path.stat().st_size > LARGEST:
            refuse(self.path, _TOO_LARGE.format(LARGEST >> 20))
        try:
            with ZipFile(self.path) as package:
                unpacked = sum(entry.file_size for entry in package.infolist())
                is_workbook = "xl/workbook.xml" in package.namelist()
        except BadZipFile:
            refuse(self.path, "XLSX 文件已损坏，请重新导出")
        if not is_workbook:
            refuse(self.path, "文件不是 XLSX 表格，请另存为 XLSX 或“CSV UTF-8”")
        if unpacked > LARGEST_UNPACKED:
            refuse(self.path, _TOO_LARGE.format(LARGEST >> 20))
        rows, columns = self._extent()
        if rows * columns > LARGEST_SHEET:
            refuse(self.path, _TOO_WIDE.format(rows, columns))

    def _extent(self) -> tuple[int, int]:
        """The furthest row and column that a cell of the sheet names."""
        rows, letters = 0, {b""}
        for block in self._sheet_bytes():
            places = _CELL.findall(block)
            letters.update(column for column, _ in places)
            rows = max(rows, max((int(row) for _, row in places), default=0))
        return rows, max(map(_column, letters))

    def _sheet_bytes(self) -> Iterator[bytes]:
        """The sheet as XML in pieces, each with the end of the one before."""
        try:
            with ZipFile(self.path) as package, package.open(_first_sheet(package)) as sheet:
                seen = b""
                while block := sheet.read(1 << 20):
                    yield seen + block
                    seen = block[-_LONGEST_TAG:]
        except (BadZipFile, KeyError):
            refuse(self.path, "XLSX 文件已损坏，请重新导出")

    @cached_property
    def _cells(self) -> pl.DataFrame:
        """Every row of the sheet from row 1 on, as text, with its row number."""
        sheet = self._sheet("string")
        renamed = sheet.rename({name: str(at) for at, name in enumerate(sheet.columns)})
        texts = renamed.with_columns(pl.all().str.strip_suffix(_MIDNIGHT))
        return texts.with_row_index(LINE, offset=1).with_columns(pl.col(LINE).cast(pl.Int64))

    @cached_property
    def _numbers(self) -> pl.DataFrame:
        """Where a cell is a number and not text: only numbers can be read as truth values."""
        sheet = self._sheet("boolean")
        renamed = sheet.rename({name: str(at) for at, name in enumerate(sheet.columns)})
        return renamed.select(pl.all().is_not_null())

    def _sheet(self, dtype: fastexcel.DType) -> pl.DataFrame:
        try:
            # skip_rows=0 keeps empty rows at the top: rows keep their numbers.
            sheet = self._reader.load_sheet(0, header_row=None, skip_rows=0, dtypes=dtype)
        except fastexcel.FastExcelError:
            refuse(self.path, "工作表读不出来，请重新另存为 XLSX 或 CSV")
        return sheet.to_polars()

    @cached_property
    def _header_row(self) -> int | None:
        filled = self._cells.select(pl.any_horizontal(pl.exclude(LINE).is_not_null())).to_series()
        return filled.arg_max() if filled.any() else None

    def _unmangled(self, at: int) -> pl.Expr:
        cells = self._cells[str(at)]
        long = cells.str.contains(_LONG).fill_null(False)
        if not long.any():
            return pl.col(str(at))
        as_number = pl.lit(long & self._numbers[str(at)])
        return pl.when(as_number).then(pl.lit(MANGLED_NUMBER)).otherwise(pl.col(str(at)))

    @cached_property
    def _errors(self) -> Mapping[int, str]:
        """Row → letters of the column with an error of a formula, which reads as an empty cell."""
        found: dict[int, str] = {}
        for block in self._sheet_bytes():
            for tag in _ERROR_CELL.findall(block):
                if place := _PLACE.search(tag):
                    found[int(place[2])] = place[1].decode()
        return found


def _column(letters: bytes) -> int:
    """`A` → 1, `XFD` → 16384; none: 0."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _first_sheet(package: ZipFile) -> str:
    """The name in the package of the sheet that stands first in the workbook."""
    names = set(package.namelist())
    match = _FIRST_SHEET.search(package.read("xl/workbook.xml"))
    relations = package.read("xl/_rels/workbook.xml.rels")
    for relation in re.findall(rb"<Relationship\b[^>]*>", relations):
        target = re.search(rb'\bTarget="([^"]+)"', relation)
        if match and target and b'Id="' + match[1] + b'"' in relation:
            name = target[1].decode().removeprefix("/")
            return name if name in names else f"xl/{name}"
    return "xl/worksheets/sheet1.xml"
