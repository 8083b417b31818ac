"""接口调用 (calls): what we ask of WeChat, one function a call, each answered by a value.

Each is a network call: never inside a transaction. All raise the errors of `errors.py`:
`WeChatRefused` (no, for good), `WeChatBusy` (not now), `WeChatUnavailable` (nothing was done), and
those that a person would notice twice (`send_…`) also `WeChatUnknown` (perhaps done).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from backend.wechat.client import LOGIN, MiniProgram
from backend.wechat.errors import WeChatUnavailable
from backend.wechat.retrying import SEND

Edition = Literal["formal", "trial", "developer"]
"""Which edition of the mini-program a message opens."""
LONG_TERM: Final = 3
_CUSTOM: Final = "cgi-bin/message/custom/send"


@dataclass(frozen=True, slots=True)
class Login:
    """Who logged in. The session key of the answer is dropped: nothing here needs it."""

    openid: str = field(repr=False)
    unionid: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone number that WeChat has checked. `country`: its calling code, `86`."""

    number: str = field(repr=False)
    country: str


@dataclass(frozen=True, slots=True)
class SubscribeMessage:
    """订阅消息: `data` maps a field (`thing1`) to its text; a tap opens `page`, with its query."""

    openid: str = field(repr=False)
    template: str
    data: Mapping[str, str] = field(repr=False)
    page: str | None = None
    edition: Edition = "formal"


@dataclass(frozen=True, slots=True)
class Template:
    """One of our message templates. `content` holds `{{thing1.DATA}}`; `choices`: of enums."""

    id: str
    title: str
    content: str
    example: str
    long_term: bool
    choices: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Card:
    """小程序卡片 in a chat. `path`: page and query; `thumb`: of `upload_image`."""

    title: str
    path: str
    thumb: str


@dataclass(frozen=True, slots=True)
class WrittenText:
    """What a person wrote, up to 2,500 characters, for `check_text`.

    `scene`: 1 profile, 2 comment, 3 forum, 4 diary. The person must have been here within 2 hours
    (else refused, 61010).
    """

    openid: str = field(repr=False)
    content: str = field(repr=False)
    scene: Literal[1, 2, 3, 4]


@dataclass(frozen=True, slots=True)
class TextVerdict:
    """内容安全: `label` 100 is normal."""

    suggest: Literal["pass", "review", "risky"]
    label: int


@dataclass(frozen=True, slots=True)
class Link:
    """A page to be opened from outside WeChat. `days`: 1 to 30. `query` names nobody."""

    path: str
    query: str
    days: int = 30
    edition: Edition = "formal"


@dataclass(frozen=True, slots=True)
class CodeWanted:
    """小程序码: `scene`, up to 32 characters, is a random sign, never an id or a name."""

    scene: str
    page: str
    width: int = 430
    edition: Edition = "formal"


def code_to_session(wechat: MiniProgram, code: str) -> Login:
    """Who is behind the code of `wx.login`. Refused: 40029, 40163 (log in again), 40226 (blocked by
    WeChat).
    """
    query = {"appid": wechat.appid, "secret": wechat.secret, "js_code": code}
    query |= {"grant_type": "authorization_code", "access_token": None}
    said = wechat.ask("sns/jscode2session", query=query, timeout=LOGIN)
    unionid = said.get("unionid")
    return Login(_text(said, "openid"), unionid if isinstance(unionid, str) else None)


def phone_number(wechat: MiniProgram, code: str, openid: str) -> Phone:
    """The number behind the code of the phone button, of that person. Refused: 40029, 40013."""
    asked = {"code": code, "openid": openid}
    said = wechat.ask("wxa/business/getuserphonenumber", asked)
    found = _part(said, "phone_info")
    if _part(found, "watermark").get("appid") != wechat.appid:
        raise WeChatUnavailable
    # A number in older answers.
    return Phone(_text(found, "purePhoneNumber"), str(found.get("countryCode", "")))


def send_subscribe(wechat: MiniProgram, message: SubscribeMessage) -> str | None:
    """Send one message; returns WeChat's number of it, where it gives one. Refused: 43101 (no
    consent left), 40003, 47003 (`field` says which value), 41030, 45168; busy: 43108.
    """
    asked: dict[str, Any] = {
        "touser": message.openid,
        "template_id": message.template,
        "data": {name: {"value": value} for name, value in message.data.items()},
        "miniprogram_state": message.edition,
        "lang": "zh_CN",
    }
    if message.page is not None:
        asked["page"] = message.page
    number = wechat.ask("cgi-bin/message/subscribe/send", asked, manner=SEND).get("msgid")
    return None if number is None else str(number)


def templates(wechat: MiniProgram) -> tuple[Template, ...]:
    """The message templates of the mini-program."""
    found = wechat.ask("wxaapi/newtmpl/gettemplate").get("data")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise WeChatUnavailable
    return tuple(map(_template, found))


def send_text(wechat: MiniProgram, openid: str, text: str, *, by_ai: bool = False) -> None:
    """客服消息: say something in the chat. `by_ai`: WeChat adds that a machine wrote it. Refused:
    45015 (the person's last word is too long ago), 45047 (too many since).
    """
    asked: dict[str, Any] = {"touser": openid, "msgtype": "text", "text": {"content": text}}
    if by_ai:
        asked["aimsgcontext"] = {"is_ai_msg": 1}
    wechat.ask(_CUSTOM, asked, manner=SEND)


def send_card(wechat: MiniProgram, openid: str, card: Card) -> None:
    """Show a card in the chat that opens a page. Refused as `send_text`."""
    shown = {"title": card.title, "pagepath": card.path, "thumb_media_id": card.thumb}
    asked = {"touser": openid, "msgtype": "miniprogrampage", "miniprogrampage": shown}
    wechat.ask(_CUSTOM, asked, manner=SEND)


def typing(wechat: MiniProgram, openid: str, *, ends: bool = False) -> None:
    """Show for up to 15 seconds that an answer is being written. Refused: 45080, 45081."""
    command = "CancelTyping" if ends else "Typing"
    asked = {"touser": openid, "command": command}
    wechat.ask("cgi-bin/message/custom/business/typing", asked, manner=SEND)


def upload_image(wechat: MiniProgram, image: bytes) -> str:
    """Keep a PNG image at WeChat for three days; returns what cards call it by."""
    return _text(wechat.upload("cgi-bin/media/upload", image), "media_id")


def check_text(wechat: MiniProgram, text: WrittenText) -> TextVerdict:
    """内容安全识别: whether the text may be shown to others. Refused: 61010, 40003, 43104."""
    asked = {"content": text.content, "version": 2, "scene": text.scene, "openid": text.openid}
    found = _part(wechat.ask("wxa/msg_sec_check", asked), "result")
    suggest, label = found.get("suggest"), found.get("label")
    if suggest not in ("pass", "review", "risky") or not isinstance(label, int):
        raise WeChatUnavailable
    return TextVerdict(suggest, label)


def url_link(wechat: MiniProgram, link: Link) -> str:
    """An https address that opens the page in WeChat."""
    asked = {
        "path": link.path,
        "query": link.query,
        "expire_type": 1,
        "expire_interval": link.days,
        "env_version": _environment(link.edition),
    }
    return _text(wechat.ask("wxa/generate_urllink", asked), "url_link")


def unlimited_code(wechat: MiniProgram, wanted: CodeWanted) -> bytes:
    """A picture to scan, that opens the page. Refused: 40169 (scene), 41030 (page)."""
    asked = {
        "scene": wanted.scene,
        "page": wanted.page,
        "check_path": wanted.edition == "formal",
        "env_version": _environment(wanted.edition),
        "width": wanted.width,
    }
    return wechat.image("wxa/getwxacodeunlimit", asked)


def _environment(edition: Edition) -> str:
    return {"formal": "release", "trial": "trial", "developer": "develop"}[edition]


def _template(found: Mapping[str, Any]) -> Template:
    listed = found.get("keywordEnumValueList") or ()
    return Template(
        id=_text(found, "priTmplId"),
        title=_text(found, "title"),
        content=_text(found, "content"),
        example=str(found.get("example", "")),
        long_term=found.get("type") == LONG_TERM,
        choices={
            _text(one, "keywordCode").removesuffix(".DATA"): tuple(
                map(str, one.get("enumValueList", ()))
            )
            for one in listed
        },
    )


def _text(said: Mapping[str, Any], name: str) -> str:
    """A member of the answer. Raises `WeChatUnavailable` where it is no text."""
    found = said.get(name)
    if not isinstance(found, str) or not found:
        raise WeChatUnavailable
    return found


def _part(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = said.get(name)
    if not isinstance(found, dict):
        raise WeChatUnavailable
    return found
