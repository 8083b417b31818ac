"""Work items as they are answered."""

from __future__ import annotations

from typing import Final

from marshmallow import fields

from backend.worklist.kinds import KINDS
from miniprogram_api.fields import LARGEST_ID, Bool, Code, Day, Int
from miniprogram_api.policies.parts import many, words
from miniprogram_api.schemas import AnswerSchema, StrictSchema
from miniprogram_api.structures import Nested

MOST: Final = 200
KIND_NAMES: Final = {code: kind.name for code, kind in KINDS.items()}


class WorkQuerySchema(StrictSchema):
    most = Int("至多几件", least=1, most=MOST, load_default=50)


class WorkSchema(AnswerSchema):
    id = Int("编号", least=1, most=LARGEST_ID, required=True)
    kind = Code("哪一种", KIND_NAMES, required=True)
    area = words("关于哪里：12 位代码")
    reason = words("要做什么、为什么，不含个人情况")
    due_on = Day("哪天前办", required=True)
    escalated = Bool("是否逾期后转上来的", required=True)


class WorksSchema(AnswerSchema):
    items = many("待办，先到期的在前", WorkSchema())


class ConcernedSchema(AnswerSchema):
    person_id = Int("编号", least=1, most=LARGEST_ID, required=True)
    name = words("姓名")
    phone = words("登记的电话；没有登记的，是本人在小程序里绑定的；都没有的为空")
    lives_in = words("常住地：12 位代码")
    lives_in_name = words("常住地的名称；乡镇、村没有登记名称的，写到县")


class OneWorkSchema(AnswerSchema):
    item = Nested("待办", WorkSchema(), required=True)
    person = fields.Nested(
        ConcernedSchema(),
        required=True,
        allow_none=True,
        metadata={"description": "关于谁；不关于哪个人的，或者不归您看的，为 null"},
    )


WORK_QUERY: Final = WorkQuerySchema()
WORKS: Final = WorksSchema()
ONE_WORK: Final = OneWorkSchema()
