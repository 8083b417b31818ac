"""The golden cases and the caseworkers' cases, over HTTP, to the fen."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from backend.kernel.settings import PROJECT
from tests.support.from_yaml import from_yaml

Json = dict[str, Any]

CASES = PROJECT / "tests" / "cases"
GOLDEN = json.loads((CASES / "estimates.json").read_text(encoding="utf-8"))
CASEWORKER = [
    pytest.param(case, id=f"{path.stem}: {case['title']}")
    for path in sorted((CASES / "caseworker").glob("*.yaml"))
    for case in from_yaml(path)
]


def check(answer: Json, expected: list[Json]) -> None:
    """Bills as expected, a layer left out meaning that it pays nothing; years add up."""
    assert [bill["id"] for bill in answer["bills"]] == [bill["id"] for bill in expected]
    for bill, wanted in zip(answer["bills"], expected, strict=True):
        paid = {payment["layer"]: payment["amount"] for payment in bill["payments"]}
        assert len(paid) == len(bill["payments"])
        zeros = dict.fromkeys(paid.keys() | wanted["payments"].keys(), "0.00")
        assert {**zeros, **paid} == {**zeros, **wanted["payments"]}
        for burden in ("in_scope_burden", "personal_burden"):
            assert bill[burden] == wanted[burden]
        if "identity" in wanted:
            assert identity_of(bill) == wanted["identity"]
    check_years(answer)


def identity_of(bill: Json) -> str | None:
    """The identity by which medical assistance is computed; None where there is none."""
    found = [p.get("identity") for p in bill["payments"] if p["layer"] == "medical_assistance"]
    return found[0] if found else None


def check_years(answer: Json) -> None:
    sums: dict[str, Decimal] = {}
    for bill in answer["bills"]:
        for payment in bill["payments"]:
            layer = payment["layer"]
            sums[layer] = sums.get(layer, Decimal(0)) + Decimal(payment["amount"])
    totals: dict[str, Decimal] = {}
    for year in answer["years"]:
        for layer, amount in year["totals"].items():
            totals[layer] = totals.get(layer, Decimal(0)) + Decimal(amount)
    assert totals == sums
    for burden in ("in_scope_burden", "personal_burden"):
        of_bills = sum(Decimal(bill[burden]) for bill in answer["bills"])
        assert sum(Decimal(year[burden]) for year in answer["years"]) == of_bills


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["id"])
def test_a_golden_case_is_answered_to_the_fen(case: Json, estimate: Callable[[Json], Json]) -> None:
    check(estimate(case["request"]), case["expect"])


@pytest.mark.parametrize("case", CASEWORKER)
def test_a_caseworkers_case_is_answered_to_the_fen(
    case: Json, estimate: Callable[[Json], Json]
) -> None:
    check(estimate(case["request"]), case["expect"])
