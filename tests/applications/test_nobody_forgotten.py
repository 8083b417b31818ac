"""Every case that is not over lies somewhere: on one desk, with its applicant, or with the system
that moves it; and the longer it lies, the higher.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text

from backend.applications.clocks import running
from backend.applications.desk import Asked, desk_list
from backend.applications.moves import MOVES, STATES
from backend.kernel import keys
from backend.kernel.calendar import add_working_days
from backend.policies.catalogue import load_catalogue
from tests.support.case_paths import WAYS, case_in
from tests.support.case_world import TODAY, CaseWorld
from tests.support.mornings import morning

NOT_OVER: Final = [name for name, state in STATES.items() if not state.over]
AT_A_DESK: Final = [name for name in NOT_OVER if STATES[name].desk not in ("applicant", "system")]
AGES: Final = (0, 1, 5, 12, 30, 60, 150, 400)
ENDED: Final[Mapping[str, str]] = {
    "draft": "withdrawn", "supplement": "withdrawn", "refused": "closed",
}  # fmt: skip
"""What becomes by itself of what its applicant, or nobody, ever moves again."""
BY_OTHER_TASKS: Final = {"granted", "paid"}
"""What a grant brings and its payment move these on: backend/applications/effects."""


@pytest.fixture(autouse=True)
def _keys(world: CaseWorld, tmp_path: Path) -> None:
    keys.bind(tmp_path / "keys.json")


STAFF: Final = ("镇甲", "县甲", "市甲", "邻县")


def owners(world: CaseWorld, case: int, staff: Sequence[str] = STAFF) -> list[str]:
    """Everybody who has the case before them."""
    found = []
    for name in staff:
        with world.acting(name) as (session, actor):
            found += [name for one in desk_list(session, actor, Asked()) if one.id == case]
    with world.owner.connect() as connection:
        query = text("SELECT state, desk FROM application WHERE id = :case")
        state, desk = connection.execute(query, {"case": case}).one()
    if desk == "applicant" and any(
        seat == "applicant" for (_, before, _), seat in SEATS.items() if before == state
    ):
        found.append("applicant")
    if desk == "system" and (state in BY_OTHER_TASKS or state in ENDED):
        found.append("system")
    return found


SEATS: Final = {key: move.seat for key, move in MOVES.items()}


def test_there_is_a_way_into_every_state() -> None:
    assert set(WAYS) == set(STATES)
    assert {name for name in NOT_OVER if STATES[name].desk == "system"} == {
        *BY_OTHER_TASKS, "refused",
    }  # fmt: skip


@pytest.mark.parametrize("state", NOT_OVER)
def test_at_every_age_a_case_lies_with_exactly_one(world: CaseWorld, state: str) -> None:
    cases = {age: case_in(world, state) for age in AGES}
    for age in AGES:
        for day in range(3):
            morning(world.owner, TODAY + timedelta(days=age + day))
        case = cases[age]
        if world.state(case) in ("withdrawn", "closed"):
            assert state in ENDED
            continue
        assert len(owners(world, case)) == 1, (state, age)


@pytest.mark.parametrize("state", AT_A_DESK)
def test_what_nobody_does_goes_up_to_who_must(world: CaseWorld, state: str) -> None:
    case = case_in(world, state)
    for age in range(0, 400, 10):
        morning(world.owner, TODAY + timedelta(days=age))
        assert len(owners(world, case)) == 1, age
    assert owners(world, case) == ["市甲"]


def test_papers_owed_after_help_are_the_counties_when_they_do_not_come(world: CaseWorld) -> None:
    case = case_in(world, "helped")
    with world.acting("镇甲") as (session, _):
        due = {one.clock: one.due_on for one in running(session, case)}
    assert due["papers_owed"] < due["approval"]
    assert morning(world.owner, due["papers_owed"]) == []
    assert owners(world, case) == ["镇甲"]
    assert morning(world.owner, due["papers_owed"] + timedelta(days=1)) == [(case, "escalate")]
    assert owners(world, case) == ["县甲"]


@pytest.mark.parametrize("state", ENDED)
def test_what_is_not_at_a_desk_is_ended_by_the_system(world: CaseWorld, state: str) -> None:
    case = case_in(world, state)
    for age in range(0, 200, 5):
        morning(world.owner, TODAY + timedelta(days=age))
    assert world.state(case) == ENDED[state]


def test_a_state_without_a_desk_is_noticed(world: CaseWorld) -> None:
    with world.owner.begin() as connection:
        connection.execute(text("ALTER TABLE application_state DISABLE TRIGGER ALL"))
        connection.execute(text("UPDATE application_state SET desk = '' WHERE state = 'appealed'"))
    assert owners(world, case_in(world, "appealed")) == []


def test_a_case_whose_desk_nobody_holds_any_more_goes_to_the_desk_above(world: CaseWorld) -> None:
    case = case_in(world, "accepted")
    leave = "UPDATE duty SET revoked_at = now() WHERE role = :role"
    world.town.accounts.change(leave, role="township_reviewer")
    assert owners(world, case, ("县甲", "市甲")) == []
    assert morning(world.owner, TODAY) == [(case, "escalate")]
    assert owners(world, case, ("县甲", "市甲")) == ["县甲"]
    world.town.accounts.change(leave, role="county_officer")
    assert morning(world.owner, TODAY + timedelta(days=1)) == [(case, "escalate")]
    assert owners(world, case, ("市甲",)) == ["市甲"]
    assert morning(world.owner, TODAY + timedelta(days=2)) == []


def test_every_procedure_says_how_long_what_waits_for_the_applicant_may_take() -> None:
    book = load_catalogue()
    for policy, kinds in book.procedures.items():
        for kind, procedure in kinds.items():
            wanted = {"first_review", "supplement", "appeal", "appeal_review", "revocation"}
            missing = wanted - set(procedure.deadlines)
            assert not missing, (policy, kind)
            assert "papers_owed" in procedure.deadlines or not procedure.fast_lane


def test_a_desk_at_which_no_period_runs_counts_from_the_last_step(world: CaseWorld) -> None:
    case = case_in(world, "reviewed")
    world.town.accounts.change("UPDATE application_clock SET ended_on = started_on")
    assert morning(world.owner, TODAY) == []
    with world.acting("县甲") as (session, _):
        assert running(session, case) == ()
    later = add_working_days(TODAY, 60).day
    world.town.accounts.change("ALTER TABLE application_step DISABLE TRIGGER ALL")
    world.town.accounts.change(
        "UPDATE application_step SET at = CAST(:day AS date)", day=TODAY.isoformat()
    )
    world.town.accounts.change("ALTER TABLE application_step ENABLE TRIGGER ALL")
    assert morning(world.owner, later) == [(case, "escalate")]
    assert owners(world, case) == ["市甲"]
