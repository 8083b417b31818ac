"""From a request to its answer, one at a time or many: what routes and the command line share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import ValidationError

from backend.estimation.case import Case
from backend.estimation.checks import InvalidCase
from backend.estimation.estimate import Estimate, estimate_payments
from backend.estimation.terms import Rules
from backend.kernel.errors import DomainError
from backend.policies.book import UnknownArea, UnknownPolicy
from miniprogram_api.estimation.presenter import present_estimate
from miniprogram_api.estimation.schemas import ESTIMATE_REQUEST
from miniprogram_api.problems import body_of, occurrence_of

Json = dict[str, Any]


def estimate_case(case: Case, rules: Rules) -> Estimate:
    """The estimate. A policy or area that does not exist is a fault of the request, not an absent
    page: raises `InvalidCase` alone.
    """
    try:
        return estimate_payments(case, rules)
    except (UnknownPolicy, UnknownArea) as error:
        raise InvalidCase(*error.faults) from error


def answer_each(requests: Iterable[Any], rules: Rules) -> list[Json]:
    """An estimate or a problem for each request; one that fails leaves the others alone."""
    return [answer(request, rules) for request in requests]


def answer(request: Any, rules: Rules) -> Json:
    """The estimate of one request, or `{"problem": …}`."""
    try:
        return present_estimate(estimate_case(ESTIMATE_REQUEST.load(request), rules))
    except (ValidationError, DomainError) as error:
        return {"problem": body_of(occurrence_of(error))}
