"""The audit as auditors ask for it and read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from marshmallow import fields

from backend.kernel.audit_list import Asked, Event
from backend.kernel.audit_words import PURPOSES, ROLES
from backend.kernel.clock import CHINA
from miniprogram_api.accounts.resident_schemas import person_id
from miniprogram_api.fields import LARGEST_ID, Day, Int, Text
from miniprogram_api.matching.schemas import Moment, count
from miniprogram_api.policies.parts import many, perhaps, words
from miniprogram_api.schemas import AnswerSchema, StrictSchema

MOST: Final = 200
LONGEST: Final = 100


@dataclass(frozen=True, slots=True)
class Page:
    """What is looked for, and how much of it."""

    asked: Asked
    most: int


class AuditQuerySchema(StrictSchema):
    person = person_id("只看和这个人（编号）有关的", load_default=None)
    actor = Text("只看这个账号做的，例如 staff:S001", longest=LONGEST, load_default=None)
    action = Text("只看这一种，例如 person.read", longest=LONGEST, load_default=None)
    from_on = Day("从这一天起", load_default=None)
    to_on = Day("到这一天止", load_default=None)
    before = Int("只列编号比它小的：上一页答复的 next", least=1, most=LARGEST_ID, load_default=None)
    most = Int("至多几条", least=1, most=MOST, load_default=50)

    def make(self, taken: dict[str, Any]) -> Page:
        """The domain's own question; days are whole days in China."""
        most, first, last = (taken.pop(name) for name in ("most", "from_on", "to_on"))
        until = None if last is None else last + timedelta(days=1)
        return Page(Asked(since=_midnight(first), until=_midnight(until), **taken), most)


class AuditEventSchema(AnswerSchema):
    id = count("编号")
    at = Moment("什么时候", required=True)
    actor = words("谁：账号，或者在服务器上运行命令的人")
    role = words("以什么身份；没有的为空")
    action = words("做了什么；denied. 开头的，是没有允许的")
    subject_kind = words("对什么做的：哪一类")
    subject_id = words("对什么做的：编号")
    purpose = perhaps("为什么；没有写明的为 null")
    area = perhaps("在哪里的任职，12 位代码；没有的为 null")
    detail = fields.Dict(
        required=True, metadata={"description": "其他：编号、代码、数目，没有个人信息"}
    )


class AuditEventsSchema(AnswerSchema):
    events = many("审计记录，新的在前", AuditEventSchema())
    next = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "下一页的 before；没有下一页的为 null"},
    )


def present_events(found: Sequence[Event], most: int) -> dict[str, Any]:
    """A page of events, with the names that people know."""
    return {
        "events": [
            {
                **{name: getattr(one, name) for name in _AS_THEY_ARE},
                "role": ROLES.get(one.role, one.role),
                "purpose": PURPOSES.get(one.purpose, one.purpose) or None,
                "area": None if one.area is None else f"{one.area:012d}",
            }
            for one in found
        ],
        "next": found[-1].id if len(found) == most else None,
    }


_AS_THEY_ARE: Final = ("id", "at", "actor", "action", "subject_kind", "subject_id", "detail")


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), CHINA)


AUDIT_QUERY: Final = AuditQuerySchema()
AUDIT_EVENTS: Final = AuditEventsSchema()
