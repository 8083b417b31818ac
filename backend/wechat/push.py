"""消息推送 (push): what WeChat tells us, verified, decrypted and read. Safe mode alone is taken.

Whatever is wrong with a push, it is refused in the same way, and nothing of it is told.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from xml.parsers.expat import ExpatError

import msgspec
import xmltodict

from backend.kernel.settings_wechat import PushSettings
from backend.wechat.errors import PushRefused
from backend.wechat.push_crypto import PushCipher, is_signed, signature

FRESH: Final = timedelta(minutes=5)
"""How far an envelope's time may be from ours."""
OLDEST: Final = timedelta(days=1)
"""Of what is told. Keys of pushes are kept longer than that, so none is ever taken twice."""
LARGEST: Final = 256 * 1024
_TIMESTAMP: Final = re.compile(r"[0-9]{1,11}", re.ASCII).fullmatch
_NONCE: Final = re.compile(r"[!-~]{1,64}", re.ASCII).fullmatch
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII).fullmatch
_NESTS: Final = ("SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "SubscribeMsgSentEvent")
"""Elements that hold List in XML; JSON has it at the top."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands in the address of a push, as it was sent; "" where it was not.

    `signature`: that of the body where there is one (`msg_signature`), else the plain one.
    """

    signature: str = field(repr=False)
    timestamp: str
    nonce: str

    @property
    def stamp(self) -> bytes:
        """Tells one envelope from another."""
        return hashlib.sha256(f"{self.timestamp} {self.nonce}".encode()).digest()


@dataclass(frozen=True, slots=True)
class Push:
    """One thing that WeChat told. `kind`: text, image, event …; `event`: which one, else "".

    `key` (32 bytes) is the same each time it is told. `body`: everything that was told, texts and
    numbers as they came, `List` always a list of objects. All moments aware.
    """

    key: bytes = field(repr=False)
    kind: str
    event: str
    openid: str = field(repr=False)
    created_at: datetime
    body: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """What handlers are registered for: the event, or the kind of message."""
        return self.event or self.kind


class PushReader:
    """Reads the pushes of one mini-program. Safe for threads."""

    def __init__(self, chosen: PushSettings, appid: str) -> None:
        self._token, self._form = chosen.token, chosen.format
        self._cipher = PushCipher(chosen, appid)

    def check(self, envelope: Envelope, echo: str, moment: datetime) -> str:
        """What the console's check of our address is answered with. Raises `PushRefused`."""
        _check_fresh(envelope, moment)
        signed = is_signed(envelope.signature, self._token, envelope.timestamp, envelope.nonce)
        if not signed or not _NONCE(echo):
            raise PushRefused
        return echo

    def read(self, envelope: Envelope, raw: bytes, moment: datetime) -> Push:
        """The push in a body, XML or JSON. Raises `PushRefused`."""
        _check_fresh(envelope, moment)
        encrypted = _parsed(raw).get("Encrypt")
        if not isinstance(encrypted, str):
            raise PushRefused
        parts = (self._token, envelope.timestamp, envelope.nonce, encrypted)
        if not is_signed(envelope.signature, *parts):
            raise PushRefused
        return _push(_parsed(self._cipher.open(encrypted)), moment)

    def reply(self, message: bytes, timestamp: str, nonce: str) -> str:
        """An encrypted answer to a push, in the form that is configured. The word `success` needs
        none of it.
        """
        encrypted = self._cipher.seal(message)
        reply = {
            "Encrypt": encrypted,
            "MsgSignature": signature(self._token, timestamp, nonce, encrypted),
            "TimeStamp": int(timestamp),
            "Nonce": nonce,
        }
        if self._form == "json":
            return msgspec.json.encode(reply).decode()
        return str(xmltodict.unparse({"xml": reply}, full_document=False))


def _check_fresh(envelope: Envelope, moment: datetime) -> None:
    if not _TIMESTAMP(envelope.timestamp) or not _NONCE(envelope.nonce):
        raise PushRefused
    if abs(moment.timestamp() - int(envelope.timestamp)) > FRESH.total_seconds():
        raise PushRefused


def _parsed(raw: bytes) -> dict[str, Any]:
    """An object in JSON, or the inside of `<xml>`. Raises `PushRefused`."""
    found: Any = None
    if len(raw) <= LARGEST:
        try:
            json = raw.lstrip()[:1] == b"{"
            found = msgspec.json.decode(raw) if json else xmltodict.parse(raw).get("xml")
        except (msgspec.MsgspecError, ExpatError, ValueError, LookupError, RecursionError):
            found = None
    if not isinstance(found, dict):
        raise PushRefused
    return found


def _push(told: dict[str, Any], moment: datetime) -> Push:
    kind, event = _word(told.get("MsgType")), told.get("Event")
    # In what is told of an account the person is there; FromUserName is another.
    openid = _openid(told.get("OpenID") or told.get("FromUserName"))
    return Push(
        key=_key(openid, told),
        kind=kind,
        event=_word(event) if event else "",
        openid=openid,
        created_at=_created(told, moment),
        body=_with_list(told),
    )


def _word(value: object) -> str:
    if not isinstance(value, str) or not _WORD(value):
        raise PushRefused
    return value


def _openid(value: object) -> str:
    if not isinstance(value, str) or not _NONCE(value):
        raise PushRefused
    return value


def _created(told: Mapping[str, Any], moment: datetime) -> datetime:
    sent = str(told.get("CreateTime") or int(moment.timestamp()))
    if not _TIMESTAMP(sent):
        raise PushRefused
    created = datetime.fromtimestamp(int(sent), UTC)
    if created < moment - OLDEST:
        raise PushRefused
    return created


def _key(openid: str, told: Mapping[str, Any]) -> bytes:
    """The message's number; events have none, and two of one second may differ only in content."""
    number = told.get("MsgId")
    said = ["message", openid, str(number)] if number else ["event", openid, told]
    return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).digest()


def _with_list(told: dict[str, Any]) -> dict[str, Any]:
    """With `List` at the top, an object alone in a list."""
    nest = next((told[name] for name in _NESTS if isinstance(told.get(name), dict)), told)
    found = nest.get("List")
    if found is None:
        return told
    entries: Sequence[Any] = found if isinstance(found, list) else [found]
    if not all(isinstance(one, dict) for one in entries):
        raise PushRefused
    rest = {name: value for name, value in told.items() if name not in _NESTS}
    return {**rest, "List": entries}
