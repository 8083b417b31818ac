"""Procedures as they are asked about and answered."""

from __future__ import annotations

from datetime import date
from typing import Any, Final, get_args

from marshmallow import fields

from backend.applications.clocks import NAMES as CLOCKS
from backend.policies.book import PolicyBook
from backend.policies.procedures import KINDS, FieldType, PaperWanted, Procedure
from miniprogram_api.fields import Code, Day, Text
from miniprogram_api.policies import queries
from miniprogram_api.policies.parts import many, perhaps, words
from miniprogram_api.schemas import AnswerSchema, StrictSchema

TYPES: Final = dict.fromkeys(get_args(FieldType), "")
WANTED: Final = dict(
    zip(get_args(PaperWanted), ("必交", "愿意提供的", "急重病先凭它救助"), strict=True)
)
_PERIODS: Final = {**CLOCKS, "draft": "草稿保留"}


class ProceduresQuerySchema(StrictSchema):
    area = Text(
        "户籍地：行政区划代码，六位，或带乡镇和村的十二位",
        shortest=6, longest=12, pattern=queries.AREA, required=True, example="320281",
    )  # fmt: skip
    on = queries.day()


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


class ProcedurePaperSchema(AnswerSchema):
    code = words("代码：上传时用它")
    label = words("名称")
    help = words("怎样拍")
    required = Code("要不要交", WANTED, required=True)


class ProcedurePeriodSchema(AnswerSchema):
    clock = Code("哪一项期限", _PERIODS, required=True)
    working_days = fields.Integer(
        required=True, metadata={"description": "几个工作日", "minimum": 0}
    )


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
    fields_ = many("要填的", ProcedureFieldSchema(), data_key="fields")
    papers = many("材料", ProcedurePaperSchema())
    periods = many("期限", ProcedurePeriodSchema())
    refusal_reasons = many("不予批准的理由", RefusalReasonSchema())
    filing = fields.Boolean(required=True, metadata={"description": "备案类：当场办好"})
    public_notice = fields.Boolean(required=True, metadata={"description": "批准以前要公示"})
    letter = perhaps("要签哪一种承诺书；不用签的为 null")
    fast_lane = fields.Boolean(required=True, metadata={"description": "有没有急重病通道"})


class ProceduresSchema(AnswerSchema):
    area = words("户籍地")
    on = Day("哪一天", required=True)
    kinds = many("能申请的", ProcedureSchema())


PROCEDURES_QUERY: Final = ProceduresQuerySchema()
PROCEDURES: Final = ProceduresSchema()


def presented(area: str, day: date, book: PolicyBook) -> dict[str, Any]:
    """The answer about a place. Raises `UnknownArea`."""
    found = book.procedures_at(area, day).values()
    return {"area": area, "on": day, "kinds": [_presented(one) for one in found]}


def _presented(one: Procedure) -> dict[str, Any]:
    return {
        **{name: getattr(one, name) for name in (
            "kind", "name", "residents", "policy", "clause", "reading", "filing", "letter",
            "fast_lane",
        )},
        "fields_": [
            {
                "code": field.code, "label": field.label, "help": field.help, "type": field.type,
                "required": field.required, "choices": field.choices,
                "filled_in": field.from_register is not None,
            }
            for field in one.fields.values()
        ],
        "papers": list(one.papers.values()),
        "periods": [
            {"clock": clock, "working_days": deadline.working_days}
            for clock, deadline in one.deadlines.items()
        ],
        "refusal_reasons": list(one.refusal_reasons.values()),
        "public_notice": one.notice is not None,
    }  # fmt: skip
