from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from backend.accounts.tasks import (
    SESSIONS_KEPT,
    clear_day,
    forget_at_night,
    forget_in_the_afternoon,
)
from backend.kernel.database import transaction
from backend.kernel.jobs_schedule import Schedule
from tests.support.accounts import Accounts

HOUR = timedelta(hours=1)


def test_logs_of_who_was_signed_in_are_kept_six_months() -> None:
    longest_half_year = date(2027, 1, 1) - date(2026, 7, 1)
    assert longest_half_year <= SESSIONS_KEPT < timedelta(days=200)


@pytest.mark.usefixtures("worker_database")
def test_old_counts_and_sessions_are_cleared_away_and_others_stay(accounts: Accounts) -> None:
    accounts.change(
        "INSERT INTO rate_window (key, window_start, hits) VALUES ('a', now(), 1),"
        " ('b', now() - interval '3 days', 1)"
    )
    ended = (SESSIONS_KEPT + HOUR, SESSIONS_KEPT - HOUR)
    for ago in ended:
        account = accounts.resident()
        accounts.resident_session(account)
        accounts.change(
            "UPDATE account_session SET expires_at = now() - :ago WHERE resident_id = :account",
            ago=ago, account=account,
        )  # fmt: skip
    clear_day.task.run(period="2026-06-15")
    with transaction() as session:
        for table in ("rate_window", "account_session"):
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 1


@pytest.mark.usefixtures("worker_database")
@pytest.mark.parametrize("schedule", [forget_at_night, forget_in_the_afternoon])
def test_a_closed_account_leaves_nothing_of_its_wechat_user(
    accounts: Accounts, schedule: Schedule
) -> None:
    for index, ago in ((b"long ago", "7 hours"), (b"just now", "5 hours"), (b"open", None)):
        accounts.change(
            "INSERT INTO wechat_user (resident_id, openid_index, openid, revoked_at)"
            " VALUES (:account, :index, '', CAST(:day AS timestamptz) + CAST(:at AS interval)"
            " - CAST(:ago AS interval))",
            account=accounts.resident(), index=index, ago=ago, day="2026-06-15T00:00+08:00",
            at=schedule.due.at.isoformat(),
        )  # fmt: skip
    schedule.task.run(period="2026-06-15")
    with transaction() as session:
        left = session.execute(text("SELECT openid_index FROM wechat_user")).scalars()
        assert {bytes(one) for one in left} == {b"just now", b"open"}
