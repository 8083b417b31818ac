"""Periods that stand still while something is owed, against counting day by day by another table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import chinese_calendar  # type: ignore[import-untyped]  # the package has no py.typed
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.applications.cases import Case, case_of
from backend.applications.clocks import Running, running, turn
from backend.kernel.calendar import is_working_day
from backend.kernel.database import transaction
from backend.policies.procedures import Deadline
from tests.support.case_world import CaseWorld
from tests.support.procedures import procedure
from tests.support.raw_cases import raw_case, whose

EXAMPLES: Final = int(os.environ.get("SHUKUN_CLOCK_EXAMPLES", "150"))
DAY: Final = timedelta(days=1)
LONG: Final = {"first_review": 7, "approval": 30, "supplement": 10}
RULES: Final = procedure(deadlines={clock: Deadline(days) for clock, days in LONG.items()})
Stops = Sequence[tuple[date, date]]


def by_hand(start: date, days: int, stops: Stops) -> date:
    """The slow count: every day after the start that is worked, and not stood still, is one. Of a
    stop the day on which something was asked for still counts, the day on which it came does not.
    """
    day, left = start, days
    while left:
        day += DAY
        if chinese_calendar.is_workday(day) and not any(a < day <= b for a, b in stops):
            left -= 1
    return day


def over_before(start: date, days: int, stops: Stops) -> bool:
    """Whether the period was at its end before one of the stops began: then it is never shorter."""
    return any(
        by_hand(start, days, stops[:number]) <= asked for number, (asked, _) in enumerate(stops)
    )


@pytest.fixture
def case(world: CaseWorld) -> int:
    with world.owner.begin() as connection:
        return raw_case(connection, whose(world.owner, world.people["甲测试"].id))


def walked(session: Session, case: Case, start: date, stops: Stops) -> dict[str, Running]:
    """Submitted and accepted on the day, stopped and supplied; what runs then."""
    session.execute(text("DELETE FROM application_clock"))
    turn(session, case, "submit", RULES, start)
    turn(session, case, "accept", RULES, start)
    for asked, supplied in stops:
        turn(session, case, "ask", RULES, asked)
        turn(session, case, "supply", RULES, supplied)
    return {one.clock: one for one in running(session, case.id)}


@st.composite
def walks(draw: st.DrawFn) -> tuple[date, list[tuple[date, date]]]:
    """A start from 2020 on, and up to three stops one after another, all before the end of 2026."""
    start = draw(st.dates(date(2020, 1, 1), date(2026, 6, 1)))
    stops, day = [], start
    for _ in range(draw(st.integers(0, 3))):
        asked = day + draw(st.integers(0, 6)) * DAY
        day = asked + draw(st.integers(0, 20)) * DAY
        stops.append((asked, day))
    return start, stops


@settings(
    max_examples=EXAMPLES, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(walk=walks())
@example(walk=(date(2025, 12, 29), [(date(2025, 12, 31), date(2026, 1, 4))]))
@example(walk=(date(2026, 2, 10), [(date(2026, 2, 13), date(2026, 2, 28))]))
@example(walk=(date(2024, 9, 27), [(date(2024, 9, 29), date(2024, 10, 12))]))
def test_periods_with_stops_end_where_counting_day_by_day_ends_them(
    case: int, walk: tuple[date, list[tuple[date, date]]]
) -> None:
    start, stops = walk
    with transaction() as session:
        found = walked(session, case_of(session, case), start, stops)
    assert set(found) == {"first_review", "approval"}
    for clock, one in found.items():
        expected = by_hand(start, LONG[clock], stops)
        if over_before(start, LONG[clock], stops):
            assert one.due_on >= expected, (clock, start, stops)
        else:
            assert one.due_on == expected, (clock, start, stops)
        assert not one.provisional


def test_what_was_asked_for_has_a_period_of_its_own_and_the_others_stand_still(case: int) -> None:
    day = date(2026, 3, 2)
    with transaction() as session:
        one = case_of(session, case)
        walked(session, one, day, ())
        turn(session, one, "ask", RULES, day + 2 * DAY)
        found = {each.clock: each for each in running(session, case)}
    assert found["supplement"].due_on == by_hand(day + 2 * DAY, 10, ())
    assert [found[clock].stopped_on for clock in ("first_review", "approval")] == [
        day + 2 * DAY
    ] * 2
    assert found["supplement"].stopped_on is None


@pytest.mark.parametrize(
    "deeds",
    [("submit", "ask", "supply"), ("submit", "accept", "review", "refuse", "appeal", "overturn"),
     ("submit", "accept", "review", "ask", "supply")],
    ids=lambda deeds: deeds[-2],
)  # fmt: skip
def test_whoever_has_it_back_owes_a_review_and_a_decision_by_a_day(
    case: int, deeds: Sequence[str]
) -> None:
    with transaction() as session:
        one = case_of(session, case)
        for number, deed in enumerate(deeds):
            turn(session, one, deed, RULES, date(2026, 3, 2) + number * DAY)
        found = {each.clock for each in running(session, case)}
    assert found >= {"first_review", "approval"}


@pytest.mark.parametrize("stops", [(), ((date(2026, 12, 10), date(2026, 12, 28)),)])
def test_a_period_that_reaches_into_a_year_not_arranged_yet_says_so(
    case: int, stops: Stops
) -> None:
    start = date(2026, 12, 7)
    with transaction() as session:
        found = walked(session, case_of(session, case), start, stops)
    approval = found["approval"]
    assert approval.due_on.year == 2027
    assert approval.provisional
    assert is_working_day(approval.due_on).value
    assert found["first_review"].provisional == (found["first_review"].due_on.year == 2027)


def test_a_count_that_forgets_the_stops_is_noticed(case: int) -> None:
    start, stops = date(2026, 3, 2), ((date(2026, 3, 4), date(2026, 3, 18)),)
    with transaction() as session:
        found = walked(session, case_of(session, case), start, stops)
    assert found["approval"].due_on != by_hand(start, LONG["approval"], ())
