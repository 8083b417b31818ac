"""客服消息 (customer): the conversation of a user with the app's customer service."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from backend.wechat.simulator.outgoing import tell, tell_event
from backend.wechat.simulator.routes import Route
from backend.wechat.simulator.state import User, World
from backend.wechat.simulator.wire import MALFORMED, OK, Call, Errcode

SPOKEN: Final = (48 * 3600, 5)
ENTERED: Final = (60, 2)
"""Seconds and messages that an act of the user allows; each act begins anew."""
LONGEST_TEXT: Final = 2048
"""Bytes."""
EXCHANGE: Final = 30
TYPING: Final = 15


class Text(msgspec.Struct, forbid_unknown_fields=True):
    content: str


class Image(msgspec.Struct, forbid_unknown_fields=True):
    media_id: str


class Link(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    description: str
    url: str
    thumb_url: str


class Card(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    pagepath: str
    thumb_media_id: str


class Context(msgspec.Struct, forbid_unknown_fields=True):
    is_ai_msg: Literal[0, 1]


class CustomerMessage(msgspec.Struct, forbid_unknown_fields=True):
    touser: str
    msgtype: Literal["text", "image", "link", "miniprogrampage"]
    text: Text | None = None
    image: Image | None = None
    link: Link | None = None
    miniprogrampage: Card | None = None
    aimsgcontext: Context | None = None


class Typing(msgspec.Struct, forbid_unknown_fields=True):
    touser: str
    command: str


def send(world: World, call: Call) -> dict[str, Any]:
    """POST /cgi-bin/message/custom/send."""
    body = call.shaped(CustomerMessage)
    user = _known(world, call, body.touser)
    content = _content(world, call, body)
    window = user.window
    if world.now() >= window.until:
        raise Errcode(45015)
    if window.left <= 0:
        raise Errcode(45047)
    window.left -= 1
    window.typing_until = 0.0
    shown: dict[str, Any] = {"kind": "customer", "at": int(world.now()), "msgtype": body.msgtype}
    shown[body.msgtype] = msgspec.to_builtins(content)
    shown["ai"] = body.aimsgcontext is not None and body.aimsgcontext.is_ai_msg == 1
    user.inbox.append(shown)
    return OK


def typing(world: World, call: Call) -> dict[str, Any]:
    """POST /cgi-bin/message/custom/business/typing."""
    body = call.shaped(Typing)
    window = _known(world, call, body.touser).window
    if body.command not in ("Typing", "CancelTyping"):
        raise Errcode(45072)
    if body.command == "CancelTyping":
        window.typing_until = 0.0
        return OK
    if world.now() - window.spoken_at > EXCHANGE:
        raise Errcode(45080)
    if world.now() < window.typing_until:
        raise Errcode(45081)
    window.typing_until = world.now() + TYPING
    return OK


def say(world: World, user: User, message: dict[str, Any]) -> None:
    """The user sends a message: MsgType and its fields."""
    _open(world, user, SPOKEN)
    user.window.spoken_at = world.now()
    tell(world, user, {**message, "MsgId": world.count("msgid") + 23_000_000_000_000_000})


def enter(world: World, user: User, session_from: str) -> None:
    """The user opens the conversation."""
    _open(world, user, ENTERED)
    tell_event(world, user, "user_enter_tempsession", {"SessionFrom": session_from})


def _open(world: World, user: User, allowed: tuple[int, int]) -> None:
    user.window.until = world.now() + allowed[0]
    user.window.left = allowed[1]


def _known(world: World, call: Call, openid: str) -> User:
    user = world.user_of(call.caller.appid, openid)
    if user is None:
        raise Errcode(40003)
    return user


def _content(world: World, call: Call, body: CustomerMessage) -> Text | Image | Link | Card:
    """What is sent: the one object of its kind."""
    given = (body.text, body.image, body.link, body.miniprogrampage)
    named: Text | Image | Link | Card | None = getattr(body, body.msgtype)
    if named is None or sum(one is not None for one in given) != 1:
        call.unexpected(f"not just the object {body.msgtype}")
        raise Errcode(MALFORMED)
    if isinstance(named, Text) and not 0 < len(named.content.encode()) <= LONGEST_TEXT:
        raise Errcode(45002 if named.content else 44004)
    media = named.media_id if isinstance(named, Image) else None
    media = named.thumb_media_id if isinstance(named, Card) else media
    if media is not None and not _has_media(world, call.caller.appid, media):
        raise Errcode(40007)
    return named


def _has_media(world: World, appid: str, name: str) -> bool:
    media = world.data.media.get(name)
    return media is not None and media.appid == appid and world.now() < media.kept_until


ROUTES: Final = (
    Route("POST", "/cgi-bin/message/custom/send", send),
    Route("POST", "/cgi-bin/message/custom/business/typing", typing),
)
