"""A policy (政策) with its dated figures, as the rest of the program reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import ClassVar, Final, Literal, TypeVar

from backend.kernel.errors import DomainError
from backend.kernel.money import format_percent, format_yuan, parse_rate, parse_yuan
from backend.policies.benefit_shapes import BenefitsShape
from backend.policies.shapes import (
    ClauseShape,
    DocumentShape,
    EntitlementShape,
    ParameterShape,
    ReadingShape,
    ServiceShape,
    Unit,
)

K = TypeVar("K")
V = TypeVar("V")

State = Literal["in_force", "expired", "not_yet", "unconfirmed"]

_COUNTED: Final[Mapping[str, str]] = {
    "days": "天",
    "working_days": "个工作日",
    "months": "个月",
    "years": "年",
    "age": "周岁",
    "count": "",
}


class DatesReversed(DomainError):
    """The last day lies before the first."""

    code: ClassVar[str] = "dates-reversed"


def parse_value(unit: Unit, text: str) -> int | date:
    """A parameter's value: fen, 1/10,000, a count, or a day. Raises `ValueError`."""
    if unit == "yuan":
        return parse_yuan(text)
    if unit in ("rate", "points"):
        return parse_rate(text)
    if unit == "date":
        return date.fromisoformat(text)
    if not text.isascii() or not text.isdigit():
        raise ValueError("not a whole number")
    return int(text)


def how_written(unit: Unit) -> str:
    """How a value of the unit is written in a file, for people who edit it."""
    if unit == "yuan":
        return '金额要加引号，写两位小数，不带逗号，如 "3000.00"'
    if unit in ("rate", "points"):
        return '比例要加引号，在 0 和 1 之间，最多四位小数，如 "0.85"'
    if unit == "date":
        return '日期要加引号，写成 年-月-日，如 "2024-04-30"'
    return '要写成整数，加引号，如 "7"'


def format_value(unit: Unit, value: int | date) -> str:
    """A value as people read it: `3000.00 元`, `85%`, `7 个工作日`."""
    if isinstance(value, date):
        return value.isoformat()
    if unit == "yuan":
        return f"{format_yuan(value)} 元"
    if unit == "rate":
        return format_percent(value)
    if unit == "points":
        return f"{format_percent(value).removesuffix('%')} 个百分点"
    return f"{value} {_COUNTED[unit]}".rstrip()


@dataclass(frozen=True)
class DatedValue:
    """One value of a parameter. `from_`/`to`: days, both included; None: open."""

    from_: date | None
    to: date | None
    value: int | date
    note: str | None


@dataclass(frozen=True)
class Parameter:
    """参数: a figure with its history, oldest first."""

    shape: ParameterShape
    values: tuple[DatedValue, ...]

    def on(self, day: date) -> DatedValue | None:
        """The value in use on a day; None before the first."""
        for value in reversed(self.values):
            if value.from_ is None or value.from_ <= day:
                return value
        return None


@dataclass(frozen=True)
class Policy:
    """政策: one document and everything it decides.

    `version`: a hash of the files that decide money; `edition`: of all files. `confirmed`: days of
    force that the locality confirmed where the document states none.
    """

    document: DocumentShape
    clauses: Mapping[str, ClauseShape]
    readings: Mapping[str, ReadingShape]
    parameters: Mapping[str, Parameter]
    benefits: BenefitsShape
    entitlements: tuple[EntitlementShape, ...]
    services: tuple[ServiceShape, ...]
    version: str
    edition: str
    confirmed: tuple[date, date | None] | None = None

    @property
    def id(self) -> str:
        """The policy's id, the name of its folder."""
        return self.document.id

    @property
    def cited_as(self) -> str:
        """How the document is cited: its number, else its title in brackets."""
        return self.document.number or f"《{self.document.title}》"

    @property
    def area(self) -> str | None:
        """GB/T 2260 code; None for a template."""
        return self.document.area.code if self.document.area else None

    @cached_property
    def first_day(self) -> date | None:
        """The first day of matters it decides (参照执行 included); None: not known."""
        if self.confirmed is not None and self.confirmed[0] != self.document.in_force.from_:
            return self.confirmed[0]
        starts = [day for day in (self.document.applies_from, self.document.in_force.from_) if day]
        return min(starts) if starts else None

    @cached_property
    def last_day(self) -> date | None:
        """The last day in force; None: no end stated."""
        return self.confirmed[1] if self.confirmed is not None else self.document.in_force.to

    @property
    def unconfirmed(self) -> bool:
        """The days of force are not known: the locality has yet to confirm them."""
        return self.confirmed is None and self.document.validity.dates == "unconfirmed"

    @property
    def dates_open(self) -> bool:
        """The document leaves the first or the last day open: a locality may have confirmed it."""
        return self.document.validity.dates != "stated" or self.document.in_force.to is None

    def state_on(self, day: date) -> State:
        """效力 on a day."""
        if self.unconfirmed:
            return "unconfirmed"
        if self.first_day is not None and day < self.first_day:
            return "not_yet"
        if self.last_day is not None and day > self.last_day:
            return "expired"
        return "in_force"

    def confirm(self, from_: date, to: date | None) -> Policy:
        """The same policy with the days of force that the locality confirmed."""
        return replace(self, confirmed=(from_, to))


def dated_values(shape: ParameterShape) -> tuple[DatedValue, ...]:
    """The values of a parameter with their spans. Raises `ValueError` for an unreadable value."""
    values: list[DatedValue] = []
    followers = [value.from_ for value in shape.values[1:]] + [None]
    for item, follower in zip(shape.values, followers, strict=True):
        to = date.fromordinal(follower.toordinal() - 1) if follower else None
        values.append(DatedValue(item.from_, to, parse_value(shape.unit, item.value), item.note))
    return tuple(values)


def frozen_map(items: dict[K, V]) -> Mapping[K, V]:
    """A read-only view."""
    return MappingProxyType(items)
