"""数值 (figures): a policy's parameters on a day, with their history, as people read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from backend.kernel.money import RATE_UNIT, format_yuan
from backend.policies.policy import DatedValue, Parameter, Policy, format_value
from backend.policies.shapes import Unit


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of a parameter. `value`: a plain string (`3000.00`, `0.85`, `7`, `2024-04-30`);
    `text`: as people read it (`3000.00 元`, `不低于 85%`, `7 个工作日`); days both included."""

    from_: date | None
    to: date | None
    value: str
    text: str
    note: str | None


@dataclass(frozen=True, slots=True)
class ParameterOnDay:
    """A parameter with the value in use on a day and all its values, oldest first."""

    code: str
    name: str
    unit: Unit
    clause: str
    floor: bool
    reading: str | None
    in_use: Figure | None
    text: str
    history: tuple[Figure, ...]

    @property
    def value(self) -> str | None:
        """The plain value in use; None before the first."""
        return None if self.in_use is None else self.in_use.value


class Wording:
    """The words for a policy's figures on a day; before its first day, those of the first day."""

    def __init__(self, policy: Policy, day: date) -> None:
        self.policy = policy
        self.day = figures_day(policy, day)

    def figure(self, code: str) -> Figure | None:
        """The parameter's value in use."""
        parameter = self.policy.parameters[code]
        dated = parameter.on(self.day)
        return None if dated is None else _figure(parameter, dated)

    def text(self, code: str) -> str:
        """The value in use, with 不低于 where the document states a floor."""
        figure = self.figure(code)
        return "还没有数值" if figure is None else figure.text

    def fen_or_rate(self, code: str) -> int | None:
        """The number in use, fen or 1/10,000."""
        dated = self.policy.parameters[code].on(self.day)
        return dated.value if dated is not None and isinstance(dated.value, int) else None


def figures_day(policy: Policy, day: date) -> date:
    """The day whose figures are shown: a policy that has not begun shows those it begins with."""
    return max(day, policy.first_day) if policy.first_day else day


def parameters_on(policy: Policy, day: date) -> tuple[ParameterOnDay, ...]:
    """Every parameter of the policy, in the order of the catalogue."""
    return tuple(_on_day(parameter, day) for parameter in policy.parameters.values())


def parameter_on(policy: Policy, code: str, day: date) -> ParameterOnDay:
    """One parameter of the policy."""
    return _on_day(policy.parameters[code], day)


def turning_days(policy: Policy) -> Iterator[date]:
    """The days on which a figure of the policy gets another value, or its first, unordered."""
    for parameter in policy.parameters.values():
        for value in parameter.values:
            if value.from_ is not None:
                yield value.from_


def _on_day(parameter: Parameter, day: date) -> ParameterOnDay:
    shape, dated = parameter.shape, parameter.on(day)
    in_use = None if dated is None else _figure(parameter, dated)
    history = tuple(_figure(parameter, value) for value in parameter.values)
    text = in_use.text if in_use else f"{history[0].from_} 起为 {history[0].text}"
    return ParameterOnDay(
        code=shape.code,
        name=shape.name,
        unit=shape.unit,
        clause=shape.clause,
        floor=shape.floor,
        reading=shape.reading,
        in_use=in_use,
        text=text,
        history=history,
    )


def _figure(parameter: Parameter, dated: DatedValue) -> Figure:
    unit = parameter.shape.unit
    text = format_value(unit, dated.value)
    text = f"不低于 {text}" if parameter.shape.floor else text
    return Figure(dated.from_, dated.to, _plain(unit, dated.value), text, dated.note)


def _plain(unit: Unit, value: int | date) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if unit == "yuan":
        return format_yuan(value)
    if unit in ("rate", "points"):
        whole, rest = divmod(value, RATE_UNIT)
        return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")
    return str(value)
