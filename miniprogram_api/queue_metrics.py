"""队列指标 (queue metrics): how much waits and for how long, read from the database when asked."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend.kernel.jobs_upkeep import QueueState, queue_states

log = logging.getLogger(__name__)


def exposition(engine: Engine | None) -> bytes:
    """The queues in Prometheus' text format; nothing while the database does not answer."""
    if engine is None:
        return b""
    try:
        with Session(engine) as session:
            states = queue_states(session)
    except SQLAlchemyError as error:
        log.warning("queue not measured", extra={"reason": type(error).__name__})
        return b""
    registry = CollectorRegistry()
    registry.register(_Queues(states))
    return generate_latest(registry)


class _Queues(Collector):
    def __init__(self, states: Sequence[QueueState]) -> None:
        self._states = states

    def collect(self) -> Iterable[Metric]:
        """Two families: jobs by queue and state, and the age of the oldest that waits."""
        jobs = GaugeMetricFamily("shukun_jobs", "Jobs.", labels=["queue", "state"])
        oldest = GaugeMetricFamily(
            "shukun_jobs_oldest_waiting_seconds",
            "How long the oldest job that is due has waited.",
            labels=["queue"],
        )
        for state in self._states:
            oldest.add_metric([state.queue], state.oldest_seconds)
            for name, number in _numbers(state):
                jobs.add_metric([state.queue, name], number)
        return [jobs, oldest]


def _numbers(state: QueueState) -> Iterator[tuple[str, int]]:
    for name in ("waiting", "later", "running", "failed"):
        yield name, getattr(state, name)
