"""Amounts, payments and what charities report, as they are sent and answered."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields

from backend.applications.amounts import Paid
from backend.applications.handing_on import RESULTS
from miniprogram_api.applications.schemas import AssignedSchema, GrantedSchema, case_id
from miniprogram_api.fields import LARGEST_ID, Code, Day, Int, Money, Text
from miniprogram_api.policies.parts import many
from miniprogram_api.schemas import AnswerSchema, StrictSchema

WRITTEN: Final = r"^[^\x00-\x1f\x7f]*$"


class AmountSchema(StrictSchema):
    amount = Money("批准的金额", required=True)


class PaidSchema(StrictSchema):
    paid_on = Day("哪天发的", required=True, attribute="on")
    paid_ref = Text("发放的凭证号", longest=60, pattern=WRITTEN, required=True, attribute="ref",
                    example="民政凭证1号")  # fmt: skip

    def make(self, taken: dict[str, Any]) -> Paid:
        """The domain's own command."""
        return Paid(**taken)


class AdvanceWantedSchema(StrictSchema):
    bill = Int("哪一张费用单：申请里写的；只有一张的不用填", least=1, most=LARGEST_ID,
               load_default=None)  # fmt: skip
    cap = Money("转给医院的最高金额", required=True)
    size = Code("字的大小", {"normal": "一般", "large": "大字"}, load_default="normal")


class AdvanceSchema(StrictSchema):
    amount = Money("医院垫付的金额", required=True)
    cap = Money("看到的权益转让书写的最高金额", required=True)


class HandedOnSchema(AnswerSchema):
    case_id = case_id("申请的编号")
    area = fields.Function(
        lambda one: f"{one.area:012d}",
        required=True,
        metadata={"description": "户籍地：12 位代码", "type": "string"},
    )
    handed_on = Day("哪天转的", required=True)


class HandedOnListSchema(AnswerSchema):
    cases = many("转给慈善组织、还没有结果的申请，新的在前", HandedOnSchema())


class ResultSchema(StrictSchema):
    result = Code("结果", RESULTS, required=True)


AMOUNT: Final = AmountSchema()
GRANTED: Final = GrantedSchema()
PAID: Final = PaidSchema()
ADVANCE_WANTED: Final = AdvanceWantedSchema()
ADVANCE: Final = AdvanceSchema()
ASSIGNED: Final = AssignedSchema()
HANDED_ON: Final = HandedOnListSchema()
RESULT: Final = ResultSchema()
