from __future__ import annotations

from datetime import date

import pytest

from backend.calendars.tasks import do_duty, every_day_of
from backend.kernel.database import transaction
from backend.policies.confirmation import PolicyConfirmation
from tests.support.audited import audited
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
    assert audited("calendar") == [("calendar.done", "320902")] * 3
    every_day_of.task.run("2024-01-03")
    assert len(jobs(homes, "calendars.duty")) == 3


def last_done(homes: Households, day: str) -> None:
    homes.execute("INSERT INTO periodic_done (job, period) VALUES ('calendars.day', :day)", day=day)


@pytest.mark.parametrize(
    ("before", "left"),
    [
        ("2022-11-30", [("month", "2022-11-30"), ("year", "2022-12-10"), ("review", "2022-12-31"),
                        ("month", "2022-12-31"), ("month", "2023-01-31")]),
        ("2022-12-31", [("review", "2022-12-31"), ("month", "2022-12-31"), ("year", "2022-12-10"),
                        ("month", "2023-01-31")]),
        ("2023-02-03", [("month", "2023-01-31")]),
        (None, [("month", "2023-01-31")]),
    ],
)  # fmt: skip
def test_after_a_standstill_every_day_since_is_looked_at(
    homes: Households, before: str | None, left: list[tuple[str, str]]
) -> None:
    homes.member("甲", area=TINGHU)
    if before is not None:
        last_done(homes, before)
    every_day_of.task.run("2023-02-01")
    found = jobs(homes, "calendars.duty")
    assert [(job["kind"], job["through"]) for job in found] == left


def test_after_a_long_standstill_each_bill_comes_into_the_summary_of_its_own_month(
    homes: Households,
) -> None:
    homes.member("甲", area=TINGHU)
    paid = {"special_assistance": "100.00"}
    for month in ("2022-12", "2023-01", "2023-04"):
        homes.register.bill("甲", f"B{month}", f"{month}-05", "900.00", paid=paid)
    last_done(homes, "2022-12-02")
    every_day_of.task.run("2023-05-02")
    for job in jobs(homes, "calendars.duty"):
        do_duty.run(**job)
    assert homes.rows(
        "SELECT i.period, r.bills FROM institution_summary i"
        " LEFT JOIN institution_summary_row r ON r.summary_id = i.id"
        " WHERE i.kind = 'month' ORDER BY i.id"
    ) == [
        ("2022-11", None), ("2022-12", 1), ("2023-01", 1), ("2023-02", None), ("2023-03", None),
        ("2023-04", 1),
    ]  # fmt: skip


def test_months_that_are_caught_up_are_summed_up_one_after_another(homes: Households) -> None:
    last_done(homes, "2023-03-31")
    every_day_of.task.run("2023-05-02")
    locks = homes.rows(
        "SELECT lock FROM procrastinate_jobs WHERE task_name = 'calendars.duty' ORDER BY id"
    )
    assert len(locks) == 2
    assert len(set(locks)) == 1
    assert locks[0][0]
