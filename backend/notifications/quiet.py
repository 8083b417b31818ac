"""安静时段 (quiet hours): nobody's phone rings at night, unless it cannot wait."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final

from backend.kernel.clock import CHINA

FROM: Final = time(21)
TO: Final = time(8)


def is_quiet(moment: datetime) -> bool:
    """Whether it is night in China at an aware moment."""
    local = moment.astimezone(CHINA).time()
    return local >= FROM or local < TO


def earliest(moment: datetime, *, urgent: bool) -> datetime:
    """The moment itself, or the end of the night in which it falls."""
    if urgent or not is_quiet(moment):
        return moment
    local = moment.astimezone(CHINA)
    day = local.date() + timedelta(days=local.time() >= FROM)
    return datetime.combine(day, TO, CHINA)


def morning(moment: datetime) -> datetime:
    """The last end of a night at or before a moment: what waited over night waits since then."""
    local = moment.astimezone(CHINA)
    day = local.date() - timedelta(days=local.time() < TO)
    return datetime.combine(day, TO, CHINA)
