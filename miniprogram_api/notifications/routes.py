"""/api/v1/inbox, /api/v1/subscriptions: what residents were told, and what they allow."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, jsonify
from sqlalchemy.orm import Session

from backend.kernel.clock import now
from backend.notifications.inbox import (
    InboxAsked,
    UnknownMessage,
    allowed,
    inbox,
    read_message,
    unread,
    wording_of,
)
from backend.notifications.quota import Accept, note_accept
from miniprogram_api.access import access, acting_transaction, actor
from miniprogram_api.fields import LARGEST_ID
from miniprogram_api.notifications.schemas import (
    INBOX,
    INBOX_QUERY,
    REPORT,
    SUBSCRIPTIONS,
    Reported,
)
from miniprogram_api.openapi import Blueprint

messages = Blueprint("messages", __name__, title="消息（居民）")

ONE: Final = f"/inbox/<int(max={LARGEST_ID}):message>/read"


@messages.route(
    "/inbox",
    summary="我的消息，新的在前",
    description="本人的，和由本人代办的家人、请本人代收消息的人的。微信或短信没有送到的，这里也有。",
)
@access("resident")
@messages.arguments(INBOX_QUERY, location="query")
@messages.response(200, INBOX, description="消息")
def show_inbox(asked: InboxAsked) -> Response:
    """A page of them."""
    with acting_transaction() as session:
        found = inbox(session, actor(), asked, wording_of(session, actor().resident_id or 0))
        waiting = unread(session, actor())
    following = found[-1].id if len(found) == asked.most else None
    shown = {"messages": found, "unread": waiting, "next": following}
    return jsonify(INBOX.dump(shown))


@messages.route(ONE, methods=("POST",), summary="读过了一条消息", path={"message": "消息的编号"})
@access("resident")
@messages.response(204, description="已记下")
@messages.refuses(UnknownMessage)
def note_read(message: int) -> tuple[str, int]:
    """The first time counts."""
    with acting_transaction() as session:
        read_message(session, actor(), message, now())
    return "", 204


@messages.route(
    "/subscriptions",
    summary="可以询问用户是否允许的微信消息，和还能发几条",
    description="用户每允许一次，可以发一条。",
)
@access("resident")
@messages.response(200, SUBSCRIPTIONS, description="模板")
def show_subscriptions() -> Response:
    """What may be asked."""
    with acting_transaction() as session:
        return _subscriptions(session)


@messages.route(
    "/subscriptions",
    methods=("POST",),
    summary="告知用户刚才允许了哪些微信消息",
    description="wx.requestSubscribeMessage 有了结果以后调用；微信也会推送同一件事，只算一次。"
    "没有收到答复的，用同一个 call 重发。",
)
@access("resident")
@messages.arguments(REPORT)
@messages.response(200, SUBSCRIPTIONS, description="模板，和现在还能发几条")
def report_answers(told: Reported) -> Response:
    """Each accept once, however often it is told."""
    own = actor().resident_id or 0
    with acting_transaction() as session:
        known = {one.template_id for one in allowed(session, own)}
        for template in sorted(known & set(told.accepted)):
            note_accept(session, Accept(own, template, "client", now(), told.call))
        return _subscriptions(session)


def _subscriptions(session: Session) -> Response:
    found: dict[str, Any] = {"templates": allowed(session, actor().resident_id or 0)}
    return jsonify(SUBSCRIPTIONS.dump(found))
