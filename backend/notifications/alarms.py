"""报警 (alarms): work for the city that looks after the mini-program, once a day and kind."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.kernel.audit import Subject
from backend.kernel.clock import CHINA
from backend.kernel.jobs import once
from backend.notifications.failing import BY
from backend.worklist.items import NewItem, open_items

log = logging.getLogger(__name__)

LATE: Final = "messages_late"
USED_UP: Final = "wechat_used_up"
_REASONS: Final = {
    LATE: "有消息超过 5 分钟没有发出：请联系系统管理员，检查微信、短信和后台程序。",
    USED_UP: "微信接口今天的次数已用完，到零点才能再用，消息改由短信和协管员告知："
    "请联系系统管理员，到微信公众平台查看次数，确有必要的可在那里重置。",
}
_CITY: Final = text(
    "SELECT coalesce(nullif(lives_in, 0), area) / 100000000 FROM person"
    " WHERE id = person_now(:person) AND coalesce(nullif(lives_in, 0), area) > 0"
)


def raise_in(session: Session, kind: str, cities: Iterable[int], moment: datetime) -> None:
    """Open the item of the day in cities (four digits) where there is none yet, and log it. Where
    no city is known, the log alone says it, once a day.
    """
    day = moment.astimezone(CHINA).date().isoformat()
    items = [_item(kind, city, day) for city in cities]
    if open_items(session, items, BY) if items else once(session, f"alarm.{kind}", day):
        log.error("alarm", extra={"kind": kind})


def used_up_today(session: Session, person: int | None, moment: datetime) -> None:
    """WeChat gives nothing more today (45009): somebody must look, in the city of the person."""
    found = session.execute(_CITY, {"person": person}).scalar_one_or_none()
    raise_in(session, USED_UP, () if found is None else (found,), moment)


def _item(kind: str, city: int, day: str) -> NewItem:
    place = city * 100_000_000
    subject = Subject("city", str(place))
    return NewItem(kind, subject, None, place, _REASONS[kind], period=day)
