"""政策变动 (changes): what another day brings: figures, policies in force, who decides where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from backend.kernel.errors import Fault
from backend.policies.book import PolicyBook
from backend.policies.figures import Figure, ParameterOnDay, parameter_on
from backend.policies.policy import DatesReversed, Policy
from backend.policies.standing import Decision, Standing, decide, standing_of


@dataclass(frozen=True, slots=True)
class ChangedFigure:
    """A parameter whose value in use differs. `before`: None where it had none yet."""

    policy: Policy
    parameter: ParameterOnDay
    before: Figure | None
    after: Figure | None


@dataclass(frozen=True, slots=True)
class ChangedStanding:
    """A policy whose state differs: come into force, expired."""

    before: Standing
    after: Standing


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between two days. `decisions`: who decides in the area on each, if one is asked
    about."""

    from_: date
    to: date
    decisions: tuple[Decision, ...]
    standings: tuple[ChangedStanding, ...]
    figures: tuple[ChangedFigure, ...]


def changes_in_area(book: PolicyBook, area: str, from_: date, to: date) -> Changes:
    """Changes of every policy that concerns the area. Raises `UnknownArea`, `DatesReversed`."""
    _in_order(from_, to)
    decisions = decide(book, area, from_), decide(book, area, to)
    pairs = zip(decisions[0].concerning, decisions[1].concerning, strict=True)
    standings = tuple(_differing(pairs))
    figures = tuple(_figures(book.concerning(area), from_, to))
    return Changes(from_, to, decisions, standings, figures)


def changes_of(policies: Iterable[Policy], from_: date, to: date) -> Changes:
    """Changes of the policies. Raises `DatesReversed`."""
    _in_order(from_, to)
    policies = tuple(policies)
    pairs = ((standing_of(policy, from_), standing_of(policy, to)) for policy in policies)
    return Changes(from_, to, (), tuple(_differing(pairs)), tuple(_figures(policies, from_, to)))


def _in_order(from_: date, to: date) -> None:
    if to < from_:
        detail = f"后一天 {to} 早于前一天 {from_}，请对调或改正。"
        raise DatesReversed(Fault("/to", detail))


def _differing(pairs: Iterable[tuple[Standing, Standing]]) -> Iterator[ChangedStanding]:
    for before, after in pairs:
        if before.state != after.state:
            yield ChangedStanding(before, after)


def _figures(policies: Iterable[Policy], from_: date, to: date) -> Iterator[ChangedFigure]:
    for policy in policies:
        for code in policy.parameters:
            before = parameter_on(policy, code, from_).in_use
            after = parameter_on(policy, code, to)
            if _value(before) != _value(after.in_use):
                yield ChangedFigure(policy, after, before, after.in_use)


def _value(figure: Figure | None) -> str | None:
    return None if figure is None else figure.value
