from __future__ import annotations

from datetime import date

import pytest

from backend.calendars.tasks import do_duty, every_day_of
from backend.kernel.database import transaction
from backend.policies.confirmation import PolicyConfirmation
from tests.support.households import Households

TINGHU = 320902001001


@pytest.fixture(autouse=True)
def confirmed(homes: Households) -> None:
    """Tinghu's days."""
    with transaction() as session:
        session.add(
            PolicyConfirmation(
                policy_id="tinghu-trial",
                in_force_from=date(2022, 3, 1),
                in_force_to=date(2024, 2, 29),
                confirmed_by="测试",
            )
        )


def jobs(homes: Households, task: str) -> list[dict[str, object]]:
    return [
        dict(row[0])
        for row in homes.rows(
            "SELECT args FROM procrastinate_jobs WHERE task_name = :task ORDER BY id", task=task
        )
    ]


def test_a_day_tells_exits_and_leaves_a_job_for_each_duty(homes: Households) -> None:
    homes.member("甲", area=TINGHU)
    homes.register.identity("甲", "extreme_poverty", "2022-01-01", "2023-12-31")
    homes.register.bill("甲", "B1", "2023-12-05", "900.00")
    every_day_of.task.run("2024-01-02")
    every_day_of.task.run("2024-01-02")
    left = jobs(homes, "calendars.duty")
    assert [(job["kind"], job["place"], job["through"]) for job in left] == [
        ("review", 320902, "2023-12-31"),
        ("month", 320902, "2023-12-31"),
        ("year", 320902, "2023-12-10"),
    ]
    assert homes.rows("SELECT kind FROM notice_due") == [("exit",)]
    for job in left * 2:
        do_duty.run(**job)
    assert homes.rows("SELECT count(*) FROM review_row") == [(1,)]
    assert homes.rows("SELECT count(*) FROM institution_summary") == [(2,)]
    every_day_of.task.run("2024-01-03")
    assert len(jobs(homes, "calendars.duty")) == 3
