"""来源 (source): a department's file as text, whatever its format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

import polars as pl

from backend.citizens.exchange.chunk import Reject
from backend.kernel.yaml_file import FileError, FileFault

LINE = "line"


@dataclass(frozen=True)
class Batch:
    """Some rows: `cells` has `line` and a String column a wanted position (named `"0"`, `"1"`, …).

    `refused`: rows that could not be cut into cells, one reject each, not in `cells`. `read`: all
    rows, refused ones too; empty rows are left out and not counted.
    """

    cells: pl.DataFrame
    refused: tuple[Reject, ...]
    read: int


class Source(Protocol):
    """An opened file. `headers`: the header's cells, trimmed; `notes`: worth telling."""

    @property
    def headers(self) -> tuple[str, ...]: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    def batches(self, wanted: Sequence[int], skip: int, size: int) -> Iterator[Batch]:
        """Rows after the first `skip`, at most `size` at a time, only the wanted columns."""
        ...


def refuse(path: Path, reason: str, line: int = 1) -> NoReturn:
    """The file cannot be used at all."""
    raise FileError([FileFault(path.name, line, reason)])


def frame(lines: Sequence[int], columns: dict[str, pl.Series]) -> pl.DataFrame:
    """Cells with their lines."""
    return pl.DataFrame({LINE: pl.Series(lines, dtype=pl.Int64), **columns})
