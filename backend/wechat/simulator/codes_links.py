"""小程序码与链接 (codes and links): they lead to a page of the app."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any, Final, Literal

import msgspec
import segno

from backend.wechat.simulator.routes import Route
from backend.wechat.simulator.state import App, World
from backend.wechat.simulator.wire import OK, Answer, Call, Errcode

LONGEST: Final = 30 * 24 * 3600
_PAGE: Final = re.compile(r"[\w-]+(?:/[\w-]+)*", re.ASCII)
_SCENE: Final = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]+", re.ASCII)
MOST_CODES: Final = 100_000
"""Of the kind with a path, in all."""
WIDTHS: Final = range(280, 1281)
Env = Literal["release", "trial", "develop"]


class Colour(msgspec.Struct, forbid_unknown_fields=True):
    r: int | str
    g: int | str
    b: int | str


class Code(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What both kinds of codes take."""

    env_version: Env = "release"
    width: int = 430
    auto_color: bool = False
    line_color: Colour | None = None
    is_hyaline: bool = False


class SceneCode(Code, forbid_unknown_fields=True, kw_only=True):
    scene: str
    page: str | None = None
    check_path: bool = True


class PathCode(Code, forbid_unknown_fields=True, kw_only=True):
    path: str


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


def scene_code(world: World, call: Call) -> Answer:
    """POST /wxa/getwxacodeunlimit: a picture of the scene."""
    body = call.shaped(SceneCode, 40097)
    if not 0 < len(body.scene) <= 32:
        raise Errcode(40169)
    if _SCENE.fullmatch(body.scene) is None:
        raise Errcode(40129)
    if body.page is not None and not _is_page(call.caller, body.page, body.check_path):
        raise Errcode(41030)
    return _picture(body.scene, body.width)


def path_code(world: World, call: Call) -> Answer:
    """POST /wxa/getwxacode: a picture of a link that leads to the path."""
    body = call.shaped(PathCode, 40097)
    if not 0 < len(body.path) <= 1024:
        raise Errcode(40159)
    path, _, query = body.path.partition("?")
    if not _is_page(call.caller, path, True):
        raise Errcode(41030)
    if world.count(f"codes of {call.caller.appid}") > MOST_CODES:
        raise Errcode(45029)
    name = f"https://wxaurl.cn/{world.made('link', 11)}"
    target = Target(path, query, body.env_version)
    world.data.links[name] = _led(call.caller, target, None)
    return _picture(name, body.width)


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
    if to.path and not _is_page(app, to.path, True):
        raise Errcode(40165)
    if len(to.query) > 1024 or to.query.startswith("?"):
        raise Errcode(40212)


def _is_page(app: App, page: str, released: bool) -> bool:
    """Whether it is written as a page is, and `released`: whether there is one."""
    if _PAGE.fullmatch(page) is None:
        return False
    return not released or app.pages is None or page in app.pages


def _picture(content: str, width: int) -> Answer:
    """An ordinary QR code, as large as whole squares allow within the width."""
    if width not in WIDTHS:
        raise Errcode(40097)
    code, png = segno.make_qr(content, error="L", boost_error=False), BytesIO()
    side, _ = code.symbol_size()
    code.save(png, kind="png", scale=width // int(side))
    return Answer(png.getvalue(), content_type="image/png")


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


def _led(app: App, to: Link | Target, ends: float | None) -> dict[str, Any]:
    """Where a link leads, and until when; None: for good."""
    place = {"path": to.path, "query": to.query, "env_version": to.env_version}
    return {"appid": app.appid, "expires_at": None if ends is None else int(ends), **place}


ROUTES: Final = (
    Route("POST", "/wxa/getwxacodeunlimit", scene_code),
    Route("POST", "/wxa/getwxacode", path_code),
    Route("POST", "/wxa/generate_urllink", url_link),
    Route("POST", "/wxa/generatescheme", scheme),
)
