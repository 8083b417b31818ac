"""切分 (parts): an area cut by township into slices of a size that one job computes in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import psycopg

from backend.kernel.areas import code_range
from backend.kernel.copy import Kind, read_columns
from backend.matching.reading import FORGOTTEN, WHO_IS_FORGOTTEN, Slice

LARGEST: Final = 20_000
"""People in a slice."""
_TOWNSHIP: Final = 1_000

_ANYBODY_FORGOTTEN: Final = f"SELECT FROM person p WHERE {WHO_IS_FORGOTTEN} LIMIT 1"
_PEOPLE: Final[Mapping[str, Kind]] = {"area": "int8", "id": "int8"}


def slices_of(
    connection: psycopg.Connection[Any], area: str, year: int, largest: int = LARGEST
) -> list[Slice]:
    """The known people registered in the area, each in just one slice.

    A slice holds whole townships of one county, or a part of a large township; the last one those
    whom the register no longer knows, if there are any.
    """
    low, high = code_range(area)
    rows = read_columns(
        connection,
        "SELECT area, id FROM person WHERE known AND area BETWEEN %s AND %s",
        _PEOPLE,
        [low, high],
    )
    township = rows["area"] // _TOWNSHIP
    order = np.lexsort((rows["id"], township))
    slices = [Slice(year, *ends) for ends in _cut(township[order], rows["id"][order], largest)]
    forgotten = connection.execute(_ANYBODY_FORGOTTEN, [low, high, low, high]).fetchone()
    return (
        [*slices, Slice(year, low, high, FORGOTTEN, FORGOTTEN)] if forgotten is not None else slices
    )


def _cut(township: Any, ids: Any, largest: int) -> Iterator[tuple[int, int, int, int]]:
    """First and last area, lowest and highest id."""
    codes, starts = np.unique(township, return_index=True)
    stops = [*starts[1:].tolist(), len(ids)][: len(codes)]
    held: list[tuple[int, int, int]] = []
    for code, start, stop in zip(codes.tolist(), starts.tolist(), stops, strict=True):
        if held and not _fit(held, code, stop, largest):
            yield _whole(held)
            held = []
        if stop - start > largest:
            yield from _pieces(code, ids[start:stop], largest)
        else:
            held.append((code, start, stop))
    if held:
        yield _whole(held)


def _fit(held: list[tuple[int, int, int]], code: int, stop: int, largest: int) -> bool:
    same_county = held[0][0] // _TOWNSHIP == code // _TOWNSHIP
    return same_county and stop - held[0][1] <= largest


def _whole(held: list[tuple[int, int, int]]) -> tuple[int, int, int, int]:
    """Townships in a row, with everybody in them now and later."""
    first, last = held[0], held[-1]
    return first[0] * _TOWNSHIP, last[0] * _TOWNSHIP + _TOWNSHIP - 1, 0, 2**62


def _pieces(code: int, ids: Any, largest: int) -> Iterator[tuple[int, int, int, int]]:
    for start in range(0, len(ids), largest):
        piece = ids[start : start + largest]
        yield code * _TOWNSHIP, code * _TOWNSHIP + _TOWNSHIP - 1, int(piece[0]), int(piece[-1])
