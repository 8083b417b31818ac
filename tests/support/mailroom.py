"""A durable PostgreSQL, the simulator of WeChat, the site that takes its pushes, and real workers
that may be killed: everything between a notice and the phone.

Workers here know no nights, and wait seconds where real ones wait a minute (`QUICKLY`).
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, NullPool, create_engine

from backend.kernel import clock, database, keys, migrations
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.kernel.postgres import Server
from backend.kernel.postgres_host import find_host
from backend.kernel.settings import PROJECT, Settings
from backend.kernel.settings_wechat import SIMULATOR_SECRET
from backend.worklist.notices import Notice, notices_due
from miniprogram_api import serving
from tests.support.recipients import Recipients
from tests.support.wechat import APPID, PUSH_AES_KEY, PUSH_TOKEN, Simulator, simulator

PATIENCE: Final = 300
SILENCE: Final = 2
DAY_AND_NIGHT: Final = (
    "from datetime import time, timedelta\n"
    "from backend.notifications import quiet\n"
    "quiet.FROM, quiet.TO = time.max, time.min\n"
    "from backend.wechat import retrying\n"
    "retrying.seconds_to_midnight = lambda moment: 40_000.0\n"
)
QUICKLY: Final = (
    DAY_AND_NIGHT + "from functools import partial\n"
    "from backend.notifications import breaker, outcomes, watching\n"
    "from backend.wechat import connection\n"
    "outcomes.REPORT_WAIT = timedelta(seconds=4)\n"
    "watching.DEAD_AFTER = timedelta(seconds=12)\n"
    "breaker.LONGEST_PAUSE_S = breaker.FIRST_PAUSE_S = 3.0\n"
    "connection.MiniProgram = partial(connection.MiniProgram, timeout=(1, 2))\n"
)
_NUMBER: Final = re.compile(r"(\d+)$")


@dataclass
class Mailroom:
    """`url`: of the database; `recipients`: makes people there."""

    folder: Path
    server: Server
    url: str
    engine: Engine
    wechat: Simulator
    recipients: Recipients
    before: str = QUICKLY
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    killed: int = 0

    # -- workers -----------------------------------------------------------------------------------

    def work(self, number: int = 1, before: str | None = None) -> None:
        """Start workers. `before`: lines of Python that go before, instead of the usual ones."""
        for _ in range(number):
            self.running.append(self._start(self.before if before is None else before))

    def kill_worker(self, again: bool = True) -> None:
        """SIGKILL to the oldest; another one starts."""
        gone = self.running.pop(0)
        gone.kill()
        gone.wait()
        self.killed += 1
        if again:
            self.work()

    def kill_database(self) -> None:
        """SIGKILL to the server and all its processes; start it again."""
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
        self.engine.dispose()
        self.killed += 1

    def rest(self) -> None:
        """End every worker."""
        for one in self.running:
            one.terminate()
        for one in self.running:
            one.wait(60)
        self.running.clear()

    def _start(self, before: str) -> subprocess.Popen[bytes]:
        program = f"{before}\nimport sys; from miniprogram_api.cli import run\nsys.exit(run(sys.argv[1:]))"
        command = [sys.executable, "-c", program, "worker", "--queues", "notifications,wechat"]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command, env=environment(self), cwd=PROJECT, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
            )  # fmt: skip

    # -- what is owed, and what became of it ---------------------------------------------------------

    def owe(self, people: Sequence[int], cause: str = "match_run:1") -> None:
        """A notice to each, in one transaction, as when a run is released."""
        today = clock.today()
        with transaction() as session:
            notices_due(session, [Notice(one, "grant", cause, today) for one in people])

    def open(self) -> int:
        """How many notices and messages have not ended."""
        query = (
            "SELECT (SELECT count(*) FROM notice_due WHERE taken_at IS NULL)"
            " + (SELECT count(*) FROM message WHERE final_at IS NULL)"
        )
        return int(self.recipients.rows(query)[0][0])

    def attempts(self) -> int:
        """How many calls were begun."""
        query = "SELECT count(*) FROM message_attempt WHERE state <> 'skipped'"
        return int(self.recipients.rows(query)[0][0])

    def drain(self, seconds: float = PATIENCE) -> None:
        """Returns when everything has ended."""
        until(lambda: self.open() == 0, seconds)

    def by_wechat(self) -> Counter[int]:
        """How often each message stands in an inbox at WeChat, by its number."""
        found: Counter[int] = Counter()
        for name in self.names():
            for one in self.wechat.inbox(name, "subscribe"):
                found[number_in(one["data"]["thing4"])] += 1
        return found

    def names(self) -> list[str]:
        """Those of the crowd."""
        return [f"crowd{one}" for one in range(1, len(self.recipients.crowded) + 1)]

    def otherwise(self) -> Counter[int]:
        """The same of text messages and of work items."""
        texts = [number_in(one) for one in self.recipients.texts()]
        query = "SELECT subject_id FROM work_item WHERE kind = 'tell_person'"
        return Counter([*texts, *(int(one) for (one,) in self.recipients.rows(query))])

    def fate(self) -> Fate:
        """What the numbers come to."""
        ended = {row[0]: row[1:] for row in self.recipients.rows(
            "SELECT id, state, channel FROM message"
        )}  # fmt: skip
        wechat, others = self.by_wechat(), self.otherwise()
        return Fate(
            ends=Counter(state for state, _ in ended.values()),
            lost=[one for one in ended if not wechat[one] and not others[one]],
            twice_by_wechat=[one for one, count in wechat.items() if count > 1],
            twice=[one for one in wechat if others[one]],
        )


@dataclass(frozen=True)
class Fate:
    """`lost`: messages that ended and reached nobody; `twice`: by WeChat and otherwise too."""

    ends: Counter[str]
    lost: list[int]
    twice_by_wechat: list[int]
    twice: list[int]


@contextmanager
def mailroom(folder: Path, *, pushes: bool = True) -> Iterator[Mailroom]:
    """Everything, for the length of the block. `pushes`: WeChat tells the site what happened."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(find_host(folder, Settings.from_env(os.environ).pg_bin), True)
    server.start()
    with ExitStack() as stack:
        stack.callback(server.stop)
        owner = create_engine(server.url, poolclass=NullPool)
        migrations.upgrade(owner)
        engine = database.engine_for(server.url, role="worker")
        stack.callback(engine.dispose)
        keyring = Keyring.open_or_create(folder / "keys.json")
        stack.enter_context(keys.bound(keyring))
        stack.enter_context(database.bound(engine))
        wechat = stack.enter_context(simulator(folder / "wechat"))
        room = Mailroom(folder, server, server.url, engine, wechat, Recipients(engine, keyring))
        stack.callback(_end, room)
        if pushes:
            wechat.push_to(stack.enter_context(_site(room)), pause=2.0)
        yield room


@contextmanager
def _site(room: Mailroom) -> Iterator[str]:
    """A gunicorn; where it takes pushes."""
    own = environment(room)
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        listener = serving.listen("127.0.0.1", 0)
        at = listener.getsockname()
        settings = Settings.from_env(os.environ)
        with serving.gunicorn(settings, room.url, listener) as process:
            assert serving.wait_until_ready(process, at, threading.Event())
            yield f"http://127.0.0.1:{at[1]}/wechat/push"
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def environment(room: Mailroom) -> dict[str, str]:
    """Of the site and its workers."""
    return os.environ | {
        "DATABASE_URL": room.url,
        "SHUKUN_DATA": str(room.folder),
        "SHUKUN_KEYS": str(room.folder / "keys.json"),
        "SHUKUN_WORKER_SILENCE": str(SILENCE),
        "SHUKUN_SMS": "record",
        "WECHAT_APPID": APPID,
        "WECHAT_SECRET": SIMULATOR_SECRET,
        "WECHAT_API_BASE": room.wechat.api,
        "WECHAT_PUSH_TOKEN": PUSH_TOKEN,
        "WECHAT_PUSH_AES_KEY": PUSH_AES_KEY,
    }


def number_in(said: str) -> int:
    """The number of a message, at the end of what was said."""
    found = _NUMBER.search(said)
    assert found is not None, said
    return int(found[1])


def until(true: Callable[[], Any], seconds: float = PATIENCE, pause: float = 0.2) -> None:
    """Returns when it is so; the database may be away."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(pause)


def _end(room: Mailroom) -> None:
    for one in room.running:
        one.kill()
        one.wait()
