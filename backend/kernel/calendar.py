"""工作日 (working days): the State Council's arrangements with make-up days (调休).

Years with an entry in `working_days.yaml` are exact. Any other year between 1949 and 2100 is
answered from the statutory holidays (全国年节及纪念日放假办法) and marked `provisional`: its
holidays are not arranged yet, and no legal deadline may rest on it without that mark.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backend.kernel.calendar_table import PublishedDays, read_published_days

if TYPE_CHECKING:
    from holidays import HolidayBase

TABLE: Final = Path(__file__).with_name("working_days.yaml")
FIRST_DAY: Final = date(1949, 1, 1)
LAST_DAY: Final = date(2100, 12, 31)

_WEEKDAYS: Final = "一二三四五六日"
_TUESDAY, _THURSDAY, _SATURDAY = 1, 3, 5
_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WorkingDay:
    """Whether people work on a day (`value`), and why, in Chinese."""

    value: bool
    provisional: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """期限: the last day; `provisional`: a day counted on the way there is not arranged yet."""

    day: date
    provisional: bool


@dataclass(frozen=True, slots=True)
class WorkingDayCount:
    """A number of working days; `provisional`: one of the days looked at is not arranged yet."""

    days: int
    provisional: bool


@dataclass(frozen=True, slots=True)
class _Year:
    working: tuple[date, ...]
    provisional_from: date | None
    """From this day to the end of the year nothing is certain; None: all of it is."""


class WorkingCalendar:
    """Answers from one table. Days outside `FIRST_DAY` to `LAST_DAY` raise `ValueError`."""

    def __init__(self, published: PublishedDays) -> None:
        self._published = published
        self._years: dict[int, _Year] = {}

    def is_working_day(self, day: date) -> WorkingDay:
        """Whether `day` is worked, and why."""
        _check(day)
        first = self._provisional_from(day.year)
        provisional = first is not None and day >= first
        if day in self._published.make_up:
            return WorkingDay(True, provisional, self._published.make_up[day])
        if day in self._published.holidays:
            return WorkingDay(False, provisional, self._published.holidays[day])
        if provisional:
            return _presumed(day)
        works = day.weekday() < _SATURDAY
        return WorkingDay(works, False, _weekday(day) + ("工作日" if works else "休息"))

    def add_working_days(self, start: date, n: int) -> Deadline:
        """The n-th working day after `start`; the day of the event itself is not counted.

        For n ≥ 1 the deadline is a working day. n = 0 (当日) is `start` itself, worked or not.
        Raises `ValueError` for n < 0.
        """
        _check(start)
        if n < 0:
            raise ValueError("a deadline cannot lie before its event: n must not be negative")
        if n == 0:
            return Deadline(start, False)
        year = start.year
        index = bisect_right(self._year(year).working, start) + n - 1
        while index >= len(self._year(year).working):
            index -= len(self._year(year).working)
            year += 1
            _check(date(year, 1, 1))
        day = self._year(year).working[index]
        return Deadline(day, self._provisional_between(start, day))

    def working_days_between(self, a: date, b: date) -> WorkingDayCount:
        """Working days after `a` up to and including `b`; negative when `b` lies before `a`.

        So `working_days_between(start, add_working_days(start, n).day)` is n.
        """
        _check(a)
        _check(b)
        if b < a:
            count = self.working_days_between(b, a)
            return WorkingDayCount(-count.days, count.provisional)
        years = (self._year(year).working for year in range(a.year, b.year + 1))
        days = sum(bisect_right(working, b) - bisect_right(working, a) for working in years)
        return WorkingDayCount(days, self._provisional_between(a, b))

    def _year(self, year: int) -> _Year:
        known = self._years.get(year)
        if known is None:
            days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
            working = (day for day in days if day.year == year and self.is_working_day(day).value)
            known = _Year(tuple(working), self._provisional_from(year))
            self._years[year] = known
        return known

    def _provisional_from(self, year: int) -> date | None:
        published = self._published.years
        if year not in published:
            return date(year, 1, 1)
        # A New Year on a Tuesday or a Thursday is joined to a weekend by a make-up day, and the
        # next year's notice may put that (and a bridge) into this December, as it did in 2018.
        if year + 1 not in published and date(year + 1, 1, 1).weekday() in (_TUESDAY, _THURSDAY):
            return date(year, 12, 25)
        return None

    def _provisional_between(self, after: date, until: date) -> bool:
        """Whether a day after `after`, up to and including `until`, is not arranged yet."""
        for year in range(after.year, until.year + 1):
            first = self._year(year).provisional_from
            if first is not None and max(first, after + _ONE_DAY) <= min(until, date(year, 12, 31)):
                return True
        return False


def _check(day: date) -> None:
    if isinstance(day, datetime):
        raise TypeError("a day is needed, not a moment: in which zone would it be?")
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"{day} lies outside the working-day calendar ({FIRST_DAY} to {LAST_DAY})")


def _presumed(day: date) -> WorkingDay:
    rules = _statutory(day.year)
    works = rules.is_working_day(day)
    what = rules.get(day) or _weekday(day)
    presumed = f"{what}暂按{'工作日' if works else '休息日'}推定"
    return WorkingDay(works, True, f"放假安排未载入，{presumed}，以国务院办公厅通知为准")


def _weekday(day: date) -> str:
    return f"周{_WEEKDAYS[day.weekday()]}"


@cache
def _statutory(year: int) -> HolidayBase:
    # Imported only for a year without an entry: the library takes 0.1 s and 400 modules.
    from holidays import country_holidays

    return country_holidays("CN", years=year, language="zh_CN")


# -- the table that comes with the program -----------------------------------------------------


@cache
def working_calendar() -> WorkingCalendar:
    """The calendar of `working_days.yaml`, read once; raises `FileError` where that is at fault."""
    return WorkingCalendar(read_published_days(TABLE))


def is_working_day(day: date) -> WorkingDay:
    """Whether `day` is worked; see `WorkingCalendar.is_working_day`."""
    return working_calendar().is_working_day(day)


def add_working_days(start: date, n: int) -> Deadline:
    """The n-th working day after `start`; see `WorkingCalendar.add_working_days`."""
    return working_calendar().add_working_days(start, n)


def working_days_between(a: date, b: date) -> WorkingDayCount:
    """Working days after `a` up to `b`; see `WorkingCalendar.working_days_between`."""
    return working_calendar().working_days_between(a, b)
