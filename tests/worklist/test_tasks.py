from __future__ import annotations

from datetime import date

from sqlalchemy import Engine, text

from backend.kernel.audit import Subject
from backend.kernel.database import transaction
from backend.worklist.items import NewItem, open_items
from backend.worklist.tasks import escalate_day


def test_what_is_overdue_is_passed_on_once_a_day(worker_database: Engine) -> None:
    subject = Subject("warning", "1")
    with transaction() as session:
        item = NewItem(
            "home_visit", subject, None, 320281101001, "请入户核查。", due_on=date(2026, 3, 6)
        )
        open_items(session, [item], "test")
    for period in ("2026-03-06", "2026-03-07", "2026-03-07"):
        escalate_day.task.run(period)
    with transaction() as session:
        moves = session.execute(text("SELECT count(*) FROM audit_event")).scalar_one()
        role = session.execute(text("SELECT role FROM work_item")).scalar_one()
    assert (moves, role) == (1, "township_reviewer")
