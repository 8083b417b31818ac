"""名单 (reading): the lists that are up, for anybody; a list that is down is told as gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.kernel.areas import area_name, code_range
from backend.kernel.errors import DomainError, Fault
from backend.policies.procedures import KINDS

ANYWHERE: Final = (0, 999_999_999_999)
MOST: Final = 200
"""Lists on a page."""
_UP: Final = text("SELECT * FROM public_notices_up(:low, :high, :before, :most)")
_ROWS: Final = text("SELECT * FROM public_notice_rows(:notice)")
_DOWN: Final = (
    "这份公示不在公示期内，或者没有这份公示：公示期满就撤下，不再公开。"
    "对结果有意见的，请打经办机构的电话。"
)


class NoticeDown(DomainError):
    """The list was taken down, or there is none: not told which."""

    code: ClassVar[str] = "public-notice-down"


@dataclass(frozen=True, slots=True)
class NoticesAsked:
    """A page: so many, with smaller numbers than `before`, of a place (6 to 12 digits), or of
    anywhere.
    """

    area: str = ""
    most: int = MOST
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A list that is up. `area`: 12 digits; `last_day`: included."""

    id: int
    area: str
    place: str
    first_day: date
    last_day: date
    people: int


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody on it, masked."""

    id: int
    name: str
    number: str
    kind: str
    kind_name: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A list with those on it."""

    notice: Notice
    entries: Sequence[Entry]


def notices_up(session: Session, asked: NoticesAsked) -> tuple[Sequence[Notice], int | None]:
    """The lists that are up today, the newest in front; the `before` of the next page, None: there
    is none.
    """
    low, high = code_range(asked.area) if asked.area else ANYWHERE
    wanted = {"low": low, "high": high, "before": asked.before, "most": asked.most + 1}
    rows = session.execute(_UP, wanted).all()
    found = [
        Notice(row.id, f"{row.area:012d}", place_of(row.area), row.first_day, row.last_day,
               row.people)
        for row in rows[: asked.most]
    ]  # fmt: skip
    return found, found[-1].id if len(rows) > asked.most else None


def notice_shown(session: Session, notice_id: int) -> Shown:
    """A list that is up today. Raises `NoticeDown`."""
    rows = session.execute(_ROWS, {"notice": notice_id}).all()
    if not rows:
        raise down()
    first = rows[0]
    notice = Notice(
        notice_id, f"{first.area:012d}", place_of(first.area), first.first_day, first.last_day,
        len(rows),
    )  # fmt: skip
    entries = [
        Entry(row.id, row.name, row.number, row.kind, KINDS.get(row.kind, row.kind)) for row in rows
    ]
    return Shown(notice, entries)


def place_of(area: int) -> str:
    """The name of a place's county; villages are known by their codes alone."""
    return area_name(f"{area:012d}") or ""


def down() -> NoticeDown:
    """What is answered where nothing is up."""
    return NoticeDown(Fault("/notice", _DOWN))
