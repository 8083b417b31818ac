"""线上格式 (wire): requests and answers as they pass between WeChat and a server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgspec

from backend.wechat.simulator.journal import Entry
from backend.wechat.simulator.state import App, World

JSON: Final = "application/json; encoding=utf-8"
Shape = TypeVar("Shape")

MALFORMED: Final = 47001
TEXTS: Final = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest, could get access_token by"
    " getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40004: "invalid media type",
    40007: "invalid media_id",
    40013: "invalid appid",
    40014: "invalid access_token",
    40029: "invalid code",
    40037: "invalid template_id",
    40097: "invalid args",
    40125: "invalid appsecret",
    40129: "invalid scene",
    40159: "invalid length for path, or the data is not json string",
    40163: "code been used",
    40164: "invalid ip, not in whitelist",
    40165: "invalid weapp pagepath",
    40169: "invalid length for scene, or the data is not json string",
    40200: "invalid account type",
    40212: "invalid query",
    40226: "code blocked",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41005: "media data missing",
    41008: "missing code",
    41030: "invalid page",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43101: "user refuse to accept the msg",
    43104: "appid does not match with openid",
    43107: "subscribe message ability is banned",
    43108: "concurrent sending to the same user",
    44002: "empty post data",
    44004: "empty content",
    44990: "reach max api second frequence limit",
    44991: "reach max api minute frequence limit",
    45001: "media size out of limit",
    45002: "content size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45029: "qrcode count out of limit",
    45047: "out of response count limit",
    45072: "invalid command",
    45080: "no message from the user in the last 30 seconds",
    45081: "typing already",
    45168: "content contains sensitive words",
    47001: "data format error",
    47003: "argument invalid!",
    48001: "api unauthorized",
    48004: "api forbidden",
    48006: "forbid to clear quota because of reaching the limit",
    61010: "code is expired",
    84010: "invalid verify_id",
    84014: "cert_hash mismatch",
    84015: "verify not finished",
    85096: "scancode_time is invalid",
    85401: "time limit between 1min and 30days",
    85402: "expire_time invalid",
    87007: "session_key is not existed or expired",
    87008: "invalid sig_method",
    87009: "invalid signature",
}
"""What stands in errmsg."""


class Errcode(Exception):
    """The platform refuses: HTTP 200 with an errcode."""

    def __init__(self, code: int, text: str | None = None) -> None:
        super().__init__(code)
        self.code: Final = code
        self.text: Final = text or TEXTS.get(code, "invalid request")


@dataclass(frozen=True)
class Request:
    """As it came. Names of headers are in small letters."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """As it goes."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


def as_json(value: Any, status: int = 200) -> Answer:
    """An answer in UTF-8 JSON, Chinese characters as they are."""
    return Answer(msgspec.json.encode(value), status)


@dataclass
class Call:
    """A request to the API port, being answered. `app` is known once its token was checked."""

    request: Request
    entry: Entry
    app: App | None = None

    @property
    def caller(self) -> App:
        """The app whose token was sent."""
        if self.app is None:
            raise Errcode(41001)
        return self.app

    def shaped(self, shape: type[Shape], code: int = MALFORMED) -> Shape:
        """The JSON body in its strict shape. Raises `Errcode`: 44002 empty, else `code`."""
        if not self.request.body:
            self.unexpected("empty body")
            raise Errcode(44002)
        try:
            return msgspec.json.decode(self.request.body, type=shape, strict=True)
        except msgspec.DecodeError as error:  # a ValidationError is one too
            self.unexpected(str(error))
            raise Errcode(code) from error

    def said(self, name: str, missing: int = 40097) -> str:
        """A query parameter that must be there. Raises `Errcode`."""
        if not self.request.query.get(name):
            self.unexpected(f"query lacks {name}")
            raise Errcode(missing)
        return self.request.query[name]

    def unexpected(self, reason: str) -> None:
        """Note down what a program that keeps to the documents would not have sent."""
        self.entry.unexpected.append(reason)


def refusal(world: World, error: Errcode) -> dict[str, Any]:
    """The body of a refusal, with the rid that real ones carry."""
    rid = world.made_bytes("rid", 12).hex()
    parts = "-".join((rid[:8], rid[8:16], rid[16:]))
    return {"errcode": error.code, "errmsg": f"{error.text} rid: {parts}"}


OK: Final = {"errcode": 0, "errmsg": "ok"}
