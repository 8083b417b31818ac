"""后台进程 (worker): takes jobs from the database and does them, until it is told to stop.

Any number of workers may run, on any number of machines. One that is killed loses nothing: its jobs
are taken back by the others once it has been silent for a while.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

import psycopg
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from psycopg_pool import PoolTimeout
from sqlalchemy.exc import SQLAlchemyError

from backend.kernel import clock
from backend.kernel.database import transaction
from backend.kernel.jobs_schedule import defer_due
from backend.kernel.jobs_upkeep import SILENCE_SECONDS, open_jobs, take_back_stalled
from backend.kernel.jobs_watch import watches_of
from miniprogram_api.queue_app import queue_app

log = logging.getLogger(__name__)

GRACE_SECONDS: Final = 20.0
"""What a job under way gets when the worker is told to stop; then it is dropped and taken back."""
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
POLL_SECONDS: Final = 2.0
SEAL_SECONDS: Final = 5.0
"""What was written into the audit is sealed after so long; until then nothing protects it."""
BESIDE_JOBS: Final = 4
PAUSE_SECONDS: Final = 1.0
PASSING: Final = (psycopg.OperationalError, psycopg.errors.ForeignKeyViolation)
"""The server is away; or it counted this worker as dead, which begins anew under another number."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a worker does. `silence`: after how many silent seconds others count it as dead.

    `seal`: what chains the audit, called every `seal_every` seconds.
    """

    url: str
    queues: tuple[str, ...]
    concurrency: int = 1
    until_empty: bool = False
    silence: float = SILENCE_SECONDS
    upkeep_every: float = SILENCE_SECONDS / 2
    seal: Callable[[], None] | None = None
    seal_every: float = SEAL_SECONDS


def work(plan: Plan) -> bool:
    """Work until SIGTERM or SIGINT, or with `until_empty` until nothing is due or running: True.

    The engine must be bound and the tasks imported. The database may go away and come back.
    """
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        return asyncio.run(_Worker(plan).run())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def upkeep(plan: Plan) -> None:
    """What any worker does for all: take back jobs of the dead, leave jobs for what is due."""
    with transaction() as session:
        take_back_stalled(session, plan.silence)
    if not plan.until_empty:
        with transaction() as session:
            defer_due(session, clock.now())


class _Worker:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.stopping = asyncio.Event()

    async def run(self) -> bool:
        loop = asyncio.get_running_loop()
        # One thread a job; one each for upkeep, sealing, watches, and the look at what is open.
        loop.set_default_executor(ThreadPoolExecutor(self.plan.concurrency + BESIDE_JOBS))
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self.stopping.set)
        sides = [asyncio.create_task(one) for one in self._beside()]
        main = asyncio.create_task(self._work())
        # A fault of the upkeep ends the worker too: it would never be noticed otherwise.
        await asyncio.wait({*sides, main}, return_when=asyncio.FIRST_COMPLETED)
        told_to_stop = self.stopping.is_set()
        self.stopping.set()
        for side in sides:
            side.cancel()
        for ended in await asyncio.gather(*sides, main, return_exceptions=True):
            if isinstance(ended, Exception):  # being cancelled is none
                raise ended
        return not told_to_stop

    async def _work(self) -> None:
        while not self.stopping.is_set():
            app = queue_app(self.plan.url, concurrency=self.plan.concurrency)
            try:
                async with app.open_async():
                    await self._work_with(app)
                return
            except PoolTimeout:
                log.warning("queue unreachable", extra={"reason": "PoolTimeout"})

    async def _work_with(self, app: App) -> None:
        while not self.stopping.is_set():
            await self._once(app)
            if self.plan.until_empty and not await asyncio.to_thread(self._open):
                return
            if not self.stopping.is_set():
                await self._pause()

    async def _once(self, app: App) -> None:
        """One run of the library's worker: until told to stop, or the database goes away."""
        running = asyncio.create_task(self._library(app))
        halt = asyncio.create_task(self.stopping.wait())
        await asyncio.wait({running, halt}, return_when=asyncio.FIRST_COMPLETED)
        halt.cancel()
        if self.stopping.is_set():
            asyncio.get_running_loop().call_later(GRACE_SECONDS, _drop_everything)
            running.cancel()
        try:
            with suppress(asyncio.CancelledError):
                await running
        except ConnectorException as error:
            if not isinstance(error.__cause__, PASSING):
                raise
            log.warning("queue unreachable", extra={"reason": type(error.__cause__).__name__})

    async def _library(self, app: App) -> None:
        await app.run_worker_async(
            queues=list(self.plan.queues),
            concurrency=self.plan.concurrency,
            wait=not self.plan.until_empty,
            fetch_job_polling_interval=min(POLL_SECONDS, self.plan.silence / 2),
            update_heartbeat_interval=min(10.0, self.plan.silence / 4),
            stalled_worker_timeout=self.plan.silence,
            install_signal_handlers=False,
        )

    def _open(self) -> int:
        with transaction() as session:
            return open_jobs(session, self.plan.queues)

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), PAUSE_SECONDS)

    def _beside(self) -> list[Coroutine[None, None, None]]:
        """What is done again and again beside the jobs."""
        plan = self.plan
        beside = [_again_and_again(partial(upkeep, plan), plan.upkeep_every, "upkeep failed")]
        if plan.seal is not None:
            beside.append(_again_and_again(plan.seal, plan.seal_every, "audit not sealed"))
        if not plan.until_empty:
            for one in watches_of(plan.queues):
                beside.append(_again_and_again(one, one.seconds, "watch failed"))
        return beside


async def _again_and_again(do: Callable[[], None], every: float, failed: str) -> None:
    while True:
        try:
            await asyncio.to_thread(do)
        except SQLAlchemyError as error:
            log.warning(failed, extra={"reason": type(error).__name__})
        await asyncio.sleep(every)


def _drop_everything() -> None:
    log.warning("worker ends with a job under way; it will be taken back")
    os._exit(1)
