"""The demo's people: brought once, whole, and only to a register that is empty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.citizens.exchange.load import LoadOptions, load_file
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from miniprogram_api import demo_people
from miniprogram_api.demo_people import Brought, bring
from miniprogram_api.demo_residents import residents
from miniprogram_api.demo_staff import employ_carers

HOSPITALS = "hospital_code,name,tier,area_code,designated\nH1,某医院,2,320281001001,1\n"


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.open_or_create(tmp_path / "keys.json")


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def states(engine: Engine) -> list[tuple[str, str, str]]:
    query = text("SELECT state, first_release_by, released_by FROM match_run")
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_they_are_imported_matched_corrected_and_released_by_two(
    worker_database: Engine, keyring: Keyring, tmp_path: Path
) -> None:
    brought = bring(tmp_path / "demo", keyring, ())
    assert brought == Brought(people=300, bills=900, runs=6)
    assert count(worker_database, "person") == 300
    assert count(worker_database, "bill") == 900
    assert count(worker_database, "data_reject") == 0
    assert states(worker_database) == [("released", "演示甲", "演示乙")] * 6
    assert count(worker_database, "grant_entry WHERE kind = 1") > 50
    assert count(worker_database, "grant_entry WHERE kind = 2") > 0
    assert count(worker_database, "grant_entry WHERE kind = 3") > 0
    assert count(worker_database, "work_item") > 0
    assert bring(tmp_path / "demo", keyring, ()) is None
    assert count(worker_database, "match_run") == 6


@pytest.mark.parametrize("moment", ["load_file", "compute_part", "release_run"])
def test_a_start_that_was_killed_goes_on_at_the_next(
    worker_database: Engine, keyring: Keyring, tmp_path: Path, moment: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    calls = 0
    honest = getattr(demo_people, moment)

    def killed(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        return honest(*given)

    with monkeypatch.context() as patch:
        patch.setattr(demo_people, moment, killed)
        with pytest.raises(KeyboardInterrupt):
            bring(tmp_path / "demo", keyring, ())
    assert bring(tmp_path / "demo", keyring, ()) is not None
    assert count(worker_database, "person") == 300
    assert count(worker_database, "bill") == 900
    assert {state for state, *_ in states(worker_database)} == {"released"}


def test_who_looks_after_the_demos_residents_has_a_name_and_can_be_delegated_to(
    worker_database: Engine, keyring: Keyring, tmp_path: Path
) -> None:
    bring(tmp_path / "demo", keyring, ())
    with transaction() as session:
        people = residents(session, keyring, 12)
        assert employ_carers(session, keyring, people) > 0
        assert employ_carers(session, keyring, people) == 0
        unnamed = text(
            "SELECT count(*) FROM assignment AS a LEFT JOIN staff AS s USING (staff_no)"
            " WHERE a.person_id = ANY (:people) AND NOT coalesce(s.name <> '' AND visits(s.id), false)"
        )
        asked = {"people": [one.person_id for one in people]}
        assert session.execute(unnamed, asked).scalar_one() == 0


def test_a_register_that_holds_something_else_is_left_alone(
    worker_database: Engine, keyring: Keyring, tmp_path: Path
) -> None:
    (tmp_path / "hospitals.csv").write_text(HOSPITALS, encoding="utf-8")
    load_file("hospitals", tmp_path / "hospitals.csv", LoadOptions(keyring=keyring, by="县医保局"))
    assert bring(tmp_path / "demo", keyring, ()) is None
    assert not (tmp_path / "demo").exists()
    assert count(worker_database, "person") == 0


def test_two_demos_on_one_database_do_it_once(
    worker_database: Engine, keyring: Keyring, tmp_path: Path
) -> None:
    with worker_database.connect() as other:
        other.execute(text(f"SELECT pg_advisory_lock({demo_people.LOCK})"))
        assert bring(tmp_path / "demo", keyring, ()) is None
    assert count(worker_database, "person") == 0
