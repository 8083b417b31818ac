"""内嵌数据库 (postgres): a PostgreSQL of our own in the data folder, for machines without a server.

Whoever needs it holds a shared lock while using it; the last one out stops it. A user that was
killed leaves the server running: the next start finds it by its pid file and takes it over.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote

import psycopg

from backend.kernel.postgres_host import Host, PostgresUnavailable, find_host, socket_folder

NAME: Final = "shukun"
START_SECONDS: Final = 60
STOP_SECONDS: Final = 30
DYING_SECONDS: Final = 5
OPTIONS: Final = (
    "listen_addresses=",
    "unix_socket_permissions=0700",
    # Errors print rows, and values that are no number or day: personal data. Who asked is told.
    "log_min_messages=log",
    "log_error_verbosity=terse",
    "log_min_error_statement=panic",
    "log_parameter_max_length=0",
    "timezone=UTC",
    "log_timezone=UTC",
    "max_connections=100",
    # A page's first change after a checkpoint is logged whole: a large import asks for few of them.
    "max_wal_size=4GB",
)
LARGEST_CACHE: Final = 4096
"""MB that the server's processes share at most; else a quarter of the machine's memory."""
UNSAFE: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@contextmanager
def embedded(data: Path, pg_bin: Path | None = None, *, durable: bool = True) -> Iterator[str]:
    """The URL of a running server whose files lie below `data`, for the length of the block.

    `durable=False` trades safety for speed: tests only. Raises `PostgresUnavailable`.
    """
    data.mkdir(parents=True, exist_ok=True)
    host = find_host(data, pg_bin)
    server = Server(host, durable)
    with (data / "postgres.users").open("a") as users, (data / "postgres.lock").open("a") as gate:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            with _locked(gate):
                server.start()
            yield server.url
        finally:
            with _locked(gate):
                if _last(users):
                    server.stop()
                else:
                    server.leave()


@contextmanager
def _locked(file: IO[str]) -> Iterator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@dataclass
class Server:
    """One cluster: its folder, and the process when this process started it."""

    host: Host
    durable: bool
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """For SQLAlchemy and psycopg, over the Unix socket that the running server names."""
        return f"postgresql://{NAME}@/{NAME}?host={quote(self._pid_file()[4])}"

    def start(self) -> None:
        """Adopt the running server, or start one, creating the cluster at first."""
        if self._adopted():
            return
        if not (self.host.cluster / "PG_VERSION").exists():
            self._create()
        self._launch()
        self._wait_until_ready()
        self._create_database()

    def stop(self) -> None:
        """Fast shutdown: open sessions are ended, everything committed is on disk."""
        pid = self._alive()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(STOP_SECONDS)
        elif pid is not None:
            os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + STOP_SECONDS
        while self._alive() is not None:
            if time.monotonic() > deadline:
                raise PostgresUnavailable(f"内嵌数据库（进程 {pid}）没有按时停止，请稍后再试。")
            time.sleep(0.02)
        with suppress(OSError):
            socket_folder(self.host).rmdir()

    def leave(self) -> None:
        """Let others go on using it: the process is no longer ours to wait for."""
        if self.process is not None:
            self.process.returncode = 0  # else its destructor would warn
            self.process = None

    def _adopted(self) -> bool:
        """Whether a server runs already. One that was just killed looks alive for a moment."""
        if self._alive() is None:
            return False
        try:
            self._wait_until_ready()
            self._create_database()
        except (PostgresUnavailable, psycopg.OperationalError):
            deadline = time.monotonic() + DYING_SECONDS
            while self._alive() is not None:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            return False
        return True

    def _create(self) -> None:
        new = self.host.cluster.with_name("postgres.new")
        shutil.rmtree(new, ignore_errors=True)
        self.host.own_folder(new)
        done = subprocess.run(
            self.host.command(
                "initdb", "-D", str(new), "-U", NAME, "--auth=trust",
                "-E", "UTF8", "--locale=C.UTF-8", *(() if self.durable else ("--no-sync",)),
            ),
            **self.host.account, cwd="/", capture_output=True, text=True,
            start_new_session=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise PostgresUnavailable(f"内嵌数据库建立失败：{done.stderr.strip()[-500:]}")
        new.rename(self.host.cluster)

    def _launch(self) -> None:
        self._drop_stale_pid_file()
        folder = socket_folder(self.host)
        for leftover in folder.iterdir():  # of a server that was killed
            leftover.unlink()
        given = (f"unix_socket_directories={folder}", f"shared_buffers={_cache()}MB")
        options = [*given, *OPTIONS, *(() if self.durable else UNSAFE)]
        flags = [word for option in options for word in ("-c", option)]
        # A session of its own: Ctrl-C in a terminal must reach the supervisor only.
        with self.host.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.host.command("postgres", "-D", str(self.host.cluster), *flags),
                **self.host.account, cwd="/", start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not (self._alive() and self._pid_file()[7].strip() == "ready"):
            ended = self.process.poll() is not None if self.process else self._alive() is None
            if ended:
                raise PostgresUnavailable(f"内嵌数据库启动失败，原因见 {self.host.log}。")
            if time.monotonic() > deadline:
                raise PostgresUnavailable(f"内嵌数据库启动超时，请查看 {self.host.log}。")
            time.sleep(0.02)

    def _create_database(self) -> None:
        maintenance = self.url.replace(f"/{NAME}?", "/postgres?")
        with psycopg.connect(maintenance, autocommit=True) as connection:
            known = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(known, [NAME]).fetchone() is None:
                connection.execute(f"CREATE DATABASE {NAME}")

    def _pid_file(self) -> list[str]:
        """Its lines, as PostgreSQL documents them: pid, …, socket folder (5th), state (8th)."""
        try:
            lines = (self.host.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            lines = []
        return lines + [""] * (8 - len(lines))

    def _alive(self) -> int | None:
        """The pid of the live server of this cluster: it runs in the cluster's folder."""
        pid = self._pid_file()[0]
        return int(pid) if pid and _works_in(int(pid), self.host.cluster) else None

    def _drop_stale_pid_file(self) -> None:
        """Clean up after a server that was killed, where PostgreSQL would refuse to start."""
        if not self._pid_file()[0]:
            return
        deadline = time.monotonic() + STOP_SECONDS
        while _processes_in(self.host.cluster) and time.monotonic() < deadline:
            time.sleep(0.02)  # its helpers take a moment to notice
        # The number in the file may belong to a stranger by now.
        (self.host.cluster / "postmaster.pid").unlink(missing_ok=True)


def _cache() -> int:
    """MB."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    return max(128, min(memory // 4, LARGEST_CACHE))


def _processes_in(folder: Path) -> list[int]:
    return [int(p.name) for p in Path("/proc").glob("[0-9]*") if _works_in(int(p.name), folder)]


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").samefile(folder)
    except OSError:  # it is gone, or a stranger's
        return False
