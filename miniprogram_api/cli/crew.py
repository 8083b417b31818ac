"""一起算 (crew): the parts of a run computed by this process and others of this machine, shown as
they come. Workers elsewhere take parts too."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine, func, select

from backend.kernel.settings import PROJECT, Settings
from backend.matching.runs import Begun
from backend.matching.tables import MATCH_PART
from backend.matching.tasks import QUEUE
from miniprogram_api import queue_app
from miniprogram_api import worker as process

PARTS_ALONE: Final = 2
"""Up to so many parts one process is enough: others take a second to start."""
LOOK_SECONDS: Final = 0.3


def compute(chosen: Settings, engine: Engine, begun: Begun, workers: int | None) -> None:
    """Return when nothing of the run is left to compute, or nobody can compute it."""
    if not begun.parts:
        return
    queue_app.import_tasks()
    url = engine.url.render_as_string(hide_password=False)
    count = workers or (1 if len(begun.parts) <= PARTS_ALONE else os.cpu_count() or 1)
    silence = float(chosen.worker_silence)
    with _others(chosen, url, count - 1), _progress(engine, begun):
        process.work(
            process.Plan(url, (QUEUE,), until_empty=True, silence=silence, upkeep_every=silence / 2)
        )


@contextmanager
def _others(chosen: Settings, url: str, count: int) -> Iterator[None]:
    """Other workers, gone at the end: they end by themselves when nothing is left."""
    environment = {
        **os.environ, "DATABASE_URL": url, "SHUKUN_DATA": str(chosen.data),
        "SHUKUN_SUPERVISOR": str(os.getpid()),
    }  # fmt: skip
    command = [sys.executable, "-m", "miniprogram_api", "worker", "--queues", QUEUE]
    running = [
        subprocess.Popen(
            [*command, "--until-empty"], env=environment, cwd=PROJECT,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )
        for _ in range(count)
    ]  # fmt: skip
    try:
        yield
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait()


@contextmanager
def _progress(engine: Engine, begun: Begun) -> Iterator[None]:
    """A bar on a terminal, moved by a thread that looks into the database."""
    if not sys.stderr.isatty():
        yield
        return
    columns = (TextColumn("匹配"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    ended = threading.Event()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=len(begun.parts))

        def look() -> None:
            while not ended.wait(LOOK_SECONDS):
                bar.update(task, completed=len(begun.parts) - _left(engine, begun.run_id))

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            bar.update(task, completed=len(begun.parts) - _left(engine, begun.run_id))


def _left(engine: Engine, run_id: int) -> int:
    query = select(func.count()).where(MATCH_PART.c.run_id == run_id, MATCH_PART.c.state == "open")
    with engine.connect() as connection:
        return connection.execute(query).scalar_one()
