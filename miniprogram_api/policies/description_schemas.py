"""One policy, one clause, and what a category gets, as answered."""

from __future__ import annotations

from typing import Final

from backend.policies.standing import STATES
from miniprogram_api.fields import Bool, Code, Day
from miniprogram_api.policies.parts import (
    BenefitRowSchema,
    DecisionSchema,
    InKindSchema,
    LayerInputSchema,
    NamedCodeSchema,
    NoticeSchema,
    ParameterSchema,
    PolicyReadingSchema,
    PolicyStandingSchema,
    ServiceRuleSchema,
    many,
    perhaps,
    perhaps_day,
    texts,
    words,
)
from miniprogram_api.schemas import AnswerSchema
from miniprogram_api.structures import Nested

LEVELS: Final = {"county": "县级", "city": "市级", "province": "省级", "template": "模板"}
DATES: Final = {
    "stated": "文件写明",
    "reading": "按解读",
    "unconfirmed": "文件没有写，待当地确认",
}


class ClauseIndexSchema(AnswerSchema):
    anchor = words("条款，如 四(六)", attribute="shape.anchor")
    heading = words("标题", attribute="shape.heading")
    residents = words("给群众的说明", attribute="shape.residents")
    staff = words("给工作人员的说明", attribute="shape.staff")
    parameters = texts("这一条的参数")
    readings = texts("这一条的解读")
    entitlements = texts("这一条的待遇")
    services = texts("这一条的经办规则")


class PolicySchema(AnswerSchema):
    on = Day("哪一天", required=True)
    id = words("政策编号", attribute="policy.id")
    version = words("规则的版本", attribute="policy.version")
    title = words("标题", attribute="document.title")
    short_title = words("简称", attribute="document.short_title")
    number = perhaps("文号；没有写的为 null", attribute="document.number")
    other_numbers = texts("其他编号", attribute="document.other_numbers")
    cited_as = words("引用时怎么写", attribute="policy.cited_as")
    issuer = perhaps("发文机关；没有写的为 null", attribute="document.issuer")
    level = Code("级别", LEVELS, attribute="document.level", required=True)
    area = Nested(
        "适用地区；模板为 null",
        NamedCodeSchema(),
        attribute="document.area",
        required=True,
        allow_none=True,
    )
    issued = perhaps_day("成文日期", attribute="document.issued")
    published = perhaps_day("发布日期", attribute="document.published")
    in_force_from = perhaps_day("施行日期，写明的或当地确认的", attribute="begins")
    in_force_to = perhaps_day("最后一天；没有写到哪天为止的为 null", attribute="ends")
    applies_from = perhaps_day("从哪天起的费用参照执行", attribute="document.applies_from")
    trial = perhaps("试行期", attribute="document.trial")
    in_force = words("施行期，用话说")
    state = Code(
        "这一天的效力",
        STATES,
        attribute="standing.state",
        required=True,
    )
    sentence = words("为什么是这个效力", attribute="standing.sentence")
    dates = Code("施行期从哪里来", DATES, attribute="document.validity.dates", required=True)
    validity_reason = words("施行期怎么知道的", attribute="document.validity.reason")
    figures_on = perhaps_day("还没有施行的，待遇按哪天的数值写；否则为 null")
    summary = words("给群众的概要", attribute="document.summary")
    beneficiaries = many("救助对象", NamedCodeSchema())
    notices = many("另有规定或没有写比例的人", NoticeSchema(), attribute="document.notices")
    clauses = many("条款", ClauseIndexSchema())
    parameters = many("参数", ParameterSchema())
    layers = many("各方支付，按支付的先后", BenefitRowSchema())
    inputs = many("文件提到、没有写怎么算的支付方", LayerInputSchema())
    entitlements = many("钱以外的待遇", InKindSchema())
    services = many("经办规则和时限", ServiceRuleSchema())
    readings = many("解读", PolicyReadingSchema())


class ClauseSchema(AnswerSchema):
    on = Day("哪一天", required=True)
    policy = Nested("所在的政策", PolicyStandingSchema(), attribute="standing", required=True)
    anchor = words("条款", attribute="shape.anchor")
    cited_as = words("引用时怎么写", attribute="policy.cited_as")
    heading = words("标题", attribute="shape.heading")
    residents = words("给群众的说明", attribute="shape.residents")
    staff = words("给工作人员的说明", attribute="shape.staff")
    parameters = many("这一条的参数", ParameterSchema())
    layers = many("这一条的支付规则", BenefitRowSchema())
    entitlements = many("这一条的待遇", InKindSchema())
    services = many("这一条的经办规则", ServiceRuleSchema())
    readings = many("这一条的解读", PolicyReadingSchema())


class EntitledSchema(AnswerSchema):
    policy = Nested("所按的政策", PolicyStandingSchema(), attribute="standing", required=True)
    covered = Bool("是不是这份政策的救助对象", required=True)
    sentence = words("说明")
    notices = many("对这类人另有规定，或没有写比例", NoticeSchema())
    money = many("钱的待遇，按支付的先后", BenefitRowSchema())
    inputs = many("文件提到、没有写怎么算的支付方", LayerInputSchema())
    in_kind = many("钱以外的待遇", InKindSchema())


class EntitlementsSchema(AnswerSchema):
    on = Day("哪一天", required=True)
    category = Nested("人员类别", NamedCodeSchema(), required=True)
    decision = Nested(
        "按地区查询时，按哪份政策办", DecisionSchema(), required=True, allow_none=True
    )
    entitled = Nested(
        "待遇；不能确定按哪份政策办的为 null", EntitledSchema(), required=True, allow_none=True
    )


POLICY: Final = PolicySchema()
CLAUSE: Final = ClauseSchema()
ENTITLEMENTS_ANSWER: Final = EntitlementsSchema()
