"""切分 (parts): an area cut by township into slices of a size that one job computes in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import psycopg

from backend.kernel.areas import code_range
from backend.kernel.copy import Kind, read_columns
from backend.matching.reading import FORGOTTEN, WHO_IS_FORGOTTEN, Ids, Slice

LARGEST: Final = 40_000
"""People in a slice, and people computed at a time."""
SPARSE: Final = 4
"""So many times the people are in a slice of which only those who changed are computed."""
_TOWNSHIP: Final = 1_000

_FORGOTTEN: Final = f"SELECT count(*) FROM person p WHERE {WHO_IS_FORGOTTEN}"
_TOWNSHIPS: Final = (
    "SELECT area / %s AS township, sum(people)::int8, min(lowest), max(highest)"
    " FROM (SELECT area, count(*) AS people, min(id) AS lowest, max(id) AS highest FROM person"
    " WHERE known AND area BETWEEN %s AND %s GROUP BY area) AS village GROUP BY 1"
)
"""Villages first: they are counted in the order of the index, without a table of groups."""
_COUNTED: Final[Mapping[str, Kind]] = {
    "township": "int8", "people": "int8", "lowest": "int8", "highest": "int8",
}  # fmt: skip
_PEOPLE: Final = "SELECT id FROM person WHERE known AND area BETWEEN %s AND %s"


@dataclass(frozen=True, slots=True)
class _Township:
    code: int
    people: int
    lowest: int
    highest: int

    @property
    def county(self) -> int:
        return self.code // _TOWNSHIP


def slices_of(
    connection: psycopg.Connection[Any],
    area: str,
    year: int,
    largest: Callable[[int], int] = lambda county: LARGEST,
) -> list[Slice]:
    """The known people registered in the area, each in just one slice.

    A slice holds whole townships of one county, or a part of a large township; the last one those
    whom the register no longer knows, if there are any. `largest`: people in a slice of a county.
    """
    low, high = code_range(area)
    counted = read_columns(connection, _TOWNSHIPS, _COUNTED, [_TOWNSHIP, low, high])
    rows = sorted(zip(*(counted[name].tolist() for name in _COUNTED), strict=True))
    cut = _Cut(connection, year, largest)
    slices = list(cut.slices([_Township(*row) for row in rows]))
    row = connection.execute(_FORGOTTEN, [low, high, low, high]).fetchone()
    if row is not None and row[0]:
        slices.append(Slice(year, low, high, FORGOTTEN, FORGOTTEN, people=row[0]))
    return slices


@dataclass(frozen=True)
class _Cut:
    connection: psycopg.Connection[Any]
    year: int
    largest: Callable[[int], int]

    def slices(self, townships: list[_Township]) -> Iterator[Slice]:
        held: list[_Township] = []
        for one in townships:
            largest = self.largest(one.county)
            people = sum(township.people for township in held) + one.people
            if held and (people > largest or held[0].county != one.county):
                yield self._whole(held)
                held = []
            if one.people > largest:
                yield from self._pieces(one, largest)
            else:
                held.append(one)
        if held:
            yield self._whole(held)

    def _whole(self, held: list[_Township]) -> Slice:
        """Townships in a row."""
        lowest, highest = min(one.lowest for one in held), max(one.highest for one in held)
        ends = _ends(held[0], held[-1])
        return Slice(self.year, *ends, lowest, highest, people=sum(one.people for one in held))

    def _pieces(self, township: _Township, largest: int) -> Iterator[Slice]:
        ends = _ends(township, township)
        ids = self._ids(ends)
        for start in range(0, len(ids), largest):
            piece = ids[start : start + largest]
            yield Slice(self.year, *ends, int(piece[0]), int(piece[-1]), people=len(piece))

    def _ids(self, ends: tuple[int, int]) -> Ids:
        return np.sort(read_columns(self.connection, _PEOPLE, {"id": "int8"}, ends)["id"])


def _ends(first: _Township, last: _Township) -> tuple[int, int]:
    """The first area of one township and the last of another."""
    return first.code * _TOWNSHIP, last.code * _TOWNSHIP + _TOWNSHIP - 1
