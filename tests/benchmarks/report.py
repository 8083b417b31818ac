"""What every benchmark prints: the machine, and ratios of things timed in one run, alternating."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pair:
    """Two things timed in turn: seconds of each run."""

    ours: list[float]
    peer: list[float]

    @property
    def ratio(self) -> float:
        """The median of the ratios ours / peer, run by run."""
        return statistics.median(a / b for a, b in zip(self.ours, self.peer, strict=True))

    @property
    def spread(self) -> str:
        """The smallest and the largest ratio."""
        ratios = [a / b for a, b in zip(self.ours, self.peer, strict=True)]
        return f"{min(ratios):.2f} to {max(ratios):.2f}"


def in_turn(ours: Callable[[], object], peer: Callable[[], object], runs: int) -> Pair:
    """Both `runs` times, one after the other, after one warm-up each."""
    ours()
    peer()
    times = Pair([], [])
    for _ in range(runs):
        times.peer.append(seconds(peer))
        times.ours.append(seconds(ours))
    return times


def seconds(what: Callable[[], object]) -> float:
    """How long one call takes, by the wall."""
    start = time.perf_counter()
    what()
    return time.perf_counter() - start


def machine() -> str:
    """Processor, cores, Python: what the figures were taken on."""
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"
