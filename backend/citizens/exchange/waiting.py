"""等到文件末尾 (waiting): rows of a file that wait for its end, found again in the file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

_KEY: Final = ("id_number", "category", "department", "from")


@dataclass(frozen=True)
class Waiting:
    """`lines`: all that wait; `rows`: those of them that no later line of the file replaced."""

    lines: Sequence[int]
    rows: pl.DataFrame


def find_waiting(chunks: Iterable[pl.DataFrame], lines: Sequence[int]) -> Waiting:
    """Read the lines' rows again, and which later lines say the same row anew."""
    waiting, taken = pl.DataFrame(), pl.DataFrame()
    for rows in chunks:
        waits = pl.col("line").is_in(list(lines))
        waiting = pl.concat([waiting, rows.filter(waits)], how="diagonal")
        if not waiting.is_empty():
            same = rows.filter(~waits).join(waiting, on=_KEY, how="semi")
            taken = pl.concat([taken, same.select(*_KEY, "line")], how="diagonal")
    if not taken.is_empty():
        last = taken.group_by(_KEY).agg(later=pl.col("line").max())
        later = waiting.join(last, on=_KEY, how="left", maintain_order="left")
        waiting = later.filter(pl.col("later").fill_null(0) < pl.col("line")).drop("later")
    return Waiting(lines, waiting)
