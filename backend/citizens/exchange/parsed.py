"""一列单元格 (cells): a column of text checked as a whole, with the reason for each bad cell.

Good columns cost a few vectorised operations; only bad cells are looked at one by one, to say why.
Text comes in trimmed, never null; a type of cell gives back its values and which of them are bad.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import polars as pl

Explain = Callable[[str], str]
"""Text of a bad cell → what is wrong with it; never repeats the text."""

EMPTY: Final = "这一格是空的，请补上"
EXCEL_ERROR: Final = "这一格是 Excel 的公式错误（如 #N/A、####），请改成真实的内容"
EXCEL_ERRORS: Final = r"^#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|#+)$"
UNPRINTABLE: Final = "这一格里有看不见的控制字符，请重新输入"
CONTROLS: Final = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ufffd]"


@dataclass(frozen=True)
class Parsed:
    """`values`: typed, anything where bad; `bad`: Boolean; `explain`: why a bad cell is bad."""

    values: pl.Series
    bad: pl.Series
    explain: Explain


Parse = Callable[[pl.Series], Parsed]


def plain(cells: pl.Series) -> pl.Series:
    """Full-width characters made plain (NFKC), where there are any."""
    return cells if _is_ascii(cells) else cells.str.normalize("NFKC").str.strip_chars()


def _is_ascii(cells: pl.Series) -> bool:
    return bool((cells.str.len_bytes() == cells.str.len_chars()).all())


def by_unique(cells: pl.Series, convert: Callable[[str], str]) -> pl.Series:
    """Each different text converted once; for columns of few different texts."""
    old = cells.unique().to_list()
    new = [convert(text) for text in old]
    return cells if new == old else cells.replace_strict(old, new, return_dtype=pl.String)
