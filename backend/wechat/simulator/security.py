"""内容安全 (security): texts and media looked at, version 2."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from backend.wechat.simulator.outgoing import tell_event
from backend.wechat.simulator.routes import Route
from backend.wechat.simulator.state import User, World
from backend.wechat.simulator.wire import OK, Call, Errcode

LONGEST: Final = 2500
VISIT: Final = 2 * 3600
"""Seconds since the last visit within which a user's texts may be looked at."""
SCENES: Final = (1, 2, 3, 4)
PASS: Final = ("pass", 100)
REVIEW: Final = ("review", 21000)
RISKY: Final = ("risky", 20001)


class TextCheck(msgspec.Struct, forbid_unknown_fields=True):
    content: str
    version: int
    scene: int
    openid: str
    title: str | None = None
    nickname: str | None = None
    signature: str | None = None


class MediaCheck(msgspec.Struct, forbid_unknown_fields=True):
    media_url: str
    media_type: int
    version: int
    scene: int
    openid: str


def check_text(world: World, call: Call) -> dict[str, Any]:
    """POST /wxa/msg_sec_check: a hit is errcode 0 too."""
    body = call.shaped(TextCheck)
    _visitor(world, call, body)
    if not 0 < len(body.content) <= LONGEST:
        raise Errcode(47001)
    texts = (body.content, body.title, body.nickname, body.signature)
    found = _judged(world, "\n".join(text for text in texts if text))
    return {**OK, **_outcome(found), "trace_id": _trace(world)}


def check_media(world: World, call: Call) -> dict[str, Any]:
    """POST /wxa/media_check_async: the result is pushed. Nothing is downloaded."""
    body = call.shaped(MediaCheck)
    user = _visitor(world, call, body)
    if body.media_type not in (1, 2):
        raise Errcode(40004)
    trace = _trace(world)
    found = _judged(world, body.media_url)
    told = {"appid": user.appid, "trace_id": trace, "version": 2, "errcode": 0, "errmsg": "ok"}
    tell_event(world, user, "wxa_media_check", {**told, **_outcome(found)})
    return {**OK, "trace_id": trace}


def _visitor(world: World, call: Call, body: TextCheck | MediaCheck) -> User:
    if body.version != 2:
        call.unexpected("not version 2")
        raise Errcode(47001)
    if body.scene not in SCENES:
        raise Errcode(40129)
    user = world.user_of(call.caller.appid, body.openid)
    if user is None:
        raise Errcode(43104)
    if user.visited_at is None or world.now() - user.visited_at > VISIT:
        raise Errcode(61010)
    return user


def _judged(world: World, text: str) -> tuple[str, int]:
    if any(word in text for word in world.data.risky_words):
        return RISKY
    return REVIEW if any(word in text for word in world.data.review_words) else PASS


def _outcome(found: tuple[str, int]) -> dict[str, Any]:
    result = {"suggest": found[0], "label": found[1]}
    detail = {"strategy": "content_model", "errcode": 0, **result, "prob": 90}
    return {"result": result, "detail": [detail]}


def _trace(world: World) -> str:
    return world.made_bytes("trace", 16).hex()


ROUTES: Final = (
    Route("POST", "/wxa/msg_sec_check", check_text),
    Route("POST", "/wxa/media_check_async", check_media),
)
