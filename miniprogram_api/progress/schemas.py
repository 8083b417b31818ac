"""Progress as it is answered: the document of what `routes` writes straight from the domain."""

from __future__ import annotations

from typing import Final

from marshmallow import fields

from backend.applications.clocks import NAMES as CLOCKS
from backend.applications.moves import DEEDS, STATES
from miniprogram_api.applications.schemas import PROPOSALS, case_id
from miniprogram_api.fields import Code, Day
from miniprogram_api.matching.schemas import count
from miniprogram_api.policies.parts import many, words
from miniprogram_api.schemas import AnswerSchema
from miniprogram_api.structures import Nested

STATE_NAMES: Final = {code: state.name for code, state in STATES.items()}
WORDINGS: Final = {"normal": "一般", "elder": "长辈版", "staff": "工作人员"}


class PeriodSchema(AnswerSchema):
    clock = Code("哪一项期限", CLOCKS, required=True)
    due_on = Day("最晚哪天", required=True)
    provisional = fields.Boolean(
        required=True, metadata={"description": "途中有放假安排还没有公布的日子，可能变动"}
    )
    stopped = fields.Boolean(required=True, metadata={"description": "停着不算"})
    late = fields.Boolean(required=True, metadata={"description": "已经过了"})
    text = words("写成一句话")


def _until() -> Nested:
    told = "最先到期的期限；没有期限在走的为 null"
    return Nested(told, PeriodSchema(), required=True, allow_none=True)


class StepToldSchema(AnswerSchema):
    seq = count("第几步")
    day = Day("哪一天", required=True)
    deed = Code("办了什么", DEEDS, required=True)
    text = words("写成一句话")
    note = words("办的人写的说明；没有的为空")
    why = words("不予批准的理由；没有的为空")
    remedy = words("不予批准的，还可以怎么办；没有的为空")
    message = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "告诉过您的那条消息的编号；没有的为 null"},
    )


class StaffStepSchema(StepToldSchema):
    role = words("谁办的；申请人或系统办的为空")
    proposal = Code("初审意见；没有的为空", {"": "没有", **PROPOSALS}, required=True)
    inner = fields.Boolean(required=True, metadata={"description": "申请人看不到这一步"})


class ProgressSchema(AnswerSchema):
    id = case_id("申请的编号")
    kind = words("哪一种申请")
    kind_name = words("它的名称")
    state = Code("办到哪里了", STATE_NAMES, required=True)
    state_name = words("办到哪里了，用平常的话")
    now = words("现在怎么样")
    who = words("现在在谁那里")
    todo = words("要您做什么")
    until = _until()
    periods = many("所有没有结束的期限，先到期的在前", PeriodSchema())
    steps = many("经过，先办的在前", StepToldSchema())
    wording = Code("哪一种说法", WORDINGS, required=True)


class CaseProgressSchema(ProgressSchema):
    steps = many("经过，先办的在前；退回、督办等内部的步骤也在内", StaffStepSchema())


class StandingSchema(AnswerSchema):
    state = Code("办到哪里了", STATE_NAMES, required=True)
    state_name = words("办到哪里了，用平常的话")
    todo = words("要申请的人做什么")
    since = Day("从哪天起", required=True)
    until = _until()


PROGRESS: Final = ProgressSchema()
CASE_PROGRESS: Final = CaseProgressSchema()
STANDING: Final = StandingSchema()
