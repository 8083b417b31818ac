"""gunicorn 配置: threads behind a preloaded application, a graceful stop, shared metrics."""

from __future__ import annotations

import os
from typing import Any

from gunicorn import util

from backend.kernel import database
from backend.kernel.settings import Settings
from miniprogram_api import edge, lifeline, metrics

settings = Settings.from_env(os.environ)

worker_class = "gthread"
workers = settings.workers
threads = settings.threads
preload_app = True
timeout = 60
graceful_timeout = 20
keepalive = 5
loglevel = settings.log_level.lower()
control_socket_disable = True

util.write_error = edge.write_problem


def on_starting(_server: Any) -> None:
    """Stop when the supervisor is killed: an orphan would hold the port."""
    lifeline.end_with_supervisor()


def post_fork(_server: Any, _worker: Any) -> None:
    """Connections of the parent are not shared."""
    database.after_fork()


def child_exit(_server: Any, worker: Any) -> None:
    """Take the gauges of a worker that ended out of the sums."""
    metrics.forget_process(worker.pid)
