"""What a run has seen: whoever was changed by anything else is computed by the next, nobody twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text

from backend.kernel.database import transaction
from backend.matching import marks
from backend.matching.runs import (
    Begun,
    StartRun,
    compute_part,
    finish_run,
    start_run,
    summaries,
    total_of,
)
from tests.support.register import Register

COUNTY, CITY = "320281", "320200"
OTHER_COUNTY = 320282_101_001
HIGHEST = (
    "(pg_snapshot_xmax(pg_current_snapshot())::text || ':'"
    " || pg_snapshot_xmax(pg_current_snapshot())::text || ':')::pg_snapshot"
)


def begin(area: str = COUNTY) -> Begun:
    with transaction() as session:
        return start_run(session, StartRun(area, 2024, date(2024, 12, 31), "测试"))


def end(begun: Begun) -> int:
    """Compute what is open; how many people were computed."""
    for number in begun.parts:
        with transaction() as session:
            compute_part(session, begun.run_id, number)
    with transaction() as session:
        assert finish_run(session, begun.run_id)
        return int(total_of(summaries(session, begun.run_id))["computed"])


def run(area: str = COUNTY) -> int:
    return end(begin(area))


@pytest.fixture
def register(database: Engine) -> Register:
    """Two people in one county, one in another of the same city."""
    register = Register(database)
    for name in "甲乙":
        register.person(name)
    register.person("丙", OTHER_COUNTY)
    return register


@pytest.fixture
def slow_clerk(database: Engine, register: Register) -> Iterator[Connection]:
    """Somebody whose change of 甲 was made before a run and is not committed yet."""
    with database.connect() as connection:
        change = text("UPDATE person SET rural = NOT rural WHERE id = :id")
        connection.execute(change, {"id": register.ids["甲"]})
        yield connection


def test_nobody_is_computed_twice(register: Register) -> None:
    assert (run(), run()) == (2, 0)
    register.identity("乙", "subsistence_allowance", "2024-01-01")
    assert (run(), run()) == (1, 0)


def test_a_change_committed_after_the_run_began_is_computed_by_the_next(
    register: Register, slow_clerk: Connection
) -> None:
    run()
    register.identity("乙", "subsistence_allowance", "2024-01-01")
    assert run() == 1  # 甲's change has the lower number
    slow_clerk.commit()
    assert (run(), run()) == (1, 0)


def test_what_had_ended_before_an_open_transaction_is_not_computed_again(
    register: Register, slow_clerk: Connection
) -> None:
    register.identity("乙", "subsistence_allowance", "2024-01-01")  # the higher number
    assert (run(), run()) == (2, 0)


def test_a_change_between_two_parts_of_a_run_is_computed_by_the_next(register: Register) -> None:
    begun = begin(CITY)
    register.identity("甲", "subsistence_allowance", "2024-01-01")
    assert end(begun) == 3
    assert (run(CITY), run(CITY)) == (1, 0)


def test_who_moves_to_another_county_is_computed_there(
    register: Register, database: Engine
) -> None:
    run(CITY)
    with database.begin() as connection:
        moved = text("UPDATE person SET area = :area WHERE id = :id")
        connection.execute(moved, {"area": OTHER_COUNTY, "id": register.ids["甲"]})
    assert (run("320282"), run(COUNTY)) == (1, 0)


def test_a_run_of_a_county_counts_for_its_city_and_the_other_way_round(register: Register) -> None:
    assert (run(COUNTY), run(CITY), run(COUNTY)) == (2, 1, 0)


def test_other_years_are_not_known(register: Register) -> None:
    run()
    with transaction() as session:
        begun = start_run(session, StartRun(COUNTY, 2023, date(2023, 12, 31), "测试"))
    assert end(begun) == 2


def test_where_runs_overlapped_the_next_computes_everybody(register: Register) -> None:
    run(CITY)
    county = begin(COUNTY)
    city = begin(CITY)
    assert end(county) == 0
    assert end(city) == 2  # nobody knew what the other run would leave
    assert (run(COUNTY), run(COUNTY)) == (2, 0)


def test_while_a_run_computes_its_county_is_not_known_to_be_computed(register: Register) -> None:
    run(CITY)
    begin(COUNTY)
    assert run(CITY) == 2


def test_other_rules_compute_everybody(register: Register, database: Engine) -> None:
    run()
    with database.begin() as connection:
        connection.execute(text("UPDATE match_mark SET rules_id = rules_id + 1"))
    assert (run(), run()) == (2, 0)


def test_in_a_copy_restored_elsewhere_everybody_is_computed_once(
    register: Register, database: Engine
) -> None:
    run()
    with database.begin() as connection:
        connection.execute(text("UPDATE match_mark SET cluster = cluster + 1"))
    assert (run(), run()) == (2, 0)


def test_a_mark_by_the_highest_number_alone_would_lose_a_change(
    register: Register, slow_clerk: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "_NOW", marks._NOW.replace("pg_current_snapshot()", HIGHEST))
    register.identity("乙", "subsistence_allowance", "2024-01-01")  # the higher number
    run()
    slow_clerk.commit()
    assert run() == 0  # 甲 was changed


def test_the_trigger_leaves_the_number_of_its_transaction(
    register: Register, database: Engine
) -> None:
    with psycopg.connect(database.url.set(drivername="postgresql").render_as_string(False)) as own:
        own.execute("UPDATE person SET rural = true WHERE id = %s", [register.ids["乙"]])
        query = (
            "SELECT person_id FROM person_version"
            " WHERE changed_in = pg_current_xact_id()::text::bigint"
        )
        assert own.execute(query).fetchall() == [(register.ids["乙"],)]
