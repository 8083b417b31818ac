"""限次 (limiting): how often an account, or an address, may do something, over all processes.

An account comes first: neighbours behind one address do not use up each other's. An address counts
only where there is no account yet, and only what failed: however many log in through one, as behind
a carrier's, nobody has to wait. Staff and residents are counted apart. Addresses are those of
connections (`credentials.address`), kept as an HMAC.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from flask import Flask, current_app
from limits import RateLimitItemPerSecond
from limits.strategies import SlidingWindowCounterRateLimiter

from backend.accounts.scope import Actor
from backend.kernel import keys
from backend.kernel.errors import DomainError
from miniprogram_api import credentials
from miniprogram_api.limits_store import DatabaseStorage
from miniprogram_api.problems import refuse

_V6_OF_ONE: Final = 64
"""Bits of an IPv6 address that one customer has."""


@dataclass(frozen=True, slots=True)
class Limit:
    """`most` times in any `seconds`, under a name."""

    name: str
    most: int
    seconds: int

    @property
    def item(self) -> RateLimitItemPerSecond:
        """As `limits` has it."""
        return RateLimitItemPerSecond(self.most, self.seconds, namespace=self.name)


_ACCOUNT_SECONDS: Final = 300
_AGAIN: Final = "请求太频繁：请过 {}再试。"


def install(app: Flask, account_requests: int) -> None:
    """Give the application the requests that one account may make in five minutes."""
    app.extensions["account_limit"] = Limit("account", account_requests, _ACCOUNT_SECONDS)


@contextmanager
def failures(limit: Limit, failed: type[DomainError], of: str = "") -> Iterator[None]:
    """Count for the caller's address, and `of` where it is given, what ends in `failed`. Raises
    `Refused` (429) with the seconds to wait.

    It is counted before it is tried, so that many at once cannot pass the limit together, and given
    back where it did not fail.
    """
    who = keys.keyring().index("rate", f"{_network(credentials.address())} {of}").hex()
    _count(limit, who)
    try:
        yield
    except failed:
        raise
    except BaseException:
        _give_back(limit, who)
        raise
    _give_back(limit, who)


def by_address(limit: Limit) -> None:
    """Count for the caller's address, whatever comes of it: for what anybody may leave with us.
    Raises `Refused` (429) with the seconds to wait.
    """
    who = keys.keyring().index("rate", f"{_network(credentials.address())} {limit.name}").hex()
    _count(limit, who)


def by_account(actor: Actor, limit: Limit | None = None) -> None:
    """Count for the account that acts; None: a request. Raises `Refused` (429) with the seconds to
    wait.
    """
    _count(limit or current_app.extensions["account_limit"], actor.label)


def account_window() -> tuple[str, int, int]:
    """How often an account may ask, for a statement that counts by itself: the key with `{}` for
    the account, how many times, in how many seconds."""
    item = current_app.extensions["account_limit"].item
    return item.key_for("{}"), item.amount, item.get_expiry()


def _count(limit: Limit, who: str) -> None:
    limiter = _limiter()
    if not limiter.hit(limit.item, who):
        until = limiter.get_window_stats(limit.item, who).reset_time - time.time()
        seconds = max(1, math.ceil(until))
        raise refuse(429, _AGAIN.format(_time(seconds)), (("Retry-After", str(seconds)),))


def _time(seconds: int) -> str:
    """How long to wait, as people say it; rather longer than shorter."""
    if seconds < 60:
        return f"{seconds} 秒"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} 分钟" if minutes < 60 else f"{math.ceil(minutes / 60)} 小时"


def _give_back(limit: Limit, who: str) -> None:
    _limiter().hit(limit.item, who, cost=-1)


@cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    return SlidingWindowCounterRateLimiter(_storage())


@cache
def _storage() -> DatabaseStorage:
    return DatabaseStorage()


def _network(address: str) -> str:
    """The address, or the network of a customer."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(ip_network((found, _V6_OF_ONE), strict=False))
    return str(found)
