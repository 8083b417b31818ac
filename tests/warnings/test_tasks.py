from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.kernel.database import acting, transaction
from backend.kernel.jobs_schedule import defer_due
from backend.warnings.tasks import check_county, cross_check_month
from tests.support.accounts import Accounts
from tests.support.households import Households
from tests.support.register import YUEQING


def jobs(homes: Households) -> list[tuple[object, ...]]:
    return homes.rows(
        "SELECT args->>'county', args->>'year' FROM procrastinate_jobs"
        " WHERE task_name = 'warnings.check_county' ORDER BY id"
    )


@pytest.mark.parametrize(
    ("period", "years"), [("2024-09", ("2024",)), ("2024-03", ("2023", "2024"))]
)
def test_every_month_each_county_gets_a_job_once(
    homes: Households, period: str, years: tuple[str, ...]
) -> None:
    homes.member("甲")
    homes.member("乙", area=YUEQING)
    for _ in range(2):
        cross_check_month.task.run(period)
    assert jobs(homes) == [(county, year) for county in ("320281", "330382") for year in years]


def test_a_county_is_checked_as_of_the_day_on_which_the_job_runs(homes: Households) -> None:
    homes.family("周家", "甲", incomes={2023: "100000.00"})
    homes.register.bill("甲", "B1", "2024-09-02", "50000.00")
    with time_machine.travel(datetime(2024, 9, 2, 4, tzinfo=UTC), tick=False):
        check_county.run(county=320281, year=2024)
        check_county.run(county=320281, year=2024)
    assert homes.rows("SELECT as_of FROM warning") == [(date(2024, 9, 2),)]
    assert homes.rows("SELECT due_on FROM work_item") == [(date(2024, 9, 9),)]
    found = homes.rows("SELECT detail->'income_share'->>'exceeding' FROM audit_event")
    assert found == [("1",), ("1",)]


def test_the_schedule_begins_with_its_next_month(homes: Households) -> None:
    homes.member("甲")
    with transaction() as session:
        defer_due(session, datetime(2024, 9, 20, tzinfo=UTC))
    with transaction() as session:
        assert "warnings.cross_check" in defer_due(session, datetime(2024, 10, 3, tzinfo=UTC))


def test_the_site_sees_the_warnings_and_the_work_of_its_area_only(
    homes: Households, accounts: Accounts, app_database: Engine
) -> None:
    homes.family("周家", "甲", incomes={2023: "100000.00"})
    homes.register.bill("甲", "B1", "2024-09-02", "50000.00")
    with time_machine.travel(datetime(2024, 9, 2, 4, tzinfo=UTC), tick=False):
        check_county.run(county=320281, year=2024)
    seen = {}
    for role, area in (
        ("county_officer", "320281"), ("village_coordinator", "320281101001"),
        ("family_doctor", "320281101001"), ("county_officer", "330382"), ("auditor", "320281"),
        ("", ""),
    ):  # fmt: skip
        with Session(app_database) as session:
            if role:
                acting(session, accounts.staff_token(role, area))
            seen[role, area] = tuple(
                session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
                for table in ("warning", "work_item")
            )
    assert seen == {
        ("county_officer", "320281"): (1, 1), ("village_coordinator", "320281101001"): (1, 1),
        ("family_doctor", "320281101001"): (1, 0), ("county_officer", "330382"): (0, 0),
        ("auditor", "320281"): (0, 0), ("", ""): (0, 0),
    }  # fmt: skip
