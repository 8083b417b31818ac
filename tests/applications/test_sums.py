"""How much a case brought and how much of it was paid, as those see it who see the case."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.applications.reading import open_case
from backend.applications.sums import Sum, sum_of
from tests.applications.test_effects import recognised, revoked
from tests.support.case_effects import Effects
from tests.support.case_world import CaseWorld

WHO = "甲测试"


@pytest.fixture
def effects(database: Engine, world: CaseWorld, tmp_path: Path) -> Iterator[Effects]:
    made = Effects(database, world.keyring, tmp_path, world.today)
    yield made
    made.worker.dispose()


def told(world: CaseWorld, case: int) -> tuple[int, int | None, str] | None:
    """Granted, paid, and the serial, as the applicant sees them."""
    with world.acting(WHO) as (session, actor):
        found = open_case(session, world.keyring, actor, case).granted
    if found is None:
        return None
    assert (found.paid is None) == (found.paid_on is None)
    return found.amount, found.paid, found.paid_ref


def test_the_applicant_is_told_what_a_released_run_granted_and_what_the_bank_paid(
    world: CaseWorld, effects: Effects
) -> None:
    case = recognised(world)
    effects.account(world.people[WHO].id)
    effects.settle(case)
    (run,) = effects.match(release=False)
    assert told(world, case) is None
    effects.release(run)
    assert told(world, case) == (700_000, None, "")
    effects.pay("320281")
    assert told(world, case) == (700_000, 700_000, "320281-000001")
    revoked(world, case)
    effects.settle(case)
    effects.match()
    assert told(world, case) == (0, 700_000, "320281-000001")  # asked back, not here yet


def test_a_stranger_s_session_is_told_no_sum_by_the_database(
    world: CaseWorld, effects: Effects
) -> None:
    case = recognised(world)
    effects.settle(case)
    effects.match()
    world.resident("乙测试")
    found: dict[str, Sum | None] = {}
    for who in ("乙测试", "邻县", "县甲"):
        with world.acting(who) as (session, _actor):
            found[who] = sum_of(session, case)
    assert (found["乙测试"], found["邻县"]) == (None, None)
    assert found["县甲"] is not None
