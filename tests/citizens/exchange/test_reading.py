"""读文件: every kind becomes its frame; headers at fault stop the file; loads go on in the middle."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from backend.citizens.exchange.chunk import WHOLE_ROW
from backend.citizens.exchange.kinds import KINDS
from backend.citizens.exchange.reading import read_chunks
from backend.citizens.tables import LAYERS
from backend.kernel.yaml_file import FileError
from tests.support.delivered import GOOD, csv_text, id_number, read_all, write_csv


def only_row(
    tmp_path: Path, kind: str, changes: Mapping[str, str] | None = None
) -> dict[str, object]:
    chunk = read_all(kind, write_csv(tmp_path / "a.csv", [{**GOOD[kind], **(changes or {})}]))
    assert chunk.rejects == ()
    return chunk.rows.row(0, named=True)


def reasons(path: Path, kind: str = "people") -> list[str]:
    with pytest.raises(FileError) as caught:
        read_chunks(kind, path)
    return [fault.reason for fault in caught.value.faults]


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_row_of_every_kind_is_taken_as_it_is(tmp_path: Path, kind: str) -> None:
    row = only_row(tmp_path, kind)
    assert row["line"] == 2
    for column, text in GOOD[kind].items():
        if isinstance(row[column], str) and text:
            assert row[column] == text
        elif isinstance(row[column], date):
            assert row[column] == date.fromisoformat(text)


def test_a_bill_comes_in_fen_with_layers_that_have_not_paid_marked(tmp_path: Path) -> None:
    row = only_row(tmp_path, "bills")
    assert row["total"] == 15_200_000
    assert [row[f"paid_{layer}"] for layer in LAYERS] == [3_000_000, *[-1] * 9]
    assert row["paid_out_of_scope"] == 10_000
    assert [row[flag] for flag in ("referred", "in_county", "followed_guidance", "designated")] == [
        True, False, False, True,
    ]  # fmt: skip
    assert (row["disease_group"], row["rare_drug"]) == ("general", 0)


def test_a_payment_of_zero_is_not_an_empty_cell(tmp_path: Path) -> None:
    assert only_row(tmp_path, "bills", {"paid_serious_illness": "0"})["paid_serious_illness"] == 0


def test_types_are_the_same_whatever_the_file_holds(tmp_path: Path) -> None:
    full = read_all("bills", write_csv(tmp_path / "a.csv", [GOOD["bills"]]))
    lines = csv_text([GOOD["bills"]]).splitlines()
    (tmp_path / "b.csv").write_text(f"{lines[0]}\nx{lines[1].replace('inpatient', 'nowhere')}\n")
    nothing = read_all("bills", tmp_path / "b.csv")
    assert nothing.rows.is_empty()
    assert nothing.rows.schema == full.rows.schema


def test_a_person_comes_with_the_day_of_birth_and_sex_of_the_number(tmp_path: Path) -> None:
    row = only_row(tmp_path, "people")
    assert (row["born_on"], row["sex"]) == (date(1956, 3, 12), 1)


def test_a_newborn_on_a_guardians_record_is_taken(tmp_path: Path) -> None:
    newborn = {
        "id_number": "",
        "guardian_id_number": id_number(),
        "born_on": "2026-01-05",
        "sex": "女",
    }
    row = only_row(tmp_path, "people", newborn)
    assert (row["id_number"], row["born_on"], row["sex"]) == ("", date(2026, 1, 5), 2)


def test_a_changed_number_is_taken_with_the_former_one(tmp_path: Path) -> None:
    former = id_number("19560312", "789")
    row = only_row(tmp_path, "people", {"former_id_number": former})
    assert row["former_id_number"] == former


@pytest.mark.parametrize("region", ["810000", "820000", "830000"])
def test_residents_from_hong_kong_macau_and_taiwan_are_taken(tmp_path: Path, region: str) -> None:
    number = id_number(region=region)
    assert only_row(tmp_path, "people", {"id_number": number})["id_number"] == number


@pytest.mark.parametrize(
    ("kind", "column", "word", "code"),
    [
        ("identities", "category", "低保", "subsistence_allowance"),
        ("identities", "category", "刚性支出困难家庭成员", "expenditure_poor"),
        ("identities", "department", "民政局", "civil_affairs"),
        ("people", "insurance", "居民医保", "resident"),
        ("bills", "setting", "住院", "inpatient"),
        ("bills", "disease_group", "重大疾病", "major"),
        ("bills", "referred", "是", True),
        ("bills", "diagnosis", "c34.900x001", "C34.900X001"),
        ("assignments", "role", "网格员", "village_coordinator"),
        ("vital", "event", "死亡", "death"),
        ("hospitals", "tier", "三级甲等", 3),
        ("hospitals", "tier", "", 0),
        ("people", "phone", "0510-86861234", "051086861234"),
        ("people", "id_number", id_number("19600229").lower(), id_number("19600229")),
        ("people", "name", "　买买提·艾力　", "买买提·艾力"),
        ("people", "name", "𠮷䶮㛃", "𠮷䶮㛃"),
    ],
)  # fmt: skip
def test_usual_words_need_no_mapping(
    tmp_path: Path, kind: str, column: str, word: str, code: object
) -> None:
    assert only_row(tmp_path, kind, {column: word})[column] == code


def test_the_new_insurance_of_a_change_is_named_beside_its_words(tmp_path: Path) -> None:
    assert only_row(tmp_path, "vital", {"detail": "职工医保"})["insurance"] == "employee"
    assert only_row(tmp_path, "vital", {"event": "death", "detail": "none"})["insurance"] == ""


def test_an_unknown_department_is_taken_and_noted(tmp_path: Path) -> None:
    row = {**GOOD["identities"], "department": "慈善总会"}
    chunk = read_all("identities", write_csv(tmp_path / "a.csv", [row, row]), size=1)
    assert chunk.rows["department"].to_list() == ["慈善总会"] * 2
    assert chunk.notes == ("第 2 行等：部门不在名册里，已照原样收下",)


@pytest.mark.parametrize(
    ("setting", "noted"),
    [("outpatient", True), ("chronic_outpatient", True), ("inpatient", False)],
)
def test_a_visit_of_several_days_is_taken_and_noted(
    tmp_path: Path, setting: str, noted: bool
) -> None:
    days = {"admitted_on": "2024-03-01", "discharged_on": "2024-03-09"}
    row = {**GOOD["bills"], "setting": setting, **days}
    chunk = read_all("bills", write_csv(tmp_path / "a.csv", [row]))
    assert (chunk.rows.height, chunk.rejects) == (1, ())
    note = "第 2 行等：门诊的开始和结束不是同一天，已照收，以结束日为准；请核对"
    assert chunk.notes == ((note,) if noted else ())


def test_every_bad_cell_of_a_row_is_named(tmp_path: Path) -> None:
    bad = {"id_number": "1", "name": "", "rural": "x"}
    path = write_csv(tmp_path / "a.csv", [{**GOOD["people"], **bad}, GOOD["people"]])
    chunk = read_all("people", path)
    assert [(reject.line, reject.column) for reject in chunk.rejects] == [
        (2, "id_number"), (2, "name"), (2, "rural"),
    ]  # fmt: skip
    assert (chunk.rows["line"].to_list(), chunk.read) == ([3], 2)


def test_a_load_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    rows = [
        {**GOOD["bills"], "bill_no": f"B{at}", "total": "x" if at % 7 == 3 else "900000"}
        for at in range(50)
    ]
    path = write_csv(tmp_path / "a.csv", rows)
    whole = read_all("bills", path)
    for stop in (0, 1, 8, 20, 49, 50):
        later = list(read_chunks("bills", path, skip_rows=stop, size=9))
        lines = [line for chunk in later for line in chunk.rows["line"]]
        assert lines == [line for line in whole.rows["line"] if line > stop + 1]
        assert sum(chunk.read for chunk in later) == 50 - stop
        assert [one for chunk in later for one in chunk.rejects] == [
            one for one in whole.rejects if one.line > stop + 1
        ]


def test_chunks_have_the_size_asked_for(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [GOOD["households"]] * 10)
    assert [chunk.read for chunk in read_chunks("households", path, size=4)] == [4, 4, 2]


def test_a_missing_column_is_named_and_nothing_of_the_file_quoted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{id_number()},张三\n", encoding="utf-8")
    (reason,) = reasons(path)
    assert "表头缺少这些列：id_number、name、" in reason
    assert "张三" not in reason
    assert id_number() not in reason


def test_columns_that_are_not_ours_are_noted(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [{**GOOD["households"], "备注": "x"}])
    assert read_all("households", path).notes == ("没有用到的列：备注",)


def test_of_many_columns_that_are_not_ours_some_are_named(tmp_path: Path) -> None:
    more = {"长" * 41: "", **{f"列{place}": "" for place in range(20)}}
    path = write_csv(tmp_path / "a.csv", [{**GOOD["households"], **more}])
    (note,) = read_all("households", path).notes
    assert note.startswith(f"没有用到的列：{'长' * 40}…、列0、")
    assert note.endswith("、列18 等 21 列")


def test_a_layer_that_does_not_exist_stops_the_file(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [{**GOOD["bills"], "paid_basc": "1"}])
    assert reasons(path, "bills") == ["不认识“paid_basc”这一列：paid_ 后面要写规定的支付层代码"]


def test_a_column_given_twice_stops_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("household_no,year,year,disposable_income\nH,2023,2024,1\n")
    assert reasons(tmp_path / "a.csv", "households") == ["有两列都是 year，请只留一列"]


def test_a_file_with_nothing_but_a_header_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("household_no,year,disposable_income\n")
    assert list(read_chunks("households", tmp_path / "a.csv")) == []


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "文件读不到" in reasons(tmp_path / "none.csv")[0]


def test_an_old_excel_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    assert "另存为 XLSX" in reasons(tmp_path / "a.csv")[0]


def test_contradictions_between_columns_name_the_column(tmp_path: Path) -> None:
    changed = {
        "discharged_on": "2024-02-01",
        "in_scope": "152000",
        "rare_drug": "0.01",
        "paid_charity": "200000",
    }
    chunk = read_all("bills", write_csv(tmp_path / "a.csv", [{**GOOD["bills"], **changed}]))
    assert [reject.column for reject in chunk.rejects] == ["discharged_on", "in_scope", "total"]


def test_payments_may_reach_the_total_and_not_pass_it(tmp_path: Path) -> None:
    exact = {
        "total": "100.00",
        "in_scope": "90",
        "rare_drug": "10",
        "paid_basic": "99.99",
        "paid_out_of_scope": "0.01",
        "paid_charity": "",
    }
    rows = [{**GOOD["bills"], **exact}, {**GOOD["bills"], **exact, "paid_charity": "0.01"}]
    chunk = read_all("bills", write_csv(tmp_path / "a.csv", rows))
    assert chunk.rows["line"].to_list() == [2]
    assert [(one.line, one.column) for one in chunk.rejects] == [(3, "total")]


def test_a_row_of_the_wrong_width_is_refused_whole(tmp_path: Path) -> None:
    text = "household_no,year,disposable_income\nH1,2023\nH2,2023,1.00,\nH3,2023,1.00\n"
    (tmp_path / "a.csv").write_text(text)
    chunk = read_all("households", tmp_path / "a.csv")
    assert [(one.line, one.column) for one in chunk.rejects] == [(2, WHOLE_ROW), (3, WHOLE_ROW)]
    assert chunk.rows["household_no"].to_list() == ["H3"]
