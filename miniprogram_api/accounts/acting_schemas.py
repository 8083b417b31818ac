"""Family, consents and delegations as they are sent and answered."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import ValidationError, fields

from backend.accounts.authority import SCOPES
from backend.accounts.consent_texts import consent_texts
from backend.accounts.consents import CHANNELS
from backend.accounts.counter import Confirmation
from backend.accounts.delegation_list import STATES
from backend.accounts.delegations import Delegate, Terms
from backend.accounts.family import BASES, RELATIONSHIPS
from backend.accounts.family_records import Declared, Recorded
from miniprogram_api.accounts.resident_schemas import account_code, person_id
from miniprogram_api.fields import LARGEST_ID, Bool, Code, Day, Int, Text
from miniprogram_api.matching.schemas import Moment, perhaps_moment
from miniprogram_api.policies.parts import many, perhaps, perhaps_day, words
from miniprogram_api.schemas import AnswerSchema, StrictSchema
from miniprogram_api.structures import Many

PURPOSES: Final = {code: one.title for code, one in consent_texts().purposes.items()}
ALONE: Final = {code: PURPOSES[code] for code, one in consent_texts().purposes.items() if one.alone}
_AGREE: Final = "请先阅读同意书，再勾选同意。"
_ONE: Final = "请填写 staff_no 或 code 中的一个。"


def _id(description: str) -> Int:
    return Int(description, least=1, most=LARGEST_ID, required=True)


def _version(description: str, **options: Any) -> Int:
    return Int(description, least=1, most=1000, **options)


def _proof(description: str) -> Text:
    return Text(description, shortest=4, longest=200, required=True)


def _scope() -> Many:
    return Many(
        "可以代办哪些事", Code("代办的事", SCOPES), least=1, most=len(SCOPES), required=True
    )


class MadeSchema(AnswerSchema):
    id = _id("编号")


class WardSchema(AnswerSchema):
    person_id = person_id("编号", required=True)
    name = words("姓名")
    born_on = Day("出生日期", required=True)
    child = fields.Boolean(
        required=True, metadata={"description": "是否不满十四周岁：添加时要监护人同意"}
    )


class MemberSchema(AnswerSchema):
    id = _id("编号；移除时填它")
    person_id = person_id("家人的编号", required=True)
    name = words("姓名")
    relationship = Code("是我的什么人", RELATIONSHIPS, required=True)
    basis = Code("凭什么代为办理", BASES, required=True)
    from_on = Day("从哪一天起", required=True)
    to_on = perhaps_day("到哪一天；没有期限的为 null")


class HelperSchema(AnswerSchema):
    id = _id("编号；取消时填它。监护人的不能自己取消，请到柜台办理")
    name = words("姓名；还没有实名、办不了事的为空")
    relationship = Code("我是对方的什么人", RELATIONSHIPS, required=True)
    basis = Code("凭什么代为办理", BASES, required=True)
    from_on = Day("从哪一天起", required=True)
    to_on = perhaps_day("到哪一天；没有期限的为 null")


class FamilySchema(AnswerSchema):
    members = many("可以代为办理的家人", MemberSchema())
    wards = many("登记里由我监护、还没有添加的孩子", WardSchema())
    helpers = many("可以代我办理的家人", HelperSchema())


class DeclaredSchema(StrictSchema):
    person = person_id("孩子的编号，从 wards 中选", required=True, attribute="person_id")
    relationship = Code("孩子是我的什么人", RELATIONSHIPS, required=True)
    declares = Bool("声明我是孩子的监护人", required=True)
    consent = _version("不满十四周岁的：已阅读并同意的同意书（children_data）的版本",
                       load_default=None)  # fmt: skip

    def make(self, taken: dict[str, Any]) -> Declared:
        """The domain's own command."""
        return Declared(**taken)


class GivenConsentSchema(AnswerSchema):
    id = _id("编号；撤回时填它")
    person_id = person_id("谁的", required=True)
    version = Int("同意的版本", least=1, most=1000, required=True)
    given_at = Moment("什么时候同意", required=True)
    channel = Code("在哪里", CHANNELS, required=True)
    withdrawn_at = perhaps_moment("什么时候撤回；没有撤回的为 null")


class PurposeSchema(AnswerSchema):
    purpose = Code("哪一项", PURPOSES, required=True)
    title = words("名称")
    basis = words("依据")
    alone = fields.Boolean(
        required=True, metadata={"description": "是否单独征求；否则和所办的事一起"}
    )
    version = Int("现在的版本", least=1, most=1000, required=True)
    text = words("同意书的文字")
    sha256 = words("文字的 SHA-256")
    given = many("给出过的同意，新的在前", GivenConsentSchema())


class ConsentsSchema(AnswerSchema):
    statutory = words("不需要同意的事，和为什么")
    purposes = many("要同意的事，一事一项", PurposeSchema())


class GivingSchema(StrictSchema):
    purpose = Code("哪一项", ALONE, required=True)
    version = _version("已阅读的版本", required=True)
    agrees = Bool("同意", required=True)
    person = person_id("谁的：本人，或监护的孩子；不填时为本人", load_default=None)

    def make(self, taken: dict[str, Any]) -> dict[str, Any]:
        """Not agreeing is no consent: nothing has to be sent for it."""
        if not taken["agrees"]:
            raise ValidationError({"agrees": [_AGREE]})
        return taken


class DelegationSchema(AnswerSchema):
    id = _id("编号；结束时填它")
    person_id = person_id("委托人的编号", required=True)
    person_name = words("委托人的姓名")
    staff_no = perhaps("受托的工作人员的工号；受托人是亲友的为 null")
    staff_name = perhaps("受托的工作人员的姓名；受托人是亲友的为 null")
    relationship = words("受托的亲友，委托人写的称呼；受托人是工作人员的为空")
    relative_name = words("受托的亲友实名的姓名（委托给我的里面不写）；还没有实名、办不了事的为空")
    scope = many("可以代办哪些事", Code("代办的事", SCOPES))
    from_on = Day("从哪一天起", required=True)
    to_on = Day("到哪一天", required=True)
    channel = Code("在哪里委托的", CHANNELS, required=True)
    state = Code("现在", STATES, required=True)


class DelegationsSchema(AnswerSchema):
    given = many("我（和监护的孩子）的委托，新的在前", DelegationSchema())
    received = many("委托给我的，新的在前", DelegationSchema())


class DelegationsAboutSchema(AnswerSchema):
    delegations = many("此人的委托，新的在前", DelegationSchema())


class DelegatingSchema(StrictSchema):
    person = person_id("谁委托：本人，或监护的孩子；不填时为本人", load_default=None)
    staff_no = Text("受托的家庭医生、村居协管员或帮扶干部的工号", longest=32, load_default=None)
    code = account_code("受托的亲友在他的小程序里打开的身份码", load_default=None)
    relationship = Text("怎样称呼受托的亲友，如：儿子", shortest=0, longest=20, load_default="")
    scope = _scope()
    from_on = Day("从哪一天起，今天或以后", required=True)
    to_on = Day("到哪一天，最长一年", required=True)
    consent = _version("已阅读并同意的同意书（delegation）的版本", required=True)

    def make(self, taken: dict[str, Any]) -> dict[str, Any]:
        """To one of the two."""
        if (taken["staff_no"] is None) == (taken["code"] is None):
            raise ValidationError({"staff_no": [_ONE]})
        return taken


class BedsideSchema(StrictSchema):
    scope = _scope()
    from_on = Day("从哪一天起，今天或以后", required=True)
    to_on = Day("到哪一天，最长一年", required=True)
    consent = _version("读给本人听、本人同意的同意书（delegation）的版本", required=True)
    proof = _proof("凭据：签名纸、录音或见证人，存放在哪里、什么编号")


class ConfirmationSchema(StrictSchema):
    code = account_code("本人在小程序里打开的身份码", required=True)
    card_seen = Bool("已核对身份证原件和本人", required=True)
    replace = Bool("本人原来的账号不能再用，注销它", load_default=False)


class RecordedSchema(StrictSchema):
    code = account_code("代办的家人在他的小程序里打开的身份码", required=True)
    relationship = Code("此人是代办人的什么人", RELATIONSHIPS, required=True)
    basis = Code("凭什么代为办理", BASES, required=True)
    proof = _proof("凭据：户口簿、结婚证、授权书等，什么编号、存放在哪里")
    to_on = Day("到哪一天；不填时没有期限，未成年人的到成年", load_default=None)
    consent = _version("不满十四周岁的：监护人同意的同意书（children_data）的版本",
                       load_default=None)  # fmt: skip


class EndingSchema(StrictSchema):
    channel = Code("本人在哪里要求结束的", {"bedside": "床旁", "counter": "柜台"}, required=True)


def terms_of(person: int, sent: dict[str, Any]) -> Terms:
    """What was sent of a delegation's terms."""
    scope, days = tuple(sent["scope"]), (sent["from_on"], sent["to_on"])
    return Terms(person, scope, *days, sent["consent"])


def delegate_of(sent: dict[str, Any]) -> Delegate:
    """To whom."""
    return Delegate(sent["staff_no"], sent["code"], sent["relationship"])


def confirmation_of(person: int, sent: dict[str, Any]) -> Confirmation:
    """What staff confirm of a person."""
    return Confirmation(person, **sent)


def recorded_of(person: int, sent: dict[str, Any]) -> Recorded:
    """What staff record of a person's family."""
    return Recorded(person, **sent)


MADE: Final = MadeSchema()
FAMILY: Final = FamilySchema()
DECLARED: Final = DeclaredSchema()
CONSENTS: Final = ConsentsSchema()
GIVING: Final = GivingSchema()
DELEGATIONS: Final = DelegationsSchema()
DELEGATIONS_ABOUT: Final = DelegationsAboutSchema()
DELEGATING: Final = DelegatingSchema()
BEDSIDE: Final = BedsideSchema()
CONFIRMATION: Final = ConfirmationSchema()
RECORDED: Final = RecordedSchema()
ENDING: Final = EndingSchema()
