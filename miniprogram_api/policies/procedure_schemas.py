"""Procedures as they are asked about and answered."""

from __future__ import annotations

from datetime import date
from typing import Any, Final, get_args

from marshmallow import fields

from backend.policies.book import PolicyBook
from backend.policies.offered import DECIDES, Kind, offered_at
from backend.policies.procedures import CLOCKS, KINDS, FieldType, PaperWanted
from miniprogram_api.fields import Code, Day, Text
from miniprogram_api.policies import queries
from miniprogram_api.policies.parts import (
    DecisionSchema,
    NamedCodeSchema,
    PolicyReadingSchema,
    many,
    perhaps,
    words,
)
from miniprogram_api.schemas import AnswerSchema, StrictSchema
from miniprogram_api.structures import Nested

TYPES: Final = dict.fromkeys(get_args(FieldType), "")
WANTED: Final = dict(
    zip(
        get_args(PaperWanted),
        ("必交", "愿意提供的", "急重病先凭它救助", "不能用承诺书的才要交"),
        strict=True,
    )
)


class ProceduresQuerySchema(StrictSchema):
    area = Text(
        "户籍地：行政区划代码，六位，或带乡镇和村的十二位",
        shortest=6, longest=12, pattern=queries.AREA, required=True, example="320281",
    )  # fmt: skip
    on = queries.day()


def _bound(told: str) -> fields.Integer:
    return fields.Integer(required=True, allow_none=True, metadata={"description": told})


class FieldChoiceSchema(AnswerSchema):
    code = words("代码")
    label = words("名称")


class ProcedureFieldSchema(AnswerSchema):
    code = words("代码：保存时用它")
    label = words("名称")
    help = words("怎样填")
    type = Code("填什么", TYPES, required=True)
    required = fields.Boolean(required=True, metadata={"description": "是否必填"})
    choices = many("可以选的；不是选择的为空", FieldChoiceSchema())
    filled_in = fields.Boolean(required=True, metadata={"description": "系统已有的，自动填好"})
    longest = fields.Integer(required=True, metadata={"description": "最多几个字", "minimum": 1})
    least = _bound("最少填多少，金额以元为单位；不限的为 null")
    most = _bound("最多填多少，金额以元为单位；不限的为 null")
    past = fields.Boolean(required=True, metadata={"description": "日期：只能是今天或以前"})


class ProcedurePaperSchema(AnswerSchema):
    code = words("代码：上传时用它")
    label = words("名称")
    help = words("怎样拍")
    required = Code("要不要交", WANTED, required=True)


class ProcedurePeriodSchema(AnswerSchema):
    clock = Code("哪一项期限", CLOCKS, required=True)
    name = words("名称")
    counted_from = words("从什么时候起算")
    working_days = fields.Integer(
        required=True, metadata={"description": "几个工作日", "minimum": 0}
    )
    basis = words("依据：文件的条款，或者缺省办法的理由")
    clause = perhaps("写在哪一条；缺省办法的为 null")
    reading = Nested("用到的解读", PolicyReadingSchema(), required=True, allow_none=True)


class RefusalReasonSchema(AnswerSchema):
    code = words("代码")
    label = words("名称")
    residents = words("给申请人的说明")
    remedy = words("可以怎么办")


class ProcedureSchema(AnswerSchema):
    kind = Code("哪一种", KINDS, required=True)
    name = words("名称")
    residents = words("什么时候申请这一种")
    policy = words("按哪个政策办理")
    clause = words("依据的条款")
    reading = perhaps("条款没有写明、按哪条解读；没有的为 null")
    reading_text = perhaps("这条解读怎样理解；没有的为 null")
    decides = Code("谁来办", DECIDES, required=True)
    brings = Nested("批准以后怎样", NamedCodeSchema(), required=True)
    layer = Nested(
        "申请费用救助的，由哪一层支付；别的为 null", NamedCodeSchema(), required=True,
        allow_none=True,
    )  # fmt: skip
    fields_ = many("要填的", ProcedureFieldSchema(), data_key="fields")
    papers = many("材料", ProcedurePaperSchema())
    periods = many("期限", ProcedurePeriodSchema())
    refusal_reasons = many("不予批准的理由", RefusalReasonSchema())
    filing = fields.Boolean(required=True, metadata={"description": "备案类：当场办好"})
    public_notice = fields.Boolean(required=True, metadata={"description": "批准以前要公示"})
    notice = Nested(
        "公示多久；不公示的为 null", ProcedurePeriodSchema(), required=True, allow_none=True
    )
    consent = perhaps("要先同意的事项；没有的为 null")
    letter = perhaps("要签哪一种承诺书；不用签的为 null")
    fast_lane = fields.Boolean(required=True, metadata={"description": "有没有急重病通道"})
    advance = perhaps("医院可以先垫付的，写在哪一条；不能垫付的为 null")


class ProceduresSchema(AnswerSchema):
    area = words("户籍地")
    on = Day("哪一天", required=True)
    decision = Nested("当地这一天按哪份政策办", DecisionSchema(), required=True)
    policy = perhaps("按哪份政策的办法申请；还不能申请的为 null")
    sentence = words("按什么办法申请，为什么")
    version = words("申请办法的版本：有变化就不同")
    kinds = many("能申请的", ProcedureSchema())


PROCEDURES_QUERY: Final = ProceduresQuerySchema()
PROCEDURES: Final = ProceduresSchema()


def presented(area: str, day: date, book: PolicyBook) -> dict[str, Any]:
    """The answer about a place. Raises `UnknownArea`."""
    found = offered_at(book, area, day)
    return {
        "area": area, "on": day, "decision": found.decision, "sentence": found.sentence,
        "policy": None if found.policy is None else found.policy.id, "version": found.version,
        "kinds": [_presented(one) for one in found.kinds],
    }  # fmt: skip


def _presented(kind: Kind) -> dict[str, Any]:
    one = kind.procedure
    return {
        **{name: getattr(one, name) for name in (
            "kind", "name", "residents", "policy", "clause", "reading", "filing", "letter",
            "fast_lane", "consent", "decides", "advance",
        )},
        "reading_text": None if kind.reading is None else kind.reading.text,
        "fields_": [
            {
                "code": field.code, "label": field.label, "help": field.help, "type": field.type,
                "required": field.required, "choices": field.choices, "longest": field.longest,
                "filled_in": field.from_register is not None,
                "least": field.least, "most": field.most, "past": field.past,
            }
            for field in one.fields.values()
        ],
        "papers": list(one.papers.values()),
        "periods": kind.deadlines,
        "refusal_reasons": list(one.refusal_reasons.values()),
        "public_notice": one.notice is not None,
        "notice": kind.notice,
        "brings": kind.brings,
        "layer": kind.layer,
    }  # fmt: skip
