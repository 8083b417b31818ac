"""订阅消息 (subscribe): sending them, and what the user allows."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

import msgspec

from backend.wechat.simulator.outgoing import tell_event
from backend.wechat.simulator.routes import Route
from backend.wechat.simulator.state import LONG_TERM, App, Choice, Template, User, World
from backend.wechat.simulator.values import fits, keys_of
from backend.wechat.simulator.wire import OK, TEXTS, Call, Errcode

MOST_TEMPLATES: Final = 5
_PAGE: Final = re.compile(r"[\w-]+(?:/[\w-]+)*(?:\?\S{0,1024})?", re.ASCII)


class Value(msgspec.Struct, forbid_unknown_fields=True):
    value: str


class SubscribeMessage(msgspec.Struct, forbid_unknown_fields=True):
    touser: str
    template_id: str
    data: dict[str, Value]
    page: str | None = None
    miniprogram_state: Literal["developer", "trial", "formal"] = "formal"
    lang: Literal["zh_CN", "en_US", "zh_HK", "zh_TW"] = "zh_CN"


class NotShown(Exception):
    """wx.requestSubscribeMessage fails on the phone, with this errCode."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code: Final = code


def send(world: World, call: Call) -> dict[str, Any]:
    """POST /cgi-bin/message/subscribe/send."""
    app = call.caller
    body = call.shaped(SubscribeMessage)
    user = world.user_of(app.appid, body.touser)
    if user is None:
        raise Errcode(40003)
    template = _checked(world, app, body)
    _allowed(user, template)
    return _delivered(world, user, template, body)


def templates(world: World, call: Call) -> dict[str, Any]:
    """GET /wxaapi/newtmpl/gettemplate."""
    own = [one for one in world.data.templates.values() if one.appid == call.caller.appid]
    return {**OK, "data": [_listed(one) for one in own]}


def answer_popup(
    world: World, user: User, choices: dict[str, Choice], kept: dict[str, Choice], always: bool
) -> dict[str, str]:
    """The user answers wx.requestSubscribeMessage; the choice of each template, as the phone says.

    `kept`: chosen for good before; no popup is shown for them, so nothing is pushed. `always`: what
    is chosen now is kept. Raises `NotShown`.
    """
    _may_be_shown(world, user, {**kept, **choices})
    for name, choice in {**kept, **choices}.items():
        if choice == "accept":
            user.quota[name] = user.quota.get(name, 0) + 1
            user.refused = [one for one in user.refused if one != name]
        if always:
            user.kept_choice[name] = choice
    told = {name: said for name, said in choices.items() if said in ("accept", "reject")}
    entries = [{**_choice(name, said), "PopupScene": "0"} for name, said in told.items()]
    _tell(world, user, "popup", entries)
    return {**kept, **choices, "errMsg": "requestSubscribeMessage:ok"}


def refuse(world: World, user: User, names: list[str]) -> None:
    """The user refuses templates in the settings of the phone."""
    user.refused = [*user.refused, *(one for one in names if one not in user.refused)]
    _tell(world, user, "change", [_choice(one, "reject") for one in names])


def switch_off(world: World, user: User, off: bool) -> None:
    """The user's main switch. Off, all that was accepted is refused."""
    user.switched_off = off
    if off:
        _tell(world, user, "change", [_choice(one, "reject") for one in user.quota])


def _checked(world: World, app: App, body: SubscribeMessage) -> Template:
    template = world.data.templates.get(body.template_id)
    if template is None or template.appid != app.appid:
        raise Errcode(40037)
    if body.page is not None and not _has_page(app, body.page):
        raise Errcode(41030)
    wanted = keys_of(template)
    if odd := [key for key in body.data if key not in wanted]:
        raise _invalid(odd[0])
    for key in wanted:
        if key not in body.data or not fits(template, key, body.data[key].value):
            raise _invalid(key)
    if app.banned or template.banned:
        raise Errcode(43107)
    said = "\n".join(one.value for one in body.data.values())
    if any(word in said for word in app.sensitive_words):
        raise Errcode(45168)
    return template


def _invalid(key: str) -> Errcode:
    return Errcode(47003, f"{TEXTS[47003]} data.{key}.value invalid")


def _has_page(app: App, page: str) -> bool:
    if _PAGE.fullmatch(page) is None:
        return False
    return app.pages is None or page.split("?")[0] in app.pages


def _allowed(user: User, template: Template) -> None:
    refused = user.switched_off or template.id in user.refused
    if refused or user.quota.get(template.id, 0) <= 0:
        raise Errcode(43101)


def _delivered(
    world: World, user: User, template: Template, body: SubscribeMessage
) -> dict[str, Any]:
    if template.kind != LONG_TERM:
        user.quota[template.id] -= 1
    message = world.count("msgid") + 2_000_000_000_000_000
    data = {key: one.value for key, one in body.data.items()}
    shown = {"kind": "subscribe", "at": int(world.now()), "msgid": message, "title": template.title}
    sent = {"template_id": template.id, "page": body.page, "data": data}
    user.inbox.append({**shown, **sent})
    result = {"TemplateId": template.id, "MsgID": str(message), "ErrorCode": "0"}
    _tell(world, user, "sent", [{**result, "ErrorStatus": "success"}])
    return {**OK, "msgid": message} if world.data.quirks.send_says_msgid else OK


def _may_be_shown(world: World, user: User, choices: dict[str, Choice]) -> None:
    known = [world.data.templates.get(name) for name in choices]
    asked = [one for one in known if one is not None and one.appid == user.appid]
    if len(asked) < len(choices) or not asked:
        raise NotShown(20001)
    if len({one.kind for one in asked}) > 1:
        raise NotShown(20002)
    if len(asked) > MOST_TEMPLATES:
        raise NotShown(20003)
    if user.switched_off:
        raise NotShown(20004)
    if world.app(user.appid).banned:
        raise NotShown(20005)


def _choice(name: str, said: str) -> dict[str, str]:
    return {"TemplateId": name, "SubscribeStatusString": said}


def _tell(world: World, user: User, kind: str, entries: list[dict[str, str]]) -> None:
    """One entry is an object, more are an array; none is no event."""
    if entries:
        told = entries[0] if len(entries) == 1 else entries
        tell_event(world, user, f"subscribe_msg_{kind}_event", {"List": told})


def _listed(one: Template) -> dict[str, Any]:
    enums = [{"keywordCode": key, "enumValueList": values} for key, values in one.enums.items()]
    return {
        "priTmplId": one.id,
        "title": one.title,
        "content": one.content,
        "example": one.example,
        "type": one.kind,
        "keywordEnumValueList": enums,
    }


ROUTES: Final = (
    Route("POST", "/cgi-bin/message/subscribe/send", send),
    Route("GET", "/wxaapi/newtmpl/gettemplate", templates),
)
