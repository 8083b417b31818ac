"""调用额度 (quotas): how often an app may call, by minute and by day in China."""

from __future__ import annotations

from typing import Final

from backend.wechat.simulator.state import App, Count, World
from backend.wechat.simulator.wire import Errcode

LIMITS: Final = {
    "/cgi-bin/token": (10_000, 2_000),
    "/cgi-bin/stable_token": (10_000, 500_000),
    "/cgi-bin/message/subscribe/send": (1_000_000, 10_000_000),
    "/wxa/msg_sec_check": (4_000, 2_000_000),
    "/wxa/media_check_async": (2_000, 200_000),
    "/wxa/getwxacodeunlimit": (5_000, 10_000_000),
    "/wxa/generate_urllink": (6_000, 500_000),
    "/wxa/generatescheme": (6_000, 500_000),
}
"""Calls a minute and a day; paths without a line have none. A tester may set others."""
LOGINS_A_MINUTE: Final = 100
"""Of one user."""
CLEARS_A_MONTH: Final = 10


def limit_of(world: World, path: str) -> tuple[int, int] | None:
    """The calls that a path takes a minute and a day, None without a limit."""
    return world.data.limits.get(path) or LIMITS.get(path)


def count_call(world: World, appid: str, path: str) -> None:
    """One more call. Raises `Errcode`: 45011 too many this minute, 45009 today."""
    limit = limit_of(world, path)
    count = _counted(world, f"{appid} {path}")
    if limit is None:
        return
    if count.in_minute > limit[0]:
        raise Errcode(45011)
    if count.in_day > limit[1]:
        raise Errcode(45009)


def count_login(world: World, appid: str, openid: str) -> None:
    """One more login of a user. Raises `Errcode` 45011."""
    if _counted(world, f"{appid} login {openid}").in_minute > LOGINS_A_MINUTE:
        raise Errcode(45011)


def used_today(world: World, appid: str, path: str) -> int:
    """The calls of a path today."""
    count = world.data.calls.get(f"{appid} {path}")
    return count.in_day if count is not None and count.day == world.day() else 0


def clear(world: World, app: App) -> None:
    """Begin the day's counts anew. Raises `Errcode` 48006 after ten times in a month."""
    month = world.day()[:7]
    if app.clears.get(month, 0) >= CLEARS_A_MONTH:
        raise Errcode(48006)
    app.clears[month] = app.clears.get(month, 0) + 1
    for key in [key for key in world.data.calls if key.startswith(f"{app.appid} /")]:
        del world.data.calls[key]


def _counted(world: World, key: str) -> Count:
    count = world.data.calls.setdefault(key, Count())
    if count.minute != world.minute():
        count.minute, count.in_minute = world.minute(), 0
    if count.day != world.day():
        count.day, count.in_day = world.day(), 0
    count.in_minute += 1
    count.in_day += 1
    return count
