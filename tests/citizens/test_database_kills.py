"""Imports while the database is killed: what was seen taken is still there, and the file run again
comes to what one undisturbed load does.

`SHUKUN_IMPORT_DATABASE_KILLS`: how many kills, 3 unless said otherwise.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, NullPool, create_engine

from backend.kernel import migrations
from backend.kernel.crypto import Keyring
from backend.kernel.postgres import Server
from backend.kernel.postgres_host import find_host
from backend.kernel.settings import Settings
from tests.support.delivery import Content, Office, Row, bill, person, write
from tests.support.kill_site import NEW, Process, Site, until

pytestmark = pytest.mark.postgres

KILLS = int(os.environ.get("SHUKUN_IMPORT_DATABASE_KILLS", "2"))
BILLS, CHUNK = 900, 10
IN_A_FILE = 2

Books = tuple[Content, list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("database-kills")
    opened = Site(folder, Server(find_host(folder, Settings.from_env(os.environ).pg_bin), True))
    opened.server.start()
    try:
        opened.maintain(f"CREATE DATABASE {NEW}")
        migrations.upgrade(create_engine(opened.url(NEW), poolclass=NullPool))
        yield opened
    finally:
        opened.close()


def corrected(rows: list[Row]) -> list[Row]:
    """Some dearer, some as they were, some that are refused."""
    dearer = [row | {"total": "1200.00"} for row in rows[::2]]
    return [*dearer, *rows[1::4], *(row | {"setting": "？"} for row in rows[:30])]


@pytest.fixture(scope="module")
def files(site: Site) -> list[tuple[str, Path]]:
    people = [person(serial) for serial in range(1, 41)]
    bills = [bill(f"B{one}", one % 50 + 1) for one in range(BILLS)]
    told = {"people": people, "first": bills, "corrected": corrected(bills)}
    paths = {name: write(site.folder / f"{name}.csv", rows) for name, rows in told.items()}
    return [("people", paths["people"]), ("bills", paths["first"]), ("bills", paths["corrected"])]


def office(site: Site, engine: Engine) -> Office:
    return Office(engine, site.folder, Keyring.open_or_create(site.folder / "keys.json"))


def taken(office: Office, path: Path) -> int:
    query = f"SELECT coalesce(max(next_row), 0) FROM data_file WHERE name = '{path.name}'"
    return int(office.ask(query)[0][0])


def seen(office: Office) -> set[tuple[object, ...]]:
    """What a kill may not take back."""
    rows = office.ask("SELECT bill_no, total, revision FROM bill")
    replaced = office.ask("SELECT bill_no, total, revision FROM bill_history")
    return {*rows, *replaced}


def outcome(office: Office) -> Books:
    query = (
        "SELECT kind, state, rows, added, changed, unchanged, rejected, waiting, money, next_row"
        " FROM data_file ORDER BY id"
    )
    refused = "SELECT line, column_name, reason FROM data_reject ORDER BY 1, 2"
    history = "SELECT bill_no, total FROM bill_history ORDER BY 1, 2"
    return office.content(), [*office.ask(query), *office.ask(refused), *office.ask(history)]


@pytest.fixture(scope="module")
def clean(site: Site, files: list[tuple[str, Path]]) -> Books:
    """What one undisturbed load of the files comes to."""
    with site.copy(NEW) as engine:
        for kind, path in files:
            office(site, engine).load_path(kind, path, chunk_rows=CHUNK)
        return outcome(office(site, engine))


def load(site: Site, kind: str, path: Path) -> int:
    """Run the command to its end; its exit status."""
    return start(site, kind, path).wait()


def start(site: Site, kind: str, path: Path) -> Process:
    return site.shukun("import", kind, str(path), "--chunk-rows", str(CHUNK), "--by", "测试")


def test_a_killed_database_keeps_what_was_seen_taken_and_the_file_run_again_comes_to_the_same(
    site: Site, files: list[tuple[str, Path]], clean: Books
) -> None:
    chance, struck = random.Random(9), 0
    while struck < KILLS:
        with site.copy(NEW) as engine:
            desk = office(site, engine)
            assert load(site, *files[0]) == 0
            for kind, path in files[1:]:
                for _ in range(min(IN_A_FILE, max(KILLS - struck, 0))):
                    struck += kill_during(site, desk, (kind, path), chance)
                assert load(site, kind, path) in (0, 1)
            assert outcome(desk) == clean


def kill_during(site: Site, desk: Office, file: tuple[str, Path], chance: random.Random) -> bool:
    """Kill the server some way into a chunk; False: the import had ended before."""
    importer, before = start(site, *file), taken(desk, file[1])
    more = before + chance.randrange(CHUNK, BILLS // 4)
    until(lambda: importer.popen.poll() is not None or taken(desk, file[1]) >= more, 0.002)
    time.sleep(chance.random() * 0.03)
    stood = seen(desk)
    site.kill_server()
    assert stood <= seen(desk)
    return importer.wait() == 2
