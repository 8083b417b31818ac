"""What comes by itself: once, on its day, and not for what somebody did in time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from backend.applications.clocks import Running, running
from backend.applications.tasks import do_due, every_day_of_cases
from backend.applications.upkeep import NEAR, recount
from backend.kernel import calendar, keys
from backend.kernel.calendar import WorkingCalendar, add_working_days
from backend.kernel.calendar_table import PublishedDays
from backend.kernel.database import transaction
from tests.support.case_paths import case_in
from tests.support.case_world import TODAY, CaseWorld
from tests.support.mornings import morning

DAY = timedelta(days=1)
DRAFT_DAYS = 60
"""Of a recognition in the catalogue."""


@pytest.fixture(autouse=True)
def _keys(world: CaseWorld, tmp_path: Path) -> None:
    keys.bind(tmp_path / "keys.json")


def clock(world: CaseWorld, case: int, name: str) -> Running:
    with world.acting("甲测试") as (session, _):
        return next(one for one in running(session, case) if one.clock == name)


def one(world: CaseWorld, query: str, **values: Any) -> Any:
    with world.owner.connect() as connection:
        return connection.execute(text(query), values).scalar_one()


def raised(world: CaseWorld, case: int) -> int:
    return int(one(world, "SELECT raised FROM application WHERE id = :case", case=case))


def test_a_case_goes_up_once_before_the_end_of_its_period_and_once_after_it(
    world: CaseWorld,
) -> None:
    case = case_in(world, "submitted")
    due = clock(world, case, "first_review").due_on
    day, went_up = TODAY, []
    while day < due + 30 * DAY:
        went_up += [(day, deed) for _, deed in morning(world.owner, day)]
        day += DAY
    near = next(one for one in (due - n * DAY for n in range(9, -1, -1))
                if add_working_days(one, NEAR).day >= due)  # fmt: skip
    assert went_up == [(near, "escalate"), (due + DAY, "escalate")]
    assert raised(world, case) == 2


def test_an_emergency_lies_with_the_county_and_goes_up_like_any_other(world: CaseWorld) -> None:
    case = case_in(world, "accepted", fast_lane=True)
    assert morning(world.owner, TODAY) == []
    late = clock(world, case, "first_review").due_on + DAY
    assert morning(world.owner, late) == [(case, "escalate")]
    assert world.does("市甲", case, "help").state == "helped"


def test_what_somebody_did_meanwhile_is_left_alone(world: CaseWorld) -> None:
    case = case_in(world, "supplement")
    late = clock(world, case, "supplement").due_on + DAY
    every_day_of_cases.task.run(late.isoformat())
    world.does("甲测试", case, "supply")
    do_due.run(case_id=case, deed="lapse", day=late.isoformat())
    assert world.state(case) == "accepted"


def test_a_supplement_lapses_after_its_last_day_and_the_applicant_hears_of_it(
    world: CaseWorld,
) -> None:
    case = case_in(world, "supplement")
    due = clock(world, case, "supplement").due_on
    assert morning(world.owner, due) == []
    assert morning(world.owner, due + DAY) == [(case, "lapse")]
    assert world.state(case) == "withdrawn"
    assert one(world, "SELECT count(*) FROM notice_due WHERE kind = 'application_lapsed'") == 1


def test_a_refused_case_is_closed_after_the_days_for_an_appeal(world: CaseWorld) -> None:
    case, appealed = case_in(world, "refused"), case_in(world, "refused")
    world.does("甲测试", appealed, "appeal")
    due = clock(world, case, "appeal").due_on
    assert (case, "close") not in morning(world.owner, due)
    assert (case, "close") in morning(world.owner, due + DAY)
    assert (world.state(case), world.state(appealed)) == ("closed", "appealed")


def test_a_draft_is_over_after_its_days_and_is_told_of_before(world: CaseWorld) -> None:
    case = case_in(world, "draft")
    begun = one(world, "SELECT (begun_at AT TIME ZONE 'Asia/Shanghai')::date FROM application")
    soon = add_working_days(begun, DRAFT_DAYS - 10).day
    told = "SELECT count(*) FROM notice_due WHERE kind = 'draft_ends'"
    assert morning(world.owner, soon - DAY) == []
    assert one(world, told) == 0
    for _ in range(3):
        assert morning(world.owner, soon) == []
    assert one(world, told) == 1
    last = add_working_days(begun, DRAFT_DAYS).day
    assert morning(world.owner, last) == []
    assert morning(world.owner, add_working_days(last, 1).day) == [(case, "expire")]
    assert world.state(case) == "withdrawn"


def test_a_draft_that_nobody_was_told_of_is_not_over(world: CaseWorld) -> None:
    case_in(world, "draft")
    begun = one(world, "SELECT (begun_at AT TIME ZONE 'Asia/Shanghai')::date FROM application")
    late = add_working_days(begun, DRAFT_DAYS * 2).day
    assert morning(world.owner, late) == []
    assert morning(world.owner, add_working_days(late, 10).day) == []
    assert len(morning(world.owner, add_working_days(late, 11).day)) == 1


def test_a_draft_that_was_touched_begins_its_days_anew(world: CaseWorld) -> None:
    case = case_in(world, "draft")
    begun = one(world, "SELECT (begun_at AT TIME ZONE 'Asia/Shanghai')::date FROM application")
    morning(world.owner, add_working_days(begun, DRAFT_DAYS - 10).day)
    world.answer("甲测试", case, "income", "100")
    touched = add_working_days(begun, DRAFT_DAYS - 5).day
    world.town.accounts.change(
        "UPDATE application_answer SET at = CAST(:day AS date) + interval '12 hours'", day=touched
    )
    assert morning(world.owner, add_working_days(begun, DRAFT_DAYS + 1).day) == []
    morning(world.owner, add_working_days(touched, DRAFT_DAYS - 10).day)
    assert one(world, "SELECT count(*) FROM notice_due WHERE kind = 'draft_ends'") == 2
    assert len(morning(world.owner, add_working_days(touched, DRAFT_DAYS + 1).day)) == 1


def test_however_many_workers_a_deed_is_done_once(world: CaseWorld) -> None:
    cases = [case_in(world, "submitted") for _ in range(3)]
    near = (clock(world, cases[0], "first_review").due_on - DAY).isoformat()
    many = [one for one in cases for _ in range(8)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: every_day_of_cases.task.run(near), range(4)))
        list(pool.map(lambda case: do_due.run(case_id=case, deed="escalate", day=near), many))
    jobs = one(
        world, "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'applications.due'"
    )
    assert jobs == len(cases)
    assert [raised(world, case) for case in cases] == [1, 1, 1]


def test_a_period_is_counted_anew_when_the_days_are_arranged(
    world: CaseWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.today = date(2026, 12, 25)
    case = case_in(world, "submitted")
    before = clock(world, case, "first_review")
    assert before.provisional
    with transaction() as session:
        assert recount(session) == 0
    monkeypatch.setattr(calendar, "working_calendar", arranged)
    with transaction() as session:
        assert recount(session) == 1
        assert recount(session) == 0
    after = clock(world, case, "first_review")
    assert not after.provisional
    assert after.due_on == add_working_days(world.today, 7).day > before.due_on


def arranged() -> WorkingCalendar:
    """The notice for 2027 came: its first week is off."""
    published = calendar.read_published_days(calendar.TABLE)
    holidays = {date(2027, 1, day): "元旦放假" for day in range(1, 8)}
    return WorkingCalendar(
        PublishedDays(
            years=frozenset({*published.years, 2027, 2028}),
            holidays={**published.holidays, **holidays},
            make_up=published.make_up,
        )
    )
