"""`shukun pay`, from the accounts to the bank's answer."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.kernel.crypto import Keyring
from miniprogram_api.cli import run
from tests.support.audited import audited
from tests.support.ledger import Ledger, card

Output = pytest.CaptureFixture[str]


@pytest.fixture
def ledger(
    worker_database: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Ledger:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SHUKUN_DATA", str(tmp_path))
    ledger = Ledger(worker_database, Keyring.open_or_create(tmp_path / "keys.json"))
    ledger.person("测甲", account=None)
    ledger.entry(ledger.bill("测甲", "B1"), 12_345, ledger.run())
    return ledger


@pytest.fixture
def payees(ledger: Ledger, tmp_path: Path) -> Path:
    path = tmp_path / "payees.csv"
    row = f"{ledger.numbers['测甲']},测甲,{card(5)},农业银行,本人"
    path.write_text(f"id_number,holder,account,bank,relationship\n{row}\n", encoding="utf-8")
    return path


def pay(*arguments: str | Path, by: str = "甲") -> int:
    return run(["pay", *map(str, arguments), "--by", by])


def test_from_the_account_to_the_banks_answer(
    ledger: Ledger, payees: Path, tmp_path: Path, capsys: Output
) -> None:
    assert pay("batch", "--area", "320281") == 0
    assert "没有新的可支付项" in capsys.readouterr().out
    assert pay("payees", payees) == 0
    assert "新登记 1 个" in capsys.readouterr().out
    assert pay("batch", "--area", "320281") == 0
    assert "批次 320281-000001：1 笔，合计 123.45 元" in capsys.readouterr().out
    assert pay("approve", "320281-000001", by="乙") == 0
    assert pay("approve", "320281-000001", by="丙") == 0
    assert run(["pay", "list", "--area", "320281"]) == 0
    assert "320281-000001  可出盘" in capsys.readouterr().out
    assert pay("show", "320281-000001", by="查账") == 0
    person = str(ledger.register.ids["测甲"])
    assert audited("查账") == [("person.read", person), ("payment.shown", "320281-000001")]
    shown = capsys.readouterr().out
    assert f"测*  ****{card(5)[-4:]}  123.45 元" in shown
    assert card(5) not in shown
    out = tmp_path / "bank.csv"
    assert pay("file", "320281-000001", "--out", out, by="出盘") == 0
    assert audited("出盘") == [("person.read", person), ("payment.written", "320281-000001")]
    said = capsys.readouterr().out
    assert "SHA-256" in said
    assert "完整账号" in said
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert card(5) in out.read_text(encoding="utf-8")
    answer = tmp_path / "return.csv"
    answer.write_text("批次号,笔号,结果\n320281-000001,1,成功\n320281-000001,7,成功\n")
    rejects = tmp_path / "rejects.csv"
    assert pay("returns", answer, "--rejects", rejects) == 1
    assert rejects.read_text(encoding="utf-8").startswith("line,column,reason\n3,item,")
    assert pay("returns", answer) == 1
    again = capsys.readouterr()
    assert "已经处理过" in again.out
    assert "第 3 行 item" in again.err
    assert ledger.states() == [("paid", 12_345)]


def test_an_export_of_grants_is_audited_and_told_to_those_in_it(
    ledger: Ledger, tmp_path: Path
) -> None:
    out = tmp_path / "grants.csv"
    export = ["export", "grants", "--area", "320282", "--year", "2024", "--out", str(out)]
    assert run([*export, "--by", "导出"]) == 0
    assert out.stat().st_mode & 0o077 == 0
    assert audited("导出") == [("export.grants", "320282")]
    ledger.execute("INSERT INTO code_number (kind, code, number) VALUES ('policy', 'test', 1)")
    ledger.entry(ledger.bill("测甲", "B2"), 100, ledger.run())
    export[3] = "320281"
    assert run([*export, "--by", "再导出"]) == 0
    assert len(out.read_text(encoding="utf-8").splitlines()) == 3
    person = str(ledger.register.ids["测甲"])
    assert audited("再导出") == [("person.read", person), ("export.grants", "320281")]


def test_decisions_are_taken_by_number(ledger: Ledger, payees: Path, capsys: Output) -> None:
    ledger.died("测甲")
    pay("payees", payees)
    pay("batch", "--area", "320281")
    run(["pay", "list"])
    assert "第 1 笔  暂缓，等人决定  123.45 元  本人已去世" in capsys.readouterr().out
    assert pay("retry", "1") == 2
    assert "只有银行退回的才能再付" in capsys.readouterr().err
    assert pay("release", "1") == 0
    assert pay("batch", "--area", "320281") == 0
    assert pay("withdraw", "320281-000001") == 0
    assert "1 笔重新待支付" in capsys.readouterr().out
    assert pay("close", "1", "--because", "nobody_to_pay") == 0
    assert ledger.states() == [("closed", 12_345)]


def test_refused_rows_are_told_and_the_status_says_so(
    ledger: Ledger, payees: Path, capsys: Output
) -> None:
    payees.write_text(payees.read_text(encoding="utf-8").replace("测甲", "他人"), encoding="utf-8")
    assert pay("payees", payees) == 1
    said = capsys.readouterr()
    assert "退回 1 行" in said.out
    assert "第 2 行 holder" in said.err
    assert card(5) not in said.out + said.err


@pytest.mark.usefixtures("ledger")
def test_what_cannot_run_is_said_in_a_sentence(tmp_path: Path, capsys: Output) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    for arguments, words in (
        (("payees", empty), "文件用不了"),
        (("returns", tmp_path / "none.csv"), "none.csv"),
        (("batch", "--area", "999999"), "没有这个地区"),
        (("approve", "320281-000001"), "没有这个支付批次"),
        (("file", "320281-000001", "--out", tmp_path / "no" / "bank.csv"), "没有文件夹"),
        (("close", "9", "--because", "by_mistake"), "没有这一笔"),
    ):
        assert pay(*arguments) == 2, arguments
        assert words in capsys.readouterr().err
    assert pay("batch", "--area", "320281", by=" ") == 2
    assert "请填写姓名" in capsys.readouterr().err


def test_the_account_of_a_hospital_that_advances_payments(ledger: Ledger, capsys: Output) -> None:
    ledger.execute(
        "INSERT INTO hospital (id, code, name, tier, area, designated, registered, file_id,"
        " revision) VALUES (7, 'H7', '测试医院', 2, 320281000000, true, true, 1, 1)"
    )
    given = ("--holder", "测试医院", "--account", card(7), "--bank", "农业银行")
    assert pay("hospital", "H7", *given) == 0
    assert "已登记" in capsys.readouterr().out
    assert pay("hospital", "H7", *given) == 0
    assert "没有变动" in capsys.readouterr().out
    assert pay("hospital", "H8", *given) != 0
    assert "没有这家医院" in capsys.readouterr().err
