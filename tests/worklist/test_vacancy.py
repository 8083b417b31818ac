"""What would lie with nobody goes at once to the next level at which somebody is on duty."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine, text

from backend.accounts.duties import revoke_duty
from backend.kernel.audit import Subject
from backend.kernel.database import transaction
from backend.worklist.escalation import Escalation, escalate_item
from backend.worklist.items import NewItem, open_items
from backend.worklist.tables import LEVELS
from backend.worklist.tasks import escalate_day
from tests.support.accounts import Accounts

VILLAGE, TOWNSHIP, COUNTY, CITY = LEVELS
HOME, NEXT = 320281101001, 320281102002
DUE = date(2030, 1, 2)
OF_HOME = {
    VILLAGE: (VILLAGE, HOME),
    TOWNSHIP: (TOWNSHIP, 320281101000),
    COUNTY: (COUNTY, 320281000000),
    CITY: (CITY, 320200000000),
}


def opened(kind: str = "home_visit", area: int = HOME, number: int = 1) -> None:
    with transaction() as session:
        open_items(
            session, [NewItem(kind, Subject("test", str(number)), None, area, "。", DUE)], "t"
        )


def lists() -> list[tuple[str, int]]:
    with transaction() as session:
        rows = session.execute(text("SELECT role, list_area FROM work_item ORDER BY id"))
        return [(row.role, row.list_area) for row in rows]


@pytest.mark.parametrize(
    ("on_duty", "taken_by"),
    [
        ((), VILLAGE),
        (((VILLAGE, "320281101001"), (COUNTY, "320281")), VILLAGE),
        (((VILLAGE, "320281102002"), (TOWNSHIP, "320281101")), TOWNSHIP),
        (((VILLAGE, "320281102002"), (TOWNSHIP, "320281102"), (COUNTY, "320281")), COUNTY),
        (((COUNTY, "320282"), (CITY, "320200")), CITY),
        ((("family_doctor", "320281101001"), ("auditor", "320281")), VILLAGE),
    ],
)
def test_the_lowest_level_at_which_somebody_is_on_duty_takes_an_item(
    on_duty: tuple[tuple[str, str], ...], taken_by: str, database: Engine, accounts: Accounts
) -> None:
    for role, area in on_duty:
        accounts.duty(accounts.staff(), role, area)
    opened()
    assert lists() == [OF_HOME[taken_by]]
    with transaction() as session:
        row = session.execute(text("SELECT state, due_on FROM work_item")).one()
    assert tuple(row) == ("open", DUE)


@pytest.mark.parametrize(
    "how",
    [
        "UPDATE duty SET revoked_at = now(), revoked_by = 't'",
        "UPDATE duty SET from_on = '2020-01-01', to_on = '2020-02-01'",
        "UPDATE duty SET from_on = current_date + 2",
        "UPDATE staff SET state = 'disabled'",
    ],
)
def test_a_duty_that_is_not_held_today_takes_nothing(
    how: str, database: Engine, accounts: Accounts
) -> None:
    accounts.duty(accounts.staff(), VILLAGE, str(HOME))
    accounts.change(how)
    accounts.duty(accounts.staff(), COUNTY, "320281")
    opened()
    assert lists() == [OF_HOME[COUNTY]]


def test_when_a_duty_is_ended_its_work_passes_on_at_once_and_that_is_audited(
    worker_database: Engine, accounts: Accounts
) -> None:
    duty = accounts.duty(accounts.staff(), VILLAGE, str(HOME))
    accounts.duty(accounts.staff(), VILLAGE, str(NEXT))
    accounts.duty(accounts.staff(), TOWNSHIP, "320281101")
    opened()
    opened(area=NEXT, number=2)
    with transaction() as session:
        revoke_duty(session, duty, "甲")
    assert lists() == [OF_HOME[TOWNSHIP], (VILLAGE, NEXT)]
    with transaction() as session:
        (told,) = session.execute(
            text("SELECT actor, detail FROM audit_event WHERE action = 'work_item.escalate'")
        )
    assert told.actor == "甲"
    assert told.detail == {"kind": "home_visit", "from": VILLAGE, "to": TOWNSHIP, "why": "vacant"}


def test_what_came_to_lie_with_nobody_is_passed_on_every_day(
    worker_database: Engine, accounts: Accounts
) -> None:
    """Days of duty end by themselves."""
    opened()
    accounts.duty(accounts.staff(), COUNTY, "320281")
    escalate_day.task.run("2029-06-01")
    assert lists() == [OF_HOME[COUNTY]]


def test_what_is_passed_up_goes_past_a_level_without_anybody(
    database: Engine, accounts: Accounts
) -> None:
    accounts.duty(accounts.staff(), VILLAGE, str(HOME))
    accounts.duty(accounts.staff(), COUNTY, "320281")
    opened()
    with transaction() as session:
        escalate_item(session, 1, Escalation("甲", date(2029, 6, 1), "no_answer"))
    assert lists() == [OF_HOME[COUNTY]]
