"""A durable PostgreSQL of a test's own, copies of an imported database on it, and processes that
are killed: `shukun worker`, `shukun match`, and the server itself.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from backend.citizens.invent.delivery import invent
from backend.citizens.invent.files import Files
from backend.citizens.invent.plan import plan
from backend.kernel import database, migrations
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.kernel.postgres import Server
from backend.kernel.postgres_host import find_host
from backend.kernel.settings import PROJECT, Settings
from backend.matching.runs import Begun, StartRun, compute_part, finish_run, start_run
from backend.matching.tasks import begin
from tests.support.corrections import corrections
from tests.support.office import Office, delivered

AREA: Final = "320000"
COUNTIES: Final = ("320281", "320582")
YEAR: Final = 2024
IN_A_PART: Final = 10
PATIENCE: Final = 120
SILENCE: Final = 2

NEW, CORRECTED = "imported", "corrected"
"""Databases to copy: files imported; then matched once, with corrections imported after."""

Content = dict[str, list[tuple[Any, ...]]]

# What was granted to another person before is given back by whichever part comes first.
_NOT_PASSED_ON: Final = (
    "NOT EXISTS (SELECT FROM bill b JOIN bill_history h ON h.id = b.id AND h.person_id <> b.person_id"
    " WHERE b.id = g.bill_id)"
)
_CONTENT: Final = {
    "ledger": "SELECT bill_id, layer, seq, person_id, area, year, kind, amount, amount_after,"
    " policy, identity, rules_id FROM grant_entry",
    "reasons": f"SELECT bill_id, layer, seq, data_version, reason FROM grant_entry g WHERE {_NOT_PASSED_ON}",
    "in kind": "SELECT person_id, year, policy, code, from_on, to_on, delivery, area,"
    " ended_by_run <> 0 FROM entitlement",
    "work": "SELECT kind, subject_kind, subject_id, period, person_id, area, role, reason,"
    " detail::text, state FROM work_item",
    "marks": "SELECT area, year, rules_id, seen <> '' FROM match_mark",
    "parts": "SELECT p.number, p.area_from, p.person_from, p.state FROM match_part p"
    " JOIN (SELECT max(id) AS id FROM match_run) r ON r.id = p.run_id",
    "run": "SELECT area, year, state FROM match_run",
}


@dataclass
class Process:
    """A process that may be killed at any moment."""

    popen: subprocess.Popen[bytes]

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        self.popen.kill()
        self.popen.wait()

    def end(self) -> int:
        """SIGTERM; its exit status."""
        self.popen.terminate()
        return self.popen.wait(PATIENCE)

    def wait(self) -> int:
        """Its exit status."""
        return self.popen.wait(PATIENCE)


@dataclass
class Site:
    """The server. `log` keeps what the processes say."""

    folder: Path
    server: Server
    started: list[Process] = field(default_factory=list)

    @classmethod
    def open(cls, folder: Path) -> Site:
        """Start a durable server, with the two databases to copy."""
        folder.mkdir(parents=True, exist_ok=True)
        site = cls(folder, Server(find_host(folder, Settings.from_env(os.environ).pg_bin), True))
        site.server.start()
        site._prepare()
        return site

    def close(self) -> None:
        """End everything that was started."""
        for process in self.started:
            process.kill()
        self.server.stop()

    # -- databases -------------------------------------------------------------------------------

    def url(self, name: str) -> str:
        """The URL of a database of the server."""
        return make_url(self.server.url).set(database=name).render_as_string(hide_password=False)

    @contextmanager
    def copy(self, of: str, name: str = "copy") -> Iterator[Engine]:
        """A fresh copy, bound as the worker sees it; every process is ended with it."""
        self.maintain(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.maintain(f"CREATE DATABASE {name} TEMPLATE {of} STRATEGY file_copy")
        engine = database.engine_for(self.url(name), role="worker")
        try:
            with database.bound(engine):
                yield engine
        finally:
            for process in self.started:
                process.kill()
            self.started.clear()
            engine.dispose()

    def maintain(self, statement: str) -> None:
        """A statement that no transaction may hold."""
        engine = create_engine(
            self.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool
        )
        with engine.connect() as connection:
            connection.execute(text(statement))

    def _prepare(self) -> None:
        self.maintain(f"CREATE DATABASE {NEW}")
        owner = create_engine(self.url(NEW), poolclass=NullPool)
        migrations.upgrade(owner)
        files = self.folder / "files"
        with Files(files) as made:
            invent(plan(600, 20261122, COUNTIES, (YEAR,)), made)
        self._import(NEW, delivered(files))
        with self.copy(NEW, CORRECTED):
            undisturbed()
        self._import(CORRECTED, corrections(files, self.folder / "later", 5))

    def _import(self, name: str, files: Any) -> None:
        keyring = Keyring.open_or_create(self.folder / "keys.json")
        engine = database.engine_for(self.url(name), role="worker")
        with database.bound(engine):
            Office(engine, keyring).take(files)
        engine.dispose()

    # -- processes -------------------------------------------------------------------------------

    def shukun(self, *arguments: str, before: str = "") -> Process:
        """The real command on the copy. `before`: lines of Python that sabotage it."""
        environ = os.environ | {
            "DATABASE_URL": self.url("copy"),
            "SHUKUN_DATA": str(self.folder),
            "SHUKUN_WORKER_SILENCE": str(SILENCE),
        }
        program = f"{before}\nimport sys; from miniprogram_api.cli import run\nsys.exit(run(sys.argv[1:]))"
        with (self.folder / "log").open("ab") as log:
            process = Process(
                subprocess.Popen(
                    [sys.executable, "-c", program, *arguments],
                    env=environ, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                )
            )  # fmt: skip
        self.started.append(process)
        return process

    def worker(self, before: str = "") -> Process:
        """A worker that takes parts until it is told to stop."""
        return self.shukun("worker", "--queues", "matching", before=before)

    def kill_server(self) -> None:
        """SIGKILL to the postmaster, then to everything else of the cluster; start it again."""
        cluster = self.server.host.cluster
        postmaster = int((cluster / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # gone meanwhile, or not ours to see
                if (process / "cwd").readlink() == cluster:
                    os.kill(int(process.name), signal.SIGKILL)
        assert self.server.process is not None
        self.server.process.wait()
        self.server.start()


def begin_run() -> Begun:
    """A run in small parts, left to workers."""
    with transaction() as session:
        return begin(session, _command())


def undisturbed() -> None:
    """A whole run, here and now."""
    with transaction() as session:
        begun = start_run(session, _command())
    for number in begun.parts:
        with transaction() as session:
            compute_part(session, begun.run_id, number)
    with transaction() as session:
        assert finish_run(session, begun.run_id)


def _command() -> StartRun:
    return StartRun(AREA, YEAR, date(YEAR, 12, 31), "测试", largest=IN_A_PART)


def content(engine: Engine) -> Content:
    """Everything that matching wrote, without the numbers of runs and the hours."""
    with engine.connect() as connection:
        return {
            what: sorted((tuple(row) for row in connection.execute(text(query))), key=repr)
            for what, query in _CONTENT.items()
        }


def differing(found: Content, expected: Content) -> list[str]:
    """What is otherwise, some rows of each."""
    lines = []
    for what, rows in expected.items():
        if found[what] != rows:
            ours, theirs = found[what], rows
            lines.append(f"{what}: {len(ours)} instead of {len(theirs)}")
            lines += [f"  only found {row}" for row in ours if row not in theirs][:3]
            lines += [f"  only expected {row}" for row in theirs if row not in ours][:3]
    return lines


def counted(engine: Engine, query: str) -> int:
    """The answer of a counting query."""
    with engine.connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def open_parts(engine: Engine) -> int:
    """How many parts nobody has finished."""
    return counted(engine, "SELECT count(*) FROM match_part WHERE state = 'open'")


def being_computed(engine: Engine) -> int:
    """How many jobs a worker has in hand."""
    return counted(engine, "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'")


def jobs_left(engine: Engine) -> int:
    """How many jobs wait, run, or were given up."""
    return counted(engine, "SELECT count(*) FROM procrastinate_jobs")


def until(true: Callable[[], bool], pause: float = 0.02) -> None:
    """Returns when it is so."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(pause)


def a_moment() -> None:
    """Up to a few parts' time."""
    time.sleep(random.uniform(0, 0.15))
