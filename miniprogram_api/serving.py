"""运行 (serving): gunicorn as a child process, watched, and always stopped."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backend.kernel.errors import CannotRun
from backend.kernel.settings import PROJECT, Settings
from backend.kernel.settings_wechat import as_environ
from miniprogram_api import edge, lifeline

if TYPE_CHECKING:
    from flask import Flask

READY_SECONDS: Final = 90
STOP_SECONDS: Final = 30
"""Longer than gunicorn's own graceful timeout."""
NOT_FOR_CHILDREN: Final = (
    "SHUKUN_PG_BIN",
    "DATABASE_APP_URL",
    "DATABASE_WORKER_URL",
    "PROMETHEUS_MULTIPROC_DIR",
)
"""A child knows one login, its own."""
GONE_AFTER: Final = 10
"""Looks in a row, half a second apart, after which a silent database is gone."""


class ServingFailed(CannotRun):
    """The site cannot be served; the message is a Chinese sentence that says what to do."""


def application() -> Flask:
    """What gunicorn serves: the application for the settings in the environment."""
    from miniprogram_api.app import create_app

    return create_app(Settings.from_env(os.environ))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises `ServingFailed`."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
        edge.give_up_stalled(listener)
    except OSError as error:
        listener.close()
        raise ServingFailed(
            f"无法使用 {host}:{port}（{error.strerror}）：请用 --port 换一个端口，"
            "或用 --port 0 自动选择。"
        ) from error
    return listener


@contextmanager
def gunicorn(
    settings: Settings, database_url: str, listener: socket.socket
) -> Iterator[subprocess.Popen[bytes]]:
    """gunicorn on `listener` for the length of the block; none of its processes survives it."""
    # Named by the port, which nobody else has: other servers may stand on the same data folder.
    metrics = _empty(settings.data / "metrics" / str(listener.getsockname()[1]))
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--config", "python:miniprogram_api.gunicorn_conf"),
            *("--bind", f"fd://{listener.fileno()}", "miniprogram_api.serving:application()"),
        ],
        env={
            **environment(settings, settings.database_app_url or database_url),
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        },
        cwd=PROJECT,  # gunicorn imports from where it stands: never from elsewhere
        stdin=subprocess.DEVNULL,
        pass_fds=[listener.fileno()],
        start_new_session=True,
    )
    try:
        listener.close()
        yield process
    finally:
        stop(process)


def wait_until_ready(
    process: subprocess.Popen[bytes], address: tuple[str, int], stopping: threading.Event
) -> bool:
    """True once `/readyz` says so, False when stopping. Raises `ServingFailed`."""
    deadline = time.monotonic() + READY_SECONDS
    while not _ready(*address):
        if process.poll() is not None:
            raise ServingFailed("网站启动失败，原因见上面的日志。")
        if time.monotonic() > deadline:
            raise ServingFailed("网站没有按时就绪，原因见上面的日志。")
        if stopping.wait(0.1):
            return False
    return True


def wait_until_stopped(
    process: subprocess.Popen[bytes],
    stopping: threading.Event,
    keep: Callable[[], None],
    alive: Callable[[], bool] | None = None,
) -> None:
    """Return when stopping; raise `ServingFailed` when gunicorn ends by itself.

    `keep`: called at every look, to start other processes again. `alive`: whether a database of
    our own still answers; gone for good, the site goes too.
    """
    missed = 0
    while not stopping.wait(0.5):
        keep()
        if process.poll() is not None:
            raise ServingFailed(f"网站意外停止（状态 {process.returncode}），原因见上面的日志。")
        missed = 0 if alive is None or alive() else missed + 1
        if missed == GONE_AFTER:
            raise ServingFailed("内嵌的数据库意外停止，网站已停下。数据没有丢，请重新启动。")


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, so that a start is never torn in the middle."""
    stopping = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stopping.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def environment(settings: Settings, database_url: str) -> dict[str, str]:
    """The environment of a child process that knows one login. Paths as this process understood
    them: they may have been relative.
    """
    own = {name: value for name, value in os.environ.items() if name not in NOT_FOR_CHILDREN}
    files = {
        "SHUKUN_KEYS": settings.keys, "SHUKUN_AUDIT_ANCHORS": settings.audit_anchors,
        "SHUKUN_PAPERS": settings.papers, "SHUKUN_SEAL_KEY": settings.seal_key,
        "SHUKUN_SEAL_CERT": settings.seal_cert,
    }  # fmt: skip
    return {
        **own,
        **{name: str(path) for name, path in files.items() if path is not None},
        **({} if settings.wechat is None else as_environ(settings.wechat)),
        "SHUKUN_SMS": settings.sms,
        "SHUKUN_SITE": settings.site,
        "DATABASE_URL": database_url,
        "SHUKUN_DATA": str(settings.data),
        "SHUKUN_CATALOGUE": os.pathsep.join(map(str, settings.catalogue)),
        lifeline.SUPERVISOR_VARIABLE: str(os.getpid()),
    }


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a child that leads a session of its own, and whatever is left of that session."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):  # the rule: everything of its session is gone already
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
