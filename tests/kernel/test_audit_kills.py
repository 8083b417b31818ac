"""Sealers are killed at any moment: the chain stays whole, and nothing is in it twice."""

from __future__ import annotations

import os
import random
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

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def log(database: Engine, worker_database: Engine, tmp_path: Path) -> AuditLog:
    return AuditLog.of(database, tmp_path)


@pytest.fixture
def start(database_url: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a sealer; none survives the test."""
    begun: list[subprocess.Popen[bytes]] = []

    def one(*options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.support.sealer", database_url, str(tmp_path)]
        with (tmp_path / "log").open("ab") as log:
            begun.append(
                subprocess.Popen([*command, *options], cwd=PROJECT, stdout=log, stderr=log)
            )
        return begun[-1]

    yield one
    for process in begun:
        process.kill()
        process.wait()


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
def test_a_sealer_killed_at_any_moment_leaves_a_whole_chain(log: AuditLog, start: Start) -> None:
    beside = start()
    for _ in range(KILLS):
        before = positions(log)
        sealer = start()
        until(lambda: positions(log) > before)  # noqa: B023  (called here and now)
        time.sleep(random.uniform(0, 0.1))
        for one in (sealer, beside):
            one.kill()
            one.wait()
        assert log.verify().findings == []
        beside = start()
    beside.kill()
    beside.wait()
    log.seal()
    assert log.verify().findings == []
    twice = (
        "SELECT event_id FROM audit_chain GROUP BY 1 HAVING count(*) > 1 AND event_id IS NOT NULL"
    )
    assert log.ask(twice) == []


def test_an_anchor_before_the_commit_would_speak_of_links_that_never_were(
    log: AuditLog, start: Start
) -> None:
    """The sabotage control of the test above."""
    log.write(5)
    sealer = start("sabotaged")
    until(log.anchors.path.exists)
    sealer.kill()
    sealer.wait()
    assert "cut" in log.found()
