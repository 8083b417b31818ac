"""One person, in process, with the full explanation. `python -m tests.benchmarks one`."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

from backend.estimation.estimate import estimate_payments
from backend.estimation.terms import Rules
from backend.policies.catalogue import load_catalogue
from tests.support.cases import case_of

CASES = Path(__file__).parents[1] / "cases" / "estimates.json"
RUNS = 5


def main(_: list[str]) -> None:
    """Prints how long a case takes, over all golden cases, and over those with one bill."""
    rules = Rules(load_catalogue())
    cases = [case_of(case["request"]) for case in json.loads(CASES.read_text("utf-8"))]
    single = [case for case in cases if len(case.bills) == 1]
    for name, chosen in (("one bill", single), ("all golden cases", cases)):
        taken = []
        for _run in range(RUNS):
            for case in chosen:
                start = time.perf_counter()
                estimate_payments(case, rules)
                taken.append((time.perf_counter() - start) * 1000)
        cuts = statistics.quantiles(taken, n=100)
        print(f"{name} ({len(chosen)} cases): p50 {cuts[49]:.3f} ms, p95 {cuts[94]:.3f} ms")
