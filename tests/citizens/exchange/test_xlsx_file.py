"""XLSX: days and numbers of Excel, numbers that Excel mangled, errors of formulas, the cap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from zipfile import ZipFile

import pytest

from backend.citizens.exchange import xlsx_file
from backend.citizens.exchange.chunk import WHOLE_ROW, Chunk
from backend.citizens.exchange.reading import read_chunks
from backend.kernel.yaml_file import FileError
from tests.support.delivered import id_number, read_all
from tests.support.xlsx import FORMULA_ERROR, Cell, write_xlsx

HEADER = ["id_number", "category", "department", "from", "to", "applied_on", "certificate_no"]
INCOME = ["household_no", "year", "disposable_income"]


def identities(tmp_path: Path, *rows: Sequence[Cell]) -> Chunk:
    write_xlsx(tmp_path / "a.xlsx", [HEADER, *rows])
    return read_all("identities", tmp_path / "a.xlsx")


def roster(number: Cell = None, start: Cell = "2023-01-01", certificate: Cell = None) -> list[Cell]:
    return [number or id_number(), "低保", "民政", start, None, None, certificate]


def test_days_of_excel_are_days(tmp_path: Path) -> None:
    rows = identities(tmp_path, roster(start=date(2024, 2, 29))).rows
    assert rows["from"].to_list() == [date(2024, 2, 29)]


def test_numbers_of_excel_are_money_and_figures(tmp_path: Path) -> None:
    rows = [["H1", 2023, 36000.5], [12, 2023.0, 0.1 + 0.2], ["H3", "2023", 100000000]]
    write_xlsx(tmp_path / "a.xlsx", [INCOME, *rows])
    taken = read_all("households", tmp_path / "a.xlsx").rows
    assert taken.drop("line").rows() == [
        ("H1", 2023, 3_600_050), ("12", 2023, 30), ("H3", 2023, 10_000_000_000),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "number",
    [
        int(id_number()),
        int(id_number()[:15] + "000"),
        3.2028119560312e17,
        "3.20281E+17",
        id_number()[:15] + "000",
    ],
)
def test_identity_numbers_that_excel_mangled_are_refused_as_such(
    tmp_path: Path, number: Cell
) -> None:
    (reject,) = identities(tmp_path, roster(number)).rejects
    assert reject.column == "id_number"
    assert "Excel" in reject.reason
    assert "文本" in reject.reason


def test_other_long_numbers_that_excel_mangled_are_refused_too(tmp_path: Path) -> None:
    (reject,) = identities(tmp_path, roster(certificate=32028119560312123)).rejects
    assert (reject.column, "Excel" in reject.reason) == ("certificate_no", True)


def test_the_same_long_numbers_as_text_are_taken(tmp_path: Path) -> None:
    rows = identities(tmp_path, roster(certificate="32028119560312123")).rows
    assert rows["certificate_no"].to_list() == ["32028119560312123"]


def test_an_error_of_a_formula_is_not_an_empty_cell(tmp_path: Path) -> None:
    chunk = identities(tmp_path, roster(), [*roster()[:4], FORMULA_ERROR, None, None], roster())
    assert [(one.line, one.column) for one in chunk.rejects] == [(3, WHOLE_ROW)]
    assert "第 E 列是 Excel 的公式错误" in chunk.rejects[0].reason
    assert (chunk.rows["line"].to_list(), chunk.read) == ([2, 4], 3)


def test_rows_keep_their_numbers_beside_empty_ones(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", [[], [], HEADER, [], roster(), ["", " "], [], roster("1")])
    chunk = read_all("identities", tmp_path / "a.xlsx")
    assert chunk.rows["line"].to_list() == [5]
    assert [one.line for one in chunk.rejects] == [8]
    assert chunk.read == 2


def test_a_load_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", [HEADER, *[roster()] * 3, [], roster(), roster()])
    chunks = list(read_chunks("identities", tmp_path / "a.xlsx", skip_rows=2, size=2))
    assert [chunk.rows["line"].to_list() for chunk in chunks] == [[4, 6], [7]]


def test_further_sheets_are_noted(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", [HEADER, roster()], "说明")
    assert read_all("identities", tmp_path / "a.xlsx").notes == (
        "文件里还有 1 张工作表，只读了第一张",
    )


def fault(path: Path) -> str:
    with pytest.raises(FileError) as caught:
        read_chunks("identities", path)
    return caught.value.faults[0].reason


def test_an_empty_sheet_is_told(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", [])
    assert fault(tmp_path / "a.xlsx") == "文件是空的，请重新导出"


@pytest.mark.parametrize("cap", ["LARGEST", "LARGEST_UNPACKED"])
def test_a_file_too_large_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cap: str
) -> None:
    write_xlsx(tmp_path / "a.xlsx", [HEADER, roster()])
    monkeypatch.setattr(xlsx_file, cap, 1000)
    assert "XLSX 文件太大" in fault(tmp_path / "a.xlsx")
    assert "CSV UTF-8" in fault(tmp_path / "a.xlsx")


@pytest.mark.parametrize("place", ['r="XFD1048576"', "r='ALL200000'"])
def test_a_cell_far_off_does_not_fill_the_memory(tmp_path: Path, place: str) -> None:
    write_xlsx(tmp_path / "small.xlsx", [HEADER, roster()])
    with ZipFile(tmp_path / "small.xlsx") as small, ZipFile(tmp_path / "a.xlsx", "w") as far:
        for name in small.namelist():
            content = small.read(name).decode()
            far.writestr(name, content.replace('r="A2"', place))
    assert "第一张工作表太大" in fault(tmp_path / "a.xlsx")


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", [HEADER, roster()])
    whole = (tmp_path / "a.xlsx").read_bytes()
    (tmp_path / "a.xlsx").write_bytes(whole[: len(whole) // 2])
    assert "已损坏" in fault(tmp_path / "a.xlsx")
