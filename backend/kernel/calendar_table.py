"""放假安排表: the published holidays and make-up working days, read and checked from YAML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from backend.kernel.yaml_file import FileError, FileFault, Step, YamlFile

STATUTORY: Final = ("元旦", "春节", "清明节", "劳动节", "端午节", "中秋节", "国庆节")
"""全体公民放假的节日; a joint holiday is named with 、 (`国庆节、中秋节`)."""


class _Shape(Struct, frozen=True, forbid_unknown_fields=True):
    """Immutable, and a misspelt key is a fault."""


class NoticeShape(_Shape, frozen=True):
    """A notice of the State Council's general office; `number` is null where not confirmed."""

    number: str | None
    issued: date
    changes: str | None = None


class HolidayShape(_Shape, frozen=True):
    """放假: `from_` and `to` are both included."""

    name: str
    from_: date = field(name="from")
    to: date


class YearShape(_Shape, frozen=True):
    """The arrangement of one year, as its notices say it."""

    year: int
    notices: list[NoticeShape]
    holidays: list[HolidayShape]
    make_up: list[date]


class TableShape(_Shape, frozen=True):
    """The whole file."""

    years: list[YearShape]


@dataclass(frozen=True)
class PublishedDays:
    """What the notices say. `holidays` and `make_up` give the reason of each day, in Chinese."""

    years: frozenset[int]
    holidays: dict[date, str]
    make_up: dict[date, str]


def read_published_days(path: Path) -> PublishedDays:
    """Read and check the table; raises `FileError` with every fault, its line and reason."""
    file = YamlFile(path, path.name)
    table = file.convert(TableShape)
    faults = [file.fault(reason, *place) for reason, place in _faults(table)]
    if faults:
        raise FileError(sorted(faults, key=_by_line))
    holidays: dict[date, str] = {}
    make_up: dict[date, str] = {}
    for year in table.years:
        source = _source(year)
        for holiday in year.holidays:
            holidays.update((day, f"{holiday.name}放假（{source}）") for day in _days(holiday))
        make_up.update((day, f"调休上班（{source}）") for day in year.make_up)
    return PublishedDays(frozenset(year.year for year in table.years), holidays, make_up)


def _by_line(fault: FileFault) -> int:
    return fault.line


def _source(year: YearShape) -> str:
    unnumbered = "国务院办公厅{:%Y-%m-%d}通知"
    return "、".join(n.number or unnumbered.format(n.issued) for n in year.notices)


def _days(holiday: HolidayShape) -> Iterator[date]:
    day = holiday.from_
    while day <= holiday.to:
        yield day
        day += timedelta(days=1)


# -- checks: reason, place in the file ---------------------------------------------------------

Fault = tuple[str, tuple[Step, ...]]


def _faults(table: TableShape) -> Iterator[Fault]:
    years: set[int] = set()
    taken: dict[date, str] = {}
    for index, year in enumerate(table.years):
        place = ("years", index)
        if year.year in years:
            yield f"{year.year}年写了两次", (*place, "year")
        years.add(year.year)
        yield from ((reason, (*place, *rest)) for reason, rest in _year_faults(year, taken))


def _year_faults(year: YearShape, taken: dict[date, str]) -> Iterator[Fault]:
    if not year.notices:
        yield "没有写依据的通知", ("notices",)
    named = {name for holiday in year.holidays for name in holiday.name.split("、")}
    missing = [name for name in STATUTORY if name not in named]
    if missing:
        yield f"{year.year}年缺少{'、'.join(missing)}", ("holidays",)
    for index, holiday in enumerate(year.holidays):
        yield from _holiday_faults(year.year, holiday, taken, ("holidays", index))
    for index, day in enumerate(year.make_up):
        yield from _make_up_faults(year.year, day, taken, ("make_up", index))


def _holiday_faults(
    year: int, holiday: HolidayShape, taken: dict[date, str], place: tuple[Step, ...]
) -> Iterator[Fault]:
    if not _belongs(holiday.from_, year) or not _belongs(holiday.to, year):
        yield f"{holiday.name}不在{year}年内", place
        return
    if holiday.to < holiday.from_:
        yield f"{holiday.name}的最后一天早于第一天", place
    for day in _days(holiday):
        if day in taken:
            yield f"{day}已写为{taken[day]}，又写为{holiday.name}", place
        taken[day] = holiday.name


def _make_up_faults(
    year: int, day: date, taken: dict[date, str], place: tuple[Step, ...]
) -> Iterator[Fault]:
    if not _belongs(day, year):
        yield f"调休上班日{day}不在{year}年内", place
    if day.weekday() < 5:
        yield f"{day}不是周六或周日，不会是调休上班日", place
    if day in taken:
        yield f"{day}已写为{taken[day]}，又写为调休上班", place
    taken[day] = "调休上班"


def _belongs(day: date, year: int) -> bool:
    """A notice may reach back into the December before: 2018-12-29 was worked for New Year 2019."""
    return day.year == year or (day.year == year - 1 and day.month == 12)
