"""Runs of matching as asked about and as answered: counts and sums, nothing of anybody."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields

from backend.matching.ledger import KINDS
from backend.matching.overview import STATES, RunsAsked
from backend.worklist import kinds
from miniprogram_api.fields import LARGEST_ID, ApiField, Bool, Code, Day, Int, Sum, Text
from miniprogram_api.policies.parts import NamedCodeSchema, many, perhaps, texts, words
from miniprogram_api.policies.queries import WORDS
from miniprogram_api.schemas import AnswerSchema, StrictSchema
from miniprogram_api.structures import Nested

MOST_RUNS: Final = 100
ENTRY_KINDS: Final = {kind.name.lower(): name for kind, name in KINDS.items()}
WORK_KINDS: Final = {code: kind.name for code, kind in kinds.KINDS.items()}


class RunsQuerySchema(StrictSchema):
    area = Text(
        "地区：六位行政区划代码；其中各地的运行也列出",
        shortest=6,
        longest=6,
        pattern=r"^[0-9]{6}$",
        load_default=None,
        example="320281",
    )
    year = Int("救助年度", least=2000, most=2100, load_default=None, example=2024)
    before = Int("只列编号比它小的：上一页答复的 next", least=1, most=LARGEST_ID, load_default=None)
    most = Int("至多几次", least=1, most=MOST_RUNS, load_default=20)

    def make(self, taken: dict[str, Any]) -> RunsAsked:
        """The domain's own question."""
        return RunsAsked(**taken)


class Moment(ApiField):
    """时刻: as text with its offset from UTC; only in answers."""

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else value.isoformat(timespec="seconds")


def count(description: str, **options: Any) -> fields.Integer:
    """How many."""
    return fields.Integer(
        required=True, metadata={"description": description, "minimum": 0}, **options
    )


def money(description: str) -> Sum:
    """An amount, always there."""
    return Sum(description, required=True)


def perhaps_moment(description: str) -> Moment:
    """A moment, or null."""
    return Moment(description, required=True, allow_none=True)


class RunSchema(AnswerSchema):
    id = count("运行的编号")
    area = Nested("地区", NamedCodeSchema(), required=True)
    year = count("救助年度")
    as_of = Day("按哪一天的情况计算", required=True)
    full = Bool("全部重新计算，不看数据有没有变化", required=True)
    state = Code("状态", STATES, required=True)
    parts = count("分成几个部分")
    done = count("其中已算完的")
    started_by = words("由谁发起")
    started_at = Moment("什么时候发起", required=True)
    computed_at = perhaps_moment("什么时候算完")
    first_release_by = perhaps("第一个放行的人")
    first_release_at = perhaps_moment("什么时候")
    released_by = perhaps("第二个放行的人")
    released_at = perhaps_moment("什么时候；这时起才通知、付款")


class RunsSchema(AnswerSchema):
    runs = many("运行，新的在前", RunSchema())
    next = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "下一页的 before；没有下一页的为 null"},
    )


class EntrySumSchema(AnswerSchema):
    layer = Code("支付方", WORDS.layers, required=True)
    kind = Code("哪一种", ENTRY_KINDS, required=True)
    count = count("几笔")
    money = money("金额：已结清的为结清的金额，其余为变动的金额")


class InKindSumSchema(AnswerSchema):
    policy = words("政策编号")
    entitlement = Nested("待遇", NamedCodeSchema(), required=True)
    added = count("新增几项")
    ended = count("终止几项")


class LayerChangeSchema(AnswerSchema):
    layer = Code("支付方", WORDS.layers, required=True)
    before = money("这次运行以前")
    more = money("这次增加")
    less = money("这次应退，为负数或零")
    after = money("这次运行以后")


class ReasonSumSchema(AnswerSchema):
    codes = texts("原因的代码")
    text = words("原因")
    count = count("几笔")
    more = money("增加的金额")
    less = money("应退的金额，为负数或零")


class CouldApplySchema(AnswerSchema):
    layer = Code("支付方", WORDS.layers, required=True)
    people = count("几人可以申请")
    bills = count("几张结算单")
    money = money("都申请的话，一共多少")


class WaitingSchema(AnswerSchema):
    kind = Code("哪一种待办", WORK_KINDS, required=True)
    waiting = count("几件没有办结")
    overdue = count("其中已超过期限的")


class OverviewSchema(AnswerSchema):
    run = Nested("这次运行", RunSchema(), required=True)
    people = count("已算完的部分里有几人")
    computed = count("其中重新计算了几人；其余的数据没有变化")
    bills = count("读取了几张结算单")
    opened = count("新增了几件待办")
    entries = many("记入台账的，按支付方和种类", EntrySumSchema())
    in_kind = many("钱以外的待遇", InKindSumSchema())
    previous = Nested(
        "同一地区、同一年度的上一次运行；没有的为 null",
        RunSchema(),
        required=True,
        allow_none=True,
    )
    layers = many("和这次运行以前相比，按支付方", LayerChangeSchema())
    reasons = many("为什么有变化", ReasonSumSchema())
    could_apply = many("申请了才有的：这次算到的人还可以申请的", CouldApplySchema())
    waiting = many("这个地区现在没有办结的待办，按种类", WaitingSchema())


RUNS_QUERY: Final = RunsQuerySchema()
RUNS: Final = RunsSchema()
OVERVIEW: Final = OverviewSchema()
