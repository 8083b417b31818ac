from __future__ import annotations

from datetime import date

from sqlalchemy import Engine, text

from backend.kernel.database import transaction
from backend.worklist.notices import Notice, notice_due, notices_due


def test_a_message_is_owed_once_for_each_cause(database: Engine) -> None:
    day = date(2026, 3, 1)
    with transaction() as session:
        assert notice_due(session, Notice(1, "exit", "identity:7", day))
        assert not notice_due(session, Notice(1, "exit", "identity:7", date(2026, 4, 1)))
        both = [Notice(1, "exit", "identity:8", day), Notice(1, "exit", "identity:7", day)]
        assert notices_due(session, both) == 1
        owed = session.execute(text("SELECT cause, created_on FROM notice_due ORDER BY id")).all()
    assert [tuple(row) for row in owed] == [("identity:7", day), ("identity:8", day)]
