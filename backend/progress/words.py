"""进度的说法 (words): what is said of a step, a state, a desk and a period, and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from backend.kernel.yaml_file import YamlFile

Mode: TypeAlias = Literal["normal", "elder", "staff"]
"""To residents in plain and in elder wording; to staff."""
FILE: Final = Path(__file__).with_name("words.yaml")


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same to everybody in their wording."""

    normal: str
    elder: str
    staff: str

    def to(self, mode: Mode) -> str:
        """In one wording."""
        return str(getattr(self, mode))


class StepWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of a step. `inner`: residents are not shown it; `note`: they read what was written to it."""

    staff: str
    normal: str = ""
    elder: str = ""
    inner: bool = False
    note: bool = False

    def to(self, mode: Mode) -> str:
        """In one wording."""
        return str(getattr(self, mode))


class StateSaid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`name`: of the state; `now`: what happens; `todo`: what the resident does."""

    name: str
    now: str
    todo: str


class StateWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of a state. `who`: has it, where the desk's name would mislead; `after`: what the resident
    does instead, where a step of this name came last."""

    normal: StateSaid
    elder: StateSaid
    staff: str
    who: Words | None = None
    after: Mapping[str, Words] = {}

    def to(self, mode: Mode) -> StateSaid:
        """In one wording; staff are told what the resident is asked to do."""
        if mode == "elder":
            return self.elder
        if mode == "staff":
            return StateSaid(self.staff, self.staff, self.normal.todo)
        return self.normal


class ClockWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of a period, with `{day}`. `own`: it is the resident's."""

    normal: str
    elder: str
    staff: str
    own: bool = False

    def to(self, mode: Mode) -> str:
        """In one wording."""
        return str(getattr(self, mode))


class Book(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of them."""

    steps: Mapping[str, StepWords]
    states: Mapping[str, StateWords]
    desks: Mapping[str, Words]
    clocks: Mapping[str, ClockWords]
    provisional: Words
    stopped: Words
    late: Words
    missed: Words


WORDS: Final = YamlFile(FILE, "words.yaml").convert(Book)
NOBODY: Final = "nobody"


def of_step(deed: str, to_state: str) -> StepWords:
    """What is said of a step."""
    return WORDS.steps.get(deed) or WORDS.steps[f"{deed}/{to_state}"]


def holder(state: str, desk: str, mode: Mode) -> str:
    """Who has a case of the state at the desk, in words."""
    instead = WORDS.states[state].who
    return (instead or WORDS.desks[desk or NOBODY]).to(mode)


def to_do(state: str, last: str, mode: Mode) -> str:
    """What the resident does in the state to which the deed `last` led."""
    words = WORDS.states[state]
    instead = words.after.get(last)
    return words.to(mode).todo if instead is None else instead.to(mode)


def period(clock: str, due_on: date, more: Words | None, mode: Mode) -> str:
    """A period with its last day; `more`: what is added to it."""
    day = f"{due_on.year}年{due_on.month}月{due_on.day}日"
    added = "" if more is None else more.to(mode)
    return WORDS.clocks[clock].to(mode).format(day=day) + added
