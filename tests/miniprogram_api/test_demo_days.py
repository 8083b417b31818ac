"""Days pass in a demo, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from backend.citizens.exchange.load import LoadOptions, load_file
from backend.kernel.clock import today
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.kernel.jobs import periodic_done
from backend.kernel.settings import Settings
from miniprogram_api import demo_people
from miniprogram_api.demo_days import NotADemo, Passed, pass_days
from miniprogram_api.demo_people import BY

HOSPITALS = "hospital_code,name,tier,area_code,designated\nH1,某医院,2,320281001001,1\n"


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.open_or_create(tmp_path / "keys.json")


def brought() -> None:
    """As though the demo's people had been brought."""
    with transaction() as session:
        session.execute(periodic_done.insert().values(demo_people.DONE))


def lists(owner: Engine) -> list[tuple[int, int]]:
    """When each list began and ends, in days from today."""
    with owner.connect() as connection:
        rows = connection.execute(
            text("SELECT first_day, last_day FROM public_notice ORDER BY first_day")
        ).all()
    now, day = today(), timedelta(days=1)
    return [((first - now) // day, (last - now) // day) for first, last in rows]


def put_up(*days: tuple[int, int]) -> None:
    """Lists of one village that began and end so many days from today."""
    insert = text(
        "INSERT INTO public_notice (id, area, first_day, last_day)"
        " VALUES (nextval('row_id'), 320902101001, :first, :last)"
    )
    with transaction() as session:
        for first, last in days:
            given = {"first": today() + timedelta(first), "last": today() + timedelta(last)}
            session.execute(insert, given)


def test_lists_are_taken_for_put_up_so_many_days_earlier(
    worker_database: Engine, keyring: Keyring
) -> None:
    brought()
    put_up((-2, 4), (-1, 5), (0, 6))
    assert pass_days(Settings(), keyring, 1) == Passed()
    assert lists(worker_database) == [(-3, 3), (-2, 4), (-1, 5)]
    pass_days(Settings(), keyring, 7)
    assert lists(worker_database) == [(-10, -4), (-9, -3), (-8, -2)]


def test_they_do_not_pass_where_real_people_are_served(
    worker_database: Engine, keyring: Keyring
) -> None:
    brought()
    put_up((0, 6))
    with pytest.raises(NotADemo, match="正式运行"):
        pass_days(replace(Settings(), production=True), keyring, 1)
    assert lists(worker_database) == [(0, 6)]


def test_they_do_not_pass_in_a_register_that_is_not_the_demos(
    worker_database: Engine, keyring: Keyring
) -> None:
    put_up((0, 6))
    with pytest.raises(NotADemo, match="不是演示的"):
        pass_days(Settings(), keyring, 1)
    assert lists(worker_database) == [(0, 6)]


@pytest.mark.parametrize(("by", "refused"), [("县医保局", True), (BY, False)])
def test_nor_where_a_department_delivered_to_a_demo(
    worker_database: Engine, keyring: Keyring, tmp_path: Path, by: str, refused: bool
) -> None:
    brought()
    put_up((0, 6))
    (tmp_path / "hospitals.csv").write_text(HOSPITALS, encoding="utf-8")
    load_file("hospitals", tmp_path / "hospitals.csv", LoadOptions(keyring=keyring, by=by))
    if refused:
        with pytest.raises(NotADemo):
            pass_days(Settings(), keyring, 1)
    else:
        pass_days(Settings(), keyring, 1)
    assert lists(worker_database) == [(0, 6) if refused else (-1, 5)]
