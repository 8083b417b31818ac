"""Parquet: typed columns and columns of text give the same rows."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from backend.citizens.exchange.reading import read_chunks
from backend.kernel.yaml_file import FileError
from tests.support.delivered import GOOD, id_number, read_all, write_parquet

NUMBER = id_number()


def typed(path: Path, **columns: pl.Series) -> Path:
    texts = pl.DataFrame([GOOD["bills"]], schema=dict.fromkeys(GOOD["bills"], pl.String))
    texts.with_columns(**columns).write_parquet(path)
    return path


def test_typed_columns_are_read_like_text(tmp_path: Path) -> None:
    as_text = read_all("bills", write_parquet(tmp_path / "a.parquet", [GOOD["bills"]]))
    as_types = typed(
        tmp_path / "b.parquet",
        admitted_on=pl.Series([date(2024, 3, 1)]),
        discharged_on=pl.Series([datetime(2024, 3, 9)]),
        total=pl.Series([152000.0]),
        in_scope=pl.Series([Decimal("148000.00")]),
        paid_basic=pl.Series([30000]),
        paid_serious_illness=pl.Series([None]),
        referred=pl.Series([True]),
        in_province=pl.Series([1], dtype=pl.Int8),
        setting=pl.Series(["inpatient"], dtype=pl.Categorical),
    )
    assert read_all("bills", as_types).rows.equals(as_text.rows)


@pytest.mark.parametrize(
    ("number", "taken"), [(pl.Series([int(NUMBER)]), True), (pl.Series([float(NUMBER)]), False)]
)
def test_a_number_is_believed_only_where_it_is_exact(
    tmp_path: Path, number: pl.Series, taken: bool
) -> None:
    chunk = read_all("bills", typed(tmp_path / "a.parquet", id_number=number))
    assert (chunk.rows.height == 1) is taken
    assert taken or "Excel" in chunk.rejects[0].reason


def test_sums_of_floating_point_numbers_are_read_to_the_fen(tmp_path: Path) -> None:
    path = typed(tmp_path / "a.parquet", in_scope=pl.Series([0.1 + 0.2]))
    assert read_all("bills", path).rows["in_scope"].to_list() == [30]


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), -1.0, 1e300, 0.001])
def test_numbers_that_are_no_amounts_are_refused(tmp_path: Path, amount: float) -> None:
    chunk = read_all("bills", typed(tmp_path / "a.parquet", total=pl.Series([amount])))
    assert [reject.column for reject in chunk.rejects] == ["total"]


def test_a_load_goes_on_where_it_was_killed_across_row_groups(tmp_path: Path) -> None:
    rows = [{**GOOD["households"], "household_no": f"H{at}"} for at in range(100)]
    texts = pl.DataFrame(rows)
    texts.write_parquet(tmp_path / "a.parquet", row_group_size=16)
    chunks = list(read_chunks("households", tmp_path / "a.parquet", skip_rows=30, size=25))
    assert [chunk.read for chunk in chunks] == [25, 25, 20]
    assert [line for chunk in chunks for line in chunk.rows["line"]] == list(range(32, 102))
    assert chunks[0].rows["household_no"][0] == "H30"


def test_many_rows_are_read_slice_by_slice(tmp_path: Path) -> None:
    texts = pl.DataFrame([GOOD["households"]]).sample(120_001, with_replacement=True)
    texts.write_parquet(tmp_path / "a.parquet")
    sizes = [chunk.read for chunk in read_chunks("households", tmp_path / "a.parquet")]
    assert sum(sizes) == 120_001
    assert max(sizes) == 20_000


def test_columns_that_hold_no_cells_stop_the_file(tmp_path: Path) -> None:
    path = typed(tmp_path / "a.parquet", total=pl.Series([[1, 2]]))
    with pytest.raises(FileError, match="total"):
        read_chunks("bills", path)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", [GOOD["bills"]])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FileError, match="已损坏"):
        read_chunks("bills", path)
