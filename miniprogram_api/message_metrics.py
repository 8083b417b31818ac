"""消息指标 (message metrics): how many messages wait, and how long the oldest has waited."""

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

from backend.kernel import clock
from backend.notifications.watching import Unsent, unsent

log = logging.getLogger(__name__)


def exposition(engine: Engine | None) -> bytes:
    """The messages in Prometheus' text format; nothing while the database does not answer."""
    if engine is None:
        return b""
    try:
        with Session(engine) as session:
            found = unsent(session, clock.now())
    except SQLAlchemyError as error:
        log.warning("messages not measured", extra={"reason": type(error).__name__})
        return b""
    registry = CollectorRegistry()
    registry.register(_Messages(found))
    return generate_latest(registry)


@dataclass(frozen=True)
class _Messages(Collector):
    found: Unsent

    def collect(self) -> Iterable[Metric]:
        """Three figures; nobody need be working for them to be told."""
        yield GaugeMetricFamily(
            "shukun_messages_unsent", "Messages due and not settled.", value=self.found.waiting
        )
        yield GaugeMetricFamily(
            "shukun_messages_oldest_unsent_seconds",
            "How long the oldest message that is due has waited; an alarm from five minutes on.",
            value=self.found.oldest_seconds,
        )
        yield GaugeMetricFamily(
            "shukun_messages_failed",
            "Messages given up in the last 24 hours; an alarm from one on.",
            value=self.found.failed,
        )
