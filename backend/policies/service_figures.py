"""经办数值 (service figures): a figure of a service rule in a place, its own or the default.

Policy-facts §4: a service rule binds where its policy is in force; some are the product's default
for every area whose own policy says nothing (`default_elsewhere` in services.yaml).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from backend.policies.book import PolicyBook
from backend.policies.figures import figures_day
from backend.policies.policy import Policy
from backend.policies.shapes import ServiceShape


@dataclass(frozen=True, slots=True)
class ServiceFigure:
    """A figure: fen, 1/10,000 or a count. `default`: taken from a policy that is not in force here;
    before that policy's first day, the figure it begins with."""

    value: int
    policy: Policy
    clause: str
    default: bool


class NoFigure(LookupError):
    """No policy states the figure for the place and day."""


def service_figure(book: PolicyBook, area: str, day: date, code: str) -> ServiceFigure:
    """The figure `code` (`warning.income_share`) for people registered in `area` on a day.

    Raises `UnknownArea`, `NoFigure`.
    """
    own = book.of_area(area, day)
    if own is not None and (found := _figure(own, day, code, default=False)) is not None:
        return found
    for policy in book.policies.values():
        if any(_names(service, code) for service in _defaults(policy)):
            found = _figure(policy, figures_day(policy, day), code, default=True)
            if found is not None:
                return found
    raise NoFigure(f"{code} is stated nowhere for {area} on {day}")


def _defaults(policy: Policy) -> Iterator[ServiceShape]:
    return (service for service in policy.services if service.default_elsewhere)


def _names(service: ServiceShape, code: str) -> bool:
    return service.deadline == code or code in service.parameters


def _figure(policy: Policy, day: date, code: str, *, default: bool) -> ServiceFigure | None:
    parameter = policy.parameters.get(code)
    dated = None if parameter is None else parameter.on(day)
    if parameter is None or dated is None or not isinstance(dated.value, int):
        return None
    return ServiceFigure(dated.value, policy, parameter.shape.clause, default)
