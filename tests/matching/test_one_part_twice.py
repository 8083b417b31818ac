"""Two workers at one part: it is computed once. What would happen without the lock and the keys."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from backend.kernel.database import transaction
from backend.matching import ledger, runs, slices, tasks
from backend.matching.runs import (
    StartRun,
    compute_next,
    compute_part,
    open_parts,
    run_of,
    start_run,
)
from backend.matching.slices import Summary
from backend.matching.tasks import match_part
from tests.support.register import Register
from tests.support.sabotage import compute_unlocked

Compute = Callable[..., Any]
Together = Callable[[Compute], list[Future[Any]]]


@pytest.fixture
def part(database: Engine) -> tuple[int, int]:
    """A run's only part: one person, one bill."""
    register = Register(database)
    register.person("甲")
    register.identity("甲", "subsistence_allowance", "2023-01-01")
    register.bill("甲", "B1", "2024-03-09", "1000.00", paid={"basic": "400.00"})
    with transaction() as session:
        begun = start_run(session, StartRun("320281", 2024, date(2024, 12, 31), "测试"))
    return begun.run_id, begun.parts[0]


def entries(database: Engine) -> list[int]:
    with database.connect() as connection:
        return list(connection.execute(text("SELECT amount FROM grant_entry")).scalars())


def by_two(part: tuple[int, int], compute: Compute) -> list[Future[Any]]:
    """Two workers who begin at the same time, each in a transaction of its own."""
    together = threading.Barrier(2)

    def work() -> Any:
        together.wait(30)
        return in_a_transaction(compute, *part)

    with ThreadPoolExecutor(2) as pool:
        return [pool.submit(work) for _ in range(2)]


def test_a_worker_leaves_the_part_that_another_is_at(
    database: Engine, part: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = match_slowly(monkeypatch)
    ends = by_two(part, lambda session, run_id, number: compute_next(session, run_id))
    assert sorted(end.result() is None for end in ends) == [False, True]
    assert len(computed) == 1
    assert entries(database) == [51_000]


def test_a_job_computes_one_part_whichever_is_open(database: Engine, part: tuple[int, int]) -> None:
    Register(database).person("丙", 320282_101_001)
    with transaction() as session:
        city = start_run(session, StartRun("320200", 2024, date(2024, 12, 31), "测试"))
    assert len(city.parts) == 2
    for left in (1, 0):
        match_part(run_id=city.run_id, number=city.parts[1])
        with transaction() as session:
            assert len(open_parts(session, city.run_id)) == left
    with transaction() as session:
        assert run_of(session, city.run_id).state == "computed"


def test_a_part_finished_just_now_is_left_and_the_next_looked_for(
    database: Engine, part: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def once_too_late(session: Session, run_id: int) -> Summary | None:
        tries.append(run_id)
        if len(tries) == 1:
            raise psycopg.errors.SerializationFailure
        return compute_next(session, run_id)

    monkeypatch.setattr(tasks, "compute_next", once_too_late)
    match_part(run_id=part[0], number=part[1])
    assert len(tries) == 2
    assert entries(database) == [51_000]


def test_the_second_worker_finds_the_part_done_or_tries_again(
    database: Engine, part: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = match_slowly(monkeypatch)
    ends = by_two(part, compute_part)
    faults = [end.exception() for end in ends if end.exception() is not None]
    for fault in faults:  # it waited, and saw another's work appear: the job is tried again
        assert isinstance(fault, DBAPIError)
        assert isinstance(fault.orig, psycopg.errors.SerializationFailure)
    assert len(computed) == 1
    assert entries(database) == [51_000]
    with transaction() as session:
        assert compute_part(session, *part) is None


def match_slowly(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """So that the second surely comes meanwhile; who computed is noted."""
    match_slice, noted = runs.match_slice, []

    def slowly(*given: Any) -> Any:
        noted.append(threading.get_ident())
        threading.Event().wait(0.3)
        return match_slice(*given)

    monkeypatch.setattr(runs, "match_slice", slowly)
    return noted


def test_without_the_lock_the_keys_of_the_ledger_let_only_one_of_two_write(
    database: Engine, part: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    both_have_read(monkeypatch)
    ends = by_two(part, compute_unlocked)
    (fault,) = [end.exception() for end in ends if end.exception() is not None]
    assert isinstance(fault, (IntegrityError, psycopg.errors.UniqueViolation))
    assert entries(database) == [51_000]


def test_control_without_the_lock_and_the_keys_everything_is_granted_twice(
    database: Engine, part: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.begin() as connection:
        for table in ("grant_entry", "entitlement"):
            connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT pk_{table} CASCADE"))
    both_have_read(monkeypatch)
    assert [end.exception() for end in by_two(part, compute_unlocked)] == [None, None]
    assert entries(database) == [51_000, 51_000]


def test_two_runs_whose_areas_overlap_grant_everything_once(
    database: Engine, part: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction() as session:
        city = start_run(session, StartRun("320200", 2024, date(2024, 12, 31), "测试"))
    with monkeypatch.context() as meanwhile:
        both_have_read(meanwhile)
        with ThreadPoolExecutor(2) as pool:
            ends = [
                pool.submit(in_a_transaction, compute_part, *one)
                for one in (part, (city.run_id, city.parts[0]))
            ]
        (fault,) = [end.exception() for end in ends if end.exception() is not None]
    assert isinstance(fault, (DBAPIError, psycopg.Error))
    for one in (part, (city.run_id, city.parts[0])):  # the job is tried again
        in_a_transaction(compute_part, *one)
    assert entries(database) == [51_000]
    with database.connect() as connection:
        in_kind = connection.execute(text("SELECT code, ended_by_run FROM entitlement")).all()
    assert len(in_kind) == len({row.code for row in in_kind}) > 0


def in_a_transaction(compute: Compute, *part: int) -> Any:
    with transaction() as session:
        return compute(session, *part)


def both_have_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes before both have read."""
    read, write = threading.Barrier(2), ledger.write

    def after_both(*given: Any) -> int:
        read.wait(30)
        return write(*given)

    monkeypatch.setattr(slices.ledger, "write", after_both)
