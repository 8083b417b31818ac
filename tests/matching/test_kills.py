"""Matching under kill -9 of workers, of `shukun match` and of the database: nothing lost, nothing
twice; what comes out is what an undisturbed run writes.

`SHUKUN_MATCH_KILLS`: how many kills, 12 unless said otherwise; the importer has its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.support.kill_site import (
    AREA,
    CORRECTED,
    NEW,
    YEAR,
    Content,
    Process,
    Site,
    a_moment,
    begin_run,
    content,
    counted,
    differing,
    jobs_left,
    open_parts,
    undisturbed,
    until,
)

pytestmark = pytest.mark.postgres

KILLS = int(os.environ.get("SHUKUN_MATCH_KILLS", "6"))
OF_WORKERS, OF_COMMANDS = KILLS // 2, max(KILLS // 6, 1)
OF_DATABASE = max(KILLS - OF_WORKERS - OF_COMMANDS, 1)
IN_A_ROUND = 6


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    opened = Site.open(tmp_path_factory.mktemp("kills"))
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture(scope="module")
def expected(site: Site) -> Mapping[str, Content]:
    """What one undisturbed run writes."""
    found = {}
    for of in (NEW, CORRECTED):
        with site.copy(of) as engine:
            undisturbed()
            found[of] = content(engine)
            assert {row[6] for row in found[of]["ledger"]} >= ({1} if of == NEW else {1, 2, 3})
    return found


@contextmanager
def run_to_disturb(
    site: Site, of: str, expected: Mapping[str, Content], workers: int = 0
) -> Iterator[Engine]:
    """A run just begun, on a fresh copy; in the end it must have come to the same.

    `workers`: how many wait for it already.
    """
    with site.copy(of) as engine:
        for _ in range(workers):
            site.worker()
        until(lambda: counted(engine, "SELECT count(*) FROM procrastinate_workers") == workers)
        begin_run()
        yield engine
        assert not open_parts(engine)
        assert not differing(content(engine), expected[of])


def rounds(kills: int) -> Iterator[tuple[str, int]]:
    """So many kills in rounds: on new and on corrected data in turn."""
    kinds = cycle((CORRECTED, NEW))
    while kills > 0:
        yield next(kinds), min(kills, IN_A_ROUND)
        kills -= IN_A_ROUND


def until_some_part_is_done(engine: Engine) -> None:
    """And then some moments more, into another part."""
    before = open_parts(engine)
    until(lambda: not before or open_parts(engine) < before)
    a_moment()


def until_all_is_done(engine: Engine) -> None:
    """Every part, and every job of the dead."""
    until(lambda: not open_parts(engine) and not jobs_left(engine))


# -- workers -------------------------------------------------------------------------------------


def test_killed_workers_leave_what_an_undisturbed_run_leaves(
    site: Site, expected: Mapping[str, Content]
) -> None:
    for of, kills in rounds(OF_WORKERS):
        with run_to_disturb(site, of, expected) as engine:
            for _ in range(kills // 2):
                workers = [site.worker(), site.worker()]
                until_some_part_is_done(engine)
                for worker in workers:
                    worker.kill()
            last = site.worker()
            until_all_is_done(engine)
            assert last.end() == 0


def test_control_parts_called_done_before_they_are_computed_are_lost(
    site: Site, expected: Mapping[str, Content]
) -> None:
    with site.copy(NEW) as engine:
        begun = begin_run()
        worker = site.worker("from tests.support import sabotage; sabotage.mark_first()")
        until(lambda: open_parts(engine) < len(begun.parts))
        worker.kill()
        last = site.worker()
        until_all_is_done(engine)
        assert last.end() == 0
        assert differing(content(engine), expected[NEW])


# -- the command ---------------------------------------------------------------------------------


def test_a_killed_command_goes_on_where_it_was_and_leaves_no_process_behind(
    site: Site, expected: Mapping[str, Content]
) -> None:
    for of, kills in rounds(OF_COMMANDS):
        with run_to_disturb(site, of, expected) as engine:
            for _ in range(kills):
                command = match(site)
                until_some_part_is_done(engine)
                command.kill()
                until(lambda: not helpers_of(command))  # noqa: B023  (called here and now)
            if counted(engine, "SELECT count(*) FROM match_run WHERE state = 'computing'"):
                assert match(site).wait() == 0
            assert not jobs_left(engine)


def match(site: Site) -> Process:
    return site.shukun("match", "--area", AREA, "--year", str(YEAR), "--workers", "2")


def helpers_of(command: Process) -> list[str]:
    """Processes that the command started."""
    mark = f"SHUKUN_SUPERVISOR={command.popen.pid}".encode()
    return [path.parent.name for path in Path("/proc").glob("[0-9]*/environ") if mark in read(path)]


def read(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\0")
    except OSError:  # gone meanwhile, or not ours to see
        return []


# -- the database --------------------------------------------------------------------------------


def test_a_killed_database_keeps_what_was_seen_done_and_the_workers_go_on(
    site: Site, expected: Mapping[str, Content]
) -> None:
    for of, kills in rounds(OF_DATABASE):
        with run_to_disturb(site, of, expected, workers=2) as engine:
            for _ in range(kills):
                until_some_part_is_done(engine)
                seen = done(engine)
                site.kill_server()
                assert seen <= done(engine)
            until_all_is_done(engine)
            assert [worker.end() for worker in site.started] == [0, 0]


def test_control_a_database_that_answers_before_it_has_written_loses_what_was_seen_done(
    site: Site,
) -> None:
    """A server whose disk lies (`fsync=off`) cannot be told apart this way: the kernel survives."""
    site.maintain("ALTER SYSTEM SET wal_writer_delay = '10s'")
    site.maintain("ALTER SYSTEM SET wal_writer_flush_after = '1GB'")
    site.maintain("ALTER SYSTEM SET synchronous_commit = off")
    site.maintain("SELECT pg_reload_conf()")
    try:
        with site.copy(NEW) as engine:
            begin_run()
            site.worker()
            until_some_part_is_done(engine)
            seen = done(engine)
            site.kill_server()
            assert seen - done(engine)
    finally:
        site.maintain("ALTER SYSTEM RESET ALL")
        site.maintain("SELECT pg_reload_conf()")


def done(engine: Engine) -> set[tuple[object, ...]]:
    """The finished parts and the entries of the ledger."""
    found: set[tuple[object, ...]] = set()
    with engine.connect() as connection:
        for query in (
            "SELECT run_id, number FROM match_part WHERE state = 'done'",
            "SELECT bill_id, layer, seq, amount FROM grant_entry",
        ):
            found.update(tuple(row) for row in connection.execute(text(query)))
    return found
