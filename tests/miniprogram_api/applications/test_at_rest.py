"""保存年限: who asks for a case that was laid to rest is told so, and what is left of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine, text

from backend.kernel import keys
from backend.kernel.clock import today
from tests.support.accounts import Accounts
from tests.support.case_http import BOOK, Applying, County, Office, county
from tests.support.mornings import morning

WHO: Final = "测试甲"
RECOGNITION: Final = BOOK.procedure("wuxi-2022-98", "recognition")
YEARS_AGO: Final = (
    "ALTER TABLE application DISABLE TRIGGER application_by_steps",
    "UPDATE application SET ended_at = now() - interval '11 years'",
    "ALTER TABLE application ENABLE TRIGGER application_by_steps",
)


@pytest.fixture
def place(database: Engine, app_database: Engine, accounts: Accounts, tmp_path: Path) -> County:
    keys.bind(tmp_path / "keys.json")
    return county(database, app_database, tmp_path, accounts, "320281")


def test_a_case_at_rest_is_answered_with_what_is_left_of_it(place: County) -> None:
    applying = Applying(place, WHO, RECOGNITION)
    applying.begin()
    applying.fill()
    applying.photograph("other")
    letter = applying.sign()
    code = applying.submit()
    case, office = applying.case, Office(place, applying.case)
    office.step("镇甲", "accept")
    assert place.get("县甲", f"/cases/{case}")["rested"] is None
    _withdrawn_years_ago(place, case)
    for who, path in ((WHO, "applications"), ("县甲", "cases")):
        whole = place.get(who, f"/{path}/{case}")
        assert whole["rested"] == today().isoformat()
        assert (whole["answers"], whole["code"], whole["deeds"]) == ([], "", [])
        assert [one["deed"] for one in whole["steps"]] == ["submit", "accept", "withdraw"]
        for gone in (f"/letters/{letter}", f"/letters/{letter}/pdf"):
            (told,) = place.get(who, gone, 404)["errors"]
            assert told["detail"].startswith("这件申请保存期满，文书已经按规定清除")
        for paper in _papers(place):
            place.get(who, f"/papers/{paper}/content", 404)
    place.get("县甲", f"/cases/{case}/checks")
    assert place.get(WHO, f"/applications/{case}/progress")["state"] == "withdrawn"
    place.get("", f"/progress/{code}", 404)


def test_a_closed_case_at_rest_offers_staff_nothing_and_takes_nothing(place: County) -> None:
    applying = Applying(place, WHO, RECOGNITION)
    applying.begin()
    with place.owner.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text("UPDATE application SET state = 'closed', seq = 1, ended_at = now()"
                 " - interval '11 years'")
        )  # fmt: skip
        day = connection.execute(text("SELECT current_date + 1")).scalar_one()
    assert "propose" in place.get("镇甲", f"/cases/{applying.case}")["deeds"]
    assert morning(place.owner, day) == [(applying.case, "rest")]
    assert place.get("镇甲", f"/cases/{applying.case}")["deeds"] == []
    Office(place, applying.case).step("镇甲", "propose", 409)


def _withdrawn_years_ago(place: County, case: int) -> None:
    place.post(WHO, f"/applications/{case}/withdrawal")
    with place.owner.begin() as connection:
        for statement in YEARS_AGO:
            connection.execute(text(statement))
        day = connection.execute(text("SELECT current_date + 1")).scalar_one()
    assert morning(place.owner, day) == [(case, "rest")]


def _papers(place: County) -> list[int]:
    with place.owner.connect() as connection:
        found = list(connection.execute(text("SELECT id FROM paper")).scalars())
    assert found
    return found
