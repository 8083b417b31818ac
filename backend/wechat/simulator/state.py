"""状态 (state): what the simulated platform knows. Moments are seconds since 1970, by its clock."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from typing import Any, Final, Literal

from backend.kernel.clock import CHINA
from backend.kernel.clock import now as wall
from backend.wechat.simulator.faults import Faults
from backend.wechat.simulator.journal import Journal

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
MODES: Final = ("plain", "compatible", "safe")
FORMATS: Final = ("json", "xml")
Choice = Literal["accept", "reject", "ban", "filter"]
"""What a user answers to the popup for one template."""
ONE_TIME: Final = 2
LONG_TERM: Final = 3


class NotThere(KeyError):
    """The tester named an app, user or template that does not exist."""


@dataclass
class PushTarget:
    """消息推送配置. `limit`, `pause`: seconds for one attempt, and between two."""

    url: str
    token: str
    aes_key: str
    mode: str = "safe"
    format: str = "json"
    limit: float = 5.0
    attempts: int = 3
    pause: float = 1.0


@dataclass
class App:
    """小程序. `original`: the gh_ name; `pages`: of the released version, None when any will do."""

    appid: str
    secret: str
    original: str
    pages: list[str] | None = None
    sensitive_words: list[str] = field(default_factory=list)
    banned: bool = False
    push: PushTarget | None = None
    clears: dict[str, int] = field(default_factory=dict)


@dataclass
class Token:
    """An access_token. `ends_at`: superseded from then on; `spoilt`: what a fault made of it."""

    value: str
    appid: str
    family: str
    expires_at: float
    ends_at: float | None = None
    spoilt: str = ""


@dataclass
class Code:
    """A code that the phone was given: for login, or for the phone number."""

    appid: str
    user: str
    kind: str
    made_at: float
    used: bool = False


@dataclass
class Template:
    """订阅消息模板. `content` holds the keys: {{thing1.DATA}}; `kind`: 2 one-time, 3 long-term."""

    id: str
    appid: str
    title: str
    content: str
    kind: int = ONE_TIME
    example: str = ""
    enums: dict[str, list[str]] = field(default_factory=dict)
    banned: bool = False


@dataclass
class Window:
    """客服会话: until when, and how many messages are left; when the user last spoke."""

    until: float = 0.0
    left: int = 0
    spoken_at: float = 0.0
    typing_until: float = 0.0


@dataclass
class User:
    """A person with WeChat, in one app. `id` is the tester's name for them."""

    id: str
    appid: str
    openid: str
    session_key: str
    phone: str = ""
    country_code: str = "86"
    unionid: str | None = None
    blocked: bool = False
    visited_at: float | None = None
    quota: dict[str, int] = field(default_factory=dict)
    kept_choice: dict[str, Choice] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    switched_off: bool = False
    window: Window = field(default_factory=Window)
    inbox: list[dict[str, Any]] = field(default_factory=list)
    face: tuple[bool, int] | None = None


@dataclass
class Media:
    """素材, kept for three days."""

    appid: str
    kind: str
    content_type: str
    content: str
    kept_until: float


@dataclass
class Verification:
    """人脸核身: one verify_id. `outcome`: passed, and the code, once the user was at it."""

    appid: str
    openid: str
    out_seq_no: str
    cert_hash: str
    expires_at: float
    outcome: tuple[bool, int] | None = None


@dataclass
class Count:
    """How often something was called in the last minute and day that saw it."""

    minute: int = 0
    in_minute: int = 0
    day: str = ""
    in_day: int = 0


@dataclass
class Quirks:
    """Where the copies of the documents disagree: which one is followed."""

    country_code_is_number: bool = False
    login_says_errcode: bool = True
    create_time_is_text: bool = False
    send_says_msgid: bool = True


@dataclass
class Data:
    """Everything that a snapshot holds."""

    advanced: float = 0.0
    counters: dict[str, int] = field(default_factory=dict)
    apps: dict[str, App] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    openids: dict[str, str] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    forced: dict[str, list[float]] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    links: dict[str, dict[str, Any]] = field(default_factory=dict)
    verifications: dict[str, Verification] = field(default_factory=dict)
    calls: dict[str, Count] = field(default_factory=dict)
    limits: dict[str, tuple[int, int]] = field(default_factory=dict)
    risky_words: list[str] = field(default_factory=list)
    review_words: list[str] = field(default_factory=list)
    quirks: Quirks = field(default_factory=Quirks)


@dataclass
class Outgoing:
    """A push to make. `openid` is of the user whom it tells of; `age`: of the world, see there."""

    age: int
    appid: str
    openid: str
    message: dict[str, Any]


class World:
    """The platform: its data, its clock, its journal. Whoever reads or writes holds `lock`.

    `age`: how often it was begun anew; what an earlier one had on its way no longer leaves.
    """

    def __init__(self, seed: int, clock: Callable[[], datetime] = wall) -> None:
        self.seed: Final = seed
        self.lock: Final = threading.RLock()
        self.age = 0
        self.data = Data()
        self.journal = Journal()
        self.faults = Faults(seed)
        self.sending: Counter[str] = Counter()
        self.outgoing: SimpleQueue[Outgoing | None] = SimpleQueue()
        self._clock: Final = clock

    # -- clock -----------------------------------------------------------------------------------

    def now(self) -> float:
        """The moment, by the platform's clock."""
        return self._clock().timestamp() + self.data.advanced

    def minute(self) -> int:
        """The present minute, counted since 1970."""
        return int(self.now() // 60)

    def day(self) -> str:
        """The present day in China, YYYY-MM-DD: the platform's days begin there."""
        moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=self.now())
        return moment.astimezone(CHINA).date().isoformat()

    # -- names: the same seed and the same calls give the same ones --------------------------------

    def count(self, kind: str) -> int:
        """The next number of a kind, from 1."""
        number = self.data.counters.get(kind, 0) + 1
        self.data.counters[kind] = number
        return number

    def made_bytes(self, kind: str, length: int) -> bytes:
        """Bytes that no other name has."""
        seed = f"{self.seed}:{kind}:{self.count(kind)}".encode()
        return hashlib.shake_256(seed).digest(length)

    def made(self, kind: str, length: int) -> str:
        """Letters and digits that no other name has."""
        return "".join(_ALPHABET[one % len(_ALPHABET)] for one in self.made_bytes(kind, length))

    def made_key(self, kind: str) -> str:
        """A key of 16 bytes in Base64."""
        return base64.b64encode(self.made_bytes(kind, 16)).decode()

    # -- who is who --------------------------------------------------------------------------------

    def app(self, appid: str | None = None) -> App:
        """The app of that id, or the first one. Raises `NotThere`."""
        if appid is None and self.data.apps:
            return next(iter(self.data.apps.values()))
        if appid is None or appid not in self.data.apps:
            raise NotThere(f"app {appid}")
        return self.data.apps[appid]

    def user(self, name: str) -> User:
        """The user of that name. Raises `NotThere`."""
        if name not in self.data.users:
            raise NotThere(f"user {name}")
        return self.data.users[name]

    def user_of(self, appid: str, openid: str) -> User | None:
        """The user of an openid in an app."""
        name = self.data.openids.get(f"{appid} {openid}")
        return None if name is None else self.data.users[name]

    def rename(self, user: User, openid: str) -> None:
        """Give a user another openid."""
        del self.data.openids[f"{user.appid} {user.openid}"]
        user.openid = openid
        self.data.openids[f"{user.appid} {openid}"] = user.id

    def new_user(self, name: str, appid: str | None = None, openid: str | None = None) -> User:
        """An invented user of an app."""
        openid = openid or f"o{self.made('openid', 27)}"
        user = User(name, self.app(appid).appid, openid, self.made_key("session-key"))
        self.data.users[name] = user
        self.data.openids[f"{user.appid} {openid}"] = name
        return user

    def begin_anew(self, data: Data) -> None:
        """Take other data for what is."""
        self.age += 1
        self.data = data
        self.journal.entries.clear()
        self.faults.clear()
