"""搁置的草稿 (laid aside): drafts that nobody touches are told of, and then are over.

Touched by an answer or a paper. How many working days one may lie says its procedure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.kernel.calendar import add_working_days, working_days_between
from backend.policies.book import PolicyBook
from backend.policies.procedures import Procedure, UnknownKind
from backend.worklist.notices import Notice, notices_due

EVENT: Final = "draft_ends"
DRAFT_DAYS: Final = 90
"""Working days, where the procedure says nothing."""
TOLD_BEFORE: Final = 10
"""Working days between the word and the end."""

_UNTOUCHED: Final = text(
    """
    SELECT * FROM (
        SELECT a.id, a.person_id, a.policy, a.kind, (greatest(a.begun_at,
            (SELECT max(w.at) FROM application_answer AS w WHERE w.application_id = a.id),
            (SELECT max(p.begun_at) FROM paper AS p WHERE p.application_id = a.id)
        ) AT TIME ZONE 'Asia/Shanghai')::date AS touched
        FROM application AS a
        WHERE a.state = 'draft' AND (CAST(:case AS bigint) IS NULL OR a.id = :case)
    ) AS drafts
    LEFT JOIN LATERAL (SELECT n.created_on AS told_on FROM notice_due AS n
        WHERE n.person_id = drafts.person_id AND n.kind = :event
            AND n.cause = 'draft:' || drafts.id || ':' || drafts.touched) AS told ON true
    WHERE touched <= :before ORDER BY id
    """
)


@dataclass(frozen=True, slots=True)
class Draft:
    """One that lies. `told_on` None: nobody was told yet that it will be over."""

    id: int
    person_id: int
    touched: date
    told_on: date | None
    days: int

    def ends_soon(self, today: date) -> bool:
        """Whether it is time to say so."""
        return working_days_between(self.touched, today).days >= self.days - TOLD_BEFORE

    def over(self, today: date) -> bool:
        """Whether it lay for all its days, and who it is for heard of it long enough before."""
        if self.told_on is None or working_days_between(self.touched, today).days <= self.days:
            return False
        return add_working_days(self.told_on, TOLD_BEFORE).day < today


def over(
    session: Session, book: PolicyBook, today: date, case_id: int | None = None
) -> Sequence[int]:
    """The drafts that are over on the day."""
    return [one.id for one in _lying(session, book, today, case_id) if one.over(today)]


def tell_of_drafts(session: Session, book: PolicyBook, today: date) -> int:
    """Owe word of every draft that will soon be over, once for each time it was touched; how many
    are new.
    """
    soon = (one for one in _lying(session, book, today) if one.told_on is None)
    return notices_due(
        session,
        [
            Notice(one.person_id, EVENT, f"draft:{one.id}:{one.touched}", today)
            for one in soon
            if one.ends_soon(today)
        ],
    )


def _lying(
    session: Session, book: PolicyBook, today: date, case_id: int | None = None
) -> Iterator[Draft]:
    shortest = min(_all_days(book), default=DRAFT_DAYS)
    before = today - timedelta(days=max(shortest - TOLD_BEFORE, 0))
    values = {"event": EVENT, "before": before, "case": case_id}
    for row in session.execute(_UNTOUCHED, values).all():
        days = _days(book, row.policy, row.kind)
        yield Draft(row.id, row.person_id, row.touched, row.told_on, days)


def _all_days(book: PolicyBook) -> Iterator[int]:
    for kinds in book.procedures.values():
        yield from map(_days_of, kinds.values())


def _days(book: PolicyBook, policy: str, kind: str) -> int:
    try:
        return _days_of(book.procedure(policy, kind))
    except UnknownKind:
        return DRAFT_DAYS


def _days_of(procedure: Procedure) -> int:
    deadline = procedure.deadlines.get("draft")
    return DRAFT_DAYS if deadline is None else deadline.working_days
