"""What somebody could write who put a whole statement of SQL into one of the site's: periods, names
of who decided, others' bills, results of a charity. In the site's role, in a session of their own.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from backend.applications.handing_on import RESULTS
from tests.support.case_world import CaseWorld
from tests.support.procedures import procedure

RELIEF = procedure("temporary_relief", brings="amount")
CHARITY = procedure("charity", brings="hand_on")
LOOKING = ("甲测试", "县甲", "市甲", "镇甲")
"""Who sees a submitted case: of whom it is, the desks above, and the desk itself, which has done
nothing yet."""
LONGER = "UPDATE application_clock SET due_on = due_on + 30, working_days = working_days + 30"
STARTED = (
    "INSERT INTO application_clock (application_id, clock, started_on, working_days, due_on,"
    " provisional) VALUES (:case, 'approval', :day, 9, :day, false)"
)
APPROVED = (
    "INSERT INTO application_step (id, application_id, seq, deed, from_state, to_state, by, role)"
    " SELECT nextval('row_id'), id, seq + 1, 'approve', state, 'granted', 'staff:县甲',"
    " 'county_officer' FROM application WHERE id = :case"
)
AMOUNT = (
    "INSERT INTO application_grant (application_id, amount, decided_by, decided_on)"
    " VALUES (:case, 100, 'staff:县乙', :day)"
)
CLAIMED = (
    "INSERT INTO bill_claim (application_id, bill_id, layer, person_id)"
    " SELECT id, :bill, 9, person_id FROM application WHERE id = :case"
)
REPORTED = (
    "UPDATE handed_on SET result = :result, ended_on = :day, reported_by = 'staff:县乙'"
    " WHERE application_id = :case"
)


def put(world: CaseWorld, who: str, statement: str, **values: Any) -> int:
    """Put into a transaction of the site in somebody's session, and committed; how many rows."""
    with world.acting(who) as (session, _):
        done = session.connection().execute(text(statement), {"day": world.today, **values})
        return done.rowcount


def kept(world: CaseWorld, query: str) -> Any:
    with world.owner.connect() as connection:
        return connection.execute(text(query)).one()


@pytest.mark.parametrize("who", LOOKING)
def test_who_only_looks_at_a_case_writes_no_period_of_it(world: CaseWorld, who: str) -> None:
    case = world.submitted("甲测试")
    assert put(world, who, "SELECT id FROM application_clock") == 1
    assert put(world, who, LONGER) == 0
    with pytest.raises(DBAPIError, match="row-level security"):
        put(world, who, STARTED, case=case)


def test_yesterdays_step_lets_nobody_write_a_period_today(world: CaseWorld) -> None:
    case = world.submitted("甲测试")
    world.does("镇甲", case, "accept")
    assert put(world, "镇甲", LONGER) == 0


def test_were_it_enough_to_see_the_case_its_periods_would_be_written(
    world: CaseWorld, database: Engine
) -> None:
    """The control: the policy as it was."""
    world.submitted("甲测试")
    with database.begin() as connection:
        connection.execute(text("ALTER POLICY changed ON application_clock USING (true)"))
    assert put(world, "市甲", LONGER) == 1


def reviewed_relief(world: CaseWorld) -> int:
    case = world.submitted("甲测试", rules=RELIEF)
    world.does("镇甲", case, "accept", RELIEF)
    world.does("镇甲", case, "review", RELIEF)
    return case


def test_an_amount_is_decided_and_noted_by_whose_session_it_is(world: CaseWorld) -> None:
    case = reviewed_relief(world)
    put(world, "县甲", AMOUNT, case=case)
    assert kept(world, "SELECT decided_by, noted_by FROM application_grant") == ("staff:县甲", "")
    put(
        world, "县丙",
        "UPDATE application_grant SET paid_on = :day, paid_ref = 'x', noted_by = 'staff:县乙'",
    )  # fmt: skip
    assert kept(world, "SELECT decided_by, noted_by FROM application_grant") == (
        "staff:县甲", "staff:县丙",
    )  # fmt: skip
    with pytest.raises(DBAPIError, match="what was paid stays"):
        put(
            world,
            "县丙",
            "UPDATE application_grant SET paid_on = NULL, paid_ref = '', noted_by = ''",
        )
    put(world, "市甲", "UPDATE application_grant SET decided_by = 'staff:县乙'")
    assert kept(world, "SELECT decided_by FROM application_grant") == ("staff:市甲",)


def test_an_amount_is_decided_before_the_approval_and_stays_from_then_on(world: CaseWorld) -> None:
    case = world.submitted("甲测试", rules=RELIEF)
    world.does("镇甲", case, "accept", RELIEF)
    with pytest.raises(DBAPIError, match="what was granted stays"):
        put(world, "县甲", AMOUNT, case=case)
    world.does("镇甲", case, "review", RELIEF)
    with pytest.raises(DBAPIError, match="no amount was decided"):
        put(world, "县甲", APPROVED, case=case)
    put(world, "县甲", AMOUNT, case=case)
    world.does("县甲", case, "approve", RELIEF)
    with pytest.raises(DBAPIError, match="what was granted stays"):
        put(world, "县丙", "UPDATE application_grant SET amount = amount + 1")


def test_were_it_not_looked_at_a_case_would_be_approved_without_an_amount(
    world: CaseWorld, database: Engine
) -> None:
    """The control."""
    case = reviewed_relief(world)
    with database.begin() as connection:
        connection.execute(text("DROP TRIGGER approved_with_amount ON application_step"))
    assert put(world, "县甲", APPROVED, case=case) == 1


def test_were_it_not_taken_from_the_session_another_would_have_decided(
    world: CaseWorld, database: Engine
) -> None:
    """The control."""
    case = reviewed_relief(world)
    with database.begin() as connection:
        connection.execute(text("DROP TRIGGER grant_by_session ON application_grant"))
    put(world, "县甲", AMOUNT, case=case)
    assert kept(world, "SELECT decided_by FROM application_grant") == ("staff:县乙",)


def test_a_strangers_bill_is_not_claimed_and_the_own_is(world: CaseWorld) -> None:
    world.resident("乙测试")
    register = world.town.register
    own = register.bill("甲测试", "B1", "2026-10-27", "10000.00")
    stranger = register.bill("乙测试", "B2", "2026-10-27", "10000.00")
    case = world.filled("甲测试")
    for bill in (stranger, 999_999_999):
        with pytest.raises(DBAPIError, match="row-level security"):
            put(world, "甲测试", CLAIMED, case=case, bill=bill)
    assert put(world, "甲测试", CLAIMED, case=case, bill=own) == 1


def with_charity(world: CaseWorld) -> int:
    case = world.submitted("甲测试", rules=CHARITY)
    world.does("镇甲", case, "accept", CHARITY)
    world.does("镇甲", case, "review", CHARITY)
    world.does("县甲", case, "approve", CHARITY)
    world.town.accounts.change(
        "INSERT INTO handed_on (application_id, person_id, area, department, handed_on)"
        " SELECT id, person_id, area, 'charity', :day FROM application WHERE id = :case",
        case=case, day=world.today,
    )  # fmt: skip
    return case


def test_a_result_is_reported_once_by_whose_session_it_is(world: CaseWorld) -> None:
    case = with_charity(world)
    early = world.today - timedelta(days=1)
    for wrong in ({"result": ""}, {"result": "rich"}, {"result": "helped", "day": early}):
        with pytest.raises(DBAPIError):
            put(world, "县甲", REPORTED, case=case, **wrong)
    with pytest.raises(DBAPIError):  # off the list, and nobody said why
        put(world, "县甲", "UPDATE handed_on SET ended_on = :day")
    put(world, "县甲", REPORTED, case=case, result="helped")
    assert kept(world, "SELECT result, reported_by FROM handed_on") == ("helped", "staff:县甲")
    with pytest.raises(DBAPIError):
        put(world, "县丙", REPORTED, case=case, result="not_helped")
    with pytest.raises(DBAPIError):
        put(
            world, "县丙",
            "UPDATE handed_on SET result = '', reported_by = '', ended_on = NULL",
        )  # fmt: skip


def test_every_result_that_there_is_may_be_reported(world: CaseWorld) -> None:
    case = with_charity(world)
    for result in RESULTS:
        put(world, "县甲", REPORTED, case=case, result=result)
        world.town.accounts.change(
            "UPDATE handed_on SET result = '', reported_by = '', ended_on = NULL"
        )


def test_were_it_not_checked_a_result_would_be_rewritten(
    world: CaseWorld, database: Engine
) -> None:
    """The control."""
    case = with_charity(world)
    with database.begin() as connection:
        connection.execute(text("DROP TRIGGER reported_by_session ON handed_on"))
    put(world, "县甲", REPORTED, case=case, result="rich")
    assert kept(world, "SELECT result, reported_by FROM handed_on") == ("rich", "staff:县乙")
