"""微信的答复 (errors): how a call may end. No text holds a secret, an address or what was sent."""

from __future__ import annotations

from backend.kernel.errors import DomainError


class WeChatError(DomainError):
    """A call did not succeed. `errcode`: WeChat's number, where it gave one."""

    code = "wechat-failed"

    def __init__(self, errcode: int | None = None) -> None:
        super().__init__()
        self.errcode = errcode

    def __str__(self) -> str:
        return self.code if self.errcode is None else f"{self.code} ({self.errcode})"


class WeChatRefused(WeChatError):
    """WeChat said no, and will say so again: nothing was done. `field`: the value at fault (47003),
    where WeChat named one (`thing1`).
    """

    code = "wechat-refused"
    errcode: int

    def __init__(self, errcode: int, field: str | None = None) -> None:
        super().__init__(errcode)
        self.field = field


class WeChatBusy(WeChatError):
    """Not now, and nothing was done: try again after `pause` seconds."""

    code = "wechat-busy"

    def __init__(self, pause: float, errcode: int | None = None) -> None:
        super().__init__(errcode)
        self.pause = pause


class WeChatUnknown(WeChatError):
    """What was asked may have been done or not: no answer that can be read came. Never sent again
    by itself: a person would get it twice.
    """

    code = "wechat-unknown"


class WeChatUnavailable(WeChatError):
    """WeChat cannot be reached or does not answer properly; nothing was done."""

    code = "wechat-unavailable"


class WeChatNotConfigured(DomainError):
    """No mini-program is connected, or its push is not set up."""

    code = "wechat-not-configured"


class PushRefused(Exception):
    """A push that is not WeChat's, not for us, too old, or unreadable. Tells nothing of it."""

    def __init__(self) -> None:
        super().__init__("push refused")
