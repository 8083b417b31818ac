"""Policies in a list, two side by side, what changed; areas and the vocabulary, as answered."""

from __future__ import annotations

from typing import Final

from backend.policies.comparison import SECTIONS
from miniprogram_api.fields import Bool, Code, Day
from miniprogram_api.policies.parts import (
    UNITS,
    DecisionSchema,
    FigureSchema,
    NamedCodeSchema,
    PolicyStandingSchema,
    many,
    texts,
    words,
)
from miniprogram_api.schemas import AnswerSchema
from miniprogram_api.structures import Nested


class PoliciesSchema(AnswerSchema):
    on = Day("哪一天", required=True)
    decision = Nested(
        "按地区查询时，这一天按哪份政策办", DecisionSchema(), required=True, allow_none=True
    )
    policies = many("政策；按地区查询时为和它有关的，由近及远", PolicyStandingSchema())


class SideSchema(AnswerSchema):
    text = words("这一方怎么规定")
    clauses = texts("条款")


class ComparedRowSchema(AnswerSchema):
    section = Code("哪一部分", SECTIONS, required=True)
    code = words("代码")
    name = words("项目")
    left = Nested("前一份", SideSchema(), required=True)
    right = Nested("后一份", SideSchema(), required=True)
    same = Bool("两边的规定写出来一样", required=True)


class ComparisonSchema(AnswerSchema):
    on = Day("哪一天", required=True)
    left = Nested("前一份", PolicyStandingSchema(), required=True)
    right = Nested("后一份", PolicyStandingSchema(), required=True)
    rows = many("逐项对照", ComparedRowSchema())


class ChangedFigureSchema(AnswerSchema):
    policy = words("政策编号", attribute="policy.id")
    title = words("政策简称", attribute="policy.document.short_title")
    code = words("参数的代码", attribute="parameter.code")
    name = words("参数的名称", attribute="parameter.name")
    unit = Code("单位", UNITS, attribute="parameter.unit", required=True)
    clause = words("条款", attribute="parameter.clause")
    before = Nested("前一天的数值；没有的为 null", FigureSchema(), required=True, allow_none=True)
    after = Nested("后一天的数值；没有的为 null", FigureSchema(), required=True, allow_none=True)


class ChangedStandingSchema(AnswerSchema):
    before = Nested("前一天", PolicyStandingSchema(), required=True)
    after = Nested("后一天", PolicyStandingSchema(), required=True)


class ChangesSchema(AnswerSchema):
    from_ = Day("前一天", data_key="from", required=True)
    to = Day("后一天", required=True)
    decisions = many("按地区查询时，前后两天各按哪份政策办；否则为空", DecisionSchema())
    policies = many("效力有变化的政策", ChangedStandingSchema(), attribute="standings")
    parameters = many("数值有变化的参数", ChangedFigureSchema(), attribute="figures")


class NamedPolicySchema(AnswerSchema):
    id = words("政策编号")
    title = words("政策简称", attribute="document.short_title")


class PlaceSchema(AnswerSchema):
    code = words("地区代码")
    name = words("地区名称")
    policies = many("自己的或采用的政策", NamedPolicySchema())


class PlacesSchema(AnswerSchema):
    areas = many("有政策的地区，按代码", PlaceSchema())


class CategoryTermSchema(AnswerSchema):
    code = words("代码")
    name = words("这一天的名称")
    aliases = texts("别的叫法")
    departments = many("认定部门", NamedCodeSchema())
    child = Bool("是困境儿童", required=True)


class ConventionSchema(AnswerSchema):
    code = words("代码")
    heading = words("标题")
    residents = words("给居民看的说明")
    staff = words("给工作人员看的说明")


class VocabularySchema(AnswerSchema):
    on = Day("哪一天", required=True)
    categories = many("人员类别", CategoryTermSchema())
    settings = many("就医方式", NamedCodeSchema())
    layers = many("支付方，按支付的先后", NamedCodeSchema())
    disease_groups = many("病种分组", NamedCodeSchema())
    flags = many("结算单上的情况", NamedCodeSchema())
    departments = many("部门", NamedCodeSchema())
    conventions = many("通用规则：各政策都这样算", ConventionSchema())


POLICIES_ANSWER: Final = PoliciesSchema()
COMPARISON: Final = ComparisonSchema()
CHANGES_ANSWER: Final = ChangesSchema()
PLACES: Final = PlacesSchema()
VOCABULARY: Final = VocabularySchema()
