"""微信模板 (WeChat templates): which of our texts goes into which template of the mini-program.

The console numbers the fields of a template (`thing1`); our texts name them as the console does
(事项). What WeChat lists is kept in a table, so that sending waits for no list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.notifications.fields import FieldUnfit, fitted
from backend.notifications.tables import WECHAT_TEMPLATE
from backend.notifications.wording import Said, on_wechat, titles
from backend.wechat.calls import Template

FRESH: Final = timedelta(hours=12)
_SLOT: Final = re.compile(r"^\s*(.+?)\s*[:：]\s*\{\{(\w+)\.DATA\}\}\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Slots:
    """A template at WeChat: its id, our names of the fields → keys, choices of enums by key."""

    template_id: str
    slots: Mapping[str, str]
    choices: Mapping[str, Sequence[str]]
    long_term: bool

    def fill(self, said: Said) -> dict[str, str]:
        """The values by key. Raises `FieldUnfit`; its key is the name where there is no such field,
        or where the template wants one that we do not say.
        """
        texts = on_wechat(said)
        if odd := set(texts) ^ set(self.slots):
            raise FieldUnfit(min(odd))
        return {
            key: fitted(key, texts[name], self.choices.get(key, ()))
            for name, key in self.slots.items()
        }


def known_templates(session: Session) -> Mapping[str, Slots]:
    """By title; empty until WeChat was asked."""
    return {row.title: _slots(row) for row in session.execute(select(WECHAT_TEMPLATE))}


def are_fresh(session: Session, moment: datetime) -> bool:
    """Whether WeChat need not be asked again."""
    seen = select(func.max(WECHAT_TEMPLATE.c.seen_at)).where(WECHAT_TEMPLATE.c.title.in_(titles()))
    last: datetime | None = session.execute(seen).scalar_one()
    return last is not None and last > moment - FRESH


def keep_templates(session: Session, listed: Sequence[Template], moment: datetime) -> set[str]:
    """Keep what WeChat lists, nothing else; returns our titles that it does not list."""
    ours = {one.title: one for one in listed if one.title in titles()}
    session.execute(WECHAT_TEMPLATE.delete().where(WECHAT_TEMPLATE.c.title.not_in(ours)))
    if ours:
        rows = [_row(one, moment) for one in ours.values()]
        made = insert(WECHAT_TEMPLATE)
        new = {name: made.excluded[name] for name in rows[0] if name != "title"}
        session.execute(made.on_conflict_do_update(index_elements=["title"], set_=new), rows)
    return set(titles()) - set(ours)


def _row(one: Template, moment: datetime) -> dict[str, Any]:
    return {
        "title": one.title,
        "template_id": one.id,
        "slots": dict(_SLOT.findall(one.content)),
        "choices": {key: list(values) for key, values in one.choices.items()},
        "long_term": one.long_term,
        "seen_at": moment,
    }


def _slots(row: Row[Any]) -> Slots:
    return Slots(row.template_id, row.slots, row.choices, row.long_term)
