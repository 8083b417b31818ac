"""Sealers are killed at any moment: the chain stays whole, and nothing is in it twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.kernel.settings import PROJECT
from tests.support.audit_log import AuditLog

pytestmark = pytest.mark.postgres

KILLS = int(os.environ.get("SHUKUN_AUDIT_KILLS", "10"))
PATIENCE = 60


@pytest.fixture
def log(database: Engine, worker_database: Engine, tmp_path: Path) -> AuditLog:
    return AuditLog.of(database, tmp_path)


class Sealers:
    """Processes that seal, begun one by one and killed."""

    def __init__(self, url: str, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "tests.support.sealer", url, str(folder), *options]
        with (folder / "log").open("ab") as log:
            self._parent = subprocess.Popen(
                command, cwd=PROJECT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log,
            )  # fmt: skip
        self.running: list[int] = []

    def begin(self) -> None:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write("\n")
        self._parent.stdin.flush()
        self.running.append(int(self._parent.stdout.readline()))

    def kill(self) -> None:
        """The one that was begun first; it is gone when this returns."""
        number = self.running.pop(0)
        os.kill(number, signal.SIGKILL)
        until(lambda: not alive(number))

    def end(self) -> None:
        while self.running:
            self.kill()
        self._parent.communicate(timeout=PATIENCE)


@pytest.fixture
def sealers(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Sealers]]:
    """Sealers on the test's database; none survives the test."""
    made: list[Sealers] = []

    def make(*options: str) -> Sealers:
        made.append(Sealers(database_url, tmp_path, *options))
        return made[-1]

    yield make
    for one in made:
        one.end()


def alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def writing(log: AuditLog) -> Iterator[None]:
    """Somebody writes all the time."""
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            log.write(random.randint(1, 30))
            time.sleep(0.005)

    thread = threading.Thread(target=write)
    thread.start()
    yield
    done.set()
    thread.join()


def positions(log: AuditLog) -> int:
    return int(log.ask("SELECT count(*) FROM audit_chain")[0][0])


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.usefixtures("writing")
def test_a_sealer_killed_at_any_moment_leaves_a_whole_chain(
    log: AuditLog, sealers: Callable[..., Sealers]
) -> None:
    crew = sealers()
    crew.begin()
    for _ in range(KILLS):
        before = positions(log)
        until(lambda: positions(log) > before)  # noqa: B023  (called here and now)
        crew.begin()
        time.sleep(random.uniform(0, 0.1))
        crew.kill()
        assert log.verify().findings == []
    crew.end()
    log.seal()
    report = log.verify()
    assert report.findings == []
    assert report.met > KILLS
    twice = "SELECT event_id FROM audit_chain GROUP BY 1 HAVING count(event_id) > 1"
    assert log.ask(twice) == []


def test_an_anchor_before_the_commit_would_speak_of_links_that_never_were(
    log: AuditLog, sealers: Callable[..., Sealers]
) -> None:
    """The sabotage control of the test above."""
    log.write(5)
    crew = sealers("sabotaged")
    crew.begin()
    until(log.anchors.path.exists)
    crew.kill()
    assert "cut" in log.found()
