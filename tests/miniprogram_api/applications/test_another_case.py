"""Where another case of the person stands in the way: what the site answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.accounts import Accounts
from tests.support.case_http import BOOK, Applying, County, Office, county

AREA = "320902"
SPECIAL = BOOK.procedure("tinghu-trial", "special_assistance")
RELIEF = BOOK.procedure("tinghu-trial", "temporary_relief")


@pytest.fixture
def place(database: Engine, app_database: Engine, tmp_path: Path, accounts: Accounts) -> County:
    return county(database, app_database, tmp_path, accounts, AREA)


def test_an_appeal_for_bills_of_another_case_is_told_to_withdraw_that_first(place: County) -> None:
    register = place.town.register
    register.identity("测试甲", "extreme_poverty", "2022-01-01")
    one = register.bill("测试甲", "B1", "2026-04-30", "9000.00")
    other = register.bill("测试甲", "B2", "2026-05-30", "9000.00")
    first = Applying(place, "测试甲", SPECIAL, bills=str(one))
    first.apply()
    office = Office(place, first.case)
    office.step("镇甲", "accept")
    office.step("镇甲", "review", proposal="refuse")
    office.step("县甲", "refuse")
    second = Applying(place, "测试甲", SPECIAL, bills=f"{one},{other}")
    second.apply()
    appeal = f"/applications/{first.case}/appeal"
    refused = place.post("测试甲", appeal, 409, why="算错了")
    assert refused["type"] == "/problems/application-bill-claimed"
    assert "请先撤回那一件，再申诉" in str(refused)
    place.post("测试甲", f"/applications/{second.case}/withdrawal")
    assert place.post("测试甲", appeal, why="算错了")["state"] == "appealed"


def test_staff_who_keep_a_case_are_told_of_the_applicant_s_other_one(place: County) -> None:
    first, second = (Applying(place, "测试甲", RELIEF) for _ in range(2))
    first.apply()
    office = Office(place, first.case)
    office.step("镇甲", "accept")
    office.step("镇甲", "review")
    place.call("县乙", "PUT", f"/cases/{first.case}/amount", json={"amount": "1500.00"})
    office.step("县甲", "approve")
    office.step("镇甲", "propose")
    second.apply()
    refused = office.step("县乙", "keep", 409)
    assert refused["type"] == "/problems/application-another-going"
    assert "我的申请" not in str(refused)
    place.post("测试甲", f"/applications/{second.case}/withdrawal")
    assert office.step("县乙", "keep")["state"] == "granted"
