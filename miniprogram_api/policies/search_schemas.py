"""What a search is asked and what it answers."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import post_load

from backend.policies.search.find import LONGEST, Search
from backend.policies.standing import STATES
from miniprogram_api.fields import Code, Day, Int, Text
from miniprogram_api.policies import queries
from miniprogram_api.policies.parts import NamedCodeSchema, many, perhaps, words
from miniprogram_api.schemas import AnswerSchema, StrictSchema
from miniprogram_api.structures import Nested

ANY_TEXT: Final = r"^[\s\S]*$"


class SearchQuerySchema(StrictSchema):
    q = Text(
        f"想问的事，怎么说都行，繁体简体都可以；只看前 {LONGEST} 个字",
        shortest=0,
        longest=2_000,
        pattern=ANY_TEXT,
        load_default="",
        attribute="text",
        example="低保户住院能报多少",
    )
    policy = queries.policy(load_default=None)
    area = queries.area()
    on = queries.day("按哪一天的政策和数值；不填为今天")
    limit = Int("至多几条", least=1, most=50, load_default=10)

    @post_load
    def _search(self, taken: dict[str, Any], **_: Any) -> Search:
        return Search(**taken)


class MarkSchema(AnswerSchema):
    start = Int("从第几个字起（从 0 数）", least=0, most=100_000, required=True)
    end = Int("到第几个字前", least=1, most=100_000, required=True)


class ExcerptSchema(AnswerSchema):
    text = words("给群众的说明里最相关的几句")
    marks = many("对上的字词在 text 中的位置", MarkSchema())


class MatchedFigureSchema(AnswerSchema):
    code = words("代码")
    name = words("名称")
    text = perhaps("这一天的读法；还没有的为 null")


class MatchedReadingSchema(AnswerSchema):
    id = words("编号")
    text = words("条文不清楚的地方怎样理解")


class MatchedSchema(AnswerSchema):
    parameters = many("参数", MatchedFigureSchema())
    entitlements = many("钱以外的待遇", NamedCodeSchema())
    services = many("经办规则", NamedCodeSchema())
    readings = many("解读", MatchedReadingSchema())


class HitSchema(AnswerSchema):
    policy = words("政策编号", attribute="policy.id")
    title = words("政策简称", attribute="policy.document.short_title")
    state = Code("政策在这一天的效力", STATES, required=True)
    anchor = words("条款", attribute="clause.anchor")
    heading = words("条款的标题", attribute="clause.heading")
    excerpt = Nested("摘录", ExcerptSchema(), required=True)
    matched = Nested("这一条里也对上的内容", MatchedSchema(), required=True)


class FoundSchema(AnswerSchema):
    on = Day("按哪一天", required=True)
    hits = many("找到的条款，最相关的在前", HitSchema())
    advice = perhaps("没有找到时怎么办；找到了为 null")


SEARCH: Final = SearchQuerySchema()
FOUND: Final = FoundSchema()
