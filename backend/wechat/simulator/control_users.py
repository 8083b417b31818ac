"""用户的动作 (control users): what a person does on the phone."""

from __future__ import annotations

from typing import Any, Final

from backend.wechat.simulator import customer, face, media, subscribe
from backend.wechat.simulator.control_shapes import (
    Answered,
    Asked,
    Entered,
    Face,
    NewCrowd,
    NewUser,
    Refused,
    Result,
    Revoked,
    Said,
    Switch,
    Templates,
)
from backend.wechat.simulator.login import new_code
from backend.wechat.simulator.outgoing import tell_event
from backend.wechat.simulator.state import Choice, User, World
from backend.wechat.simulator.subscribe import NotShown

_PIXEL: Final = b"\x89PNG\r\n\x1a\n"


def put_user(asked: Asked) -> User:
    """POST /users: a new person, or new facts of one."""
    body = asked.shaped(NewUser)
    with asked.world.lock:
        known = asked.world.data.users.get(body.id)
        user = known or asked.world.new_user(body.id, body.appid, body.openid)
        if body.openid is not None:
            asked.world.rename(user, body.openid)
        user.phone, user.country_code = body.phone or user.phone, body.country_code
        user.unionid, user.blocked = body.unionid or user.unionid, body.blocked
        return user


def put_crowd(asked: Asked) -> dict[str, str]:
    """POST /crowd: many new people at once, who allow so many messages; name to openid."""
    body = asked.shaped(NewCrowd)
    with asked.world.lock:
        made = [asked.world.new_user(f"{body.prefix}{n}") for n in range(1, body.count + 1)]
        for user in made:
            user.quota = dict(body.quota)
    return {user.id: user.openid for user in made}


def get_user(asked: Asked) -> User:
    """GET /users/{id}."""
    with asked.world.lock:
        return asked.world.user(asked.names["id"])


def log_in(asked: Asked) -> Result:
    """POST /users/{id}/login: wx.login."""
    return _code(asked, "login")


def phone_code(asked: Asked) -> Result:
    """POST /users/{id}/phone-code: the user lets the app have the number."""
    return _code(asked, "phone")


def answer_popup(asked: Asked) -> Result:
    """POST /users/{id}/subscribe: wx.requestSubscribeMessage; what the phone tells the page."""
    body = asked.shaped(Answered)
    with asked.world.lock:
        user = asked.world.user(asked.names["id"])
        kept: dict[str, Choice] = {}
        for name in body.ask:
            if name not in user.kept_choice:
                raise Refused(f"the user keeps no choice for {name}")
            kept[name] = user.kept_choice[name]
        try:
            return subscribe.answer_popup(asked.world, user, body.choices, kept, body.always)
        except NotShown as error:
            return {"errCode": error.code, "errMsg": "requestSubscribeMessage:fail"}


def refuse(asked: Asked) -> Result:
    """POST /users/{id}/refuse: 拒收 in the settings."""
    names = asked.shaped(Templates).templates
    with asked.world.lock:
        subscribe.refuse(asked.world, asked.world.user(asked.names["id"]), names)
    return {}


def switch_off(asked: Asked) -> Result:
    """POST /users/{id}/switch-off: the main switch."""
    off = asked.shaped(Switch).off
    with asked.world.lock:
        subscribe.switch_off(asked.world, asked.world.user(asked.names["id"]), off)
    return {}


def send(asked: Asked) -> Result:
    """POST /users/{id}/send: a message to customer service."""
    body = asked.shaped(Said)
    if sum((body.text is not None, body.image, body.page is not None)) != 1:
        raise Refused("a text, an image or a page")
    with asked.world.lock:
        user = asked.world.user(asked.names["id"])
        customer.say(asked.world, user, _message(asked.world, user, body))
    return {}


def enter_session(asked: Asked) -> Result:
    """POST /users/{id}/enter-session: the conversation is opened."""
    origin = asked.shaped(Entered).session_from
    with asked.world.lock:
        customer.enter(asked.world, asked.world.user(asked.names["id"]), origin)
    return {}


def show_face(asked: Asked) -> Result:
    """POST /users/{id}/face: what the camera finds."""
    body = asked.shaped(Face)
    with asked.world.lock:
        user = asked.world.user(asked.names["id"])
        return {"decided": face.show(asked.world, user, body.passed, body.code)}


def revoke(asked: Asked) -> Result:
    """POST /users/{id}/revoke: the user takes a permission back."""
    code = asked.shaped(Revoked).code
    return _account_event(asked, "user_authorization_revoke", {"RevokeInfo": code})


def cancel(asked: Asked) -> Result:
    """POST /users/{id}/cancel: the user closes the account."""
    return _account_event(asked, "user_authorization_cancellation", {})


def inbox(asked: Asked) -> list[dict[str, Any]]:
    """GET /users/{id}/inbox: what the user sees."""
    with asked.world.lock:
        return list(asked.world.user(asked.names["id"]).inbox)


def _code(asked: Asked, kind: str) -> Result:
    with asked.world.lock:
        user = asked.world.user(asked.names["id"])
        return {"code": new_code(asked.world, user, kind)}


def _message(world: World, user: User, body: Said) -> dict[str, Any]:
    if body.text is not None:
        return {"MsgType": "text", "Content": body.text}
    name = media.keep(world, user.appid, "image", "image/png", _PIXEL)
    if body.image:
        return {"MsgType": "image", "PicUrl": f"https://mmbiz.qpic.cn/{name}", "MediaId": name}
    card = {"Title": "页面", "AppId": user.appid, "PagePath": body.page}
    thumb = {"ThumbUrl": f"https://mmbiz.qpic.cn/{name}", "ThumbMediaId": name}
    return {"MsgType": "miniprogrampage", **card, **thumb}


def _account_event(asked: Asked, event: str, more: dict[str, Any]) -> Result:
    """The user stands in OpenID; FromUserName is the platform."""
    world = asked.world
    with world.lock:
        user = world.user(asked.names["id"])
        who = {"FromUserName": f"o{'0' * 27}", "OpenID": user.openid, "AppID": user.appid}
        tell_event(world, user, event, {**who, **more})
    return {}


ROUTES: Final = (
    ("POST", "/users", put_user),
    ("POST", "/crowd", put_crowd),
    ("GET", "/users/{id}", get_user),
    ("POST", "/users/{id}/login", log_in),
    ("POST", "/users/{id}/phone-code", phone_code),
    ("POST", "/users/{id}/subscribe", answer_popup),
    ("POST", "/users/{id}/refuse", refuse),
    ("POST", "/users/{id}/switch-off", switch_off),
    ("POST", "/users/{id}/send", send),
    ("POST", "/users/{id}/enter-session", enter_session),
    ("POST", "/users/{id}/face", show_face),
    ("POST", "/users/{id}/revoke", revoke),
    ("POST", "/users/{id}/cancel", cancel),
    ("GET", "/users/{id}/inbox", inbox),
)
