"""文件的行 (rows): a CSV file of payees, or of the bank, as rows of text by column."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backend.citizens.exchange.chunk import Reject
from backend.citizens.exchange.csv_file import CsvFile
from backend.citizens.exchange.source import LINE, refuse

_AT_ONCE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file. `aliases`: what its header may be called besides its name."""

    name: str
    aliases: tuple[str, ...]
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """One row: the line where it begins, and its trimmed cells; `""` where there is no column."""

    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]


def read_rows(path: Path, columns: Sequence[Column]) -> tuple[list[Line], list[Reject]]:
    """The rows of a file, UTF-8 or GB18030, and those that could not be cut into cells.

    Raises `FileError` where the file cannot be used at all, or lacks a column.
    """
    source = CsvFile(path)
    places = _places(path, source.headers, columns)
    lines: list[Line] = []
    rejects: list[Reject] = []
    for batch in source.batches(sorted(places.values()), 0, _AT_ONCE):
        rejects += batch.refused
        for row in batch.cells.iter_rows(named=True):
            cells = {name: plain(row[str(at)]) for name, at in places.items()}
            cells |= {one.name: "" for one in columns if one.name not in places}
            lines.append(Line(row[LINE], cells))
    return lines, rejects


def plain(text: str) -> str:
    """Full-width characters made plain, blanks around cut off."""
    return unicodedata.normalize("NFKC", text).strip()


def _places(path: Path, headers: Sequence[str], columns: Sequence[Column]) -> dict[str, int]:
    places: dict[str, int] = {}
    for column in columns:
        found = [
            at for at, one in enumerate(headers) if plain(one) in (column.name, *column.aliases)
        ]
        if len(found) > 1:
            refuse(path, f"有几列都是“{headers[found[0]]}”：请只留一列。")
        if found:
            places[column.name] = found[0]
        elif column.needed:
            refuse(path, f"缺少 {column.name}（{column.aliases[0]}）这一列：请补上。")
    return places
