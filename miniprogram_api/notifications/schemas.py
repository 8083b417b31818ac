"""Messages and accepts as they are sent and answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from marshmallow import fields

from backend.notifications.events import EVENTS
from backend.notifications.inbox import MOST, InboxAsked
from miniprogram_api.fields import LARGEST_ID, Bool, Code, Day, Int, Text
from miniprogram_api.matching.schemas import Moment, count, perhaps_moment
from miniprogram_api.policies.parts import many, words
from miniprogram_api.schemas import AnswerSchema, StrictSchema
from miniprogram_api.structures import Many, Nested

EVENT_NAMES: Final = {code: event.name for code, event in EVENTS.items()}
ANSWERS: Final = {
    "accept": "允许",
    "acceptWithAudio": "允许，并语音提醒",
    "acceptWithAlert": "允许，并弹窗提醒",
    "reject": "不允许",
    "ban": "已被微信后台封禁",
    "filter": "模板标题重复，被微信过滤",
}
ACCEPTS: Final = frozenset({"accept", "acceptWithAudio", "acceptWithAlert"})
MOST_TEMPLATES: Final = 5
"""In one call of wx.requestSubscribeMessage."""


class InboxQuerySchema(StrictSchema):
    most = Int("至多几条", least=1, most=MOST, load_default=20)
    before = Int("只列编号比它小的：上一页答复的 next", least=1, most=LARGEST_ID, load_default=None)
    unread = Bool("只列没有读过的", load_default=False)

    def make(self, taken: dict[str, Any]) -> InboxAsked:
        """The domain's own question."""
        return InboxAsked(**taken)


class MessageSchema(AnswerSchema):
    id = count("编号，微信、短信里的也是这个")
    event = Code("什么事", EVENT_NAMES, required=True)
    cause = words("由什么引起，例如 match_run:3；“看明细”的页面用它")
    person_id = count("关于谁：人员的编号")
    day = Day("哪一天的事", required=True)
    title = words("标题")
    text = words("内容；界面选了“长辈版”的，为长辈版的说法")
    urgent = fields.Boolean(required=True, metadata={"description": "是否紧急"})
    at = Moment("什么时候写下的", required=True)
    read_at = perhaps_moment("这个账号什么时候读的；没有读过的为 null")


class InboxSchema(AnswerSchema):
    messages = many("消息，新的在前", MessageSchema())
    unread = count("这个账号一共有几条没有读过；家人或代办人读了不算")
    next = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "下一页的 before；没有下一页的为 null"},
    )


class AnswerOfUserSchema(StrictSchema):
    template = Text("模板的编号：GET 答复的 template", longest=64, required=True)
    answer = Code("用户的回答", ANSWERS, required=True)


@dataclass(frozen=True, slots=True)
class Reported:
    """What the phone told after one asking. `accepted`: ids of templates."""

    call: str
    accepted: tuple[str, ...]


class ReportSchema(StrictSchema):
    call = Text(
        "这一次询问的编号，由小程序随机生成；同一次重发用同一个",
        shortest=16, longest=64, pattern=r"^[0-9A-Za-z_-]*$", required=True,
        example="8b1d0e6c5b2f4d0d",
    )  # fmt: skip
    answers = Many(
        "每个模板的回答，照 wx.requestSubscribeMessage 的结果",
        Nested("一个模板的回答", AnswerOfUserSchema()),
        least=1,
        most=MOST_TEMPLATES,
        required=True,
    )

    def make(self, taken: dict[str, Any]) -> Reported:
        """Each template once."""
        said = {one["template"]: one["answer"] for one in taken["answers"]}
        accepted = tuple(name for name, answer in said.items() if answer in ACCEPTS)
        return Reported(taken["call"], accepted)


class AllowedSchema(AnswerSchema):
    template = words("模板的编号，询问用户时用", attribute="template_id")
    title = words("模板的标题")
    left = count("还能发几条")
    long_term = fields.Boolean(required=True, metadata={"description": "是否长期订阅，不限条数"})


class SubscriptionsSchema(AnswerSchema):
    templates = many("可以询问用户是否允许的模板", AllowedSchema())


INBOX_QUERY: Final = InboxQuerySchema()
INBOX: Final = InboxSchema()
REPORT: Final = ReportSchema()
SUBSCRIPTIONS: Final = SubscriptionsSchema()
