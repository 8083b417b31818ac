"""指标 (metrics): Prometheus, summed over all gunicorn workers where the server says so.

`PROMETHEUS_MULTIPROC_DIR` must stand in the environment before this module is first imported, and
name an empty folder; the serving code sees to both.
"""

from __future__ import annotations

import os
import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REQUESTS: Final = Counter(
    "shukun_http_requests", "Requests answered.", ["method", "route", "status"]
)
SECONDS: Final = Histogram(
    "shukun_http_request_seconds", "Time to answer.", ["method", "route"], buckets=BUCKETS
)
BUILD: Final = Gauge(
    "shukun_build_info", "Always 1.", ["version", "python"], multiprocess_mode="max"
)


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request. `route` is a template such as `/api/v1/policies/<policy>`."""
    counter, histogram = _children(method, route, status)
    counter.inc()
    histogram.observe(seconds)


def exposition() -> bytes:
    """All metrics in Prometheus' text format, over all workers."""
    BUILD.labels(_version(), platform.python_version()).set(1)
    if FOLDER_VARIABLE not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def forget_process(pid: int) -> None:
    """For gunicorn's `child_exit`: a dead worker's gauges no longer count, its counters do."""
    if FOLDER_VARIABLE in os.environ:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]


@lru_cache(maxsize=4096)
def _children(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, str(status)), SECONDS.labels(method, route)


def _version() -> str:
    try:
        return version("shukun")
    except PackageNotFoundError:
        return "unknown"
