"""/api/v1/chat, /api/v1/chats: conversations with customer service, for residents and for staff."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, jsonify

from backend.assistant.staff_side import (
    GOES_OUT,
    WAITS,
    ChatEnded,
    SaidSince,
    StaffReply,
    UnknownChat,
    handed_chats,
    own_chat,
    read_chat,
    reply_to_chat,
)
from backend.kernel import keys
from backend.kernel.clock import now
from backend.worklist.tables import LEVELS
from miniprogram_api.access import access, acting_transaction, actor
from miniprogram_api.assistant.schemas import (
    CHAT,
    CHATS_QUERY,
    HANDED_CHATS,
    OWN_CHAT,
    REPLIED,
    REPLY,
)
from miniprogram_api.fields import LARGEST_ID
from miniprogram_api.openapi import Blueprint

chats = Blueprint("chats", __name__, title="客服对话")

WHO_ANSWERS: Final = tuple(LEVELS)
"""Whose work lists a conversation may come to: of the township first, then those above."""
ONE: Final = f"/chats/<int(max={LARGEST_ID}):chat>"
PATH: Final = {"chat": "对话的编号"}


@chats.route(
    "/chat",
    summary="我和客服的对话",
    description="连同没能送到微信的答复。最近半年的。",
)
@access("resident")
@chats.response(200, OWN_CHAT, description="说过的话")
def show_own_chat() -> Response:
    """The caller's own."""
    with acting_transaction() as session:
        lines = own_chat(session, keys.keyring(), actor())
    return jsonify(OWN_CHAT.dump({"lines": lines}))


@chats.route("/chats", summary="转人工、等人答复的对话", description="只列自己待办里的。")
@access("staff", roles=WHO_ANSWERS)
@chats.arguments(CHATS_QUERY, location="query")
@chats.response(200, HANDED_CHATS, description="对话")
def show_chats(asked: dict[str, Any]) -> Response:
    """Those of the caller's list, without what was said."""
    with acting_transaction() as session:
        found = handed_chats(session, asked["most"], now())
    return jsonify(HANDED_CHATS.dump({"chats": found}))


@chats.route(
    ONE,
    summary="一段对话",
    description="查看会记入审计；知道是谁的，本人看得到谁看过。办结以后不能再看。",
    path=PATH,
)
@access("staff", roles=WHO_ANSWERS)
@chats.response(200, CHAT, description="说过的话")
@chats.refuses(UnknownChat)
def show_chat(chat: int) -> Response:
    """Everything said in it."""
    with acting_transaction() as session:
        found = read_chat(session, keys.keyring(), chat, actor(), now())
    return jsonify(CHAT.dump(found))


@chats.route(
    f"{ONE}/replies",
    methods=("POST",),
    summary="答复一段对话",
    description=WAITS,
    path=PATH,
)
@access("staff", roles=WHO_ANSWERS)
@chats.arguments(REPLY)
@chats.response(202, REPLIED, description="已收下，随后送出")
@chats.refuses(UnknownChat, ChatEnded, SaidSince)
def reply(said: StaffReply, chat: int) -> tuple[Response, int]:
    """Goes the same way as the program's own answers."""
    with acting_transaction() as session:
        goes_out = reply_to_chat(session, keys.keyring(), said.to(chat), actor(), now())
    note = GOES_OUT if goes_out else WAITS
    return jsonify(REPLIED.dump({"can_send": goes_out, "note": note})), 202
