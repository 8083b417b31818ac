from __future__ import annotations

from calendar import monthrange
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.copy import FAR_FUTURE, FAR_PAST
from backend.matching.intervals import (
    Intervals,
    birthday,
    common,
    joined,
    merged,
    month_after,
    month_end,
)

ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 30), st.integers(0, 30)).map(
        lambda row: (row[0], min(row[1:]), max(row[1:]))
    ),
    max_size=12,
)


def intervals(rows: list[tuple[int, int, int]]) -> Intervals:
    columns = np.array(sorted(rows), np.int32).reshape(-1, 3).T
    return Intervals(*columns)


def days(of: Intervals) -> list[tuple[int, int]]:
    """Every (person, day), in the order of the intervals."""
    rows = zip(of.person.tolist(), of.from_.tolist(), of.to.tolist(), strict=True)
    return [(person, day) for person, first, last in rows for day in range(first, last + 1)]


@given(ROWS)
def test_merged_intervals_hold_the_same_days_and_do_not_touch(
    rows: list[tuple[int, int, int]],
) -> None:
    whole = merged(intervals(rows))
    assert days(whole) == sorted(set(days(intervals(rows))))
    ends = list(zip(whole.person.tolist(), whole.to.tolist(), strict=True))
    begins = list(zip(whole.person.tolist(), whole.from_.tolist(), strict=True))
    assert [one for one in ends if (one[0], one[1] + 1) in begins] == []


@given(ROWS, ROWS)
def test_common_days_lie_in_both(
    one: list[tuple[int, int, int]], other: list[tuple[int, int, int]]
) -> None:
    both = set(days(intervals(one))) & set(days(intervals(other)))
    assert days(common(merged(intervals(one)), merged(intervals(other)))) == sorted(both)


@given(ROWS, st.integers(0, 30), st.integers(0, 30))
def test_clipped_intervals_keep_the_days_within(
    rows: list[tuple[int, int, int]], first: int, last: int
) -> None:
    clipped = intervals(rows).clip(first, last)
    assert days(clipped) == [one for one in days(intervals(rows)) if first <= one[1] <= last]
    assert clipped.from_.dtype == clipped.to.dtype == np.int32


def test_open_intervals_stay_open() -> None:
    whole = merged(intervals([(0, FAR_PAST, 5), (0, 6, FAR_FUTURE), (1, 3, FAR_FUTURE)]))
    assert whole.from_.tolist() == [FAR_PAST, 3]
    assert whole.to.tolist() == [FAR_FUTURE, FAR_FUTURE]


def test_no_parts_are_no_intervals() -> None:
    assert len(joined([])) == len(joined([intervals([])])) == 0


def ordinals(*days: date) -> np.ndarray:  # type: ignore[type-arg]
    return np.array([day.toordinal() for day in days], np.int32)


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)))
def test_a_month_ends_on_its_last_day(day: date) -> None:
    last = day.replace(day=monthrange(day.year, day.month)[1])
    assert month_end(ordinals(day)).tolist() == [last.toordinal()]
    assert month_after(ordinals(day), 1).tolist() == [last.toordinal() + 1]


def test_an_open_end_has_no_month() -> None:
    assert month_end(np.array([FAR_FUTURE], np.int32)).tolist() == [FAR_FUTURE]


@pytest.mark.parametrize(
    ("born_on", "age", "day"),
    [
        (date(1960, 5, 5), 65, date(2025, 5, 5)),
        (date(1960, 2, 29), 64, date(2024, 2, 29)),
        (date(1960, 2, 29), 65, date(2025, 2, 28)),
        (date(1960, 2, 28), 65, date(2025, 2, 28)),
        (date(2024, 1, 1), 0, date(2024, 1, 1)),
    ],
)
def test_an_age_is_reached_on_the_birthday(born_on: date, age: int, day: date) -> None:
    assert birthday(ordinals(born_on), age).tolist() == [day.toordinal()]
