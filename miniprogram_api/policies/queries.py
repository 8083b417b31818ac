"""What the lookup routes are asked. A day left out is today, in China."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import ValidationError, validates_schema

from backend.kernel.clock import today
from backend.policies.catalogue import shared_vocabulary
from miniprogram_api.fields import Code, Day, Text
from miniprogram_api.schemas import StrictSchema

WORDS: Final = shared_vocabulary()
CATEGORIES: Final = {code: category.name for code, category in WORDS.categories.items()}
AREA: Final = r"^[0-9]{6}(?:[0-9]{6})?$"
LONGEST_ID: Final = 60
ONE_OF_TWO: Final = "area 和 policy 请填一个，不要都填。"


def day(description: str = "哪一天；不填为今天") -> Day:
    """The day asked about."""
    return Day(description, load_default=today, example="2024-06-01")


def area() -> Text:
    """The place asked about."""
    words = "地区：行政区划代码，六位，或带乡镇和村的十二位"
    return Text(words, shortest=6, longest=12, pattern=AREA, load_default=None, example="320281")


def policy(**options: Any) -> Text:
    """A policy by its id."""
    return Text("政策编号", longest=LONGEST_ID, example="wuxi-2022-98", **options)


class OnDayQuerySchema(StrictSchema):
    on = day()


class PoliciesQuerySchema(StrictSchema):
    area = area()
    on = day()


class CompareQuerySchema(StrictSchema):
    left = policy(required=True)
    right = policy(required=True)
    on = day("按哪一天的数值和效力对照；不填为今天")


class ChangesQuerySchema(StrictSchema):
    from_ = Day("前一天", data_key="from", required=True, example="2025-12-31")
    to = Day("后一天；不早于前一天", required=True, example="2026-01-01")
    area = area()
    policy = policy(load_default=None)

    @validates_schema
    def _at_most_one(self, taken: dict[str, Any], **_: Any) -> None:
        if taken.get("area") is not None and taken.get("policy") is not None:
            raise ValidationError(ONE_OF_TWO, "policy")


class EntitlementsQuerySchema(StrictSchema):
    category = Code("人员类别", CATEGORIES, required=True, example="subsistence_allowance")
    area = area()
    policy = policy(load_default=None)
    on = day()

    @validates_schema
    def _exactly_one(self, taken: dict[str, Any], **_: Any) -> None:
        if (taken.get("area") is None) == (taken.get("policy") is None):
            raise ValidationError(ONE_OF_TWO, "area")


ON_DAY: Final = OnDayQuerySchema()
POLICIES: Final = PoliciesQuerySchema()
COMPARE: Final = CompareQuerySchema()
CHANGES: Final = ChangesQuerySchema()
ENTITLEMENTS: Final = EntitlementsQuerySchema()
