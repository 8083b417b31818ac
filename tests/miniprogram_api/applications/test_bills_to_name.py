"""The bills that can be named in an application, over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.support.accounts import Accounts
from tests.support.case_http import BOOK, Applying, County, county
from tests.support.claims import claim

AREA = "320902"
SPECIAL = BOOK.procedure("tinghu-trial", "special_assistance")


@pytest.fixture
def place(database: Engine, app_database: Engine, tmp_path: Path, accounts: Accounts) -> County:
    return county(database, app_database, tmp_path, accounts, AREA)


def test_the_own_bills_are_listed_newest_first_and_those_of_others_are_not(place: County) -> None:
    register = place.town.register
    older = register.bill("测试甲", "B1", "2025-03-02", "9000.00", admitted="2025-02-20")
    newer = register.bill("测试甲", "B2", "2025-05-01", "100.10")
    place.resident("测试乙")
    register.bill("测试乙", "B3", "2025-05-02", "100.00")
    another, applying = (Applying(place, "测试甲", SPECIAL) for _ in range(2))
    another.begin()
    applying.begin()
    claim(place.owner, [newer])
    with place.owner.begin() as connection:
        connection.execute(
            text("UPDATE bill_claim SET application_id = :case"), {"case": another.case}
        )
    found = place.get("测试甲", f"/applications/{applying.case}/bills")["bills"]
    assert [one["id"] for one in found] == [newer, older]
    assert [one["claimed"] for one in found] == [True, False]
    assert found[1] | {"hospital": ""} == {
        "id": older, "hospital": "", "setting": "inpatient", "admitted_on": "2025-02-20",
        "discharged_on": "2025-03-02", "total": "9000.00", "claimed": False,
    }  # fmt: skip
    place.get("测试乙", f"/applications/{applying.case}/bills", 404)
