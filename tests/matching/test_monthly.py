"""The run of every month, left as jobs, done by whoever works."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine, text

from backend.kernel.jobs import TASKS
from backend.matching.tasks import match_month
from tests.support.register import YUEQING, Register


def jobs(database: Engine) -> list[tuple[str, dict[str, int]]]:
    query = text("SELECT id, task_name, args FROM procrastinate_jobs ORDER BY id")
    with database.begin() as connection:
        found = connection.execute(query).all()
        connection.execute(text("DELETE FROM procrastinate_jobs"))
    return [(name, args) for _, name, args in found]


@pytest.mark.parametrize(("period", "years"), [("2024-03", [2023, 2024]), ("2024-04", [2024])])
def test_every_county_with_people_is_matched_early_in_the_year_for_two_years(
    database: Engine, period: str, years: list[int]
) -> None:
    register = Register(database)
    register.person("甲")
    register.person("乙", YUEQING)
    match_month.task(period=period)
    wanted = {(county, year) for county in (320281, 330382) for year in years}
    assert {(args["county"], args["year"]) for _, args in jobs(database)} == wanted


def test_the_jobs_left_behind_match_the_county(database: Engine) -> None:
    register = Register(database)
    register.person("甲")
    register.identity("甲", "subsistence_allowance", "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    match_month.task(period="2024-05")
    while left := jobs(database):
        for name, args in left:
            TASKS[name](**args)
    with database.connect() as connection:
        runs = connection.execute(
            text("SELECT area, year, as_of, state, started_by FROM match_run")
        ).all()
        granted = connection.execute(text("SELECT sum(amount) FROM grant_entry")).scalar_one()
    ((area, year, as_of, state, by),) = runs
    assert (area, year, state, by) == (320281, 2024, "computed", "schedule")
    assert isinstance(as_of, date)
    assert granted == 51_000
