from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine, text

from backend.kernel.audit import Subject
from backend.kernel.database import transaction
from backend.worklist.items import NewItem, open_items
from miniprogram_api.cli import run
from tests.support.audited import audited

Output = pytest.CaptureFixture[str]
VILLAGE = 320281101001


@pytest.fixture
def items(database: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)

    def item(number: int, kind: str, area: int = VILLAGE) -> NewItem:
        subject = Subject("case", str(number))
        return NewItem(kind, subject, None, area, f"第{number}件的原因。", date(2024, 3, 6))

    with transaction() as session:
        given = [
            item(1, "home_visit"),
            item(2, "amount_differs"),
            item(3, "amount_differs", 330382004201),
        ]
        open_items(session, given, "test")


@pytest.mark.usefixtures("items")
def test_the_lists_of_an_area_are_counted_and_listed(capsys: Output) -> None:
    assert run(["worklist", "--area", "320281"]) == 0
    told = capsys.readouterr().out
    assert "待办 2 件，其中过期 2 件。" in told
    assert "320281101001 村居协管员：预警入户核查 1 件" in told
    assert "320281000000 县级经办人员：到账金额与决定不符 1 件" in told
    assert "第3件" not in told


@pytest.mark.usefixtures("items")
def test_nothing_waiting_is_said(capsys: Output) -> None:
    assert run(["worklist", "--area", "320582"]) == 0
    assert capsys.readouterr().out == "没有待办。\n"


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize("area", ["999999", "999999101", "32"])
def test_a_place_that_is_none_is_not_an_empty_list(capsys: Output, area: str) -> None:
    assert run(["worklist", "--area", area]) == 2
    assert "地区" in capsys.readouterr().err


@pytest.mark.usefixtures("items")
def test_an_item_is_closed_and_a_visit_is_not_closed_here(capsys: Output) -> None:
    assert run(["worklist", "close", "2", "--outcome", "done", "--by", "张三"]) == 0
    assert run(["worklist", "close", "2", "--outcome", "done", "--by", "张三"]) == 2
    assert "已经办结" in capsys.readouterr().err
    assert run(["worklist", "close", "1", "--outcome", "confirmed"]) == 2
    assert "shukun warnings visit" in capsys.readouterr().err


@pytest.mark.usefixtures("items")
def test_overdue_items_are_passed_on(capsys: Output) -> None:
    assert run(["worklist", "escalate", "--by", "张三"]) == 0
    assert capsys.readouterr().out == "已转上一级 3 件。\n"
    assert [deed for deed, _ in audited("张三")] == ["work_item.escalate"] * 3
    assert run(["worklist", "escalate"]) == 0
    assert capsys.readouterr().out == "没有过期的待办。\n"
    with transaction() as session:
        roles = session.execute(text("SELECT role FROM work_item ORDER BY id")).scalars()
        assert list(roles) == ["township_reviewer", "city_officer", "city_officer"]
