"""The jobs that a granting step leaves: everything it brings comes by itself."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.applications.effect_tasks import finish_all, match_owed
from backend.applications.rematching import begin_run, waiting
from backend.kernel import clock, keys
from backend.kernel.database import bound
from backend.matching.runs import StartRun, start_run
from tests.support.case_effects import Effects
from tests.support.case_world import CaseWorld
from tests.support.working import work_off


@pytest.fixture
def effects(database: Engine, world: CaseWorld, tmp_path: Path) -> Iterator[Effects]:
    made = Effects(database, world.keyring, tmp_path, clock.today())
    with keys.bound(world.keyring):
        yield made
    made.worker.dispose()


def granted(world: CaseWorld) -> int:
    """A case of recognition, granted, with a stay that ends after it was submitted."""
    world.town.register.bill("甲测试", "B1", "2026-11-27", "10000.00", admitted="2026-11-20")
    case = world.begun("甲测试").id
    for code, value in (
        ("category", "subsistence_marginal"), ("income", "12000"), ("people", "3"),
    ):  # fmt: skip
        world.answer("甲测试", case, code, value)
    world.submit("甲测试", case)
    for name, deed in (("镇甲", "accept"), ("镇甲", "review"), ("县甲", "approve")):
        world.does(name, case, deed)
    return case


def test_a_granting_step_leads_to_a_computed_run_by_itself(
    world: CaseWorld, effects: Effects
) -> None:
    case = granted(world)
    work_off(effects.owner)
    assert effects.ask("SELECT brings FROM application_effect") == [("identity",)]
    assert effects.ask("SELECT state FROM match_run") == [("computed",)]
    assert effects.granted() == [("B1", 700_000)]
    with effects.working() as session:
        assert waiting(session) == []
    (run,) = effects.ask("SELECT run_id FROM application_match")
    effects.release(run[0])
    effects.account(world.people["甲测试"].id)
    assert effects.pay("320281") == 700_000
    for period, state in (("2026-11-29", "paid"), ("2026-11-30", "closed")):
        with bound(effects.worker):
            finish_all.task(period=period)
        work_off(effects.owner)
        assert world.state(case) == state


def test_ten_workers_at_once_bring_it_once(world: CaseWorld, effects: Effects) -> None:
    case = granted(world)
    with ThreadPoolExecutor(10) as many:
        done = list(many.map(lambda _: effects.settle(case), range(10)))
    assert done.count(True) == 1
    assert effects.ask("SELECT count(*) FROM identity WHERE application_id > 0") == [(1,)]


def test_a_run_that_began_before_has_not_seen_it_and_another_follows(
    world: CaseWorld, effects: Effects
) -> None:
    case = granted(world)
    year = clock.today().year
    with effects.working() as session:
        before = start_run(session, StartRun("320281", year, date(year, 11, 1), "别人"))
    effects.settle(case)
    with effects.working() as session:
        assert not begin_run(session, StartRun("320281", year, clock.today(), "测试"))
        assert waiting(session) == [(320281, year)]
    assert effects.ask("SELECT run_id FROM application_match") == [(None,)]
    with bound(effects.worker):
        match_owed(county=320281, year=year)
    assert effects.ask("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'applications.match'"
                       " AND scheduled_at > now()") == [(1,)]  # fmt: skip
    assert before.parts
