"""接口凭证 (tokens): access_token of both kinds, which know nothing of each other."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from backend.wechat.simulator import quotas
from backend.wechat.simulator.routes import Route
from backend.wechat.simulator.state import App, Token, World
from backend.wechat.simulator.wire import Call, Errcode

LIFE: Final = 7200
OVERLAP: Final = 300
"""Seconds: a superseded token still works, and a stable one changes before its end."""
FORCED_APART: Final = 30
FORCED_A_DAY: Final = 20
LENGTH: Final = 512
"""WeChat tells us to have room for as many characters."""


class StableToken(msgspec.Struct, forbid_unknown_fields=True):
    grant_type: str
    appid: str
    secret: str
    force_refresh: bool = False


def token(world: World, call: Call) -> dict[str, Any]:
    """GET /cgi-bin/token: a new one each time."""
    if call.request.query.get("grant_type") != "client_credential":
        raise Errcode(40002)
    app = identified(world, call.request.query.get("appid"), call.request.query.get("secret"))
    quotas.count_call(world, app.appid, call.request.path)
    former = _newest(world, app, "basic")
    if former is not None:
        former.ends_at = min(former.expires_at, world.now() + OVERLAP)
    return _said(world, _issue(world, app, "basic"))


def stable_token(world: World, call: Call) -> dict[str, Any]:
    """POST /cgi-bin/stable_token: the same one, until it is about to end."""
    body = call.shaped(StableToken)
    if body.grant_type != "client_credential":
        raise Errcode(40002)
    app = identified(world, body.appid, body.secret)
    quotas.count_call(world, app.appid, call.request.path)
    former = _newest(world, app, "stable")
    if body.force_refresh and former is not None and _may_force(world, app):
        former.ends_at = world.now()
        return _said(world, _issue(world, app, "stable"))
    if former is not None and former.expires_at - world.now() > OVERLAP:
        return _said(world, former)
    if former is not None and former.expires_at > world.now():
        former.expires_at = world.now() + OVERLAP
    return _said(world, _issue(world, app, "stable"))


def app_of(world: World, value: str | None) -> App:
    """The app that a token was given to. Raises `Errcode`."""
    if not value:
        raise Errcode(41001)
    if len(value) != LENGTH:
        raise Errcode(40014)
    found = world.data.tokens.get(value)
    if found is None or found.spoilt == "superseded":
        raise Errcode(40001)
    if found.spoilt == "garbage":
        raise Errcode(40014)
    if found.ends_at is not None and found.ends_at <= world.now():
        raise Errcode(40001)
    if found.spoilt == "expired" or found.expires_at <= world.now():
        raise Errcode(42001)
    return world.app(found.appid)


def spoil(world: World, value: str | None, as_what: str) -> None:
    """Make a token expired, superseded or garbage; the next one given is another."""
    if value in world.data.tokens:
        world.data.tokens[value].spoilt = as_what


def identified(world: World, appid: str | None, secret: str | None) -> App:
    """The app of an id and its secret. Raises `Errcode`."""
    if not appid:
        raise Errcode(41002)
    if not secret:
        raise Errcode(41004)
    if appid not in world.data.apps:
        raise Errcode(40013)
    if world.data.apps[appid].secret != secret:
        raise Errcode(40125)
    return world.data.apps[appid]


def _newest(world: World, app: App, family: str) -> Token | None:
    """The token in force."""
    for one in reversed(world.data.tokens.values()):
        if (one.appid, one.family) == (app.appid, family):
            return None if one.spoilt else one
    return None


def _issue(world: World, app: App, family: str) -> Token:
    value = world.made("token", LENGTH)
    made = Token(value, app.appid, family, world.now() + LIFE)
    world.data.tokens[value] = made
    return made


def _may_force(world: World, app: App) -> bool:
    """False within 30 seconds of the last. Raises `Errcode` 45009 after 20 on a day."""
    forced = world.data.forced.setdefault(f"{app.appid} {world.day()}", [])
    if len(forced) >= FORCED_A_DAY:
        raise Errcode(45009)
    if forced and world.now() - forced[-1] < FORCED_APART:
        return False
    forced.append(world.now())
    return True


def _said(world: World, given: Token) -> dict[str, Any]:
    return {"access_token": given.value, "expires_in": int(given.expires_at - world.now())}


ROUTES: Final = (
    Route("GET", "/cgi-bin/token", token, ("grant_type", "appid", "secret"), token=False),
    Route("POST", "/cgi-bin/stable_token", stable_token, token=False),
)
