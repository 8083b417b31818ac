"""The request of an estimate, loaded into the domain's `Case`."""

from __future__ import annotations

from typing import Any, Final

from backend.estimation.case import (
    MAX_BILLS,
    Assumptions,
    Bill,
    Case,
    Identity,
    Person,
    SeriousIllnessBase,
)
from backend.estimation.checks import FIRST_DAY
from backend.estimation.estimate import OUT_OF_SCOPE
from backend.policies.catalogue import shared_vocabulary
from miniprogram_api.fields import Bool, Code, Day, Money, Rate, Text
from miniprogram_api.schemas import StrictSchema
from miniprogram_api.structures import Many, Map, Nested

MAX_IDENTITIES: Final = 366
WORDS: Final = shared_vocabulary()
CATEGORIES: Final = {code: category.name for code, category in WORDS.categories.items()}
PAYERS: Final = {**WORDS.layers, OUT_OF_SCOPE: "政策范围外费用"}
"""Every layer, and what was paid, by whomever, outside the scope."""


class EstimateIdentitySchema(StrictSchema):
    category = Code("人员类别", CATEGORIES, required=True)
    from_ = Day(
        "从哪天起认定（含当日）；不填表示一直有",
        data_key="from",
        allow_none=True,
        load_default=None,
        example="2023-01-01",
    )
    to = Day(
        "到哪天为止（含当日）；不填表示仍然有效",
        allow_none=True,
        load_default=None,
        example="2024-12-31",
    )
    applied_on = Day(
        "提出申请的日期；有的政策从申请前若干个月起算",
        allow_none=True,
        load_default=None,
        example="2022-12-15",
    )

    def make(self, taken: dict[str, Any]) -> Identity:
        """With the first day there is where none was given."""
        return Identity(**{**taken, "from_": taken["from_"] or FIRST_DAY})


class EstimatePersonSchema(StrictSchema):
    identities = Many(
        "救助身份，每段时间一项",
        Nested("一段时间的救助身份", EstimateIdentitySchema()),
        most=MAX_IDENTITIES,
        load_default=list,
    )
    declined_health_service = Bool("是否放弃了基础健康服务", load_default=False)

    def make(self, taken: dict[str, Any]) -> Person:
        """The person."""
        return Person(tuple(taken["identities"]), taken["declined_health_service"])


class SeriousIllnessBaseSchema(StrictSchema):
    deductible = Money("全年起付线", required=True, example="20000.00")
    rate = Rate("支付比例", required=True, example="0.60")

    def make(self, taken: dict[str, Any]) -> SeriousIllnessBase:
        """The base."""
        return SeriousIllnessBase(**taken)


class EstimateAssumptionsSchema(StrictSchema):
    serious_illness_base = Nested(
        "当地的大病保险标准；不填时用当地配置的，没有配置就不计算大病保险",
        SeriousIllnessBaseSchema(),
        allow_none=True,
        load_default=None,
    )
    disposable_income_per_head = Money(
        "上年度居民人均可支配收入；不填时用政策中记载的",
        allow_none=True,
        load_default=None,
        example="60000.00",
    )

    def make(self, taken: dict[str, Any]) -> Assumptions:
        """The assumptions."""
        return Assumptions(**taken)


class EstimateBillSchema(StrictSchema):
    id = Text("结算单号，每张不同", required=True, longest=64, example="b1")
    setting = Code("就诊方式", WORDS.settings, required=True)
    admitted_on = Day("入院（就诊开始）日期", required=True, example="2024-03-01")
    discharged_on = Day("出院（就诊结束、结算）日期", required=True, example="2024-03-09")
    total = Money("总费用", required=True, example="152000.00")
    in_scope = Money("政策范围内费用", required=True, example="148000.00")
    paid = Map(
        "已经支付的，按支付方填；写明的支付方不再计算，填 0.00 表示已结算、没有支付",
        PAYERS,
        Money("金额"),
        load_default=dict,
    )
    referred = Bool(f"是否{WORDS.flags['referred']}", load_default=False)
    in_province = Bool(f"是否{WORDS.flags['in_province']}", load_default=False)
    in_county = Bool(f"是否{WORDS.flags['in_county']}", load_default=False)
    followed_guidance = Bool(f"是否{WORDS.flags['followed_guidance']}", load_default=False)
    designated = Bool(f"是否{WORDS.flags['designated']}", load_default=True)
    disease_group = Code("疾病分组", WORDS.disease_groups, load_default="general")
    rare_drug = Money(
        "其中罕见病特效药费用，在总费用之内、政策范围之外", load_default=0, example="0.00"
    )

    def make(self, taken: dict[str, Any]) -> Bill:
        """The bill."""
        return Bill(**taken)


class EstimateRequestSchema(StrictSchema):
    policy = Text(
        "按哪个政策测算（政策编号）；与 area 只填一个",
        allow_none=True,
        load_default=None,
        longest=100,
        example="wuxi-2022-98",
    )
    area = Text(
        "按哪个地区测算（行政区划代码，六位或十二位）：用当地在每张结算单当天施行的政策",
        allow_none=True,
        load_default=None,
        longest=12,
        example="320281",
    )
    person = Nested("参保人", EstimatePersonSchema(), load_default=Person)
    assumptions = Nested(
        "政策没有写明的数据", EstimateAssumptionsSchema(), load_default=Assumptions
    )
    bills = Many(
        "结算单", Nested("结算单", EstimateBillSchema()), least=1, most=MAX_BILLS, required=True
    )

    def make(self, taken: dict[str, Any]) -> Case:
        """The case."""
        return Case(**{**taken, "bills": tuple(taken["bills"])})


ESTIMATE_REQUEST: Final = EstimateRequestSchema()
