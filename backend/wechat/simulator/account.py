"""账号 (account): an app's own counters."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from backend.wechat.simulator import quotas
from backend.wechat.simulator.routes import Route
from backend.wechat.simulator.state import World
from backend.wechat.simulator.tokens import identified
from backend.wechat.simulator.wire import OK, Call, Errcode


class Clear(msgspec.Struct, forbid_unknown_fields=True):
    appid: str


class ClearBySecret(msgspec.Struct, forbid_unknown_fields=True):
    appid: str
    appsecret: str


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    cgi_path: str


def clear(world: World, call: Call) -> dict[str, Any]:
    """POST /cgi-bin/clear_quota."""
    if call.shaped(Clear).appid != call.caller.appid:
        raise Errcode(40013)
    quotas.clear(world, call.caller)
    return OK


def clear_by_secret(world: World, call: Call) -> dict[str, Any]:
    """POST /cgi-bin/clear_quota/v2."""
    body = call.shaped(ClearBySecret)
    quotas.clear(world, identified(world, body.appid, body.appsecret))
    return OK


def quota(world: World, call: Call) -> dict[str, Any]:
    """POST /cgi-bin/openapi/quota/get."""
    path = call.shaped(Asked).cgi_path
    limit = quotas.limit_of(world, path)
    daily = limit[1] if limit else 0
    used = quotas.used_today(world, call.caller.appid, path)
    remain = max(daily - used, 0)
    return {**OK, "quota": {"daily_limit": daily, "used": used, "remain": remain}}


def callback_addresses(world: World, call: Call) -> dict[str, Any]:
    """GET /cgi-bin/getcallbackip."""
    return {"ip_list": ["127.0.0.1"]}


ROUTES: Final = (
    Route("POST", "/cgi-bin/clear_quota", clear, counted=False),
    Route("POST", "/cgi-bin/clear_quota/v2", clear_by_secret, token=False),
    Route("POST", "/cgi-bin/openapi/quota/get", quota, counted=False),
    Route("GET", "/cgi-bin/getcallbackip", callback_addresses),
)
