"""Which identity counts on which day, and the same by columns."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from backend.estimation.identities import months_before
from backend.estimation.layout import calendar_years
from backend.estimation.masks import months_before as months_before_columns
from backend.estimation.plan import month_end


@pytest.mark.parametrize(
    ("day", "months", "earlier"),
    [
        (date(2024, 2, 29), 12, date(2023, 2, 28)),
        (date(2025, 2, 28), 12, date(2024, 2, 28)),
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2024, 1, 15), 12, date(2023, 1, 15)),
        (date(2024, 1, 1), 1, date(2023, 12, 1)),
    ],
)
def test_months_before_keeps_the_day_or_takes_the_last_one(
    day: date, months: int, earlier: date
) -> None:
    assert months_before(day, months) == earlier


def test_columns_count_months_as_single_days_do() -> None:
    first, last = date(2019, 1, 1).toordinal(), date(2029, 1, 1).toordinal()
    days = np.arange(first, last, dtype=np.int32)
    for months in (1, 5, 12):
        found = months_before_columns(days, months).tolist()
        assert found == [
            months_before(date.fromordinal(day), months).toordinal() for day in days.tolist()
        ]


def test_month_ends_are_the_calendars() -> None:
    days = np.array([date(2024, 2, 3).toordinal(), date(2023, 12, 31).toordinal()], np.int32)
    ends = [date.fromordinal(day) for day in month_end(days).tolist()]
    assert ends == [date(2024, 2, 29), date(2023, 12, 31)]


def test_years_are_counted_from_the_first_of_the_block() -> None:
    days = np.array([date(2023, 12, 31).toordinal(), date(2024, 1, 1).toordinal()], np.int32)
    years = calendar_years(days)
    assert years is not None
    assert years.tolist() == [0, 1]
    assert calendar_years(days[:1]) is None
