"""放假安排表: a locality adds a year by data; a fault is named by file, line and reason."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from backend.kernel.calendar import TABLE, WorkingCalendar
from backend.kernel.calendar_table import read_published_days
from backend.kernel.yaml_file import FileError

YEAR = """\
years:
  - year: 2031
    notices:
      - {number: null, issued: 2030-11-01}
    holidays:
      - {name: 元旦, from: 2031-01-01, to: 2031-01-01}
      - {name: 春节, from: 2031-01-22, to: 2031-01-29}
      - {name: 清明节, from: 2031-04-05, to: 2031-04-07}
      - {name: 劳动节, from: 2031-05-01, to: 2031-05-05}
      - {name: 端午节, from: 2031-06-24, to: 2031-06-24}
      - {name: 国庆节、中秋节, from: 2031-10-01, to: 2031-10-08}
    make_up:
      - 2031-01-19
      - 2031-04-27
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "working_days.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _faults(folder: Path, text: str) -> list[tuple[int, str]]:
    with pytest.raises(FileError) as caught:
        read_published_days(_write(folder, text))
    assert {fault.file for fault in caught.value.faults} == {"working_days.yaml"}
    return [(fault.line, fault.reason) for fault in caught.value.faults]


def test_the_table_that_comes_with_the_program_holds_2020_to_2026() -> None:
    assert read_published_days(TABLE).years == frozenset(range(2020, 2027))


def test_a_year_is_added_by_data_alone(tmp_path: Path) -> None:
    text = TABLE.read_text(encoding="utf-8") + YEAR.removeprefix("years:\n")
    calendar = WorkingCalendar(read_published_days(_write(tmp_path, text)))
    make_up = calendar.is_working_day(date(2031, 1, 19))
    assert make_up.value
    assert not make_up.provisional
    assert make_up.reason == "调休上班（国务院办公厅2030-11-01通知）"
    assert calendar.is_working_day(date(2030, 1, 2)).provisional


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("2031-04-27", "2031-04-28", 14, "2031-04-28不是周六或周日，不会是调休上班日"),
        ("2031-04-27", "2031-04-05", 14, "2031-04-05已写为清明节，又写为调休上班"),
        ("2031-04-27", "2031-01-19", 14, "2031-01-19已写为调休上班，又写为调休上班"),
        ("2031-04-27", "2032-05-01", 14, "调休上班日2032-05-01不在2031年内"),
        ("      - {name: 清明节, from: 2031-04-05, to: 2031-04-07}\n", "", 5, "2031年缺少清明节"),
        ("to: 2031-01-29", "to: 2031-01-21", 7, "春节的最后一天早于第一天"),
        ("from: 2031-01-22", "from: 2030-01-22", 7, "春节不在2031年内"),
        (
            "from: 2031-06-24, to: 2031-06-24",
            "from: 2031-05-05, to: 2031-05-06",
            10,
            "2031-05-05已写为劳动节，又写为端午节",
        ),
        ("- {number: null, issued: 2030-11-01}", "[]", 3, "没有写依据的通知"),
    ],
)
def test_an_entry_that_cannot_be_right_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, reason: str
) -> None:
    assert old in YEAR
    assert _faults(tmp_path, YEAR.replace(old, new)) == [(line, reason)]


def test_a_year_given_twice_is_a_fault_of_the_second(tmp_path: Path) -> None:
    faults = _faults(tmp_path, YEAR + YEAR.removeprefix("years:\n"))
    assert (15, "2031年写了两次") in faults


def test_all_faults_are_named_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = YEAR.replace("2031-01-19", "2031-01-20").replace("2031-04-27", "2031-04-29")
    assert [line for line, _ in _faults(tmp_path, text)] == [13, 14]
