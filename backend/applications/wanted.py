"""预警转申请 (wanted): a warning that a visit confirmed asks for an application: the coordinator
helps the household with it.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from backend.kernel.audit import Subject
from backend.warnings.tables import DRAFT_WANTED
from backend.worklist.items import NewItem, open_items

BY: Final = "worker"
_REASON: Final = (
    "入户核查属实，还没有申请：请上门帮本人申请医疗救助认定，可以在您的手机上代办"
    "（要有本人的委托）。"
)
WANTED: Final = DRAFT_WANTED.c


def help_to_apply(session: Session, today: date) -> int:
    """Ask the coordinators to help those whose warning was confirmed; how many those are. Once for
    each, as `worker`.
    """
    waiting = session.execute(
        select(DRAFT_WANTED).where(WANTED.taken_at.is_(None)).with_for_update(skip_locked=True)
    ).all()
    items = [
        NewItem(
            "help_apply", Subject("warning", str(row.warning_id)), row.person_id, row.area, _REASON
        )
        for row in waiting
    ]
    open_items(session, items, BY, today)
    taken = update(DRAFT_WANTED).where(WANTED.warning_id.in_([row.warning_id for row in waiting]))
    session.execute(taken.values(taken_at=func.now()))
    return len(waiting)
