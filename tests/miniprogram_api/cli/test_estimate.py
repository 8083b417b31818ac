from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from backend.kernel.database import transaction
from backend.policies.catalogue import load_catalogue
from backend.policies.confirmation import ConfirmDates, confirm_dates
from miniprogram_api.cli import run
from miniprogram_api.estimation.routes import EXAMPLE

Json = dict[str, Any]
Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def configured(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days of force that documents leave open are looked up in the test's own database."""
    monkeypatch.setenv("DATABASE_URL", database_url)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path, EXAMPLE["request"])


def write(folder: Path, request: Json) -> Path:
    place = folder / "request.json"
    place.write_text(json.dumps(request, ensure_ascii=False), encoding="utf-8")
    return place


def test_a_statement_names_each_payment_its_steps_and_the_burden(
    file: Path, capsys: Output
) -> None:
    assert run(["estimate", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:6] == [
        "结算单 b1：住院，2024-03-01 至 2024-03-09",
        "  政策：《无锡市重特大疾病医疗救助实施意见》",
        "  总费用 152000.00 元，其中政策范围内 148000.00 元",
        "  基本医保 30000.00 元（填写的）",
        "  医疗救助 100300.00 元（锡政办发〔2022〕98号 四(六)）",
        "    1. 政策范围内费用 148000.00 元，前面各项已付 30000.00 元，剩下 118000.00 元。",
    ]
    assert "  自己还要付 14680.00 元，其中政策范围内 10680.00 元" in lines
    assert any(line.startswith("2024 年合计：基本医保 30000.00 元，") for line in lines)
    readings = [line for line in lines if line.startswith("解读：")]
    assert len(readings) == len(set(readings)) == 3


def test_json_is_what_the_api_answers(file: Path, capsys: Output, client: FlaskClient) -> None:
    assert run(["estimate", str(file), "--json"]) == 0
    answer = client.post("/api/v1/estimates", json=EXAMPLE["request"])
    assert json.loads(capsys.readouterr().out) == answer.get_json()


def test_a_dash_reads_what_is_piped_in(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    piped = io.TextIOWrapper(io.BytesIO(json.dumps(EXAMPLE["request"]).encode()))
    monkeypatch.setattr("sys.stdin", piped)
    assert run(["estimate", "-"]) == 0
    assert "医疗救助 100300.00 元" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"bills": []}, "  /bills：请填写 1 至 366 项。"),
        ({"note": 1}, "  /note：没有这一项，请去掉，或按说明改正名称。"),
        ({"area": "320281"}, "  /policy：请写明按哪个政策（policy）或哪个地区（area）测算"),
        ({"policy": "wuxi-1999"}, "  /policy：没有“wuxi-1999”这个政策"),
        ({"policy": None, "area": "999999"}, "  /area：没有这个地区代码"),
    ],
    ids=["field", "unknown field", "case", "policy", "area"],
)
def test_a_wrong_request_cannot_run_and_names_the_fields(
    tmp_path: Path, capsys: Output, changes: Json, line: str
) -> None:
    file = write(tmp_path, {**EXAMPLE["request"], **changes})
    assert run(["estimate", str(file)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[0] == "填写的内容有误，请逐项改正后重试："
    assert said.err.splitlines()[1].startswith(line)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"NaN", '"张"'.encode("gbk"), "{}".encode("utf-16"), b"[" * 100_000]
)
def test_what_is_no_json_cannot_run(tmp_path: Path, capsys: Output, content: bytes) -> None:
    file = tmp_path / "request.json"
    file.write_bytes(content)
    assert run(["estimate", str(file)]) == 2
    assert "不是 UTF-8 编码的 JSON" in capsys.readouterr().err


def test_a_file_that_is_not_there_cannot_run(tmp_path: Path, capsys: Output) -> None:
    assert run(["estimate", str(tmp_path / "none.json")]) == 2
    assert "打不开" in capsys.readouterr().err


@pytest.mark.usefixtures("database")
def test_days_that_a_locality_confirmed_are_used(tmp_path: Path, capsys: Output) -> None:
    file = write(tmp_path, {**EXAMPLE["request"], "policy": None, "area": "320902"})
    assert state(file, capsys) == "unconfirmed"
    days = ConfirmDates(
        "tinghu-trial", date(2024, 1, 1), date(2025, 12, 31), confirmed_by="someone", note=""
    )
    with transaction() as session:
        confirm_dates(session, load_catalogue(), days)
    assert state(file, capsys) == "in_force"


@pytest.mark.usefixtures("database")
def test_an_end_that_a_locality_confirmed_ends_a_policy_without_one(
    tmp_path: Path, capsys: Output
) -> None:
    file = write(tmp_path, EXAMPLE["request"])
    assert state(file, capsys) == "in_force"
    days = ConfirmDates(
        "wuxi-2022-98", date(2023, 1, 1), date(2023, 12, 31), confirmed_by="someone", note=""
    )
    with transaction() as session:
        confirm_dates(session, load_catalogue(), days)
    assert state(file, capsys) == "expired"


def test_many_requests_are_answered_each_and_a_bad_one_is_a_finding(
    tmp_path: Path, capsys: Output
) -> None:
    good, bad = EXAMPLE["request"], {**EXAMPLE["request"], "policy": "wuxi-1999"}
    assert run(["estimate", str(write(tmp_path, {"requests": [good, bad, 7]}))]) == 1
    answers = json.loads(capsys.readouterr().out)["answers"]
    assert answers[0]["bills"][0]["personal_burden"] == "14680.00"
    assert [answers[place]["problem"]["status"] for place in (1, 2)] == [422, 422]
    assert run(["estimate", str(write(tmp_path, {"requests": [good] * 1500}))]) == 0
    assert len(json.loads(capsys.readouterr().out)["answers"]) == 1500


def state(file: Path, capsys: Output) -> str:
    assert run(["estimate", str(file), "--json"]) == 0
    found: str = json.loads(capsys.readouterr().out)["bills"][0]["policy"]["state"]
    return found
