"""The website as it runs: gunicorn with several workers, and connections to each of them."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backend.kernel.settings import PROJECT, Settings
from miniprogram_api import serving

APPLICATION: Final = "miniprogram_api.serving:application()"
PATIENCE: Final = 60


@dataclass
class Web:
    """A running website."""

    process: subprocess.Popen[bytes]
    port: int
    started: int
    """Workers that it is told to start; the first answers before the last is there."""

    def workers(self) -> list[int]:
        """The processes that answer."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def connect(self) -> http.client.HTTPConnection:
        """A connection that is kept."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.connect()
        return connection

    @contextmanager
    def one_of_each(self) -> Iterator[dict[int, http.client.HTTPConnection]]:
        """A kept connection to every worker."""
        found = self._found()
        try:
            yield found
        finally:
            for connection in found.values():
                connection.close()

    def _found(self) -> dict[int, http.client.HTTPConnection]:
        """Connections are opened many at once: of one after another the same worker takes each.

        Those found are asked again in every round, so that none is closed for want of use.
        """
        found: dict[int, http.client.HTTPConnection] = {}
        deadline = time.monotonic() + PATIENCE
        while len(found) < self.started and time.monotonic() < deadline:
            opened = [self.connect() for _ in range(4 * self.started)]
            for connection in (*found.values(), *opened):
                connection.request("GET", "/healthz")
            for connection in (*found.values(), *opened):
                connection.getresponse().read()
            for connection in opened:
                worker = self._answering(connection)
                if worker is None or found.setdefault(worker, connection) is not connection:
                    connection.close()
        if len(found) < self.started:
            raise TimeoutError(f"{len(found)} of {self.started} workers answer")
        return found

    def _answering(self, connection: http.client.HTTPConnection) -> int | None:
        """The worker that holds the other end."""
        assert connection.sock is not None
        own = connection.sock.getsockname()[1]
        ends = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
        wanted = f":{self.port:04X}", f":{own:04X}"
        inodes = {
            end[9] for end in ends if end[1].endswith(wanted[0]) and end[2].endswith(wanted[1])
        }
        for worker in self.workers():
            if inodes & {name.removeprefix("socket:[").rstrip("]") for name in _open_files(worker)}:
                return worker
        return None


def ask(connection: http.client.HTTPConnection, path: str, token: str) -> int:
    """The status of a GET on a kept connection."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


@contextmanager
def website(
    url: str, keys: Path, workers: int, target: str = APPLICATION, **environ: str
) -> Iterator[Web]:
    """gunicorn with so many workers on the database, ready; gone with the block."""
    listener = serving.listen("127.0.0.1", 0)
    process = launch(listener, url, keys, workers, target, **environ)
    port = listener.getsockname()[1]
    listener.close()
    try:
        _wait(port, process)
        yield Web(process, port, workers)
    finally:
        serving.stop(process)


def launch(
    listener: socket.socket, url: str, keys: Path, workers: int, target: str = APPLICATION,
    **environ: str,
) -> subprocess.Popen[bytes]:  # fmt: skip
    """gunicorn on the listener, the leader of a group of processes; perhaps not ready yet."""
    settings = Settings(database_url=url, data=keys.parent, keys=keys)
    own: Mapping[str, str] = {
        "SHUKUN_WORKERS": str(workers),
        "SHUKUN_LOG_LEVEL": "ERROR",
        **environ,
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "python:miniprogram_api.gunicorn_conf",
               "--bind", f"fd://{listener.fileno()}", target]  # fmt: skip
    return subprocess.Popen(
        command, env={**serving.environment(settings, url), **own}, cwd=PROJECT,
        pass_fds=[listener.fileno()], start_new_session=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            if ask(connection, "/readyz", "") == http.HTTPStatus.OK:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
        finally:
            connection.close()
    raise TimeoutError("the website did not come up")


def _open_files(pid: int) -> set[str]:
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(str(entry.readlink()))
        except FileNotFoundError:  # closed meanwhile
            continue
    return found
