"""对照文件: a department's own headers, words, days and units become the contract's."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.citizens.exchange.mapping import DepartmentMapping, load_mapping
from backend.citizens.exchange.reading import read_chunks
from backend.citizens.exchange.spellings import as_iso, shifted
from backend.kernel.yaml_file import FileError
from tests.support.delivered import id_number, read_all, write_csv

ROSTER = """\
kind: identities
origin_area: "320281"
columns:
  身份证号码: id_number
  低保类别: category
  享受开始: from
  享受结束: to
constants: {department: 民政, applied_on: "", certificate_no: ""}
values:
  category: {城市低保: subsistence_allowance, 农村低保: subsistence_allowance, 1: 低边}
  to: {长期: ""}
dates: [YYYY/M/D, YYYYMMDD, YYYY年M月D日]
"""
VITAL = """\
kind: vital
columns: {证件号码: id_number, 死亡日期: on}
constants: {event: death, detail: ""}
"""
PEOPLE = """\
kind: people
columns:
  证件号码: id_number
  姓名: name
  区划: [area_code, registered_area_code]
constants: {household_no: "", insurance: resident, rural: 是, declined_health_service: 0}
areas: {"320571": "320506"}
"""
MONEY = """\
kind: households
columns: {户号: household_no, 年度: year, 收入: disposable_income}
money: {disposable_income: 万元}
"""


def mapping(tmp_path: Path, text: str) -> DepartmentMapping:
    (tmp_path / "map.yaml").write_text(text, encoding="utf-8")
    return load_mapping(tmp_path / "map.yaml")


def test_a_roster_with_the_departments_own_words_is_taken(tmp_path: Path) -> None:
    number = id_number()
    rows = [
        {
            "序号": "1",
            "身份证号码": number,
            "低保类别": "城市低保",
            "享受开始": "2023/1/5",
            "享受结束": "长期",
        },
        {
            "序号": "2",
            "身份证号码": number,
            "低保类别": "1",
            "享受开始": "20230105",
            "享受结束": "2024年2月29日",
        },
    ]
    wanted = mapping(tmp_path, ROSTER)
    chunk = read_all("identities", write_csv(tmp_path / "a.csv", rows, "gb18030"), wanted)
    assert chunk.rejects == ()
    assert chunk.notes == ("没有用到的列：序号",)
    assert chunk.rows.select("category", "department", "from", "to").rows() == [
        ("subsistence_allowance", "civil_affairs", date(2023, 1, 5), None),
        ("subsistence_marginal", "civil_affairs", date(2023, 1, 5), date(2024, 2, 29)),
    ]
    assert wanted.origin_area == 320281


def test_rejects_name_the_columns_as_the_department_does(tmp_path: Path) -> None:
    row = {
        "身份证号码": id_number(),
        "低保类别": "城市低保",
        "享受开始": "2024/2/1",
        "享受结束": "2023/2/1",
    }
    bad = {**row, "低保类别": "三类", "享受开始": "2024/2/30", "享受结束": "永久"}
    path = write_csv(tmp_path / "a.csv", [row, bad])
    rejects = read_all("identities", path, mapping(tmp_path, ROSTER)).rejects
    assert [(one.line, one.column) for one in rejects] == [
        (2, "享受结束"), (3, "低保类别"), (3, "享受开始"), (3, "享受结束"),
    ]  # fmt: skip


def test_the_column_on_may_be_written_without_quotes(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [{"证件号码": id_number(), "死亡日期": "2024-05-01"}])
    assert read_all("vital", path, mapping(tmp_path, VITAL)).rows["on"].to_list() == [
        date(2024, 5, 1)
    ]


def test_a_development_zone_is_given_to_its_county_by_the_mapping_alone(tmp_path: Path) -> None:
    row = {"证件号码": id_number(), "姓名": "张三", "区划": "320571001002"}
    path = write_csv(tmp_path / "a.csv", [row])
    rows = read_all("people", path, mapping(tmp_path, PEOPLE)).rows
    assert rows["registered_area_code"].to_list() == [320506001002]
    without = mapping(tmp_path, PEOPLE.replace('"320571": "320506"', ""))
    (reject,) = read_all("people", path, without).rejects
    assert (reject.column, "开发区" in reject.reason) == ("区划", True)


@pytest.mark.parametrize(
    ("amount", "fen"),
    [("3.6", 3_600_000), ("0.000001", 1), ("12", 12_000_000), ("3.60005", 3_600_050)],
)
def test_money_in_ten_thousands_is_exact(tmp_path: Path, amount: str, fen: int) -> None:
    path = write_csv(tmp_path / "a.csv", [{"户号": "H", "年度": "2023", "收入": amount}])
    rows = read_all("households", path, mapping(tmp_path, MONEY)).rows
    assert rows["disposable_income"].to_list() == [fen]


def test_money_finer_than_a_fen_is_refused_in_any_unit(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [{"户号": "H", "年度": "2023", "收入": "3.6000001"}])
    (reject,) = read_all("households", path, mapping(tmp_path, MONEY)).rejects
    assert "最多写两位小数" in reject.reason


@given(st.integers(0, 10**9), st.integers(0, 6))
def test_shifting_there_and_back_changes_nothing(units: int, places: int) -> None:
    assert shifted(shifted(str(units), places), -places) == str(units)
    assert int(shifted(str(units), places)) == units * 10**places


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_every_spelling_of_a_day_means_that_day(day: date) -> None:
    forms = {
        "YYYY/M/D": f"{day.year}/{day.month}/{day.day}",
        "YYYY.M.D": f"{day.year}.{day.month}.{day.day}",
        "YYYY-M-D": f"{day.year}-{day.month}-{day.day} 00:00:00",
        "YYYYMMDD": f"{day:%Y%m%d}",
        "YYYY年M月D日": f"{day.year}年{day.month}月{day.day}日",
    }
    assert {as_iso(text, [form]) for form, text in forms.items()} == {day.isoformat()}


def test_a_mapping_for_another_kind_is_not_used(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [{"户号": "H"}])
    with pytest.raises(FileError, match="是给 households 用的，不是给 people 用的"):
        read_chunks("people", path, mapping=mapping(tmp_path, MONEY))


def test_headers_that_the_file_lacks_are_told(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv", [{"household_no": "H", "年度": "2023", "disposable_income": "1"}]
    )
    with pytest.raises(FileError, match="对照文件里写的“户号”这一列，表头里没有"):
        read_chunks("households", path, mapping=mapping(tmp_path, MONEY))


def test_a_constant_beside_a_column_of_the_file_is_told(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv", [{"证件号码": id_number(), "死亡日期": "2024-05-01", "event": "death"}]
    )
    with pytest.raises(FileError, match="只留一处"):
        read_chunks("vital", path, mapping=mapping(tmp_path, VITAL))


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("kind: peple\n", 1, "kind 请填"),
        ("kind: people\ncolumns:\n  姓名: nam\n", 3, "没有这一列"),
        ("kind: people\nconstants:\n  rurl: 1\n", 3, "没有这一列"),
        ("kind: people\nvalues:\n  rural: {yes: 1}\n", 3, "要加引号"),
        ("kind: people\ndates:\n  - YYYY/M/D\n  - D/M/Y\n", 4, "不认识的日期写法"),
        ("kind: people\nareas:\n  '320571': '320599'\n", 3, "6 位区划代码"),
        ("kind: people\norigin_area: 320299\n", 2, "没有这个行政区划"),
        ("kind: bills\nmoney:\n  total: 千元\n", 3, "单位请填"),
        ("kind: people\nheaders: {}\n", 2, "没有名为“headers”的项"),
    ],
)
def test_faults_of_a_mapping_name_their_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    with pytest.raises(FileError) as caught:
        mapping(tmp_path, text)
    fault = caught.value.faults[0]
    assert (fault.line, says in fault.reason) == (line, True), fault
