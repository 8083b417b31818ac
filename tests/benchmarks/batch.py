"""Batch: the engine beside a hand-written NumPy function for the same bills and rules.

`python -m tests.benchmarks batch [PERSONS …]` (default 1,000,000 and 5,000,000).
"""

from __future__ import annotations

import gc
import multiprocessing
import resource
import statistics

import numpy as np

from backend.estimation.batch import estimate_batch
from backend.estimation.columns import BatchEstimate
from backend.estimation.terms import Rules
from backend.policies.catalogue import load_catalogue
from tests.benchmarks.population import population
from tests.benchmarks.report import in_turn, seconds
from tests.benchmarks.wuxi_peer import wuxi_two_bills

POLICY = "wuxi-2022-98"
YEARS = {
    "zhangjiagang-2024": 2024,
    "yueqing-2022-41": 2024,
    "wuxi-2022-98": 2024,
    "tinghu-trial": 2024,
    "plan-2026": 2026,
}
RUNS = 5
FULL = 1_000_000


def main(arguments: list[str]) -> None:
    """Prints times, ratios and memory."""
    sizes = [int(argument) for argument in arguments] or [FULL, 5 * FULL]
    rules = Rules(load_catalogue())
    medians = {persons: against_peer(rules, persons) for persons in sizes}
    first = sizes[0]
    for persons in sizes[1:]:
        growth = medians[persons] / medians[first]
        print(f"  time at {persons:,} / time at {first:,}: {growth:.2f}")
    print(f"all policies, {first:,} person-years, two bills each:")
    for policy, year in YEARS.items():
        print(f"  {policy}: {every_policy(rules, policy, year, first):.2f} s")
    print(f"memory beyond inputs and outputs at {sizes[-1]:,}: {scratch_memory(sizes[-1]):.0f} MB")


def against_peer(rules: Rules, persons: int) -> float:
    """Median seconds of the engine; the peer is timed in turn and must give the same fen."""
    policy = rules.book.policy(POLICY)
    batch = population(rules.book, policy, persons, YEARS[POLICY])
    words = rules.book.vocabulary
    same(estimate_batch(batch, policy, rules), wuxi_two_bills(batch, words))
    pair = in_turn(
        lambda: estimate_batch(batch, policy, rules), lambda: wuxi_two_bills(batch, words), RUNS
    )
    ours, peer = statistics.median(pair.ours), statistics.median(pair.peer)
    print(
        f"{POLICY}, {persons:,} person-years: engine {ours:.2f} s, hand-written {peer:.2f} s, "
        f"ratio {pair.ratio:.2f} ({pair.spread})"
    )
    return ours


def same(ours: BatchEstimate, peer: dict[str, np.ndarray]) -> None:
    """Both give every amount alike, or there is nothing to compare."""
    for layer in ("medical_assistance", "tilt_assistance"):
        np.testing.assert_array_equal(ours.computed[layer], peer[layer])
    np.testing.assert_array_equal(ours.in_scope_burden, peer["in_scope_burden"])
    np.testing.assert_array_equal(ours.personal_burden, peer["personal_burden"])


def every_policy(rules: Rules, policy_id: str, year: int, persons: int) -> float:
    """Median seconds of one policy."""
    policy = rules.book.policy(policy_id)
    batch = population(rules.book, policy, persons, year)
    return statistics.median(
        seconds(lambda: estimate_batch(batch, policy, rules)) for _ in range(RUNS)
    )


def scratch_memory(persons: int) -> float:
    """MB of peak memory beyond inputs and outputs, measured in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return float(pool.apply(_scratch_memory, (persons,)))


def _scratch_memory(persons: int) -> float:
    rules = Rules(load_catalogue())
    policy = rules.book.policy(POLICY)
    estimate_batch(population(rules.book, policy, 1000, YEARS[POLICY]), policy, rules)
    batch = population(rules.book, policy, persons, YEARS[POLICY])
    gc.collect()
    with open("/proc/self/clear_refs", "w") as peak:  # noqa: PTH123 — a kernel switch, no file
        peak.write("5")
    before = _peak_kib("VmRSS")
    estimate = estimate_batch(batch, policy, rules)
    after = _peak_kib("VmHWM")
    outputs = sum(column.nbytes for column in estimate.computed.values())
    outputs += estimate.identity.nbytes + estimate.in_scope_burden.nbytes
    outputs += estimate.personal_burden.nbytes
    return (after - before) / 1024 - outputs / 2**20


def _peak_kib(name: str) -> int:
    with open("/proc/self/status") as status:  # noqa: PTH123 — a kernel table, no file
        for line in status:
            if line.startswith(name):
                return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
