"""What `presenter` answers, as the OpenAPI document describes it; nothing is dumped by these."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import ValidationError, fields

from backend.estimation.checks import FIRST_DAY, LAST_DAY
from backend.policies.standing import STATES
from miniprogram_api.estimation.schemas import CATEGORIES, PAYERS
from miniprogram_api.fields import Bool, Code, Int, Sum
from miniprogram_api.schemas import AnswerSchema, StrictSchema
from miniprogram_api.structures import Many, Map, Nested

Json = dict[str, Any]

MAX_REQUESTS: Final = 1000
MAX_BATCH_BILLS: Final = 20_000
"""Of all requests together: each explained bill is some kilobytes of answer."""
SOURCES: Final = {"given": "填写的", "computed": "算出的"}


def words(description: str, **options: Any) -> fields.String:
    """A text of the answer."""
    return fields.String(metadata={"description": description}, **options)


def list_of(description: str, inner: fields.Field[Any]) -> fields.List[Any]:
    """A list of the answer, as long as it needs to be."""
    return fields.List(inner, required=True, metadata={"description": description})


class StepSchema(AnswerSchema):
    text = words("这一步怎么算", required=True)
    amount = Sum("算到这一步的金额")


class CitationSchema(AnswerSchema):
    document = words("文号，没有文号的用标题", required=True)
    clause = words("条款", required=True)


class AppliedReadingSchema(AnswerSchema):
    id = words("解读的编号", required=True)
    text = words("条文不清楚的地方怎样理解", required=True)


class OtherIdentitySchema(AnswerSchema):
    identity = Code("人员类别", CATEGORIES, required=True)
    amount = Sum("按这个身份可得的金额", required=True)


class PaymentSchema(AnswerSchema):
    layer = Code("支付方", PAYERS, required=True)
    name = words("支付方的名称", required=True)
    amount = Sum("金额", required=True)
    source = Code("金额的来源", SOURCES, required=True)
    identity = Code("所用的救助身份；按身份支付的才有", CATEGORIES)
    steps = fields.List(
        fields.Nested(StepSchema()), metadata={"description": "计算步骤；算出的才有，下同"}
    )
    citation = Nested("依据", CitationSchema())
    rule_version = words("规则的版本")
    at_least = Bool("文件写的是“不低于”：实际可能更多")
    readings = fields.List(
        fields.Nested(AppliedReadingSchema()), metadata={"description": "用到的解读"}
    )
    others = fields.List(
        fields.Nested(OtherIdentitySchema()), metadata={"description": "其他身份可得的金额"}
    )


class GoverningPolicySchema(AnswerSchema):
    id = words("政策编号", required=True)
    title = words("简称", required=True)
    state = Code("在这张结算单当天的效力", STATES, required=True)


class BillAnswerSchema(AnswerSchema):
    id = words("结算单号", required=True)
    policy = Nested("所按的政策", GoverningPolicySchema(), required=True, allow_none=True)
    payments = list_of("各方支付，按支付的先后", fields.Nested(PaymentSchema()))
    in_scope_burden = Sum("政策范围内还要自己付的", required=True)
    personal_burden = Sum("一共还要自己付的", required=True)
    notes = list_of("关于这张结算单的说明", fields.String())


class YearAnswerSchema(AnswerSchema):
    year = Int("出院（结算）的年份", least=FIRST_DAY.year, most=LAST_DAY.year, required=True)
    totals = Map("各方支付的合计", PAYERS, Sum("金额"), required=True)
    in_scope_burden = Sum("政策范围内还要自己付的合计", required=True)
    personal_burden = Sum("一共还要自己付的合计", required=True)


class EstimateAnswerSchema(AnswerSchema):
    bills = list_of("结算单，按出院日期、再按单号排列", fields.Nested(BillAnswerSchema()))
    years = list_of("按年合计", fields.Nested(YearAnswerSchema()))
    notes = list_of("关于整个测算的说明", fields.String())


class OneRequest(fields.Field[Any]):
    """Anything at all: a request that is none is answered with its own problem."""

    def json_schema(self) -> Json:
        """Its form for readers; not a demand."""
        return {"anyOf": [{"$ref": "#/components/schemas/EstimateRequest"}, {}]}


class OneAnswer(fields.Field[Any]):
    """An estimate, or a problem."""

    def json_schema(self) -> Json:
        """One of the two."""
        problem = {"problem": {"$ref": "#/components/schemas/Problem"}}
        return {
            "oneOf": [
                {"$ref": "#/components/schemas/EstimateAnswer"},
                {"type": "object", "properties": problem, "required": ["problem"]},
            ]
        }


class EstimateBatchSchema(StrictSchema):
    requests = Many(
        "测算请求，每项与 POST /api/v1/estimates 的正文相同",
        OneRequest(allow_none=True),
        least=1,
        most=MAX_REQUESTS,
        required=True,
    )

    def make(self, taken: dict[str, Any]) -> list[Any]:
        """The requests."""
        requests: list[Any] = taken["requests"]
        bills = [one["bills"] for one in requests if isinstance(one, dict) and "bills" in one]
        if sum(len(some) for some in bills if isinstance(some, list)) > MAX_BATCH_BILLS:
            advice = f"所有结算单合计不能超过 {MAX_BATCH_BILLS} 张，请分几次测算。"
            raise ValidationError({"requests": [advice]})
        return requests


class EstimateBatchAnswerSchema(AnswerSchema):
    answers = list_of("与请求一一对应的答复：测算结果，或者 problem（这一项的错误）", OneAnswer())


ESTIMATE_ANSWER: Final = EstimateAnswerSchema()
ESTIMATE_BATCH: Final = EstimateBatchSchema()
ESTIMATE_BATCH_ANSWER: Final = EstimateBatchAnswerSchema()
