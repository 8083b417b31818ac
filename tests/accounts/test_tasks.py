from __future__ import annotations

import pytest
from sqlalchemy import text

from backend.accounts.tasks import clear_day
from backend.kernel.database import transaction
from tests.support.accounts import Accounts


@pytest.mark.usefixtures("worker_database")
def test_old_counts_and_sessions_are_cleared_away_and_others_stay(accounts: Accounts) -> None:
    accounts.change(
        "INSERT INTO rate_window (key, window_start, hits) VALUES ('a', now(), 1),"
        " ('b', now() - interval '3 days', 1)"
    )
    for _ in range(2):
        accounts.resident_token()
    accounts.change(
        "UPDATE account_session SET expires_at = now() - interval '366 days'"
        " WHERE id = (SELECT min(id) FROM account_session)"
    )
    clear_day.task.run(period="2026-06-15")
    with transaction() as session:
        for table in ("rate_window", "account_session"):
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 1
