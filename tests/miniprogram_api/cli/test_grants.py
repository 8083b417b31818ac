from __future__ import annotations

import pytest
from sqlalchemy import Engine

from backend.matching import explaining
from miniprogram_api.cli import run
from tests.miniprogram_api.matching.conftest import LOW, matched
from tests.support.audited import audited
from tests.support.register import Register

Output = pytest.CaptureFixture[str]


@pytest.fixture
def register(database: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Register:
    monkeypatch.setenv("DATABASE_URL", database_url)
    register = Register(database)
    register.person("甲")
    register.identity("甲", LOW, "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    return register


def test_every_entry_is_told_with_its_reason_and_its_steps(
    register: Register, capsys: Output
) -> None:
    matched()
    register.bill("甲", "B1", "2024-03-09", "900.00", paid={"basic": "400.00"})
    matched()
    settled = {"basic": "400.00", "medical_assistance": "425.00"}
    register.bill("甲", "B1", "2024-03-09", "900.00", paid=settled)
    matched()
    assert run(["grants", "B1"]) == 0
    told = capsys.readouterr().out
    for words in (
        "医疗救助：",
        "发放 510.00 元，至此共 510.00 元",
        "原因：第一次计算",
        "依据：锡政办发〔2022〕98号 四(六)",
        "1) 政策范围内费用 1000.00 元，前面各项已付 400.00 元，剩下 600.00 元。",
        "应退 85.00 元，至此共 425.00 元",
        "原因：这张结算单有更正或撤回",
        "已结清 425.00 元，至此共 425.00 元",
    ):
        assert words in told, words
    assert told.count("解读：") == len({line for line in told.splitlines() if "解读：" in line})


def test_who_asks_why_is_told_to_whose_bill_it_is(register: Register, capsys: Output) -> None:
    matched()
    assert run(["grants", "B1", "--by", "张三"]) == 0
    assert audited("张三") == [("person.read", str(register.ids["甲"]))]


def test_a_bill_without_grants_and_an_unknown_one_are_told_apart(
    register: Register, capsys: Output
) -> None:
    assert run(["grants", "B1"]) == 0
    assert "没有发放记录" in capsys.readouterr().out
    assert run(["grants", "B2"]) == 2
    assert "没有这张结算单" in capsys.readouterr().err


def test_a_ledger_that_no_longer_follows_from_its_rules_is_told(
    register: Register, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    matched()
    monkeypatch.setattr(explaining, "_decided_again", lambda *_: (None, None))
    assert run(["grants", "B1"]) == 1
    assert "请停止付款" in capsys.readouterr().err
