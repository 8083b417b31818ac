"""切分 (parts): an area cut by township into slices of a size that one job computes in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np
import psycopg

from backend.kernel.areas import code_range
from backend.kernel.copy import Kind, read_columns
from backend.matching.reading import FORGOTTEN, WHO_IS_FORGOTTEN, Ids, Slice

LARGEST: Final = 40_000
"""People in a slice."""
_TOWNSHIP: Final = 1_000

_ANYBODY_FORGOTTEN: Final = f"SELECT FROM person p WHERE {WHO_IS_FORGOTTEN} LIMIT 1"
_TOWNSHIPS: Final = (
    "SELECT area / %s AS township, count(*) FROM person WHERE known AND area BETWEEN %s AND %s"
    " GROUP BY 1"
)
_COUNTED: Final[Mapping[str, Kind]] = {"township": "int8", "people": "int8"}
_PEOPLE: Final = "SELECT id FROM person WHERE known AND area BETWEEN %s AND %s"


def slices_of(
    connection: psycopg.Connection[Any], area: str, year: int, largest: int = LARGEST
) -> list[Slice]:
    """The known people registered in the area, each in just one slice.

    A slice holds whole townships of one county, or a part of a large township; the last one those
    whom the register no longer knows, if there are any.
    """
    low, high = code_range(area)
    counted = read_columns(connection, _TOWNSHIPS, _COUNTED, [_TOWNSHIP, low, high])
    townships = sorted(zip(counted["township"].tolist(), counted["people"].tolist(), strict=True))

    def people(township: int) -> Ids:
        first, last = _ends(township, township)
        return np.sort(read_columns(connection, _PEOPLE, {"id": "int8"}, [first, last])["id"])

    slices = [Slice(year, *ends) for ends in _cut(townships, people, largest)]
    forgotten = connection.execute(_ANYBODY_FORGOTTEN, [low, high, low, high]).fetchone()
    return (
        [*slices, Slice(year, low, high, FORGOTTEN, FORGOTTEN)] if forgotten is not None else slices
    )


def _cut(
    townships: Iterable[tuple[int, int]], people: Callable[[int], Ids], largest: int
) -> Iterator[tuple[int, int, int, int]]:
    """First and last area, lowest and highest id."""
    held: list[int] = []
    room = largest
    for township, count in townships:
        if held and (count > room or held[0] // _TOWNSHIP != township // _TOWNSHIP):
            yield _whole(held)
            held, room = [], largest
        if count > largest:
            yield from _pieces(township, people(township), largest)
        else:
            held.append(township)
            room -= count
    if held:
        yield _whole(held)


def _whole(held: list[int]) -> tuple[int, int, int, int]:
    """Townships in a row, with everybody in them now and later."""
    return *_ends(held[0], held[-1]), 0, 2**62


def _pieces(township: int, ids: Ids, largest: int) -> Iterator[tuple[int, int, int, int]]:
    for start in range(0, len(ids), largest):
        piece = ids[start : start + largest]
        yield *_ends(township, township), int(piece[0]), int(piece[-1])


def _ends(first: int, last: int) -> tuple[int, int]:
    """The first area of one township and the last of another."""
    return first * _TOWNSHIP, last * _TOWNSHIP + _TOWNSHIP - 1
