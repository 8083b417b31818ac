"""CSV: encodings found out, quotes and widths, lines counted as an editor counts them."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from backend.citizens.exchange.chunk import WHOLE_ROW
from backend.citizens.exchange.encoding import encoding_of
from backend.citizens.exchange.reading import read_chunks
from backend.kernel.yaml_file import FileError, FileFault
from tests.support.delivered import GOOD, csv_text, read_all, write_csv

HEADER = "hospital_code,name,tier,area_code,designated\n"
ROW = "{},{},3,320281000000,1\n"


def hospitals(path: Path, body: str | bytes) -> Path:
    path.write_bytes(HEADER.encode() + (body if isinstance(body, bytes) else body.encode()))
    return path


def fault(path: Path) -> FileFault:
    with pytest.raises(FileError) as caught:
        read_chunks("hospitals", path)
    return caught.value.faults[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_usual_encodings_and_line_ends_are_found_out(
    tmp_path: Path, encoding: str, end: str
) -> None:
    text = csv_text([GOOD["people"]] * 3).replace("\n", end)
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    rows = read_all("people", tmp_path / "a.csv").rows
    assert rows["name"].to_list() == ["张三"] * 3
    assert rows["line"].to_list() == [2, 3, 4]


def test_the_famous_word_that_is_good_utf_8_by_chance_does_not_mislead(tmp_path: Path) -> None:
    path = hospitals(
        tmp_path / "a.csv",
        ("".join(ROW.format(n, w) for n, w in enumerate(("联通", "医院", "诊所")))).encode("gbk"),
    )
    assert read_all("hospitals", path).rows["name"].to_list() == ["联通", "医院", "诊所"]


def test_a_damaged_line_of_utf_8_is_told_by_its_number(tmp_path: Path) -> None:
    body = b"".join(ROW.format(n, "人民医院").encode() for n in range(5))
    found = fault(hospitals(tmp_path / "a.csv", body + b"9,\xe4\xba,3,320281000000,1\n"))
    assert found.line == 7
    assert "不是 UTF-8" in found.reason


def test_a_line_in_no_known_encoding_is_told_by_its_number(tmp_path: Path) -> None:
    body = ROW.format(1, "医院").encode("gbk") + b"2,\xff\xff,3,320281000000,1\n"
    found = fault(hospitals(tmp_path / "a.csv", body))
    assert (found.line, "既不是 UTF-8 也不是 GB18030" in found.reason) == (3, True)


def test_utf_16_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER, encoding="utf-16")
    assert "另存为 UTF-8" in fault(tmp_path / "a.csv").reason


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n\r\n"])
def test_an_empty_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    assert fault(tmp_path / "a.csv").reason == "文件是空的，请重新导出"


def test_quoted_line_ends_stay_in_the_cell_and_count_as_lines(tmp_path: Path) -> None:
    body = '1,"江阴市\n人民医院",3,320281000000,1\n2,"有""名""的,医院",3,320281000000,1\n'
    rows = read_all("hospitals", hospitals(tmp_path / "a.csv", body)).rows
    assert rows.select("line", "name").rows() == [(2, "江阴市 人民医院"), (4, '有"名"的,医院')]


def test_empty_rows_are_left_out_and_not_counted(tmp_path: Path) -> None:
    body = f"\n{ROW.format(1, '甲')},,,,\n\n{ROW.format(2, '乙')}\n"
    chunk = read_all("hospitals", hospitals(tmp_path / "a.csv", body))
    assert (chunk.rows["line"].to_list(), chunk.read, chunk.rejects) == ([3, 6], 2, ())


def test_an_open_quote_costs_its_own_row_only(tmp_path: Path) -> None:
    body = "".join(ROW.format(n, '"坏' if n == 3 else "医院") for n in range(300))
    chunk = read_all("hospitals", hospitals(tmp_path / "a.csv", body))
    assert [(one.line, one.column) for one in chunk.rejects] == [(5, WHOLE_ROW)]
    assert chunk.rejects[0].reason.startswith("引号没有配对")
    assert chunk.rows["line"].to_list() == [n + 2 for n in range(300) if n != 3]
    assert chunk.read == 300


def test_an_open_quote_in_the_last_row_is_told(tmp_path: Path) -> None:
    body = ROW.format(1, "医院") + ROW.format(2, '"坏')
    chunk = read_all("hospitals", hospitals(tmp_path / "a.csv", body))
    assert [one.line for one in chunk.rejects] == [3]
    assert chunk.rows["line"].to_list() == [2]


def test_two_open_quotes_do_not_swallow_the_rows_between(tmp_path: Path) -> None:
    body = "".join(ROW.format(n, '"坏' if n in (1, 3) else "医院") for n in range(5))
    chunk = read_all("hospitals", hospitals(tmp_path / "a.csv", body))
    assert [one.line for one in chunk.rejects] == [3, 5]
    assert chunk.rows["line"].to_list() == [2, 4, 6]


def test_characters_that_nobody_can_see_are_refused(tmp_path: Path) -> None:
    body = ROW.format(1, "医\x00院") + ROW.format(2, "医\x1b院") + ROW.format(3, "医院")
    chunk = read_all("hospitals", hospitals(tmp_path / "a.csv", body))
    assert [(one.line, one.column) for one in chunk.rejects] == [(2, "name"), (3, "name")]
    assert all("控制字符" in one.reason for one in chunk.rejects)


def test_a_line_without_end_is_no_csv(tmp_path: Path) -> None:
    body = ROW.format(1, "医院") + "x" * 3_000_000 + "\n" + ROW.format(2, "医院")
    chunk = read_all("hospitals", hospitals(tmp_path / "a.csv", body))
    assert chunk.rows["hospital_code"].to_list() == ["1", "2"]
    assert chunk.rejects != ()


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        path = write_csv(tmp_path / f"{rows}.csv", [GOOD["households"]] * rows)
        tracemalloc.start()
        for chunk in read_chunks("households", path, size=500):
            assert chunk.rows.height == 500
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1_000)
    assert peak(20_000) < 1.5 * peak(1_000)


def test_the_encoding_of_plain_figures_is_utf_8(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,2\n")
    assert encoding_of(tmp_path / "a.csv") == "utf-8-sig"
