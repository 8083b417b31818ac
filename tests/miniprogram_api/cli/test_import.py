"""`shukun import` as people type it: what it prints, its exit status, the rejects file."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from backend.kernel.crypto import Keyring
from miniprogram_api.cli import run
from tests.support.delivery import bill, identity, person, write


@pytest.fixture
def folder(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    Keyring.open_or_create(tmp_path / "keys.json")
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SHUKUN_DATA", str(tmp_path))
    return tmp_path


def test_a_good_file_is_taken_and_summed_up(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(folder / "bills.csv", [bill("B1", 1), bill("B2", 1)])
    assert run(["import", "bills", str(path), "--by", "测试"]) == 0
    said = capsys.readouterr().out
    assert "编号 1，结算单：共 2 行，金额合计 2000.00 元。" in said
    assert "新增 2，更正 0，与原有相同 0，退回 0。" in said
    assert "其中 2 行的人还没有登记" in said


def test_refused_rows_are_written_and_told_by_the_status_again_and_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(folder / "bills.csv", [bill("B1", 1), bill("B2", 1, total="x", setting="y")])
    rejects = folder / "rejects.csv"
    for turn in range(2):
        rejects.unlink(missing_ok=True)
        assert run(["import", "bills", str(path), "--rejects", str(rejects)]) == 1
        with rejects.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert [(row["line"], row["column"]) for row in rows] == [("3", "setting"), ("3", "total")]
        assert all(row["reason"] for row in rows)
        assert ("已经导入过" in capsys.readouterr().out) is bool(turn)


def test_a_file_without_refused_rows_gets_an_empty_rejects_file(folder: Path) -> None:
    path, rejects = write(folder / "people.csv", [person(1)]), folder / "rejects.csv"
    assert run(["import", "people", str(path), "--rejects", str(rejects)]) == 0
    assert rejects.read_text(encoding="utf-8").strip() == "line,column,reason"


def test_a_file_that_cannot_be_used_is_refused_in_plain_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "wrong.csv"
    path.write_text("甲,乙\n1,2\n", encoding="utf-8")
    assert run(["import", "bills", str(path)]) == 2
    said = capsys.readouterr().err
    assert "文件不能用，请改正后重新导入" in said
    assert "bill_no" in said


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["bills"],
        ["people", "FILE", "--complete", "2024-07-01"],
        ["people", "FILE", "--area", "999999"],
        ["people", "FILE", "--list"],
        ["people", "missing.csv"],
        ["persons", "FILE"],
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_happens(
    folder: Path, arguments: list[str]
) -> None:
    path = str(write(folder / "people.csv", [person(1)]))
    assert run(["import", *(path if one == "FILE" else one for one in arguments)]) == 2


def test_files_are_listed_and_one_is_taken_back(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(folder / "bills.csv", [bill("B1", 1)])
    run(["import", "bills", str(path)])
    assert run(["import", "--undo", "1", "--by", "测试"]) == 0
    assert "1 行不再有效" in capsys.readouterr().out
    assert run(["import", "--undo", "1"]) == 0
    assert "早已撤回" in capsys.readouterr().out
    assert run(["import", "--undo", "9"]) == 2
    assert "没有编号为 9 的文件" in capsys.readouterr().err
    assert run(["import", "--list"]) == 0
    said = capsys.readouterr().out
    assert "1 " in said
    assert "已撤回 结算单 bills.csv 共 1 行" in said


def test_a_departments_own_headers_are_mapped(folder: Path) -> None:
    mapping = folder / "mapping.yaml"
    mapping.write_text(
        "kind: identities\norigin_area: '320281'\n"
        "columns: {身份证: id_number, 类别: category, 起: from, 止: to, 证号: certificate_no, 申请: applied_on}\n"
        "constants: {department: 民政}\nvalues: {category: {城市低保: subsistence_allowance}}\n",
        encoding="utf-8",
    )
    given = identity(1, "2024-01-01")
    row = {
        "身份证": given["id_number"], "类别": "城市低保", "起": "2024-01-01", "止": "", "证号": "D1",
        "申请": "",
    }  # fmt: skip
    path = write(folder / "roster.csv", [row])
    assert run(["import", "identities", str(path), "--mapping", str(mapping)]) == 0
