"""CSV: read record by record, so that a file of any length takes the same memory."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

import polars as pl

from backend.citizens.exchange.chunk import WHOLE_ROW, Reject
from backend.citizens.exchange.encoding import LONGEST_LINE, encoding_of
from backend.citizens.exchange.source import Batch, frame, refuse

LONGEST_RECORD: Final = 100
"""Lines. A record that goes on longer has a quote that nothing closes."""

_UNCLOSED: Final = "引号没有配对，这一行分不出格子，请核对引号"
_Record = list[str] | Reject


@dataclass(frozen=True)
class CsvFile:
    """A CSV file; raises `FileError` at once where it is empty or in another encoding."""

    path: Path
    notes: tuple[str, ...] = ()

    @cached_property
    def encoding(self) -> str:
        """The encoding, found once."""
        return encoding_of(self.path)

    @cached_property
    def headers(self) -> tuple[str, ...]:
        """The first record."""
        with self._open() as stream:
            _, record = next(_records(stream), (1, None))
        if record is None:
            refuse(self.path, "文件是空的，请重新导出")
        if isinstance(record, Reject):
            refuse(self.path, f"表头：{record.reason}", record.line)
        return tuple(cell.strip() for cell in record)

    def batches(self, wanted: Sequence[int], skip: int, size: int) -> Iterator[Batch]:
        """Rows after the first `skip`, at most `size` at a time, only the wanted columns."""
        with self._open() as stream:
            records = islice(_records(stream), 1 + skip, None)
            while taken := list(islice(records, size)):
                yield self._batch(taken, wanted)

    def _open(self) -> TextIO:
        return self.path.open(encoding=self.encoding, newline="")

    def _batch(self, taken: list[tuple[int, _Record]], wanted: Sequence[int]) -> Batch:
        width = len(self.headers)
        lines: list[int] = []
        rows: list[list[str]] = []
        refused: list[Reject] = []
        for line, record in taken:
            if isinstance(record, Reject):
                refused.append(record)
            elif len(record) != width:
                refused.append(Reject(line, WHOLE_ROW, _ragged(len(record), width)))
            else:
                lines.append(line)
                rows.append(record)
        columns = list(zip(*rows, strict=True)) or [()] * width
        cells = {str(at): pl.Series(columns[at], dtype=pl.String) for at in wanted}
        return Batch(frame(lines, cells), tuple(refused), len(taken))


def _ragged(cells: int, width: int) -> str:
    return f"这一行有 {cells} 格，表头有 {width} 格：请核对有没有多写、漏写的逗号或引号"


def _records(stream: TextIO) -> Iterator[tuple[int, _Record]]:
    """Each record with the line where it begins, the header too; empty ones are left out.

    A record over several lines that is not as wide as the header is taken for a quote that nothing
    closes: its first line is refused and the lines after it are read again, each for itself.
    """
    lines = _Lines(stream)
    width = 0
    while True:
        try:
            record = next(csv.reader(lines, strict=True), None)
        except csv.Error:
            record = []
        taken, lines.taken = lines.taken, []
        if record is None and not taken:
            return
        start = lines.number - len(taken) + 1
        broken = not record and taken[0].strip("\r\n") != ""
        if broken or (len(taken) > 1 and width and len(record or []) != width):
            lines.again(taken[1:])
            yield start, Reject(start, WHOLE_ROW, _UNCLOSED)
        elif record and any(record):
            width = width or len(record)
            yield start, record


@dataclass
class _Lines:
    """Lines of a file that can be given back. `taken`: since the record began."""

    stream: TextIO
    number: int = 0
    taken: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.taken) == LONGEST_RECORD:
            raise csv.Error("a quote that nothing closes")
        line = self.pending.pop() if self.pending else self.stream.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        return line

    def again(self, lines: list[str]) -> None:
        """Give lines back, to be taken once more."""
        self.number -= len(lines)
        self.pending.extend(reversed(lines))
