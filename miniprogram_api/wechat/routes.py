"""GET, POST /wechat/push: where WeChat tells us what happened (消息推送), and only WeChat.

Not a route of our API: its form is WeChat's. Nothing is answered but that it was taken in, within
the 5 seconds after which WeChat tells it again; where it could not be taken in, WeChat shall.
"""

from __future__ import annotations

import logging
from typing import Final

from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError

from backend.kernel import keys
from backend.kernel.clock import now
from backend.kernel.database import transaction
from backend.wechat import connection
from backend.wechat.errors import PushRefused
from backend.wechat.push import LARGEST, Envelope, Push, PushReader
from backend.wechat.received import take_in
from backend.wechat.tasks import process_push
from miniprogram_api.access import access
from miniprogram_api.parsing import received
from miniprogram_api.problems import Refused, refuse
from miniprogram_api.wechat.in_time import NotInTime, within

log = logging.getLogger(__name__)

wechat_push = Blueprint("wechat_push", __name__)

SECONDS: Final = 3.5
"""For keeping it; with reading it and answering, less than 4."""
REFUSED: Final = "这不是微信发给本小程序的消息。"
NOT_KEPT: Final = "消息没有存下，请稍后再推送一次。"


@wechat_push.get("/wechat/push")
@access("wechat")
def check_address() -> Response:
    """The check of our address when push is set up."""
    try:
        echo = _reader().check(_envelope("signature"), request.args.get("echostr", ""), now())
    except PushRefused:
        raise _refusal() from None
    return Response(echo, mimetype="text/plain")


@wechat_push.post("/wechat/push")
@access("wechat")
def take_push() -> Response:
    """One push."""
    request.max_content_length = LARGEST
    envelope = _envelope("msg_signature")
    try:
        push = _reader().read(envelope, received(), now())
        within(SECONDS, lambda: _keep(push, envelope.stamp))
    except PushRefused:
        raise _refusal() from None
    except (NotInTime, SQLAlchemyError) as error:
        log.warning("push not kept", extra={"reason": type(error).__name__})
        raise refuse(503, NOT_KEPT) from None
    return Response("success", mimetype="text/plain")


def _keep(push: Push, stamp: bytes) -> None:
    with transaction() as session:
        take_in(session, keys.keyring(), push, stamp, process_push)


def _reader() -> PushReader:
    return PushReader(connection.push_settings(), connection.appid())


def _envelope(signature: str) -> Envelope:
    sent = request.args
    return Envelope(sent.get(signature, ""), sent.get("timestamp", ""), sent.get("nonce", ""))


def _refusal() -> Refused:
    return refuse(403, REFUSED)
