"""微信的设置 (WeChat settings): which mini-program, by which address, and how its push is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from backend.kernel.environment import NOT_SHOWN, Reader

OFFICIAL: Final = "https://api.weixin.qq.com"
SIMULATOR_SECRET: Final = "wechat-simulator-well-known-secret"
"""The secret of the simulator's mini-program, known to everybody: never of a real one."""
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
PushFormat = Literal["json", "xml"]

_APPID: Final = re.compile(r"wx[0-9a-z]{16}", re.ASCII).fullmatch
_SECRET: Final = re.compile(r"[!-~]{16,128}", re.ASCII).fullmatch
_TOKEN: Final = re.compile(r"[0-9A-Za-z]{3,32}", re.ASCII).fullmatch
_AES_KEY: Final = re.compile(r"[0-9A-Za-z]{43}", re.ASCII).fullmatch
_OTHERS: Final = ("WECHAT_SECRET", "WECHAT_API_BASE", "WECHAT_PUSH_TOKEN", "WECHAT_PUSH_AES_KEY")


@dataclass(frozen=True, slots=True)
class PushSettings:
    """What the console says of message push (消息推送), safe mode (安全模式)."""

    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    """EncodingAESKey: 43 characters."""
    format: PushFormat = "json"
    """Of our own replies; both are read."""


@dataclass(frozen=True, slots=True)
class WeChatSettings:
    """One mini-program. `base`: scheme, host and port of the one server that is spoken to."""

    appid: str
    secret: str = field(repr=False)
    base: str = OFFICIAL
    push: PushSettings | None = None
    """None: pushes are refused."""


def read_wechat(read: Reader, *, production: bool) -> WeChatSettings | None:
    """What the environment says of it, faults noted; None where it names no mini-program."""
    appid = _matching(read, "WECHAT_APPID", _APPID, "请改为小程序的 AppID，形如 wx 加 16 位字符。")
    if not read.environ.get("WECHAT_APPID"):
        for variable in _OTHERS:
            if read.environ.get(variable):
                read.fault(variable, "请和 WECHAT_APPID 一起设置，或者删去。", NOT_SHOWN)
        return None
    return WeChatSettings(appid, _secret(read, production), _base(read, production), _push(read))


def as_environ(wechat: WeChatSettings) -> dict[str, str]:
    """The variables that say the same, for a child process."""
    named = {
        "WECHAT_APPID": wechat.appid,
        "WECHAT_SECRET": wechat.secret,
        "WECHAT_API_BASE": wechat.base,
    }
    if wechat.push is None:
        return named
    return {
        **named,
        "WECHAT_PUSH_TOKEN": wechat.push.token,
        "WECHAT_PUSH_AES_KEY": wechat.push.aes_key,
        "WECHAT_PUSH_FORMAT": wechat.push.format,
    }


def _secret(read: Reader, production: bool) -> str:
    remedy = "请改为小程序的 AppSecret（在微信公众平台查看）。"
    secret = _matching(read, "WECHAT_SECRET", _SECRET, remedy)
    if not secret:
        if not read.environ.get("WECHAT_SECRET"):
            read.fault("WECHAT_SECRET", f"没有设置：{remedy}", NOT_SHOWN)
    elif production and secret == SIMULATOR_SECRET:
        read.fault("WECHAT_SECRET", f"这是模拟器的密钥，正式运行时不能用：{remedy}", NOT_SHOWN)
    return secret


def _base(read: Reader, production: bool) -> str:
    text = (read.environ.get("WECHAT_API_BASE") or OFFICIAL).rstrip("/")
    if production and text != OFFICIAL:
        read.fault("WECHAT_API_BASE", "正式运行时只能用微信的地址：请删去此变量。")
    elif not _is_origin(text):
        remedy = "请写成 https://主机；http:// 只能用于本机（127.0.0.1）。"
        read.fault("WECHAT_API_BASE", remedy, NOT_SHOWN)
    return text


def _is_origin(text: str) -> bool:
    """Scheme, host and port alone; without encryption on this machine only."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    bare = parts.path == parts.query == parts.fragment == "" and "@" not in parts.netloc
    return safe and bare and host != "" and port != 0


def _push(read: Reader) -> PushSettings | None:
    names = ("WECHAT_PUSH_TOKEN", "WECHAT_PUSH_AES_KEY")
    given = [name for name in names if read.environ.get(name)]
    if len(given) == 1:
        missing = next(name for name in names if name not in given)
        read.fault(missing, f"请和 {given[0]} 一起设置，或者两个都删去。", NOT_SHOWN)
    token = _matching(read, names[0], _TOKEN, "请改为消息推送的 Token：3 至 32 个英文字母或数字。")
    key = _matching(read, names[1], _AES_KEY, "请改为消息推送的 EncodingAESKey：43 个字母或数字。")
    kind: PushFormat = (
        "xml" if read.one_of("WECHAT_PUSH_FORMAT", ("json", "xml")) == "xml" else "json"
    )
    return PushSettings(token, key, kind) if len(given) == len(names) else None


def _matching(read: Reader, variable: str, fits: Callable[[str], object], remedy: str) -> str:
    """The variable's text, a fault where it is set and does not fit; never shown."""
    text = read.environ.get(variable) or ""
    if text and not fits(text):
        read.fault(variable, remedy, NOT_SHOWN)
        return ""
    return text
