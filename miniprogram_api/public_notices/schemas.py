"""Notices and objections as they are sent and answered."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields

from backend.public_notices.objections import STATES
from backend.public_notices.reading import MOST, NoticesAsked
from miniprogram_api.fields import LARGEST_ID, Bool, Day, Int, Text
from miniprogram_api.fields import Code as CodeField
from miniprogram_api.matching.schemas import Moment, count
from miniprogram_api.policies.parts import many, perhaps_day, words
from miniprogram_api.schemas import AnswerSchema, StrictSchema

_SAID: Final = r"^[^\x00\x7f]*$"


class NoticesQuerySchema(StrictSchema):
    area = Text(
        "地区：行政区划代码，6 位（县）、9 位（乡镇）或 12 位（村）；不写的，全部",
        shortest=6, longest=12, pattern=r"^(?:[0-9]{6}|[0-9]{9}|[0-9]{12})$",
        load_default=None, example="320281",
    )  # fmt: skip
    most = Int("至多几份", least=1, most=MOST, load_default=MOST)
    before = Int("只列编号比它小的：上一页答复的 next", least=1, most=LARGEST_ID, load_default=None)

    def make(self, taken: dict[str, Any]) -> NoticesAsked:
        """The domain's own question."""
        return NoticesAsked(taken["area"] or "", taken["most"], taken["before"])


class ObjectionSentSchema(StrictSchema):
    entry = Int("对名单里的哪一条：公示里写的编号", least=1, most=LARGEST_ID, required=True)
    words = Text("哪里不对、为什么", longest=1000, pattern=_SAID, required=True,
                 example="情况与实际不符。")  # fmt: skip
    contact = Text("怎样找到您；可以不写", shortest=0, longest=100, load_default="")
    key = Text("客户端生成的唯一编号：没有收到答复时，用同一个再发", shortest=8, longest=64,
               pattern=r"^[A-Za-z0-9-]+$", required=True, example="0f5d2c3e-7d2c-4b55")  # fmt: skip

    def make(self, taken: dict[str, Any]) -> dict[str, Any]:
        """As sent; the list stands in the path."""
        return taken


class VerdictSchema(StrictSchema):
    upheld = Bool("异议是否成立：成立的，案件退回重新审批", required=True)
    answer = Text("给提出异议的人的答复，不写任何人的个人情况", longest=500, pattern=_SAID,
                  required=True, example="已经核实。")  # fmt: skip

    def make(self, taken: dict[str, Any]) -> dict[str, Any]:
        """As sent; the objection stands in the path."""
        return taken


class PublicNoticeSchema(AnswerSchema):
    id = count("公示的编号")
    area = words("哪里：12 位代码")
    place = words("县（市、区）的名称")
    first_day = Day("第一天", required=True)
    last_day = Day("最后一天，过了就撤下", required=True)
    people = count("名单上有多少条")


class PublicNoticesSchema(AnswerSchema):
    notices = many("公示期内的名单，新的在前", PublicNoticeSchema())
    next = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "下一页的 before；没有下一页的为 null"},
    )


class PublicNoticeEntrySchema(AnswerSchema):
    id = count("这一条的编号，提异议时用")
    name = words("姓名，只显示第一个字")
    number = words("身份证号，只显示最后两位")
    kind = words("申请的种类")
    kind_name = words("申请的种类，名称")


class PublicNoticeShownSchema(PublicNoticeSchema):
    entries = many("名单", PublicNoticeEntrySchema())


class ObjectionMadeSchema(AnswerSchema):
    code = words("查询码，10 位：凭它查处理结果，请记下来")


class ObjectionStandingSchema(AnswerSchema):
    state = CodeField("办到哪里了", STATES, required=True)
    made_on = Day("哪天提的", required=True)
    decided_on = perhaps_day("哪天处理的")
    answer = words("答复；还没有处理的为空")


class ObjectionWaitingSchema(AnswerSchema):
    id = count("异议的编号")
    case = count("针对哪件申请", attribute="case_id")
    name = words("名单上的姓名")
    kind = words("申请的种类")
    kind_name = words("申请的种类，名称")
    made_at = Moment("什么时候提的", required=True)
    contact = words("怎样联系；没有写的为空")
    words = words("说了什么")


class ObjectionsWaitingSchema(AnswerSchema):
    objections = many("待处理的异议，先提的在前", ObjectionWaitingSchema())


NOTICES_QUERY: Final = NoticesQuerySchema()
OBJECTION: Final = ObjectionSentSchema()
VERDICT: Final = VerdictSchema()
NOTICES: Final = PublicNoticesSchema()
NOTICE: Final = PublicNoticeShownSchema()
MADE: Final = ObjectionMadeSchema()
STANDING: Final = ObjectionStandingSchema()
WAITING: Final = ObjectionsWaitingSchema()
