"""A confirmed warning becomes help with an application."""

from __future__ import annotations

from sqlalchemy import Engine, text

from backend.applications.tasks import every_day_of_cases
from backend.applications.wanted import help_to_apply
from backend.kernel.database import transaction
from tests.support.case_world import TODAY
from tests.support.register import Register

_WANTED = text(
    "WITH made AS (INSERT INTO warning (rule, subject_id, person_id, household_id, area, year, kind,"
    " burden, income, income_year, line, as_of, round, state, policy, clause) SELECT 'income_share', 1, :person, 0,"
    " 320281101001, 2026, 'falling_into', 100, 10, 2025, 4, DATE '2026-11-01', 0, 'confirmed', 'plan-2026', '一'"
    " RETURNING id) INSERT INTO draft_application_wanted (warning_id, person_id, household_id, area,"
    " wanted_on, wanted_by) SELECT id, :person, 0, 320281101001, DATE '2026-11-20', '测试' FROM made"
)


def test_the_coordinator_is_asked_once_to_help(database: Engine, register: Register) -> None:
    person = register.person("甲测试")
    with database.begin() as connection:
        connection.execute(_WANTED, {"person": person})
    for wanted in (1, 0):
        with transaction() as session:
            assert help_to_apply(session, TODAY) == wanted
    with database.connect() as connection:
        items = connection.execute(text("SELECT kind, role, person_id FROM work_item")).all()
    assert [tuple(one) for one in items] == [("help_apply", "village_coordinator", person)]


def test_it_is_looked_for_every_day(worker_database: Engine, register: Register) -> None:
    person = register.person("甲测试")
    with register.engine.begin() as connection:
        connection.execute(_WANTED, {"person": person})
    every_day_of_cases.task(period=TODAY.isoformat())
    with register.engine.connect() as connection:
        query = text("SELECT person_id FROM work_item WHERE kind = 'help_apply'")
        assert connection.execute(query).scalars().all() == [person]
