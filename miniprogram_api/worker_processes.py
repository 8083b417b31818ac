"""后台进程组 (worker processes): the workers beside a website, kept running, always stopped."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from backend.kernel.settings import PROJECT, Settings
from miniprogram_api import serving

log = logging.getLogger(__name__)

AGAIN_AFTER_SECONDS: Final = 5.0
"""A worker that ended is started again, but not more often."""


@contextmanager
def worker_processes(settings: Settings, database_url: str) -> Iterator[WorkerProcesses]:
    """`settings.job_workers` workers for the length of the block; none of them survives it."""
    login = settings.database_worker_url or database_url
    workers = WorkerProcesses(serving.environment(settings, login), settings.job_workers)
    try:
        workers.keep()
        yield workers
    finally:
        workers.stop()


@dataclass
class WorkerProcesses:
    """So many `shukun worker` as children."""

    environment: Mapping[str, str]
    number: int
    running: list[subprocess.Popen[bytes]] = field(default_factory=list, init=False)
    started: float = field(default=0.0, init=False)

    def keep(self) -> None:
        """Start those that are missing; call it often."""
        for ended in [one for one in self.running if one.poll() is not None]:
            log.error("worker ended", extra={"status": ended.returncode})
            self.running.remove(ended)
        pause = AGAIN_AFTER_SECONDS - (time.monotonic() - self.started)
        if len(self.running) < self.number and (pause <= 0 or not self.started):
            self.started = time.monotonic()
            while len(self.running) < self.number:
                self.running.append(self._start())

    def stop(self) -> None:
        """Tell all, then wait for each; a job under way has some seconds to end."""
        for one in self.running:
            one.terminate()
        for one in self.running:
            serving.stop(one)

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "miniprogram_api", "worker"],
            env=self.environment,
            cwd=PROJECT,  # imports come from where it stands: never from elsewhere
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # only the supervisor says that it is ready
            start_new_session=True,
        )
