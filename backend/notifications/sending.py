"""发送 (sending): one call to WeChat or to the text message service, and how it ended.

Runs in a thread of its own, outside of every transaction; the attempt is committed before.
"""

from __future__ import annotations

import logging

from backend.notifications.attempts import NOT_ASKED, Call, Result
from backend.notifications.sms import Sms, SmsRefused, SmsUnavailable, provider
from backend.notifications.wording import as_sms
from backend.wechat import connection, pages
from backend.wechat.calls import SubscribeMessage, send_subscribe
from backend.wechat.errors import WeChatBusy, WeChatRefused, WeChatUnavailable, WeChatUnknown

log = logging.getLogger(__name__)


def send(call: Call) -> Result:
    """Send it. Never raises: what is not understood counts as perhaps sent, and is not repeated."""
    try:
        return _by_wechat(call) if call.tried.channel == "subscribe" else _by_sms(call)
    except Exception as error:  # whatever it is, the message goes on by another way
        seen = {"channel": call.tried.channel, "reason": type(error).__name__}
        log.error("message not sent as it should be", extra=seen)
        return Result(call.tried, "unknown", "error")


def _by_wechat(call: Call) -> Result:
    message = SubscribeMessage(
        openid=call.to,
        template=call.tried.template_id,
        data=call.values,
        page=pages.path_of(pages.MESSAGES, message=str(call.tried.message_id)),
    )
    try:
        receipt = send_subscribe(connection.mini_program(), message)
    except WeChatRefused as error:
        return Result(call.tried, "refused", f"wechat-{error.errcode}")
    except WeChatBusy as error:
        code = f"wechat-{error.errcode}" if error.errcode else NOT_ASKED
        return Result(call.tried, "failed", code, pause=error.pause)
    except WeChatUnavailable as error:
        return Result(call.tried, "failed", f"wechat-{error.errcode or 'unavailable'}")
    except WeChatUnknown as error:
        return Result(call.tried, "unknown", f"wechat-{error.errcode or 'unknown'}")
    return Result(call.tried, "sent", receipt=receipt)


def _by_sms(call: Call) -> Result:
    chosen = provider()
    if chosen is None:
        return Result(call.tried, "refused", "no-provider")
    sms = Sms(call.to, as_sms(call.said), f"message-{call.tried.message_id}")
    try:
        return Result(call.tried, "sent", receipt=chosen.send(sms))
    except SmsRefused:
        return Result(call.tried, "refused", "sms-refused")
    except SmsUnavailable:
        return Result(call.tried, "failed", "sms-unavailable")
