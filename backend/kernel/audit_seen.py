"""查看记录 (seen by): who looked at a person's file, when, in which role and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.kernel.audit_words import FIELDS, PURPOSES, ROLES
from backend.kernel.clock import CHINA

MOST: Final = 200
_SEEN: Final = text(
    "SELECT id, at, actor, role, purpose, area, detail"
    " FROM audit_seen(:person, CAST(:before AS bigint), :own, :most)"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at a file. `actor`: the account (`staff:S001`); `fields`: codes of `FIELDS`; `area`:
    the first place of the duty, `office` its name, where somebody gave it one; `who`: a resident,
    as whoever asks knows them.
    """

    id: int
    at: datetime
    actor: str
    role: str
    purpose: str
    fields: tuple[str, ...]
    area: int | None = None
    office: str = ""
    who: str = ""

    @property
    def by(self) -> str:
        """Office, role and staff number, as the resident reads them: of staff no name; of whoever
        else acts for the resident the name.
        """
        name = ROLES.get(self.role, "工作人员")
        kind, _, number = self.actor.partition(":")
        return f"{self.office}{name}（工号 {number}）" if kind == "staff" else self.who or name

    @property
    def sentence(self) -> str:
        """The look in plain words."""
        when = self.at.astimezone(CHINA)
        moment = f"{when.year}年{when.month}月{when.day}日 {when:%H:%M}"
        parts = "、".join(FIELDS[one] for one in self.fields if one in FIELDS) or "档案"
        return f"{moment}，{self.by}为“{PURPOSES.get(self.purpose, '未说明')}”查看了：{parts}。"


@dataclass(frozen=True, slots=True)
class SeenAsked:
    """A page: so many looks, with smaller ids than `before`; `own`: also those of the account that
    asks.
    """

    most: int = MOST
    before: int | None = None
    own: bool = False


NEWEST: Final = SeenAsked()


def seen_by(session: Session, person_id: int, asked: SeenAsked = NEWEST) -> list[Seen]:
    """Who looked at the person's file, newest first.

    The database tells residents alone, of themselves and of those they act for; others get nothing.
    """
    rows = session.execute(_SEEN, {"person": person_id, **asdict(asked)})
    return [
        Seen(
            row.id, row.at, row.actor, row.role, row.purpose,
            tuple(row.detail.get("fields", ())), row.area,
        )
        for row in rows
    ]  # fmt: skip
