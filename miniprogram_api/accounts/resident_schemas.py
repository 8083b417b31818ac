"""Accounts of residents as they are sent and answered."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields

from backend.accounts.codes import DIGITS
from backend.accounts.me import LEVELS, UI_MODES
from backend.accounts.real_name import Claim
from backend.citizens.names import LONGEST
from backend.citizens.tables import INSURANCE
from backend.kernel.audit_seen import MOST as MOST_LOOKS
from miniprogram_api.fields import LARGEST_ID, Bool, Code, Day, Int, Text
from miniprogram_api.matching.schemas import Moment, count
from miniprogram_api.policies.parts import NamedCodeSchema, many, perhaps, perhaps_day, texts, words
from miniprogram_api.schemas import AnswerSchema, StrictSchema
from miniprogram_api.structures import Nested

WECHAT_CODE: Final = r"^[0-9A-Za-z_-]*$"
INSURANCE_NAMES: Final = dict(
    zip(INSURANCE, ("不详", "居民医保", "职工医保", "在外地参保", "没有参保"), strict=True)
)


def person_id(description: str, **options: Any) -> Int:
    """The number of a person."""
    return Int(description, least=1, most=LARGEST_ID, **options)


def account_code(description: str, **options: Any) -> Text:
    """身份码, as it is told."""
    return Text(
        description, shortest=DIGITS, longest=DIGITS, pattern=rf"^[0-9]{{{DIGITS}}}$", **options
    )


def _level() -> Int:
    listed = "，".join(f"{level} {name}" for level, name in LEVELS.items())
    return Int(f"实名到哪一步：{listed}", least=0, most=max(LEVELS), required=True)


def _wechat_code(description: str) -> Text:
    return Text(description, longest=128, pattern=WECHAT_CODE, required=True)


class LogInSchema(StrictSchema):
    code = _wechat_code("wx.login 得到的 code，五分钟内有效，只能用一次")


class LoggedInSchema(AnswerSchema):
    token = words("口令：以后的请求放在 Authorization 头里，写成 Bearer 口令")
    level = _level()
    ui_mode = Code("界面", UI_MODES, required=True)
    new = fields.Boolean(required=True, metadata={"description": "是否第一次来"})


class AccountSchema(AnswerSchema):
    level = _level()
    person_id = person_id("本人在登记里的编号；没有实名的为 null", required=True, allow_none=True)
    ui_mode = Code("界面", UI_MODES, required=True)
    phone = words("手机号，中间几位不显示；没有绑定的为空")
    created_at = Moment("什么时候第一次登录", required=True)


class AccountChangeSchema(StrictSchema):
    ui_mode = Code("界面", UI_MODES, required=True)


class PhoneCodeSchema(StrictSchema):
    code = _wechat_code("手机号按钮得到的 code（不是 wx.login 的），五分钟内有效，只能用一次")


class PhoneSchema(AnswerSchema):
    phone = words("绑定的手机号，中间几位不显示")


class ClaimSchema(StrictSchema):
    name = Text("身份证上的姓名", longest=LONGEST, required=True)
    id_number = Text("身份证号，18 位", longest=32, required=True, attribute="number")

    def make(self, taken: dict[str, Any]) -> Claim:
        """The domain's own command."""
        return Claim(**taken)


class NamedSchema(AnswerSchema):
    person_id = person_id("本人在登记里的编号", required=True)


class ShownCodeSchema(AnswerSchema):
    code = words("身份码：八位数字，只告诉柜台人员或者您要委托、授权的人")
    expires_at = Moment("到什么时候有效；用过一次即作废", required=True)


class WhoseSchema(StrictSchema):
    person = person_id("谁的：本人、家人或委托人的编号；不填时为本人", load_default=None)


class VillageSchema(AnswerSchema):
    code = words("12 位代码")
    name = words("县（市、区）的名称，加上村（社区）的；村的名称没有登记的，只写县")


class HeldIdentitySchema(AnswerSchema):
    category = Nested("身份", NamedCodeSchema(), required=True)
    from_on = Day("从哪一天起", required=True)
    to_on = perhaps_day("到哪一天；没有期限的为 null")


class CarerSchema(AnswerSchema):
    role = words("职责")
    staff_no = words("工号")
    name = words("姓名；没有的为空")


class OwnFileSchema(AnswerSchema):
    person_id = person_id("编号", required=True)
    name = words("姓名")
    number = words("身份证号，中间几位不显示；没有的为空")
    born_on = Day("出生日期", required=True)
    area = Nested("户籍地", VillageSchema(), required=True)
    lives_in = Nested("常住地", VillageSchema(), required=True)
    phone = words("登记的电话，中间几位不显示；没有的为空")
    insurance = Code("参保情况", INSURANCE_NAMES, required=True)
    identities = many("救助身份，新的在前", HeldIdentitySchema())
    bills = count("有几张结算单")
    carers = many("谁在照看：家庭医生、村居协管员、帮扶干部", CarerSchema())


class ViewersQuerySchema(WhoseSchema):
    most = Int("至多几次", least=1, most=MOST_LOOKS, load_default=50)
    before = Int("只列比它早的：上一页答复的 next", least=1, most=LARGEST_ID, load_default=None)
    own = Bool("也列出用我自己的账号看的", load_default=False)


class ViewerSchema(AnswerSchema):
    at = Moment("什么时候", required=True)
    by = words("谁：工作人员写在哪里、职责和工号；家人和受托人写姓名")
    why = perhaps("为什么")
    parts = texts("看了哪些部分")
    sentence = words("连起来说")


class ViewersSchema(AnswerSchema):
    viewers = many("谁看过，新的在前", ViewerSchema())
    next = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "下一页的 before；没有下一页的为 null"},
    )


LOG_IN: Final = LogInSchema()
LOGGED_IN: Final = LoggedInSchema()
ACCOUNT: Final = AccountSchema()
ACCOUNT_CHANGE: Final = AccountChangeSchema()
PHONE_CODE: Final = PhoneCodeSchema()
PHONE: Final = PhoneSchema()
CLAIM: Final = ClaimSchema()
NAMED: Final = NamedSchema()
SHOWN_CODE: Final = ShownCodeSchema()
WHOSE: Final = WhoseSchema()
OWN_FILE: Final = OwnFileSchema()
VIEWERS_QUERY: Final = ViewersQuerySchema()
VIEWERS: Final = ViewersSchema()
