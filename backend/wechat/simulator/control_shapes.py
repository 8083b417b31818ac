"""控制请求 (control shapes): what a tester may ask, strictly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import msgspec

from backend.wechat.simulator.push_engine import PushEngine
from backend.wechat.simulator.state import Choice, World
from backend.wechat.simulator.wire import Request

Shape = TypeVar("Shape")


class Refused(Exception):
    """What the tester asks for cannot be; the text says why."""


@dataclass(frozen=True)
class Asked:
    """A request to the control port. `names`: the parts of its path that are names."""

    world: World
    engine: PushEngine
    request: Request
    names: dict[str, str]

    def shaped(self, shape: type[Shape]) -> Shape:
        """The body; an empty one is an empty object. Raises `msgspec.DecodeError`."""
        return msgspec.json.decode(self.request.body or b"{}", type=shape, strict=True)


class NewApp(msgspec.Struct, forbid_unknown_fields=True):
    appid: str
    secret: str
    pages: list[str] | None = None
    sensitive_words: list[str] = []
    banned: bool = False


class NewTemplate(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    title: str
    content: str
    appid: str | None = None
    kind: Literal[2, 3] = 2
    example: str = ""
    enums: dict[str, list[str]] = {}
    banned: bool = False


class NewUser(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    appid: str | None = None
    openid: str | None = None
    phone: str = ""
    country_code: str = "86"
    unionid: str | None = None
    blocked: bool = False


class NewCrowd(msgspec.Struct, forbid_unknown_fields=True):
    """People called prefix1, prefix2, …; `quota`: messages allowed of each template."""

    prefix: str
    count: int
    quota: dict[str, int] = {}


class NewPush(msgspec.Struct, forbid_unknown_fields=True):
    url: str
    token: str
    aes_key: str
    mode: Literal["plain", "compatible", "safe"] = "safe"
    format: Literal["json", "xml"] = "json"
    appid: str | None = None
    limit: float = 5.0
    attempts: int = 3
    pause: float = 1.0
    check: bool = True


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    seconds: float


class Limit(msgspec.Struct, forbid_unknown_fields=True):
    path: str
    minute: int
    day: int


class Words(msgspec.Struct, forbid_unknown_fields=True):
    risky: list[str] = []
    review: list[str] = []


class Answered(msgspec.Struct, forbid_unknown_fields=True):
    """What the user taps. Templates left out of `choices` but in `ask` get the kept choice."""

    choices: dict[str, Choice] = {}
    ask: list[str] = []
    always: bool = False


class Templates(msgspec.Struct, forbid_unknown_fields=True):
    templates: list[str]


class Switch(msgspec.Struct, forbid_unknown_fields=True):
    off: bool = True


class Said(msgspec.Struct, forbid_unknown_fields=True):
    """One of them: a text, an image, a card of a page."""

    text: str | None = None
    image: bool = False
    page: str | None = None


class Entered(msgspec.Struct, forbid_unknown_fields=True):
    session_from: str = ""


class Face(msgspec.Struct, forbid_unknown_fields=True, rename={"passed": "pass"}):
    passed: bool
    code: int = 10001


class Revoked(msgspec.Struct, forbid_unknown_fields=True):
    """`code`: 8 phone, 6 nickname and picture, 14 photos, 15 files, 13 place …"""

    code: str = "8"


class Opened(msgspec.Struct, forbid_unknown_fields=True):
    link: str


Result = dict[str, Any]
