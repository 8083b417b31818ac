"""Signing in of staff as it is sent and answered."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields

from backend.accounts.duties import ROLE_NAMES
from backend.accounts.passwords import LONGEST
from backend.accounts.staff_login import SignIn
from miniprogram_api.fields import LARGEST_ID, Code, Day, Int, Text
from miniprogram_api.policies.parts import many, perhaps_day, words
from miniprogram_api.schemas import AnswerSchema, StrictSchema
from miniprogram_api.structures import Nested


class SignInSchema(StrictSchema):
    staff_no = Text("工号", longest=32, required=True, example="S1001")
    password = Text("口令", longest=LONGEST, required=True)
    code = Text(
        "动态码：验证器上的六位数字", shortest=6, longest=6, pattern=r"^[0-9]{6}$", required=True
    )
    new_password = Text(
        "新口令；第一次登录必须填写，平时要改口令时填写", longest=LONGEST, load_default=None
    )
    duty = Int(
        "以哪一项任职登录：任职的编号；不填时为本人的第一项",
        least=1, most=LARGEST_ID, load_default=None, attribute="duty_id",
    )  # fmt: skip

    def make(self, taken: dict[str, Any]) -> SignIn:
        """The domain's own command."""
        return SignIn(**taken)


class DutyChoiceSchema(StrictSchema):
    duty = Int("改以哪一项任职办事：任职的编号", least=1, most=LARGEST_ID, required=True)


class DutySchema(AnswerSchema):
    id = Int("编号", least=1, most=LARGEST_ID, required=True)
    role = Code("职责", ROLE_NAMES, required=True)
    area = words("地区：6、9 或 12 位代码")
    from_on = Day("任职首日", required=True)
    to_on = perhaps_day("任职末日；没有期限的为 null")
    deputises = fields.Boolean(required=True, metadata={"description": "是否代理他人"})


class WhoSchema(AnswerSchema):
    staff_no = words("工号")
    name = words("姓名")
    duty = Nested("现在以哪一项任职办事", DutySchema(), required=True)
    duties = many("今天的各项任职", DutySchema())


class SignedInSchema(WhoSchema):
    token = words("口令：以后的请求放在 Authorization 头里，写成 Bearer 口令")
    refused = Int(
        "上次登录以来，用这个工号没有登上的次数：不是您试的，请告诉系统管理员",
        least=0, most=2**31 - 1, required=True,
    )  # fmt: skip


SIGN_IN: Final = SignInSchema()
DUTY_CHOICE: Final = DutyChoiceSchema()
WHO: Final = WhoSchema()
SIGNED_IN: Final = SignedInSchema()
