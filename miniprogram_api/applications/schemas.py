"""Applications as they are sent and answered."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields

from backend.applications.answers import LONGEST
from backend.applications.clocks import NAMES as CLOCKS
from backend.applications.deciding import MOST_AT_ONCE, STAFF_DEEDS, Decision
from backend.applications.drafts import Answer, Beginning
from backend.applications.moves import DEEDS, STATES
from backend.applications.steps import Step
from miniprogram_api.accounts.resident_schemas import person_id
from miniprogram_api.fields import LARGEST_ID, Bool, Code, Day, Int, Money, Text
from miniprogram_api.matching.schemas import Moment, count, perhaps_moment
from miniprogram_api.policies.parts import many, perhaps, perhaps_day, words
from miniprogram_api.schemas import AnswerSchema, StrictSchema
from miniprogram_api.structures import Many, Nested

STATE_NAMES: Final = {code: state.name for code, state in STATES.items()}
SOURCES: Final = {"applicant": "申请人填写", "register": "系统已有"}
PROPOSALS: Final = {"grant": "拟同意", "refuse": "拟不同意"}
CODE: Final = r"^[a-z][a-z0-9_]*$"
STAFF_NO: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


def case_id(description: str) -> Int:
    """The number of a case."""
    return Int(description, least=1, most=LARGEST_ID, required=True)


class BeginningSchema(StrictSchema):
    person = person_id("给谁申请：本人、家人或委托人的编号", required=True, attribute="person_id")
    kind = Text("申请哪一种，从 /api/v1/procedures 中选", longest=40, pattern=CODE, required=True,
                example="recognition")  # fmt: skip
    key = Text("客户端生成的唯一编号：没有收到答复时，用同一个再发", shortest=8, longest=64,
               pattern=r"^[A-Za-z0-9-]+$", required=True, example="0f5d2c3e-7d2c-4b55")  # fmt: skip

    def make(self, taken: dict[str, Any]) -> Beginning:
        """The domain's own command."""
        return Beginning(**taken)


class AnswerGivenSchema(StrictSchema):
    value = Text("填写的内容；金额写元，日期写 2026-03-05，多张费用单的编号用逗号隔开",
                 longest=LONGEST, pattern=r"^[^\x00\x7f]*$", required=True)  # fmt: skip
    version = Int("这一项现在的 version；还没有填过的为 0", least=0, most=1_000_000, required=True)

    def make(self, taken: dict[str, Any]) -> dict[str, Any]:
        """Value and version; the field stands in the path."""
        return taken


def answer_of(field: str, sent: dict[str, Any]) -> Answer:
    """The domain's own command."""
    return Answer(field, sent["value"], sent["version"])


class FastLaneSchema(StrictSchema):
    fast_lane = Bool("是不是急重病：先凭诊断证明救助，其他材料以后补", required=True)


class LetterSizeSchema(StrictSchema):
    size = Code("字的大小", {"normal": "一般", "large": "大字"}, load_default="normal")


class AppealSchema(StrictSchema):
    why = Text("哪里不同意，为什么", longest=LONGEST, pattern=r"^[^\x00\x7f]*$", required=True)


class CaseSchema(AnswerSchema):
    id = case_id("编号")
    person_id = person_id("给谁申请的", required=True)
    kind = words("哪一种")
    policy = words("按哪个政策办理")
    category = words("申请认定的身份；没有的为空")
    state = Code("办到哪里了", STATE_NAMES, required=True)
    seq = count("办理了几步；办理时填它，别人先办了的会告诉您")
    fast_lane = fields.Boolean(required=True, metadata={"description": "是否急重病通道"})
    filing = fields.Boolean(required=True, metadata={"description": "是否备案类"})
    begun_at = Moment("什么时候开始填写", required=True)
    submitted_at = perhaps_moment("什么时候提交；没有提交的为 null")


class CaseForPapersSchema(AnswerSchema):
    id = case_id("编号")
    person_id = person_id("给谁申请的", required=True)
    kind = words("哪一种")
    policy = words("按哪个政策办理；要哪些材料，从 /api/v1/procedures 中查")
    state = Code("办到哪里了", STATE_NAMES, required=True)
    begun_at = Moment("什么时候开始填写", required=True)


class CasesSchema(AnswerSchema):
    applications = many("申请，新的在前", CaseSchema())
    for_papers = many("只受托代交材料、现在可以交的申请，新的在前", CaseForPapersSchema())


class AnsweredSchema(AnswerSchema):
    value = words("内容")
    version = count("版本；修改时填它")
    source = Code("从哪里来", SOURCES, required=True)


class FieldAnswerSchema(AnsweredSchema):
    field = words("哪一项")


class StepMadeSchema(AnswerSchema):
    seq = count("第几步")
    deed = Code("办了什么", DEEDS, required=True)
    to_state = Code("办到哪里了", STATE_NAMES, required=True)
    proposal = words("初审意见；没有的为空")
    reason = words("理由的代码；没有的为空")
    note = words("说明；没有的为空")
    role = words("谁办的；申请人或系统办的为空")
    at = Moment("什么时候", required=True)


class ClockSchema(AnswerSchema):
    clock = Code("哪一项期限", CLOCKS, required=True)
    started_on = Day("从哪天起", required=True)
    due_on = Day("最迟哪天", required=True)
    provisional = fields.Boolean(
        required=True, metadata={"description": "途中有放假安排还没有公布的日子，可能变动"}
    )
    stopped_on = perhaps_day("从哪天起停着；没有停的为 null")


class GrantedSchema(AnswerSchema):
    amount = Money("批准的金额", required=True)
    decided_on = Day("哪天定的", required=True)
    paid_on = perhaps_day("哪天发的；还没有发的为 null")
    paid_ref = words("发放的凭证号；还没有发的为空")


class BroughtSchema(GrantedSchema):
    paid = Money(
        "已经发放的金额；还没有发的为 null。付给垫付医院的，在 advance 里", required=True,
        allow_none=True,
    )  # fmt: skip
    paid_ref = words("凭证号，或银行批次号；还没有发的为空")


class AssignedSchema(AnswerSchema):
    letter_id = count("权益转让书的编号")
    bill_id = count("哪一张费用单")
    hospital = words("垫付的医院")
    cap = Money("转让书写的最高金额", required=True)
    advanced = Money("医院垫付的金额；还没有登记的为 null", required=True, allow_none=True)
    noted_on = perhaps_day("哪天登记的；还没有登记的为 null")
    paid = Money("已经付给医院的金额；还没有发放的为 null", required=True, allow_none=True)


class BillToNameSchema(AnswerSchema):
    id = count("编号：填在申请里")
    hospital = words("医院")
    setting = words("哪一类：门诊、住院等的代码")
    admitted_on = Day("入院或就诊日期", required=True)
    discharged_on = Day("出院或结算日期", required=True)
    total = Money("总费用", required=True)
    claimed = fields.Boolean(required=True, metadata={"description": "已经在另一件申请里"})


class BillsToNameSchema(AnswerSchema):
    bills = many("费用单，新的在前", BillToNameSchema())


class ProofSchema(AnswerSchema):
    until = Day("到哪天为止不能用承诺书代替材料", required=True)
    papers = many("要上传的材料", fields.String())
    told = words("说给申请人听的话")


class GoingSchema(AnswerSchema):
    id = case_id("在办的那一件的编号")
    told = words("说给申请人听的话")


class OpenedSchema(CaseSchema):
    name = words("申请人的姓名")
    answers = many("填写的内容", FieldAnswerSchema())
    steps = many("办理的经过", StepMadeSchema())
    clocks = many("期限，先到期的在前", ClockSchema())
    code = words("查询码：不登录也能查进度；没有提交的为空")
    granted = Nested(
        "救助的金额：批准多少、已经发了多少；还没有金额的，和不发钱的，为 null", BroughtSchema(),
        required=True, allow_none=True,
    )  # fmt: skip
    advance = Nested(
        "医院垫付、权益转让；没有的为 null", AssignedSchema(), required=True, allow_none=True
    )
    proof = Nested(
        "不能用承诺书代替材料时，改交什么；能用的为 null", ProofSchema(), required=True,
        allow_none=True,
    )  # fmt: skip
    going = Nested(
        "草稿和另一件在办的申请是同一件事，不能再提交；没有的为 null", GoingSchema(), required=True,
        allow_none=True,
    )  # fmt: skip
    rested = Day(
        "保存期满、清理的日子：填写的内容、材料、文书都已清除，只剩办理经过；没有清理的为 null",
        required=True, allow_none=True,
    )  # fmt: skip
    deeds = many("现在能办的事", fields.String())


class SubmittedSchema(CaseSchema):
    code = words("查询码：不登录也能查进度")


class DeskQuerySchema(StrictSchema):
    kind = Text("只列哪一种", longest=40, pattern=CODE, load_default=None)
    filing = Bool("只列备案类，或只列其他", load_default=None)
    free = Bool("只列没有人领办的，和自己领办的", load_default=False)
    most = Int("至多几件", least=1, most=200, load_default=50)


class CaseWaitingSchema(AnswerSchema):
    id = case_id("编号")
    kind = words("哪一种")
    state = Code("办到哪里了", STATE_NAMES, required=True)
    area = words("户籍地：12 位代码")
    fast_lane = fields.Boolean(required=True, metadata={"description": "是否急重病通道"})
    filing = fields.Boolean(required=True, metadata={"description": "是否备案类"})
    raised = count("逾期转上来几级")
    submitted_at = perhaps_moment("什么时候提交")
    due_on = perhaps_day("最迟哪天；没有期限的为 null")
    provisional = fields.Boolean(required=True, metadata={"description": "期限可能变动"})
    taken_by = perhaps("谁领办了；没有人的为 null")
    seq = count("办理了几步")


class DeskSchema(AnswerSchema):
    cases = many("待办的申请：急的在前，然后先到期的在前", CaseWaitingSchema())
    waiting = count("一共有几件")


class StepWantedSchema(StrictSchema):
    deed = Code("办什么", {deed: DEEDS[deed] for deed in STAFF_DEEDS}, required=True)
    seq = Int("看到的 seq", least=1, most=100_000, required=True)
    reason = Text("理由的代码", longest=40, pattern=CODE, load_default=None)
    note = Text("说明，申请人会看到", shortest=0, longest=LONGEST, pattern=r"^[^\x00\x7f]*$",
                load_default="")  # fmt: skip
    proposal = Code("初审意见", PROPOSALS, load_default=None)


def decision_of(case: int, sent: dict[str, Any]) -> Decision:
    """The domain's own command."""
    step = Step(sent["deed"], sent["reason"] or "", sent["note"], sent["proposal"] or "")
    return Decision(case, sent["seq"], step)


class FilingSchema(StrictSchema):
    id = case_id("编号")
    seq = Int("看到的 seq", least=1, most=100_000, required=True)


class FilingsSchema(StrictSchema):
    cases = Many("要备案的申请", fields.Nested(FilingSchema()), least=1, most=MOST_AT_ONCE,
                 required=True)  # fmt: skip


class FiledSchema(AnswerSchema):
    id = case_id("编号")
    filed = fields.Boolean(required=True, metadata={"description": "是否已备案"})
    problem = perhaps("没有备案的，为什么：问题的代码")
    detail = perhaps("没有备案的，怎么办")


class FiledManySchema(AnswerSchema):
    cases = many("逐件的结果", FiledSchema())


class HandOverSchema(StrictSchema):
    staff_no = Text("转交给谁：工号", longest=32, pattern=STAFF_NO, required=True)


BEGINNING: Final = BeginningSchema()
ANSWER_GIVEN: Final = AnswerGivenSchema()
FAST_LANE: Final = FastLaneSchema()
LETTER_SIZE: Final = LetterSizeSchema()
APPEAL: Final = AppealSchema()
CASE: Final = CaseSchema()
CASES: Final = CasesSchema()
ANSWERED: Final = AnsweredSchema()
OPENED: Final = OpenedSchema()
BILLS_TO_NAME: Final = BillsToNameSchema()
SUBMITTED: Final = SubmittedSchema()
DESK_QUERY: Final = DeskQuerySchema()
DESK: Final = DeskSchema()
DECISION: Final = StepWantedSchema()
FILINGS: Final = FilingsSchema()
FILED: Final = FiledManySchema()
HAND_OVER: Final = HandOverSchema()
