"""What is sent to ask "what if", and what is answered, as the OpenAPI document describes it."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields

from backend.estimation.circumstances import CATEGORY, DECLINED
from backend.estimation.what_if import FEWEST_POINTS, MOST_POINTS, CostRange, WhatIf
from miniprogram_api.estimation.answers import YearAnswerSchema, list_of, words
from miniprogram_api.estimation.schemas import (
    CATEGORIES,
    ESTIMATE_REQUEST,
    PAYERS,
    WORDS,
)
from miniprogram_api.fields import Bool, Code, Int, Money, Sum, Text
from miniprogram_api.schemas import AnswerSchema, StrictSchema
from miniprogram_api.structures import Map, Nested

CHANGES: Final = {**WORDS.flags, DECLINED: "放弃基础健康服务", CATEGORY: "换一个救助身份"}


class CostRangeSchema(StrictSchema):
    from_ = Money("起点", data_key="from", load_default=0, example="0.00")
    to = Money("终点，要比起点高", required=True, example="300000.00")
    points = Int(
        "取几个点：从起点到终点等分，两端都算",
        least=FEWEST_POINTS,
        most=MOST_POINTS,
        load_default=61,
        example=61,
    )

    def make(self, taken: dict[str, Any]) -> CostRange:
        """The range."""
        return CostRange(**taken)


class WhatIfRequestSchema(StrictSchema):
    estimate = Nested("测算请求，与 POST /api/v1/estimates 相同", ESTIMATE_REQUEST, required=True)
    bill_id = Text(
        "看哪一张结算单（单号）", data_key="bill", required=True, longest=64, example="b1"
    )
    costs = Nested(
        "这张单的总费用在什么范围内变化", CostRangeSchema(), data_key="cost", required=True
    )

    def make(self, taken: dict[str, Any]) -> WhatIf:
        """The question."""
        return WhatIf(taken["estimate"], taken["bill_id"], taken["costs"])


class OutcomeSchema(AnswerSchema):
    payments = Map("这张单各方支付的金额，按支付的先后", PAYERS, Sum("金额"), required=True)
    in_scope_burden = Sum("这张单政策范围内还要自己付的", required=True)
    personal_burden = Sum("这张单一共还要自己付的", required=True)
    year = Nested("这张单所在一年的合计", YearAnswerSchema(), required=True)


class CurvePointSchema(OutcomeSchema):
    total = Sum("这张单的总费用", required=True)
    in_scope = Sum("其中政策范围内费用；各项所占的份额与现在相同", required=True)


class CurveLayerSchema(AnswerSchema):
    layer = Code("支付方", PAYERS, required=True)
    name = words("支付方的名称", required=True)


class CostCurveSchema(AnswerSchema):
    bill = words("结算单号", required=True)
    layers = list_of("出现的支付方，按支付的先后", fields.Nested(CurveLayerSchema()))
    present = Nested("现在的费用", CurvePointSchema(), required=True)
    points = list_of("费用由低到高", fields.Nested(CurvePointSchema()))


class CircumstanceSchema(OutcomeSchema):
    change = Code("改变什么", CHANGES, required=True)
    value = Bool("改成是还是否；换身份时没有这一项")
    categories = fields.List(
        Code("人员类别", CATEGORIES),
        metadata={"description": "换成其中任何一个身份，结果都一样；只有换身份时才有"},
    )
    text = words("用一句话说", required=True)
    matters = Bool("结果会不会变", required=True)
    difference = Sum("这张单自己多付的；少付为负", required=True)
    year_difference = Sum("全年自己多付的；少付为负", required=True)


class WhatIfAnswerSchema(AnswerSchema):
    summary = words("用几句话说费用变化时自己付多少", required=True)
    curve = Nested("费用变化时各方支付多少", CostCurveSchema(), required=True)
    circumstances = list_of(
        "改变一个条件会怎样：最有帮助的在前，没有影响的在后", fields.Nested(CircumstanceSchema())
    )
    notes = list_of("关于测算的说明", fields.String())


WHAT_IF_REQUEST: Final = WhatIfRequestSchema()
WHAT_IF_ANSWER: Final = WhatIfAnswerSchema()
