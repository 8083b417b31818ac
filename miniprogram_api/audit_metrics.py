"""审计指标 (audit metrics): how much is written and not sealed yet, and for how long."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend.kernel.audit_seal import Window, window

log = logging.getLogger(__name__)


def exposition(engine: Engine | None) -> bytes:
    """The window in Prometheus' text format; nothing while the database does not answer."""
    if engine is None:
        return b""
    try:
        with Session(engine) as session:
            found = window(session)
    except SQLAlchemyError as error:
        log.warning("audit not measured", extra={"reason": type(error).__name__})
        return b""
    registry = CollectorRegistry()
    registry.register(_Unsealed(found))
    return generate_latest(registry)


@dataclass(frozen=True)
class _Unsealed(Collector):
    found: Window

    def collect(self) -> Iterable[Metric]:
        """Two figures: how many events, up to ten thousand, and the age of the oldest."""
        yield GaugeMetricFamily(
            "shukun_audit_unsealed", "Events not sealed yet.", value=self.found.waiting
        )
        yield GaugeMetricFamily(
            "shukun_audit_oldest_unsealed_seconds",
            "How long the oldest event has waited for its seal; an alarm from a minute on.",
            value=self.found.oldest_seconds,
        )
