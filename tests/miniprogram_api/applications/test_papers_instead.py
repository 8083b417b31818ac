"""What is handed in instead of a letter is told while papers are taken, and not afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine

from tests.support.accounts import Accounts
from tests.support.case_http import BOOK, Applying, County, Office, county

WHO: Final = "测试甲"


@pytest.fixture
def place(database: Engine, app_database: Engine, tmp_path: Path, accounts: Accounts) -> County:
    return county(database, app_database, tmp_path, accounts, "320281")


def test_a_case_that_was_submitted_with_its_letter_is_asked_for_nothing_once_another_bars_its_person(
    place: County,
) -> None:
    signed = Applying(place, WHO, BOOK.procedure("wuxi-2022-98", "temporary_relief"))
    signed.apply()
    draft = Applying(place, WHO, BOOK.procedure("wuxi-2022-98", "recognition"))
    draft.begin()
    again = Applying(place, WHO, signed.procedure)
    again.begin()
    told = [place.get(WHO, f"/applications/{one.case}")["going"] for one in (again, draft)]
    assert (told[0]["id"], told[1]) == (signed.case, None)
    place.town.accounts.change(
        "INSERT INTO promise_barred (application_id, person_id, from_on, until_on)"
        " SELECT id, person_id, current_date, current_date + 300 FROM application WHERE id = :case",
        case=signed.case,
    )
    assert place.get(WHO, f"/applications/{draft.case}")["proof"]["papers"] == [
        "income_proof", "property_proof",
    ]  # fmt: skip
    Office(place, signed.case).step("镇甲", "accept")
    assert place.get(WHO, f"/applications/{signed.case}")["proof"] is None
    assert place.get("镇甲", f"/cases/{signed.case}")["proof"] is None
