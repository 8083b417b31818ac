"""登录 (login): codes become openids and phone numbers."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any, Final

import msgspec

from backend.wechat.simulator import quotas
from backend.wechat.simulator.routes import Route
from backend.wechat.simulator.state import Code, User, World
from backend.wechat.simulator.tokens import identified
from backend.wechat.simulator.wire import OK, Call, Errcode

CODE_LIFE: Final = 300


class PhoneCode(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    openid: str | None = None


def new_code(world: World, user: User, kind: str) -> str:
    """A code for the phone: kind `login` or `phone`."""
    value = world.made(f"{kind}-code", 32 if kind == "login" else 64)
    world.data.codes[value] = Code(user.appid, user.id, kind, world.now())
    if kind == "login":
        user.visited_at = world.now()
    return value


def session(world: World, call: Call) -> dict[str, Any]:
    """GET /sns/jscode2session."""
    query = call.request.query
    if "access_token" in query:
        call.unexpected("access_token sent to jscode2session")
    app = identified(world, query.get("appid"), query.get("secret"))
    if query.get("grant_type") != "authorization_code":
        raise Errcode(40002)
    user = _redeemed(world, call.said("js_code", 41008), "login", app.appid)
    if user.blocked:
        raise Errcode(40226)
    quotas.count_login(world, app.appid, user.openid)
    said: dict[str, Any] = {"session_key": user.session_key, "openid": user.openid}
    if user.unionid:
        said["unionid"] = user.unionid
    return {**said, **OK} if world.data.quirks.login_says_errcode else said


def check_session(world: World, call: Call) -> dict[str, Any]:
    """GET /wxa/checksession."""
    _signed(world, call)
    return OK


def reset_session(world: World, call: Call) -> dict[str, Any]:
    """GET /wxa/resetusersessionkey: a new session_key."""
    user = _signed(world, call)
    user.session_key = world.made_key("session-key")
    return {**OK, "openid": user.openid, "session_key": user.session_key}


def phone_number(world: World, call: Call) -> dict[str, Any]:
    """POST /wxa/business/getuserphonenumber."""
    body = call.shaped(PhoneCode)
    found = world.data.codes.get(body.code)
    if found is not None and found.appid != call.caller.appid:
        raise Errcode(40013)
    if found is None or (body.openid and world.user(found.user).openid != body.openid):
        raise Errcode(40029)
    user = _redeemed(world, body.code, "phone", call.caller.appid)
    number: int | str = user.country_code
    if world.data.quirks.country_code_is_number:
        number = int(user.country_code)
    abroad = "" if user.country_code == "86" else f"+{user.country_code}"
    info = {
        "phoneNumber": f"{abroad}{user.phone}",
        "purePhoneNumber": user.phone,
        "countryCode": number,
        "watermark": {"timestamp": int(world.now()), "appid": user.appid},
    }
    return {**OK, "phone_info": info}


def _redeemed(world: World, value: str, kind: str, appid: str) -> User:
    found = world.data.codes.get(value)
    if found is None or found.kind != kind or found.appid != appid:
        raise Errcode(40029)
    if found.used:
        raise Errcode(40163 if kind == "login" else 40029)
    if world.now() - found.made_at >= CODE_LIFE:
        raise Errcode(40029)
    found.used = True
    return world.user(found.user)


def _signed(world: World, call: Call) -> User:
    user = world.user_of(call.caller.appid, call.said("openid", 40003))
    if user is None:
        raise Errcode(40003)
    if call.request.query.get("sig_method") != "hmac_sha256":
        raise Errcode(87008)
    right = hmac.new(user.session_key.encode(), b"", sha256).hexdigest()
    if call.said("signature", 87009) != right:
        raise Errcode(87009)
    return user


_SIGNED: Final = ("openid", "signature", "sig_method")
ROUTES: Final = (
    Route(
        "GET", "/sns/jscode2session", session, ("appid", "secret", "js_code", "grant_type"), False
    ),
    Route("GET", "/wxa/checksession", check_session, _SIGNED),
    Route("GET", "/wxa/resetusersessionkey", reset_session, _SIGNED),
    Route("POST", "/wxa/business/getuserphonenumber", phone_number),
)
