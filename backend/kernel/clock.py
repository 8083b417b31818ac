"""时钟 (clock): the only place that reads the wall; days are passed into the domain."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8), "CST")
"""China has one zone and no summer time, so no zone database is needed."""


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """Today's date in China."""
    return datetime.now(CHINA).date()
