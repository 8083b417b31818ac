from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.kernel import key_check
from backend.kernel.settings import Settings
from miniprogram_api.cli import run
from tests.support.audited import audited
from tests.support.households import Households
from tests.support.register import Register

Output = pytest.CaptureFixture[str]


@pytest.fixture
def homes(
    worker_database: Engine,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Households:
    """One household above the line, one without a known income."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SHUKUN_DATA", str(tmp_path))
    settings = Settings.from_env({"DATABASE_URL": database_url, "SHUKUN_DATA": str(tmp_path)})
    homes = Households(Register(worker_database), key_check.open_keyring(settings))
    homes.family("周家", "甲", incomes={2023: "100000.00"})
    homes.family("吴家", "乙")
    for name in "甲乙":
        homes.register.bill(name, f"B{name}", "2024-03-01", "50000.00")
    return homes


def check() -> int:
    return run(["warnings", "check", "--area", "320200", "--on", "2024-09-02", "--by", "张三"])


def test_an_area_is_checked_listed_and_visited(homes: Households, capsys: Output) -> None:
    assert check() == 0
    assert capsys.readouterr().out == (
        "320281 江阴市：超过预警线的 1 户，新预警 因病致贫 1 条。\n"
        "  另有 1 户有医疗负担但没有收入数据，无法比较。\n"
    )
    assert run(["warnings", "list", "--area", "320281", "--by", "查看"]) == 0
    assert audited("查看") == [("person.read", str(homes.register.ids["甲"]))]
    listed = capsys.readouterr().out
    assert "待核查  320281101001  2024年负担 50000.00 元，预警线 40000.00 元" in listed
    visit = ["warnings", "visit", "1", "--by", "王协管", "--outcome"]
    assert run([*visit, "not_confirmed"]) == 2
    assert "请写明核查到的情况" in capsys.readouterr().err
    assert run([*visit, "confirmed", "--note", "欠债三万", "--on", "2024-09-04"]) == 0
    assert "已记下：预警 1 属实。" in capsys.readouterr().out
    assert run([*visit, "no_answer"]) == 2
    assert check() == 0
    assert "新预警没有" in capsys.readouterr().out


@pytest.mark.usefixtures("homes")
def test_an_area_without_people_is_said(capsys: Output) -> None:
    assert run(["warnings", "check", "--area", "330000"]) == 0
    assert "没有登记的人" in capsys.readouterr().out
