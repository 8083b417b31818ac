"""Conversations as they are answered, and a reply as it is sent."""

from __future__ import annotations

from typing import Any, Final

from backend.assistant.staff_side import LONGEST_REPLY, StaffReply
from miniprogram_api.fields import LARGEST_ID, Bool, Code, Day, Int, Text
from miniprogram_api.matching.schemas import Moment
from miniprogram_api.policies.parts import many, perhaps, words
from miniprogram_api.schemas import AnswerSchema, StrictSchema

MOST: Final = 100
SPEAKERS: Final = {"resident": "群众", "assistant": "自动客服", "staff": "工作人员"}
STATES: Final = {
    "heard": "收到",
    "answered": "已答复",
    "due": "正在送出",
    "sending": "正在送出",
    "sent": "已送到微信",
    "waiting": "等对方说话时送出，小程序里已能看到",
    "unknown": "可能已送到微信，小程序里能看到",
    "refused": "微信没有接受，小程序里能看到",
}


class LineSchema(AnswerSchema):
    id = Int("编号", least=1, most=LARGEST_ID, required=True)
    at = Moment("什么时候", required=True)
    said_by = Code("谁说的", SPEAKERS, required=True)
    staff_no = perhaps("工作人员的工号；不是工作人员说的为 null")
    text = words("说的话；卡片的为标题，图片、语音为空", attribute="content.said")
    page = words("卡片打开的页面；不是卡片的为空", attribute="content.path")
    state = Code("送达的情况", STATES, required=True)


class OwnChatSchema(AnswerSchema):
    lines = many("说过的话，旧的在前", LineSchema())


class ChatSchema(OwnChatSchema):
    id = Int("对话的编号", least=1, most=LARGEST_ID, required=True)
    can_send = Bool("现在答复能不能马上送到微信", required=True)


class HandedChatSchema(AnswerSchema):
    id = Int("对话的编号", least=1, most=LARGEST_ID, required=True)
    reason = words("为什么转人工，不含个人情况")
    due_on = Day("哪天前答复", required=True)
    escalated = Bool("是否逾期后转上来的", required=True)
    said_at = Moment("对方最近一次说话", required=True)
    can_send = Bool("现在答复能不能马上送到微信", required=True)


class HandedChatsSchema(AnswerSchema):
    chats = many("等人答复的对话，先到期的在前", HandedChatSchema())


class ChatsQuerySchema(StrictSchema):
    most = Int("至多几段", least=1, most=MOST, load_default=50)


class ReplySchema(StrictSchema):
    text = Text(
        "答复的话，群众看得懂的大白话；不要写身份证号、卡号和病情",
        longest=LONGEST_REPLY,
        required=True,
        pattern=r"^[\s\S]*\S[\s\S]*$",
        example="您好，您的材料已经收到，下周一前给您答复。",
    )
    seen = Int(
        "看到的最后一句的编号，即 lines 里最后一条的 id",
        least=1,
        most=LARGEST_ID,
        required=True,
        example=1024,
    )
    done = Bool("这件事是否就此办结；看过以后对方又说了话的，办不结，要先看", load_default=False)

    def make(self, taken: dict[str, Any]) -> StaffReply:
        """The domain's own command."""
        return StaffReply(**taken)


class RepliedSchema(AnswerSchema):
    can_send = Bool("现在能不能送到微信", required=True)
    note = words("送不出去时怎么办")


OWN_CHAT: Final = OwnChatSchema()
CHAT: Final = ChatSchema()
HANDED_CHATS: Final = HandedChatsSchema()
CHATS_QUERY: Final = ChatsQuerySchema()
REPLY: Final = ReplySchema()
REPLIED: Final = RepliedSchema()
