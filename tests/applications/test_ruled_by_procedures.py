"""What procedures say of a case is theirs: neither the site nor who puts a statement into it says
otherwise. In the site's role, in a session of their own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from backend.applications.clocks import TURNS
from backend.applications.ruling import tell_rules
from backend.kernel.clock import today
from backend.kernel.database import bound, transaction
from backend.kernel.migrations import alembic_config
from tests.support.case_effects import BOOK
from tests.support.case_world import CaseWorld
from tests.support.procedures import procedure

RULES = procedure()
FLAGS = "SELECT filing, notice, fast_lane FROM application WHERE id = :case"
FORGED = "UPDATE application SET filing = true, notice = true WHERE id = :case"
BEGUN = (
    "INSERT INTO application (id, person_id, area, kind, policy, resident_id, capacity, client_key,"
    " filing, notice, keep_years) SELECT nextval('row_id'), person_id, area, :kind, :policy,"
    " resident_id, 'self', 'forged', true, true, 1 FROM application RETURNING filing, notice, keep_years"
)
ACCEPTED = (
    "INSERT INTO application_step (id, application_id, seq, deed, from_state, to_state, by)"
    " VALUES (nextval('row_id'), :case, 2, 'accept', 'submitted', 'accepted', 'x')"
)
STARTED = (
    "INSERT INTO application_clock (application_id, clock, started_on, working_days, due_on,"
    " provisional) SELECT :case, :clock, d, :days, d + CAST(:within AS integer), false"
    " FROM (SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date + CAST(:later AS integer)) AS t (d)"
)
LONGER = (
    "UPDATE application_clock SET working_days = working_days + 30, due_on = due_on + 30"
    " WHERE application_id = :case"
)
PROPER = {"clock": "approval", "days": 30, "within": 42, "later": 0}


def tell(world: CaseWorld, *rules: Any) -> int:
    """As `serve` does before the site is up: in the worker's role; periods begin by its clock."""
    world.today = today()
    told: dict[str, dict[str, Any]] = {}
    for one in rules or (RULES,):
        told.setdefault(one.policy, {})[one.kind] = one
    with bound(world.owner), transaction() as session:
        session.execute(text("SET LOCAL ROLE shukun_worker"))
        return tell_rules(session, replace(BOOK, procedures=told))


def put(world: CaseWorld, who: str, *statements: str, **values: Any) -> Any:
    """Put into one transaction of the site; what the last one answers."""
    with world.acting(who) as (session, _):
        for one in statements:
            done = session.connection().execute(text(one), values)
        return tuple(done.one()) if done.returns_rows else None


def test_a_draft_is_of_the_kind_that_its_procedure_says(world: CaseWorld) -> None:
    tell(world)
    case = world.begun("甲测试").id
    put(world, "甲测试", FORGED, case=case)
    assert put(world, "甲测试", FLAGS, case=case) == (False, False, False)
    begun = put(world, "甲测试", BEGUN, kind="recognition", policy=RULES.policy)
    assert begun == (False, False, 10)


def test_were_it_not_ruled_a_draft_would_be_filed_by_the_township_alone(
    world: CaseWorld, database: Engine
) -> None:
    """The control: without the trigger."""
    tell(world)
    case = world.filled("甲测试")
    with database.begin() as connection:
        connection.execute(text("DROP TRIGGER application_by_rule ON application"))
    put(world, "甲测试", FORGED, case=case)
    world.submit("甲测试", case, replace(RULES, filing=True))
    world.does("镇甲", case, "accept")
    assert world.does("镇甲", case, "file").state == "granted"


@pytest.mark.parametrize("other", [{"kind": "unheard"}, {"policy": "unheard"}])
def test_no_case_is_begun_under_a_procedure_that_there_is_not(
    world: CaseWorld, other: dict[str, str]
) -> None:
    tell(world)
    world.begun("甲测试")
    with pytest.raises(DBAPIError, match="no such procedure"):
        put(world, "甲测试", BEGUN, **{"kind": "recognition", "policy": RULES.policy, **other})


def test_a_draft_does_not_change_over_to_another_procedure(world: CaseWorld) -> None:
    tell(world, RULES, replace(RULES, policy="yueqing-2023-36", filing=True))
    case = world.begun("甲测试").id
    with pytest.raises(DBAPIError, match="stays under its procedure"):
        put(world, "甲测试", "UPDATE application SET policy = 'yueqing-2023-36'", case=case)


def test_a_fast_lane_is_taken_where_there_is_one(world: CaseWorld) -> None:
    taken = "UPDATE application SET fast_lane = true WHERE id = :case RETURNING fast_lane"
    tell(world)
    case = world.begun("甲测试").id
    assert put(world, "甲测试", taken, case=case) == (True,)
    tell(world, replace(RULES, fast_lane=False))
    assert put(world, "甲测试", taken, case=case) == (False,)


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": 29}, {"days": 300, "within": 400}, {"within": 29}, {"within": 91}, {"later": 2},
        {"later": -30}, {"clock": "appeal", "days": 60, "within": 84},
    ],
    ids=str,
)  # fmt: skip
def test_a_step_starts_its_own_periods_as_long_as_the_procedure_says(
    world: CaseWorld, wrong: dict[str, Any]
) -> None:
    """`appeal` is a period of the procedure, and not of an acceptance."""
    tell(world)
    case = world.submitted("甲测试")
    with pytest.raises(DBAPIError, match="no such period"):
        put(world, "镇甲", ACCEPTED, STARTED, case=case, **(PROPER | wrong))
    put(world, "镇甲", ACCEPTED, STARTED, case=case, **PROPER)


def test_a_step_makes_no_period_longer_but_by_the_days_it_stood(world: CaseWorld) -> None:
    tell(world)
    case = world.submitted("甲测试")
    with pytest.raises(DBAPIError, match="no such period"):
        put(world, "镇甲", ACCEPTED, LONGER, case=case)
    world.does("镇甲", case, "accept")
    world.does("镇甲", case, "ask")
    world.answer("甲测试", case, "words", "补充说明")
    assert world.supplies("甲测试", case).state == "accepted"


def test_were_the_periods_not_ruled_a_step_would_make_them_longer(
    world: CaseWorld, database: Engine
) -> None:
    """The control."""
    tell(world)
    case = world.submitted("甲测试")
    with database.begin() as connection:
        connection.execute(text("DROP TRIGGER clock_by_rule ON application_clock"))
    put(world, "镇甲", ACCEPTED, LONGER, case=case)


def test_lengths_that_held_before_are_allowed_beside_the_new_ones(world: CaseWorld) -> None:
    """A site of the release before may still be up; told again, nothing is new."""
    deadlines = dict(RULES.deadlines)
    deadlines["approval"] = replace(deadlines["approval"], working_days=40)
    assert tell(world) > 0
    assert tell(world) == 0
    assert tell(world, replace(RULES, deadlines=deadlines)) == 1
    case = world.submitted("甲测试")
    put(world, "镇甲", ACCEPTED, STARTED, case=case, **PROPER)


def test_the_database_knows_which_deed_starts_which_period(database: Engine) -> None:
    with database.connect() as connection:
        known = connection.execute(text("SELECT deed, clock FROM procedure_turn")).all()
    assert {tuple(row) for row in known} == {
        (deed, clock) for deed, turn in TURNS.items() for clock in turn.starts
    }
    migration = ScriptDirectory.from_config(alembic_config()).get_revision("0031")
    assert set(migration.module.TURNS) == {deed for deed, turn in TURNS.items() if turn.starts}
