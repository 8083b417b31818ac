"""迁出的人: a case stays with the desk where it was begun, wherever its person lives by now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from backend.accounts.scope import act_as
from backend.kernel import database as kernel_database
from backend.kernel.database import transaction
from tests.support.accounts import Accounts
from tests.support.case_http import BOOK, Applying, County, Office, county

HERE: Final = "320281"
THERE: Final = "320282"
CHRONIC: Final = BOOK.procedure("wuxi-2022-98", "chronic_certification")
WHO: Final = "测试甲"
OWED: Final = text("SELECT kind FROM notice_due WHERE cause LIKE :cause ORDER BY id")
VISIBLE: Final = text("SELECT count(*) FROM person WHERE id = :person")
WHOSE: Final = text("SELECT count(*) FROM person_of_case(:case)")
OWE: Final = text(
    "INSERT INTO notice_due (person_id, kind, cause, created_on)"
    " VALUES (:person, 'application_granted', :cause, '2026-11-02')"
)


@pytest.fixture
def place(database: Engine, app_database: Engine, accounts: Accounts, tmp_path: Path) -> County:
    made = county(database, app_database, tmp_path, accounts, HERE)
    made.staff("新镇", "township_reviewer", f"{THERE}101")
    made.staff("新县", "county_officer", THERE)
    return made


@pytest.fixture
def moved(place: County) -> Applying:
    """Somebody who applied and moved to another county the day after."""
    applying = Applying(place, WHO, CHRONIC)
    applying.apply()
    with place.owner.begin() as connection:
        connection.execute(
            text("UPDATE person SET area = :area, lives_in = :area WHERE id = :id"),
            {"area": int(f"{THERE}101001"), "id": place.people[WHO].id},
        )
    return applying


def test_the_desk_of_a_person_who_moved_away_takes_the_case_to_its_end(
    place: County, moved: Applying
) -> None:
    office = Office(place, moved.case)
    assert place.get("镇甲", f"/cases/{moved.case}")["name"] == WHO
    place.get("镇甲", f"/cases/{moved.case}/checks")
    office.step("镇甲", "accept")
    office.step("镇甲", "ask", note="请补交近一年的检查报告")
    moved.photograph("examination")
    place.post(WHO, f"/applications/{moved.case}/supplement")
    assert place.get("镇乙", f"/cases/{moved.case}")["steps"][2]["note"] == "请补交近一年的检查报告"
    office.step("镇乙", "review")
    office.step("县甲", "approve")
    office.step("镇甲", "propose")
    assert office.step("县乙", "revoke")["state"] == "revoked"
    with place.owner.connect() as connection:
        owed = connection.scalars(OWED, {"cause": f"application:{moved.case}:%"}).all()
    assert owed == [
        "application_submitted", "application_accepted", "application_supplement",
        "application_accepted", "application_reviewed", "granted_in_kind",
        "application_revoking", "application_revoked",
    ]  # fmt: skip


def test_the_new_county_sees_neither_the_case_nor_its_steps(place: County, moved: Applying) -> None:
    for who in ("新镇", "新县"):
        place.get(who, f"/cases/{moved.case}", 404)
        place.post(who, f"/cases/{moved.case}/steps", 404, deed="accept", seq=1)
        assert place.get(who, "/cases")["cases"] == []


def test_the_session_of_the_desk_reads_and_owes_by_that_case_alone(
    place: County, moved: Applying
) -> None:
    person, case = place.people[WHO].id, moved.case
    with acting(place, "镇甲") as session:
        assert session.scalar(VISIBLE, {"person": person}) == 0
        assert session.scalar(WHOSE, {"case": case}) == 1
        session.execute(OWE, {"person": person, "cause": f"application:{case}:9"})
    with acting(place, "新县") as session:
        assert session.scalar(WHOSE, {"case": case}) == 0
    for cause in (f"application:{case + 1}:1", f"application:{case}", "exit:1"):
        with acting(place, "镇甲") as session:
            refused = pytest.raises(ProgrammingError, match="row-level security")
            with refused, session.begin_nested():
                session.execute(OWE, {"person": person, "cause": cause})


def test_nobody_reads_whose_a_draft_is(place: County) -> None:
    draft = Applying(place, WHO, CHRONIC)
    draft.begin()
    with acting(place, "镇甲") as session:
        assert session.scalar(WHOSE, {"case": draft.case}) == 0


@contextmanager
def acting(place: County, who: str) -> Iterator[Session]:
    """A transaction of the site in the session of somebody."""
    with kernel_database.bound(place.site), transaction() as session:
        assert act_as(session, place.tokens[who]) is not None
        yield session
