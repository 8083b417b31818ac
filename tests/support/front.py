"""The counter that takes applications: gunicorn before a durable PostgreSQL of a test's own, either
killed whole while clients submit; drafts that wait to be submitted; what became of them.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, NullPool, create_engine, text

from backend.kernel import migrations
from backend.kernel.crypto import Keyring
from backend.kernel.postgres import Server
from backend.kernel.postgres_host import find_host
from backend.kernel.settings import Settings
from miniprogram_api import serving
from tests.support import web
from tests.support.kill_site import Site

WORKERS: Final = 2
CLIENTS: Final = 8
PATIENCE_S: Final = 60
_SUBMITTED: Final = "SELECT id FROM application WHERE state = 'submitted' AND seq = 1"
_BESIDE: Final = {
    "step": "SELECT application_id FROM application_step WHERE deed = 'submit'",
    "audit": "SELECT CAST(subject_id AS bigint) FROM audit_event"
    " WHERE subject_kind = 'application' AND action = 'application.submit'",
    "message owed": "SELECT CAST(split_part(cause, ':', 2) AS bigint) FROM notice_due"
    " WHERE kind = 'application_submitted'",
    "clock": "SELECT application_id FROM application_clock WHERE clock = 'first_review'",
}


@dataclass(frozen=True)
class Draft:
    """A draft that is ready, and the token of who submits it."""

    id: int
    token: str


@dataclass(frozen=True)
class Fate:
    """`lost`: acknowledged, and not there; `torn`: what is not there once for each submitted."""

    submitted: int
    lost: list[int]
    torn: list[str]


@dataclass
class Front:
    """`site`: the database; `listener` is kept while gunicorn is killed, as by a balancer."""

    site: Site
    owner: Engine
    keyring: Keyring
    listener: socket.socket
    process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """Where it answers."""
        return int(self.listener.getsockname()[1])

    def serve(self, target: str = web.APPLICATION) -> None:
        """Start gunicorn; returns when it is ready. From the main thread: it ends with its parent."""
        self.process = web.launch(
            self.listener, self.site.server.url, self.site.folder / "keys.json", WORKERS, target,
            SHUKUN_ACCOUNT_REQUESTS="1000000",
        )  # fmt: skip
        at = ("127.0.0.1", self.port)
        assert serving.wait_until_ready(self.process, at, threading.Event())

    def rest(self) -> None:
        """Stop gunicorn."""
        if self.process is not None:
            serving.stop(self.process)
            self.process = None

    def kill_web(self) -> None:
        """SIGKILL to gunicorn and all its workers; start it again."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.serve()

    def kill_database(self) -> None:
        """SIGKILL to the postmaster and all its processes; start it again."""
        self.site.kill_server()

    def recover(self) -> None:
        """The same, whether it still runs or has given up by itself."""
        try:
            self.kill_database()
        except (FileNotFoundError, ProcessLookupError):
            assert self.site.server.process is not None
            self.site.server.process.wait()
            self.site.server.start()

    def rows(self, query: str, **values: Any) -> list[Any]:
        """As the owner."""
        with self.owner.connect() as connection:
            return list(connection.execute(text(query), values))

    def change(self, *statements: str) -> None:
        """As the owner, each committed by itself: settings of the server too."""
        with self.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for one in statements:
                connection.execute(text(one))

    def fate(self, acked: Sequence[int]) -> Fate:
        """What became of all, and of those that were acknowledged."""
        submitted = [row[0] for row in self.rows(_SUBMITTED)]
        once = Counter(submitted)
        torn = [
            what
            for what, query in _BESIDE.items()
            if Counter(row[0] for row in self.rows(query)) != once
        ]
        return Fate(len(submitted), sorted(set(acked) - set(submitted)), torn)


@contextmanager
def front(folder: Path) -> Iterator[Front]:
    """The database, migrated; gunicorn does not run yet."""
    folder.mkdir(parents=True, exist_ok=True)
    site = Site(folder, Server(find_host(folder, Settings.from_env(os.environ).pg_bin), True))
    site.server.start()
    owner = create_engine(site.server.url, poolclass=NullPool)
    listener = serving.listen("127.0.0.1", 0)
    keyring = Keyring.open_or_create(folder / "keys.json")
    made = Front(site, owner, keyring, listener)
    try:
        migrations.upgrade(owner)
        yield made
    finally:
        made.rest()
        listener.close()
        site.close()


@dataclass
class Client:
    """Asks over one kept connection, and a new one where that is gone."""

    port: int
    _connection: http.client.HTTPConnection | None = None

    def post(self, path: str, token: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON; 0: nobody knows what became of it."""
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=PATIENCE_S
            )
        try:
            sent = None if body is None else json.dumps(body)
            self._connection.request("POST", f"/api/v1{path}", sent, headers)
            answer = self._connection.getresponse()
            said = answer.read()
            return answer.status, json.loads(said) if said else None
        except (OSError, http.client.HTTPException, ValueError):
            self.close()
            return 0, None

    def surely(
        self, path: str, token: str, body: Any = None, over: threading.Event | None = None
    ) -> tuple[int, Any]:
        """Asked again until somebody answers for it, or it is `over`."""
        while True:
            said = self.post(path, token, body)
            if HTTPStatus.OK <= said[0] < HTTPStatus.INTERNAL_SERVER_ERROR:
                return said
            if over is not None and over.wait(0.05):
                return said

    def close(self) -> None:
        """The connection is given up."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
        self._connection = None


@dataclass
class Submitting:
    """Clients that submit drafts, each until it is answered. `acked`: ids, as soon as one is told."""

    front: Front
    drafts: deque[Draft]
    acked: list[int] = field(default_factory=list)
    otherwise: list[tuple[int, Any]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Submitting:
        """Begin."""
        self._threads = [threading.Thread(target=self._work) for _ in range(CLIENTS)]
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        """Returns when every draft was answered; at once where the test has failed."""
        if failed is not None:
            self.drafts.clear()
            self._over.set()
        for one in self._threads:
            one.join()

    def _work(self) -> None:
        client = Client(self.front.port)
        while True:
            try:
                draft = self.drafts.popleft()
            except IndexError:
                break
            status, said = client.surely(
                f"/applications/{draft.id}/submission", draft.token, over=self._over
            )
            if status == HTTPStatus.OK and said["id"] == draft.id:
                self.acked.append(draft.id)
            else:
                self.otherwise.append((status, said))
        client.close()
