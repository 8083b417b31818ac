"""小程序码与链接 (codes and links): they lead to a page of the app."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

import msgspec

from backend.wechat.simulator.routes import Route
from backend.wechat.simulator.state import App, World
from backend.wechat.simulator.wire import OK, Call, Errcode

LONGEST: Final = 30 * 24 * 3600
_PAGE: Final = re.compile(r"[\w-]+(?:/[\w-]+)*", re.ASCII)
Env = Literal["release", "trial", "develop"]


class Link(msgspec.Struct, forbid_unknown_fields=True):
    path: str = ""
    query: str = ""
    expire_type: Literal[0, 1] = 0
    expire_time: int | None = None
    expire_interval: int | None = None
    env_version: Env = "release"


class Target(msgspec.Struct, forbid_unknown_fields=True):
    path: str = ""
    query: str = ""
    env_version: Env = "release"


class Scheme(msgspec.Struct, forbid_unknown_fields=True):
    jump_wxa: Target
    expire_type: Literal[0, 1] = 0
    expire_time: int | None = None
    expire_interval: int | None = None


def url_link(world: World, call: Call) -> dict[str, Any]:
    """POST /wxa/generate_urllink."""
    body = call.shaped(Link)
    _checked(call.caller, body)
    ends = _ends(world, body)
    name = f"https://wxaurl.cn/{world.made('link', 11)}"
    world.data.links[name] = _led(call.caller, body, ends)
    return {**OK, "url_link": name}


def scheme(world: World, call: Call) -> dict[str, Any]:
    """POST /wxa/generatescheme."""
    body = call.shaped(Scheme)
    _checked(call.caller, body.jump_wxa)
    ends = _ends(world, body)
    name = f"weixin://dl/business/?t={world.made('scheme', 11)}"
    world.data.links[name] = _led(call.caller, body.jump_wxa, ends)
    return {**OK, "openlink": name}


def _checked(app: App, to: Link | Target) -> None:
    if to.path and (_PAGE.fullmatch(to.path) is None or not has_page(app, to.path)):
        raise Errcode(40165)
    if len(to.query) > 1024 or to.query.startswith("?"):
        raise Errcode(40212)


def has_page(app: App, page: str) -> bool:
    """Whether the released version has it."""
    return app.pages is None or page in app.pages


def _ends(world: World, body: Link | Scheme) -> float:
    """When it ends: a moment (type 0) or days (type 1), 30 days at most."""
    if body.expire_type == 1:
        if body.expire_interval is None or not 1 <= body.expire_interval <= 30:
            raise Errcode(85402)
        return world.now() + body.expire_interval * 24 * 3600
    if body.expire_time is None:
        return world.now() + LONGEST
    if not 60 <= body.expire_time - world.now() <= LONGEST:
        raise Errcode(85401)
    return float(body.expire_time)


def _led(app: App, to: Link | Target, ends: float) -> dict[str, Any]:
    place = {"path": to.path, "query": to.query, "env_version": to.env_version}
    return {"appid": app.appid, "expires_at": int(ends), **place}


ROUTES: Final = (
    Route("POST", "/wxa/generate_urllink", url_link),
    Route("POST", "/wxa/generatescheme", scheme),
)
