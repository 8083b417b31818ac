"""往返: what is written in any format comes back as the same rows."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from backend.citizens.exchange.reading import read_chunks
from backend.citizens.tables import LAYERS
from backend.kernel.money import format_yuan, parse_yuan
from tests.support.delivered import (
    Row,
    id_number,
    read_all,
    write_csv,
    write_parquet,
    write_sheet,
)

FLAGS = ("referred", "in_province", "in_county", "followed_guidance", "designated")

born = st.dates(date(1920, 1, 1), date(2024, 1, 1)).map(lambda day: day.strftime("%Y%m%d"))
numbers = st.builds(id_number, born, st.integers(1, 999).map("{:03d}".format))
names = st.text(st.sampled_from("王李张欧阳𠮷䶮㛃·买提—A"), min_size=1, max_size=12)
keys = st.from_regex(r"[ABCE0-9/_][-ABCE0-9/_]{0,19}", fullmatch=True)
flag = st.sampled_from(["0", "1"])
area = st.sampled_from(["320281101001", "330382000000", "620201101000", "419001001001"])


@st.composite
def bills(draw: st.DrawFn) -> Row:
    total = draw(st.integers(0, 10**9))
    shares = [draw(st.integers(0, total)) for _ in range(3)]
    in_scope, rare = sorted(shares[:2])[0], max(shares[:2]) - min(shares[:2])
    layer = draw(st.sampled_from(LAYERS))
    on = draw(st.dates(date(2020, 1, 1), date(2026, 1, 1)))
    paid = dict.fromkeys((f"paid_{one}" for one in LAYERS), "")
    return {
        "bill_no": draw(keys), "id_number": draw(numbers), "hospital_code": draw(keys),
        "setting": draw(st.sampled_from(["inpatient", "outpatient", "home_bed"])),
        "admitted_on": on.isoformat(),
        "discharged_on": (on + timedelta(draw(st.integers(0, 90)))).isoformat(),
        "total": format_yuan(total), "in_scope": format_yuan(in_scope), **paid,
        f"paid_{layer}": format_yuan(shares[2]), "paid_out_of_scope": "",
        **{name: draw(flag) for name in FLAGS},
        "disease_group": draw(st.sampled_from(["general", "major"])),
        "diagnosis": draw(st.sampled_from(["", "I10", "C34.900X001", "N18.5"])),
        "rare_drug": format_yuan(rare),
    }  # fmt: skip


people = st.fixed_dictionaries(
    {
        "id_number": numbers, "name": names, "phone": st.sampled_from(["", "13812345678"]),
        "area_code": area, "registered_area_code": area, "household_no": st.one_of(st.just(""), keys),
        "insurance": st.sampled_from(["resident", "employee", "elsewhere", "none"]),
        "rural": flag, "declined_health_service": flag,
    }
)  # fmt: skip


def as_csv(encoding: str) -> Callable[[Path, list[Row]], Path]:
    return lambda path, rows: write_csv(path, rows, encoding)


FORMATS = [as_csv("utf-8"), as_csv("utf-8-sig"), as_csv("gb18030"), write_sheet, write_parquet]


def expected(column: str, text: str) -> object:
    if column.startswith("paid_"):
        return parse_yuan(text) if text else (0 if column == "paid_out_of_scope" else -1)
    if column in ("total", "in_scope", "rare_drug"):
        return parse_yuan(text)
    if column in (*FLAGS, "rural", "declined_health_service"):
        return text == "1"
    if column.endswith("_on"):
        return date.fromisoformat(text)
    if column.endswith("area_code"):
        return int(text)
    return " ".join(text.split())


@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("write", FORMATS)
@given(rows=st.lists(bills(), min_size=1, max_size=8))
def test_bills_come_back_as_they_were_written(
    write: Callable[[Path, list[Row]], Path], rows: list[Row]
) -> None:
    came_back("bills", write, rows)


@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("write", FORMATS)
@given(rows=st.lists(people, min_size=1, max_size=8))
def test_people_come_back_as_they_were_written(
    write: Callable[[Path, list[Row]], Path], rows: list[Row]
) -> None:
    came_back("people", write, rows)


def came_back(kind: str, write: Callable[[Path, list[Row]], Path], rows: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        chunk = read_all(kind, write(Path(folder) / "file", rows), size=3)
    assert chunk.rejects == ()
    assert chunk.read == len(rows)
    wanted = [{column: expected(column, text) for column, text in row.items()} for row in rows]
    assert chunk.rows.select(rows[0].keys()).rows(named=True) == wanted
    assert chunk.rows["line"].to_list() == list(range(2, 2 + len(rows)))


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(bills(), min_size=1, max_size=12), stop=st.integers(0, 12), size=st.integers(1, 5)
)
def test_reading_in_two_halves_gives_the_whole(rows: list[Row], stop: int, size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_csv(Path(folder) / "file", rows)
        whole = read_all("bills", path).rows
        first = [chunk.rows for chunk in read_chunks("bills", path, size=size)]
        rest = [chunk.rows for chunk in read_chunks("bills", path, skip_rows=stop, size=size)]
    assert_frame_equal(pl.concat(first), whole)
    assert_frame_equal(pl.concat([whole.head(stop), *rest]), whole)
