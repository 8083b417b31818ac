"""工作日: exact where the arrangement is published, provisional where it is not."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime, timedelta
from functools import cache

import chinese_calendar  # type: ignore[import-untyped]  # the package has no py.typed
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.calendar import (
    FIRST_DAY,
    LAST_DAY,
    TABLE,
    WorkingCalendar,
    add_working_days,
    is_working_day,
    working_days_between,
)
from backend.kernel.calendar_table import PublishedDays, TableShape
from backend.kernel.yaml_file import YamlFile

DAY = timedelta(days=1)
FIRST, LAST = date(2020, 1, 1), date(2026, 12, 31)
PUBLISHED = [FIRST + n * DAY for n in range((LAST - FIRST).days + 1)]

days = st.dates(FIRST_DAY, LAST_DAY)
starts = st.dates(FIRST_DAY, date(2098, 12, 31))
offsets = st.integers(1, 400)


# -- the published years ----------------------------------------------------------------------


def test_every_published_day_agrees_with_the_second_oracle() -> None:
    assert len(PUBLISHED) == 2557
    for day in PUBLISHED:
        answer = is_working_day(day)
        assert answer.value == chinese_calendar.is_workday(day), day
        assert not answer.provisional


def test_every_published_day_and_every_offset_to_60_agrees_with_counting_day_by_day() -> None:
    for start, counted in _naive_deadlines().items():
        for n, expected in enumerate(counted, start=1):
            answer = add_working_days(start, n)
            assert answer.day == expected, (start, n)
            assert answer.provisional == (expected > LAST), (start, n)


@cache
def _naive_deadlines() -> dict[date, list[date]]:
    """For each published day the 60 working days after it, by the second oracle, day by day.

    After 2026 the oracle knows nothing: there the statutory days of 2027 are written out here.
    """
    off_2027 = {date(2027, 1, 1), *(date(2027, 2, day) for day in (5, 8, 9, 10))}
    worked: list[date] = []
    deadlines: dict[date, list[date]] = {}
    day = date(2027, 4, 1)
    while day >= FIRST:
        if day <= LAST:
            deadlines[day] = list(reversed(worked[-60:]))
            works = chinese_calendar.is_workday(day)
        else:
            works = day.weekday() < 5 and day not in off_2027
        if works:
            worked.append(day)
        day -= DAY
    return deadlines


@pytest.mark.parametrize(("month", "day"), [(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)])
def test_the_make_up_days_of_2026_are_worked(month: int, day: int) -> None:
    answer = is_working_day(date(2026, month, day))
    assert answer.value
    assert answer.reason == "调休上班（国办发明电〔2025〕7号）"


def test_no_other_weekend_day_of_2026_is_worked() -> None:
    year = [day for day in PUBLISHED if day.year == 2026 and day.weekday() >= 5]
    assert sum(is_working_day(day).value for day in year) == 6


def test_the_day_added_to_the_spring_festival_of_2020_is_off_though_planned_as_worked() -> None:
    answer = is_working_day(date(2020, 2, 1))
    assert not answer.value
    assert answer.reason == "春节放假（国办发明电〔2019〕16号、国办发明电〔2020〕1号）"
    assert is_working_day(date(2020, 2, 3)).value


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2026, 7, 1), "周三工作日"),
        (date(2026, 7, 4), "周六休息"),
        (date(2026, 10, 1), "国庆节放假（国办发明电〔2025〕7号）"),
        (date(2025, 10, 6), "国庆节、中秋节放假（国办发明电〔2024〕12号）"),
        (date(2022, 12, 31), "元旦放假（国办发明电〔2022〕16号）"),
    ],
)
def test_each_answer_gives_its_reason(day: date, reason: str) -> None:
    assert is_working_day(day).reason == reason


def test_each_year_names_the_notice_that_it_rests_on() -> None:
    table = YamlFile(TABLE, TABLE.name).convert(TableShape)
    notices = {year.year: [(n.number, n.issued) for n in year.notices] for year in table.years}
    assert notices == {
        2020: [
            ("国办发明电〔2019〕16号", date(2019, 11, 21)),
            ("国办发明电〔2020〕1号", date(2020, 1, 26)),
        ],
        2021: [("国办发明电〔2020〕27号", date(2020, 11, 25))],
        2022: [("国办发明电〔2021〕11号", date(2021, 10, 25))],
        2023: [("国办发明电〔2022〕16号", date(2022, 12, 8))],
        2024: [("国办发明电〔2023〕7号", date(2023, 10, 25))],
        2025: [("国办发明电〔2024〕12号", date(2024, 11, 12))],
        2026: [("国办发明电〔2025〕7号", date(2025, 11, 4))],
    }


# -- deadlines --------------------------------------------------------------------------------


def test_seven_working_days_from_before_the_spring_festival_of_2026() -> None:
    # Accepted on Thursday 12 February: 13 and Saturday 14 are worked, 15 to 23 are off,
    # 24 to 27 are worked, and so is Saturday 28.
    assert add_working_days(date(2026, 2, 12), 7).day == date(2026, 2, 28)


def test_the_day_of_the_event_is_not_counted() -> None:
    assert add_working_days(date(2026, 7, 1), 1).day == date(2026, 7, 2)


def test_no_working_days_at_all_is_the_day_itself_even_on_a_sunday() -> None:
    deadline = add_working_days(date(2026, 7, 5), 0)
    assert deadline.day == date(2026, 7, 5)
    assert not deadline.provisional


def test_a_deadline_before_its_event_is_refused() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        add_working_days(date(2026, 7, 1), -1)


# -- years without a published table ----------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "works", "reason"),
    [
        (date(2027, 1, 4), True, "放假安排未载入，周一暂按工作日推定，以国务院办公厅通知为准"),
        (date(2027, 1, 9), False, "放假安排未载入，周六暂按休息日推定，以国务院办公厅通知为准"),
        (date(2027, 10, 1), False, "放假安排未载入，国庆节暂按休息日推定，以国务院办公厅通知为准"),
    ],
)
def test_a_day_of_2027_is_provisional_and_says_so(day: date, works: bool, reason: str) -> None:
    answer = is_working_day(day)
    assert answer.value == works
    assert answer.provisional
    assert answer.reason == reason


def test_a_deadline_that_reaches_into_2027_is_provisional() -> None:
    assert add_working_days(date(2026, 12, 30), 1).day == date(2026, 12, 31)
    assert not add_working_days(date(2026, 12, 30), 1).provisional
    assert add_working_days(date(2026, 12, 30), 2).provisional


def test_a_deadline_counted_from_the_last_day_of_2019_rests_on_2020_alone() -> None:
    deadline = add_working_days(date(2019, 12, 31), 1)
    assert deadline.day == date(2020, 1, 2)
    assert not deadline.provisional
    assert add_working_days(date(2019, 12, 30), 1).provisional


def test_the_end_of_a_december_is_provisional_while_the_next_notice_may_reach_into_it() -> None:
    # 1 January 2030 is a Tuesday: Monday 31 December is off then, for a weekend day before it.
    calendar = WorkingCalendar(PublishedDays(frozenset({2029}), {}, {}))
    assert not calendar.is_working_day(date(2029, 12, 24)).provisional
    assert calendar.is_working_day(date(2029, 12, 25)).provisional
    assert calendar.add_working_days(date(2029, 12, 24), 1).provisional
    assert not calendar.add_working_days(date(2029, 12, 23), 1).provisional
    settled = WorkingCalendar(PublishedDays(frozenset({2029, 2030}), {}, {}))
    assert not settled.is_working_day(date(2029, 12, 31)).provisional


@pytest.mark.parametrize("day", [date(1948, 12, 31), date(2101, 1, 1), date.min, date.max])
def test_a_day_out_of_all_bounds_is_refused(day: date) -> None:
    with pytest.raises(ValueError, match="outside the working-day calendar"):
        is_working_day(day)
    with pytest.raises(ValueError, match="outside the working-day calendar"):
        add_working_days(day, 0)
    with pytest.raises(ValueError, match="outside the working-day calendar"):
        working_days_between(date(2026, 1, 1), day)


def test_a_deadline_beyond_the_last_year_is_refused() -> None:
    with pytest.raises(ValueError, match="outside the working-day calendar"):
        add_working_days(date(2100, 12, 1), 60)


def test_a_moment_is_not_taken_for_a_day() -> None:
    with pytest.raises(TypeError, match="not a moment"):
        is_working_day(datetime(2026, 10, 1, 8, 0))


def test_every_year_within_the_bounds_has_an_answer() -> None:
    for year in range(1949, 2101):
        assert 240 <= working_days_between(date(year, 1, 1), date(year, 12, 31)).days <= 262


# -- properties -------------------------------------------------------------------------------


@given(starts, offsets)
def test_a_deadline_is_a_working_day_after_its_start(start: date, n: int) -> None:
    deadline = add_working_days(start, n)
    assert deadline.day > start
    assert is_working_day(deadline.day).value


@given(starts, offsets)
def test_counting_back_gives_the_offset(start: date, n: int) -> None:
    deadline = add_working_days(start, n)
    count = working_days_between(start, deadline.day)
    assert count.days == n
    assert count.provisional == deadline.provisional


@given(starts, st.integers(0, 200), st.integers(0, 200))
def test_two_steps_are_one(start: date, m: int, n: int) -> None:
    assert (
        add_working_days(add_working_days(start, m).day, n).day
        == add_working_days(start, m + n).day
    )


@given(days, st.integers(-500, 500))
def test_the_count_is_what_the_days_say_one_by_one(a: date, span: int) -> None:
    b = min(max(a + span * DAY, FIRST_DAY), LAST_DAY)
    low, high = sorted((a, b))
    each = [is_working_day(low + n * DAY) for n in range(1, (high - low).days + 1)]
    count = working_days_between(a, b)
    assert count.days == sum(one.value for one in each) * (1 if a <= b else -1)
    assert count.provisional == any(one.provisional for one in each)


@given(days, days, days)
def test_counts_add_up_over_a_day_between(a: date, b: date, c: date) -> None:
    first, second = working_days_between(a, b), working_days_between(b, c)
    assert first.days + second.days == working_days_between(a, c).days


def test_published_years_do_not_load_the_library_of_rules() -> None:
    program = (
        "import sys, datetime, backend.kernel.calendar as c;"
        "c.add_working_days(datetime.date(2026, 3, 1), 60);"
        "sys.exit('holidays' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
