"""推送格式 (push format): one push in JSON or XML, plain, compatible or safe."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree

import msgspec

from backend.wechat.simulator.push_cipher import Undecipherable, decrypt, encrypt, signature
from backend.wechat.simulator.state import PushTarget

_NEST: Final = {
    "subscribe_msg_popup_event": "SubscribeMsgPopupEvent",
    "subscribe_msg_change_event": "SubscribeMsgChangeEvent",
    "subscribe_msg_sent_event": "SubscribeMsgSentEvent",
}
"""The element that holds List in XML; JSON has it at the top."""
_NO_XML: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True)
class Stamp:
    """What is new in each attempt. `prefix`: 16 bytes."""

    timestamp: int
    nonce: str
    prefix: bytes


@dataclass(frozen=True)
class Push:
    """An attempt as it goes over the wire."""

    query: dict[str, str]
    body: bytes
    content_type: str


class Reply(msgspec.Struct):
    """An encrypted reply."""

    Encrypt: str
    MsgSignature: str
    TimeStamp: str | int
    Nonce: str


def push(target: PushTarget, appid: str, message: dict[str, Any], stamp: Stamp) -> Push:
    """The message for a target, signed and encrypted in its mode."""
    at, openid = str(stamp.timestamp), str(message.get("FromUserName", ""))
    query = {"signature": signature(target.token, at, stamp.nonce)}
    query |= {"timestamp": at, "nonce": stamp.nonce, "openid": openid}
    if target.mode == "plain":
        return Push(query, written(target.format, message), _kind(target))
    encrypted = encrypt(target.aes_key, written(target.format, message), appid, stamp.prefix)
    query["encrypt_type"] = "aes"
    query["msg_signature"] = signature(target.token, at, stamp.nonce, encrypted)
    shown = message if target.mode == "compatible" else {"ToUserName": message["ToUserName"]}
    return Push(query, written(target.format, {**shown, "Encrypt": encrypted}), _kind(target))


def accepted(target: PushTarget, appid: str, status: int, body: bytes) -> str | None:
    """None when the answer counts as received; else what is wrong with it."""
    if not 200 <= status < 300:
        return f"status {status}"
    if body in (b"", b"success"):
        return None
    if target.mode == "plain":
        return "neither empty nor success"
    try:
        reply = _reply(target, body)
        decrypt(target.aes_key, reply.Encrypt, appid)
    except (msgspec.DecodeError, ElementTree.ParseError, Undecipherable):
        return "neither empty, success nor an encrypted reply"
    right = signature(target.token, str(reply.TimeStamp), reply.Nonce, reply.Encrypt)
    return None if reply.MsgSignature == right else "the reply is signed wrongly"


def written(form: str, message: dict[str, Any]) -> bytes:
    """A message in `json` or `xml`."""
    if form == "json":
        return msgspec.json.encode(message)
    nest = _NEST.get(str(message.get("Event")))
    if nest is not None and "List" in message:
        rest = {key: value for key, value in message.items() if key != "List"}
        message = {**rest, nest: {"List": message["List"]}}
    return f"<xml>{_elements(message)}</xml>".encode()


def _reply(target: PushTarget, body: bytes) -> Reply:
    if target.format == "json":
        return msgspec.json.decode(body, type=Reply)
    root = ElementTree.fromstring(body)
    return msgspec.convert({one.tag: one.text for one in root}, Reply)


def _kind(target: PushTarget) -> str:
    return "application/json" if target.format == "json" else "text/xml"


def _elements(message: dict[str, Any]) -> str:
    return "".join(
        f"<{name}>{_content(one)}</{name}>"
        for name, value in message.items()
        for one in (value if isinstance(value, list) else [value])
    )


def _content(value: Any) -> str:
    if isinstance(value, dict):
        return _elements(value)
    if isinstance(value, int | float):
        return str(value)
    text = _NO_XML.sub("", str(value)).replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{text}]]>"
