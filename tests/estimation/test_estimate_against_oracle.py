"""The engine against an independent implementation, and its two paths against each other."""

from __future__ import annotations

import os
import random
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from backend.estimation.case import Case
from backend.estimation.estimate import estimate_payments
from backend.estimation.rules import RowOutcome, row_outcome
from backend.estimation.terms import Rules
from tests.oracle.generate import random_request
from tests.oracle.reference import reference
from tests.support.batches import differences
from tests.support.cases import case_of, golden_of

REQUESTS = int(os.environ.get("SHUKUN_RANDOM_CASES", "400"))
"""Requests a seed; `script/release-check` sets many more."""


@pytest.mark.parametrize("seed", range(4))
def test_random_cases_are_settled_as_the_oracle_settles_them(rules: Rules, seed: int) -> None:
    rng = random.Random(seed)
    for number in range(REQUESTS):
        request = random_request(rng)
        found = golden_of(estimate_payments(case_of(request), rules))
        assert found == reference(request), (seed, number, request)


@pytest.mark.parametrize("seed", range(4))
def test_a_batch_is_settled_as_its_cases_one_by_one(rules: Rules, seed: int) -> None:
    rng = random.Random(f"batch {seed}")
    groups: dict[object, list[Case]] = defaultdict(list)
    for _ in range(REQUESTS):
        case = case_of(random_request(rng))
        if case.policy is not None:
            groups[case.policy, case.assumptions.serious_illness_base].append(case)
    assert len({policy for policy, _ in groups}) == 5
    for cases in groups.values():
        assert differences(cases, rules) == []


def test_the_comparison_sees_a_fen(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: one fen less in the columns turns the comparison red."""
    rng = random.Random(0)
    drawn = (case_of(random_request(rng)) for _ in range(300))
    cases = [
        case
        for case in drawn
        if case.policy == "wuxi-2022-98" and case.assumptions.serious_illness_base is None
    ]
    assert differences(cases, rules) == []

    def short(*arguments: Any) -> RowOutcome:
        outcome = row_outcome(*arguments)
        return structs.replace(outcome, paid=np.maximum(outcome.paid - 1, 0))

    monkeypatch.setattr("backend.estimation.block.row_outcome", short)
    assert differences(cases, rules) != []
