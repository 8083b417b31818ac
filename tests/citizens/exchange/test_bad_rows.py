"""坏数据: every bad row of the corpus is refused, at the right cell, for its own reason."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import time_machine

from backend.citizens.exchange.kinds import KINDS
from backend.citizens.exchange.reading import read_chunks
from tests.support.delivered import GOOD, read_all, write_csv, write_parquet, write_sheet
from tests.support.from_yaml import from_yaml

CORPUS = Path(__file__).parents[2] / "cases" / "bad_rows.yaml"
FEWEST = 200


class BadRow(NamedTuple):
    column: str
    says: str
    cells: dict[str, str]


@cache
def corpus(kind: str) -> tuple[BadRow, ...]:
    return tuple(_entries(from_yaml(CORPUS)[kind]))


def _entries(columns: dict[str, dict[str, list[str | dict[str, str]]]]) -> Iterator[BadRow]:
    for column, reasons in columns.items():
        for says, rows in reasons.items():
            for cells in rows:
                yield BadRow(column, says, cells if isinstance(cells, dict) else {column: cells})


def rows(kind: str) -> list[dict[str, str]]:
    """A good row before and after each bad one, so that nothing good may be lost either."""
    every = dict.fromkeys(column for bad in corpus(kind) for column in bad.cells)
    good = {**dict.fromkeys(every, ""), **GOOD[kind]}
    return [row for bad in corpus(kind) for row in (good, {**good, **bad.cells})] + [good]


def test_the_corpus_is_large_enough() -> None:
    assert sum(len(corpus(kind)) for kind in KINDS) >= FEWEST


@time_machine.travel("2026-11-21")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [7, 20_000])
def test_every_bad_row_is_refused_for_its_own_reason(tmp_path: Path, kind: str, size: int) -> None:
    path = write_csv(tmp_path / "a.csv", rows(kind))
    chunk = read_all(kind, path, size=size)
    assert chunk.rows["line"].to_list() == [2 + 2 * at for at in range(len(corpus(kind)) + 1)]
    said = {(one.line, one.column): one.reason for one in chunk.rejects}
    for at, bad in enumerate(corpus(kind)):
        reason = said.pop((3 + 2 * at, bad.column), "nothing")
        assert bad.says in reason, (bad, reason)
    assert said == {}


@time_machine.travel("2026-11-21")
@pytest.mark.parametrize("kind", KINDS)
def test_no_reason_repeats_what_stood_in_the_cell(tmp_path: Path, kind: str) -> None:
    path = write_csv(tmp_path / "a.csv", rows(kind))
    chunk = read_all(kind, path)
    cells = {3 + 2 * at: bad.cells for at, bad in enumerate(corpus(kind))}
    for one in chunk.rejects:
        for cell in cells[one.line].values():
            assert len(cell) < 6 or cell.startswith("#") or cell not in one.reason, one


@time_machine.travel("2026-11-21")
@pytest.mark.parametrize("kind", KINDS)
def test_every_format_refuses_the_same_rows(tmp_path: Path, kind: str) -> None:
    def refused(path: Path) -> list[tuple[int, str]]:
        return [(one.line, one.column) for one in read_all(kind, path).rejects]

    # XML has no control characters: such a cell cannot stand in a sheet.
    some = [row for row in rows(kind) if all(cell.isprintable() for cell in row.values())]
    by_csv = refused(write_csv(tmp_path / "a.csv", some))
    assert refused(write_sheet(tmp_path / "a.xlsx", some)) == by_csv
    assert refused(write_parquet(tmp_path / "a.parquet", some)) == by_csv


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_nothing_but_bad_rows_gives_nothing(tmp_path: Path, kind: str) -> None:
    good = GOOD[kind]
    path = write_csv(tmp_path / "a.csv", [dict.fromkeys(good, "?")] * 3)
    (chunk,) = read_chunks(kind, path)
    assert chunk.rows.is_empty()
    assert {one.line for one in chunk.rejects} == {2, 3, 4}
