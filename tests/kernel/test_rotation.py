import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.kernel import key_file, rotation
from backend.kernel.crypto import Keyring
from backend.kernel.database import engine_for, transaction
from backend.kernel.key_check import open_keyring
from backend.kernel.rotation import Keyed
from backend.kernel.settings import Settings
from miniprogram_api.cli import run
from miniprogram_api.cli.keys import KEYED
from tests.support.audited import audited
from tests.support.sealed import Invented, data_versions, faults, invent, plant

PEOPLE = int(os.environ.get("SHUKUN_ROTATION_PEOPLE", "300"))
"""Ten rows each."""


@pytest.fixture
def chosen(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings as the commands find them, too."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SHUKUN_DATA", str(tmp_path))
    return Settings.from_env(os.environ)


@pytest.fixture
def people(worker_database: Engine, chosen: Settings) -> list[Invented]:
    found = invent(PEOPLE)
    keyring = open_keyring(chosen)
    with transaction() as session:
        plant(session, keyring, found)
    return found


def failures(chosen: Settings, people: Sequence[Invented]) -> list[str]:
    with transaction() as session:
        return faults(session, Keyring.load(chosen.key_file), people)


def activate(chosen: Settings) -> Keyring:
    content = key_file.read(chosen.key_file).added("aes")
    key_file.write(chosen.key_file, content)
    keyring = open_keyring(chosen)
    key_file.write(chosen.key_file, replace(content, active=2))
    keyring.refresh()
    return keyring


def by_key(number: int) -> int:
    with transaction() as session:
        return sum(rotation.uses(session, one, number) for one in KEYED)


def rotate(keyring: Keyring, keyed: Sequence[Keyed] = KEYED) -> rotation.Progress:
    return rotation.rotate(keyring, keyed, lambda _: None)


@contextmanager
def reading(database_url: str, chosen: Settings, people: Sequence[Invented]) -> Iterator[list[str]]:
    """Somebody who looks people up and reads them all the while, with keys loaded before."""
    keyring, found, stop = Keyring.load(chosen.key_file), [], threading.Event()
    rounds = 0
    engine = engine_for(database_url, role="worker")

    def read() -> None:
        nonlocal rounds
        while not stop.is_set():
            with Session(engine) as session:
                found.extend(faults(session, keyring, random.sample(people, 20)))
            rounds += 1

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join(30)
        engine.dispose()
    assert rounds > 1


def test_nobody_is_lost_or_misread_while_keys_change_and_after_the_old_ones_are_gone(
    database_url: str, chosen: Settings, people: list[Invented]
) -> None:
    in_use = by_key(1)
    assert in_use == 10 * len(people)
    with reading(database_url, chosen, people) as found:
        assert run(["keys", "add", "--by", "张三"]) == 0
        assert run(["keys", "rotate", "--by", "张三"]) == 0
        assert (by_key(1), by_key(2)) == (0, in_use)
        assert run(["keys", "drop", "1", "--by", "张三"]) == 0
    assert found == []
    assert audited("张三") == [("keys.add", "2"), ("keys.rotate", "2"), ("keys.drop", "1")]
    assert failures(chosen, people) == []
    assert [one.id for one in key_file.read(chosen.key_file).keys] == [2]
    with transaction() as session:
        assert (
            b"".join(
                session.execute(
                    text("SELECT DISTINCT substring(data_key FROM 2 FOR 2) FROM person")
                ).scalars()
            )
            == b"\0\2"
        )


def test_data_versions_do_not_rise_for_other_keys(chosen: Settings, people: list[Invented]) -> None:
    with transaction() as session:
        before = data_versions(session)
    rotate(activate(chosen))
    with transaction() as session:
        assert data_versions(session) == before
    assert len(before) == len(people)


def test_a_rotation_killed_again_and_again_is_finished_by_the_next(
    database_url: str, chosen: Settings, people: list[Invented]
) -> None:
    assert run(["keys", "add"]) == 0
    everything = by_key(1)
    dice = random.Random(1)
    with reading(database_url, chosen, people) as found:
        for _ in range(3):
            with held(database_url, dice.sample(people, 5)):  # so that it cannot come to its end
                kill_in_the_middle(command("keys", "rotate"), dice.random() * 0.3)
        assert 0 < by_key(1) < everything
        assert failures(chosen, people) == []
        assert run(["keys", "drop", "1"]) == 2
        assert run(["keys", "rotate"]) == 0
        assert run(["keys", "drop", "1"]) == 0
    assert found == []
    assert failures(chosen, people) == []


def test_an_import_that_goes_on_meanwhile_is_not_hindered_and_not_undone(
    database_url: str, chosen: Settings, people: list[Invented]
) -> None:
    keyring = activate(chosen)
    newcomers = [replace(one, id=one.id + 500) for one in invent(400)[300:]]
    with held(database_url, people[:3], change="SET rural = true"):
        with transaction() as session:
            plant(session, keyring, newcomers[:50])
        thread = threading.Thread(target=rotate, args=[keyring])
        thread.start()
        with Session(engine := engine_for(database_url, role="worker")) as session, session.begin():
            plant(session, keyring, newcomers[50:])
        engine.dispose()
        wait_until(lambda: by_key(1) < 50)
        assert by_key(1) > 0
    thread.join(30)
    assert by_key(1) == 0
    assert failures(chosen, people + newcomers) == []
    with transaction() as session:
        assert session.execute(text("SELECT count(*) FROM person WHERE rural")).scalar_one() == 3


@pytest.mark.parametrize(
    "forgotten", ["person.phone_index", "person_number.number_index", "household.number_index", "payee.account_index"]
)  # fmt: skip
def test_a_rotation_that_forgets_a_search_index_would_be_noticed_here(
    chosen: Settings, people: list[Invented], forgotten: str
) -> None:
    table, column = forgotten.split(".")
    short = [
        replace(one, indexes=tuple(index for index in one.indexes if index.column != column))
        if one.table == table
        else one
        for one in KEYED
    ]
    rotate(activate(chosen), [one for one in short if one.changing])
    assert by_key(1) == len(people) * (2 if table == "person_number" else 1)
    assert failures(chosen, people) == []  # the old key still finds them
    key_file.write(chosen.key_file, key_file.read(chosen.key_file).without(1))
    assert len(failures(chosen, people)) >= len(people)


def test_a_key_in_use_is_not_dropped(
    chosen: Settings, people: list[Invented], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["keys", "drop", "1"]) == 2
    assert run(["keys", "drop", "3"]) == 2
    assert run(["keys", "add"]) == 0
    assert run(["keys", "drop", "2"]) == 2
    activated = key_file.read(chosen.key_file)
    key_file.write(chosen.key_file, replace(activated, active=2))
    assert run(["keys", "drop", "1"]) == 2
    said = capsys.readouterr().err
    assert said.count("正在使用或备用，不能废除") == 2
    assert "没有第 3 号密钥" in said
    assert f"第 1 号密钥还有 {10 * len(people)} 行在用" in said
    assert failures(chosen, people) == []


def test_the_keys_are_listed_with_what_depends_on_them(
    chosen: Settings, people: list[Invented], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["keys", "add"]) == 0
    assert run(["keys", "show"]) == 0
    lines = capsys.readouterr().out.splitlines()[-2:]
    assert lines == [
        f"第 1 号密钥（现用）：{10 * len(people)} 行在用",
        "第 2 号密钥（备用）：0 行在用",
    ]


def test_a_server_of_others_is_told_where_its_new_keys_lie(
    chosen: Settings, worker_database: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    for said in (f"已建立密钥文件 {chosen.key_file}：请立即备份", ""):
        assert run(["keys", "show"]) == 0
        err = capsys.readouterr().err
        assert err.startswith(said)
        assert bool(err) == bool(said)
    assert chosen.key_file.exists()


def test_a_value_that_does_not_open_is_left_and_told(
    chosen: Settings, people: list[Invented], capsys: pytest.CaptureFixture[str]
) -> None:
    with transaction() as session:
        session.execute(
            text(
                "UPDATE person SET data_key = set_byte(data_key, 30, get_byte(data_key, 30) # 1) WHERE id = :id"
            ),
            {"id": people[0].id},
        )
    assert run(["keys", "add"]) == 0
    assert run(["keys", "rotate"]) == 1
    # The key itself, the numbers of three rows, and the account.
    assert "5 行解不开" in capsys.readouterr().err
    assert run(["keys", "drop", "1"]) == 2


def test_people_who_were_forgotten_do_not_keep_an_old_key_alive(
    chosen: Settings, people: list[Invented]
) -> None:
    with transaction() as session:
        session.execute(text("SET LOCAL shukun.resealing = 'on'"))
        for table in ("person", "person_history"):
            session.execute(
                text(f"UPDATE {table} SET data_key = '' WHERE id = :id"), {"id": people[0].id}
            )
    rotate(activate(chosen))
    assert by_key(1) == 0


@contextmanager
def held(
    database_url: str, people: Sequence[Invented], change: str = "SET rural = rural"
) -> Iterator[None]:
    """Somebody changes these people meanwhile."""
    engine = engine_for(database_url, role="worker")
    with Session(engine) as session, session.begin():
        session.execute(
            text(f"UPDATE person {change} WHERE id = ANY(:ids)"),
            {"ids": [one.id for one in people]},
        )
        yield
    engine.dispose()


def command(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "miniprogram_api", *words], start_new_session=True
    )


def kill_in_the_middle(started: subprocess.Popen[bytes], after: float) -> None:
    """Kill it some seconds after it began to write."""
    wait_until(lambda: by_key(2) > 0 or started.poll() is not None)
    time.sleep(after)
    os.killpg(started.pid, signal.SIGKILL)
    assert started.wait(10) == -signal.SIGKILL


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
