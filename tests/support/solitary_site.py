"""The website, sabotaged: each worker counts for itself how often somebody asks."""

from __future__ import annotations

from functools import cache

from flask import Flask
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from miniprogram_api import limiting, serving


@cache
def alone() -> SlidingWindowCounterRateLimiter:
    """Known to one process."""
    return SlidingWindowCounterRateLimiter(MemoryStorage())


def application() -> Flask:
    """For gunicorn."""
    limiting._limiter = alone
    return serving.application()
