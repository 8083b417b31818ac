"""口说的日子 (days): `去年三月`, `上个月`, `2024.3.9`, `三月九号`, as of a day that is given."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta
from typing import Final

_NUMBERS: Final = {word: n for n, word in enumerate("零一二三四五六七八九十")}
_CHINESE: Final = "(?:[一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九])"
DAY_IN_PARTS: Final = re.compile(
    r"(?<!\d)(20\d\d)\s*[-./年\s]\s*(\d{1,2})\s*[-./月\s]\s*(\d{1,2})(?!\d)", re.ASCII
)
_DAY_AS_NUMBER: Final = re.compile(r"(?<!\d)(20\d\d)([01]\d)([0-3]\d)(?!\d)", re.ASCII)
_YEAR: Final = re.compile(
    rf"(?<!\d)20\d\d(?=\s*(?:年|[-./]\s*\d{{1,2}}(?!\d)|(?:\d{{1,2}}|{_CHINESE})\s*月))|^20\d\d$"
)
"""A bare number beside other words is a sum (`花了2050块`)."""
_YEAR_MONTH: Final = re.compile(r"(?<=20\d\d)\s*[-./]\s*(\d{1,2})(?!\d)", re.ASCII)
_MONTH: Final = re.compile(
    rf"(?<![上下个\d])(\d{{1,2}}|{_CHINESE})\s*月(?:份)?(?:\s*(\d{{1,2}}|{_CHINESE})\s*[号日])?"
)
_YEARS_TO_COME: Final = ("明年", "后年", "来年", "下年", "下一年")
_YEARS_AGO: Final = {"大前年": 3, "前年": 2, "去年": 1, "上年": 1, "旧年": 1, "今年": 0}
_DAYS_AGO: Final = {"前天": 2, "昨天": 1, "昨日": 1, "今天": 0, "今日": 0, "刚出院": 0, "刚刚": 0}
_MONTHS_AGO: Final = {"上上个月": 2, "上个月": 1, "上月": 1, "这个月": 0, "本月": 0}


def day_in(text: str, today: date) -> date | None:
    """The last day that a normalised text can mean, not after today; None: it names none.

    A month means its last day, a year 31 December: the day of discharge is what decides the year.
    """
    whole = DAY_IN_PARTS.search(text) or _DAY_AS_NUMBER.search(text)
    if whole is not None:
        return _past(_date(*_numbers(whole)), today)
    for word, days in _DAYS_AGO.items():
        if word in text:
            return today - timedelta(days=days)
    for word, months in _MONTHS_AGO.items():
        if word in text:
            return _months_ago(today, months)
    return _past(_in_year(text, today), today)


def _in_year(text: str, today: date) -> date | None:
    year = _year(text, today)
    if year is None and any(word in text for word in _YEARS_TO_COME):
        return None
    text = _YEAR_MONTH.sub(r"年\1月", text)
    month = _MONTH.search(text)
    if month is None:
        if year is None or year > today.year:
            return None
        return min(date(year, 12, 31), today)
    number, day = _number(month[1]), _number(month[2]) if month[2] else None
    if not 1 <= number <= 12:
        return None
    if year is None:
        year = today.year if number <= today.month else today.year - 1
    if day is None:
        return _last_of(year, number, today)
    return _date(year, number, day)


def _year(text: str, today: date) -> int | None:
    named = _YEAR.search(text)
    if named is not None:
        return int(named[0])
    return next((today.year - ago for word, ago in _YEARS_AGO.items() if word in text), None)


def _last_of(year: int, month: int, today: date) -> date:
    last = date(year, month, monthrange(year, month)[1])
    return today if (year, month) == (today.year, today.month) else last


def _months_ago(today: date, months: int) -> date:
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    return _last_of(year, month + 1, today)


def _numbers(match: re.Match[str]) -> tuple[int, int, int]:
    return int(match[1]), int(match[2]), int(match[3])


def _number(said: str) -> int:
    if said.isdecimal():
        return int(said)
    tens, ten, ones = said.rpartition("十")
    return (_NUMBERS[tens] if tens else 1) * 10 * bool(ten) + (_NUMBERS[ones] if ones else 0)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _past(day: date | None, today: date) -> date | None:
    return day if day is not None and day <= today else None
