"""Parts that several lookup answers share; they dump the domain's own objects."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields

from backend.policies.entitlements import DELIVERIES
from backend.policies.standing import STATES
from miniprogram_api.fields import Bool, Code, Day
from miniprogram_api.policies.queries import WORDS
from miniprogram_api.schemas import AnswerSchema
from miniprogram_api.structures import Nested

UNITS: Final = {
    "yuan": "元",
    "rate": "比例",
    "points": "百分点",
    "days": "天",
    "working_days": "工作日",
    "months": "月",
    "years": "年",
    "age": "周岁",
    "count": "个数",
    "date": "日期",
}


def words(description: str, **options: Any) -> fields.String:
    """A text, always there."""
    return fields.String(required=True, metadata={"description": description}, **options)


def perhaps(description: str, **options: Any) -> fields.String:
    """A text, or null."""
    return words(description, allow_none=True, **options)


def texts(description: str, **options: Any) -> fields.List[Any]:
    """Texts, in their order."""
    return many(description, fields.String(), **options)


def many(description: str, inner: Any, **options: Any) -> fields.List[Any]:
    """A list as long as it needs to be; `inner`: a field, or the schema of its items."""
    field = inner if isinstance(inner, fields.Field) else fields.Nested(inner)
    return fields.List(field, required=True, metadata={"description": description}, **options)


def perhaps_day(description: str, **options: Any) -> Day:
    """A day, or null."""
    return Day(description, required=True, allow_none=True, **options)


class NamedCodeSchema(AnswerSchema):
    code = words("代码")
    name = words("名称")


class PolicyReadingSchema(AnswerSchema):
    id = words("编号")
    clause = words("条款")
    text = words("条文不清楚的地方怎样理解")
    reason = words("为什么这样理解")
    edit = words("要改成别的理解，改哪里的数据")


class PolicyStandingSchema(AnswerSchema):
    id = words("政策编号", attribute="policy.id")
    title = words("标题", attribute="policy.document.title")
    short_title = words("简称", attribute="policy.document.short_title")
    number = perhaps("文号；没有写的为 null", attribute="policy.document.number")
    area = Nested(
        "适用地区；模板为 null",
        NamedCodeSchema(),
        attribute="policy.document.area",
        required=True,
        allow_none=True,
    )
    state = Code("这一天的效力", STATES, required=True)
    sentence = words("为什么是这个效力")
    first_day = perhaps_day("从哪天的费用起适用（含当日）", attribute="policy.first_day")
    last_day = perhaps_day("最后一天；没有写到哪天为止的为 null", attribute="policy.last_day")


class DecisionSchema(AnswerSchema):
    area = words("地区代码")
    name = words("地区名称")
    on = Day("哪一天", required=True)
    state = Code(
        "能确定按哪份政策办时为 in_force；否则为最近的一份的效力",
        {**STATES, "none": "没有收录政策"},
        required=True,
    )
    decides = perhaps("按哪份政策办；不能确定的为 null", attribute="decides.id", dump_default=None)
    sentence = words("为什么")


class FigureSchema(AnswerSchema):
    from_ = perhaps_day("从哪天起（含当日）；null 为文件以前", data_key="from")
    to = perhaps_day("到哪天为止（含当日）；null 为没有截止")
    value = words("数值：金额以元、比例以小数、其他为整数或日期")
    text = words("读法，如 3000.00 元、不低于 85%、7 个工作日")
    note = perhaps("说明")


class ParameterSchema(AnswerSchema):
    code = words("代码")
    name = words("名称")
    unit = Code("单位", UNITS, required=True)
    clause = words("条款")
    floor = Bool("文件写的是“不低于”", required=True)
    reading = perhaps("用到的解读的编号")
    value = perhaps("这一天的数值；还没有的为 null")
    text = words("这一天的读法")
    history = many("全部数值，从早到晚", FigureSchema())


class BenefitRowSchema(AnswerSchema):
    layer = Nested("支付方", NamedCodeSchema(), required=True)
    table = words("哪一部分费用")
    who = words("哪些人")
    categories = many("人员类别；没有救助身份的人为空", NamedCodeSchema())
    deductible = words("起付线")
    rate = words("比例")
    limits = texts("年度限额")
    covers = texts("哪些费用；不写为全部政策范围内费用")
    notes = texts("其他说明")
    clause = words("条款")
    readings = many("用到的解读", PolicyReadingSchema())


class LayerInputSchema(AnswerSchema):
    layer = Nested("支付方", NamedCodeSchema(), required=True)
    sentence = words("文件没有写怎么算，按什么金额计算")


class InKindSchema(AnswerSchema):
    code = words("代码")
    kind = Nested("种类", NamedCodeSchema(), required=True)
    name = words("名称")
    delivery = Code("怎样得到", DELIVERIES, attribute="delivery.code", required=True)
    delivery_text = words("怎样得到，用话说", attribute="delivery.name")
    who = many("人员类别", NamedCodeSchema())
    conditions = texts("条件，要都符合；没有条件的为空")
    amount = perhaps("给多少；没有数字的为 null")
    clause = words("条款")
    residents = words("给群众的说明")
    staff = words("给工作人员的说明")
    parameters = texts("用到的参数")
    reading = Nested("用到的解读", PolicyReadingSchema(), required=True, allow_none=True)


class ServiceRuleSchema(AnswerSchema):
    code = words("代码", attribute="shape.code")
    kind = words("种类", attribute="shape.kind")
    name = words("名称", attribute="shape.name")
    clause = words("条款", attribute="shape.clause")
    deadline = perhaps("时限；没有的为 null")
    residents = words("给群众的说明", attribute="shape.residents")
    staff = words("给工作人员的说明", attribute="shape.staff")
    lead = texts("牵头单位", attribute="shape.lead")
    cooperating = texts("配合单位", attribute="shape.cooperating")
    default_elsewhere = Bool(
        "没有自己规定的地方也照此办", attribute="shape.default_elsewhere", required=True
    )
    parameters = texts("用到的参数", attribute="shape.parameters")
    reading = perhaps("用到的解读的编号", attribute="shape.reading")


class NoticeSchema(AnswerSchema):
    categories = many("人员类别", Code("人员类别", WORDS.categories))
    kind = Code("种类", {"other_rules": "另有规定", "rate_not_stated": "没有写比例"}, required=True)
    clause = words("条款")
    residents = words("给群众的说明")
    staff = words("给工作人员的说明")
