"""Real worker processes, killed at random moments: nothing lost, nothing twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from backend.kernel import migrations
from backend.kernel.database import bound, engine_for, transaction
from backend.kernel.jobs import defer, defer_many
from backend.kernel.postgres import Server, embedded
from backend.kernel.postgres_host import find_host
from backend.kernel.settings import PROJECT, Settings
from tests.support import trial_worker

pytestmark = pytest.mark.postgres

KILLS = int(os.environ.get("SHUKUN_WORKER_KILLS", "5"))
DATABASE_KILLS = int(os.environ.get("SHUKUN_DATABASE_KILLS", "2"))
DAYS = int(os.environ.get("SHUKUN_SCHEDULE_DAYS", "36"))
BEAT_KILLS = int(os.environ.get("SHUKUN_BEAT_KILLS", "2"))
PATIENCE = 90
ENDED = {0, -signal.SIGTERM}
"""Told to stop; the latter while it was still importing."""
T = TypeVar("T")


class Crew:
    """Workers as processes, each started again when it was killed."""

    def __init__(self, url: str, log: Path, number: int, *options: str) -> None:
        self.url, self.log, self.options = url, log, options
        self.workers = [self._start() for _ in range(number)]

    def kill_one(self) -> None:
        place = random.randrange(len(self.workers))
        self.kill(place)
        self.workers[place] = self._start()

    def kill(self, place: int) -> None:
        self.workers[place].kill()
        self.workers[place].wait()

    def end(self) -> list[int]:
        for worker in self.workers:
            worker.send_signal(signal.SIGTERM)
        return [worker.wait(PATIENCE) for worker in self.workers]

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.support.trial_worker", self.url, *self.options]
        with self.log.open("ab") as log:
            return subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=log)


@pytest.fixture
def crew_on(tmp_path: Path) -> Iterator[Callable[..., Crew]]:
    """Starts workers on a database; none survives the test."""
    made: list[Crew] = []

    def make(url: str, number: int, *options: str) -> Crew:
        made.append(Crew(url, tmp_path / "log", number, *options))
        return made[-1]

    yield make
    for one in made:
        for worker in one.workers:
            worker.kill()
            worker.wait()


@pytest.fixture
def crew(database: Engine, database_url: str, crew_on: Callable[..., Crew]) -> Callable[..., Crew]:
    """The same on the test's own database."""
    prepare(database)
    return partial(crew_on, database_url)


def prepare(engine: Engine) -> None:
    """The tables of the trial tasks."""
    with engine.begin() as connection:
        for statement in trial_worker.TABLES:
            connection.execute(text(statement))


def effects(kind: str) -> Counter[str]:
    with transaction() as session:
        rows = session.execute(
            text("SELECT number FROM trial_effect WHERE kind = :kind"), {"kind": kind}
        )
        return Counter(rows.scalars())


def jobs_left() -> int:
    with transaction() as session:
        return int(session.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one())


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_jobs_of_killed_workers_are_done_again_and_have_one_effect_each(
    crew: Callable[..., Crew],
) -> None:
    count = max(20, 2 * KILLS)
    with transaction() as session:
        ids = [{"number": number, "milliseconds": 150} for number in range(count)]
        defer_many(session, trial_worker.effect, ids)
    workers = crew(2)
    until(lambda: bool(effects("effect")))
    for _ in range(KILLS):
        time.sleep(random.uniform(0, 0.6))
        workers.kill_one()
    until(lambda: not jobs_left())
    assert effects("effect") == Counter(str(number) for number in range(count))
    assert set(workers.end()) <= ENDED


def test_a_mark_in_another_transaction_lets_the_effect_happen_twice(
    crew: Callable[..., Crew],
) -> None:
    """The sabotage control of the test above: it sees what it is there to see."""
    with transaction() as session:
        defer(session, trial_worker.sabotaged, number=1, milliseconds=1000)
    workers = crew(1)
    until(lambda: effects("sabotaged")["1"] == 1)
    workers.kill_one()
    until(lambda: not jobs_left())
    assert effects("sabotaged")["1"] == 2


def test_a_job_runs_if_and_only_if_its_cause_was_committed(crew: Callable[..., Crew]) -> None:
    class Undone(Exception):
        pass

    def leave(number: int) -> None:
        with transaction() as session:
            defer(session, trial_worker.effect, number=number, milliseconds=0)
            if number % 3 == 0:
                raise Undone

    workers = crew(2, "concurrency=2")
    for number in range(60):
        try:
            leave(number)
        except Undone:
            continue
    until(lambda: not jobs_left())
    assert effects("effect") == Counter(str(n) for n in range(60) if n % 3)
    assert set(workers.end()) <= ENDED


def test_a_worker_told_to_stop_ends_its_job_first(crew: Callable[..., Crew]) -> None:
    with transaction() as session:
        defer(session, trial_worker.effect, number=1, milliseconds=400)
        defer(session, trial_worker.effect, number=2, milliseconds=400)
    workers = crew(1)
    until(lambda: jobs_running() == 1)
    assert workers.end() == [0]
    assert effects("effect") == {"1": 1}
    assert (jobs_left(), jobs_running()) == (1, 0)


def test_until_empty_ends_when_nothing_is_left_of_a_chain_or_of_the_dead(
    crew: Callable[..., Crew],
) -> None:
    with transaction() as session:
        defer(session, trial_worker.effect, number=1, milliseconds=1500)
        defer(session, trial_worker.chain, number=5)
        defer(session, trial_worker.chain, number=99, at=datetime(2999, 1, 1, tzinfo=UTC))
    first = crew(1)
    until(lambda: jobs_running() == 1)
    first.kill(0)
    last = crew(2, "until_empty=1", "concurrency=3")
    assert [worker.wait(PATIENCE) for worker in last.workers] == [0, 0]
    assert effects("effect") == {"1": 1}
    assert effects("chain") == Counter("543210")
    assert jobs_left() == 1


def test_a_job_that_cannot_be_done_is_given_up_and_seen(
    crew: Callable[..., Crew], tmp_path: Path
) -> None:
    with transaction() as session:
        defer(session, trial_worker.fails, number=1)
    (worker,) = crew(1, "until_empty=1").workers
    assert worker.wait(PATIENCE) == 0
    with transaction() as session:
        status = text("SELECT status::text FROM procrastinate_jobs")
        assert session.execute(status).scalars().all() == ["failed"]
    assert "ValueError" in (tmp_path / "log").read_text()


def test_workers_survive_the_loss_of_all_their_connections(
    crew: Callable[..., Crew], database: Engine
) -> None:
    with transaction() as session:
        ids = [{"number": number, "milliseconds": 100} for number in range(20)]
        defer_many(session, trial_worker.effect, ids)
    workers = crew(2)
    until(lambda: bool(effects("effect")))
    for _ in range(KILLS):
        time.sleep(random.uniform(0.1, 0.5))
        with database.begin() as connection:
            connection.execute(text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ))  # fmt: skip
    until(lambda: not jobs_left())
    assert effects("effect") == Counter(str(number) for number in range(20))
    assert set(workers.end()) <= ENDED


def test_a_worker_that_hangs_loses_its_job_to_another_and_lives_on(
    crew: Callable[..., Crew],
) -> None:
    with transaction() as session:
        defer(session, trial_worker.effect, number=1, milliseconds=1000)
    workers = crew(1)
    until(lambda: bool(effects("effect")))  # committed, but not told yet
    workers.workers[0].send_signal(signal.SIGSTOP)
    other = crew(1)
    until(lambda: not jobs_left())
    workers.workers[0].send_signal(signal.SIGCONT)
    assert set(other.end()) <= ENDED
    with transaction() as session:
        defer(session, trial_worker.effect, number=2, milliseconds=0)
    until(lambda: effects("effect")["2"] == 1)
    assert effects("effect") == {"1": 1, "2": 1}
    assert workers.end() == [0]


def test_workers_go_on_when_the_killed_database_is_back(
    tmp_path: Path, crew_on: Callable[..., Crew]
) -> None:
    """On a durable server of its own, killed like a machine that loses its power."""
    count = max(20, 8 * DATABASE_KILLS)
    with embedded(tmp_path / "data", Settings.from_env(os.environ).pg_bin) as url:
        engine = engine_for(url)
        with bound(engine):
            migrations.upgrade(engine)
            prepare(engine)
            with transaction() as session:
                ids = [{"number": number, "milliseconds": 100} for number in range(count)]
                defer_many(session, trial_worker.effect, ids)
            workers = crew_on(url, 2)
            for _ in range(DATABASE_KILLS):
                seen = patiently(lambda: effects("effect").total())
                until(lambda: patiently(lambda: effects("effect").total()) > seen)  # noqa: B023
                server = Server(find_host(tmp_path / "data"), durable=True)
                kill(server)
                time.sleep(random.uniform(0, 1))
                server.start()
                server.leave()
            until(lambda: patiently(jobs_left) == 0)
            assert patiently(lambda: effects("effect")) == Counter(str(n) for n in range(count))
            assert set(workers.end()) <= ENDED
        engine.dispose()


def kill(server: Server) -> None:
    pid_file = server.host.cluster / "postmaster.pid"
    os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)


def patiently(look: Callable[[], T]) -> T:
    """Look again while the database is coming back."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return look()
        except OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


# -- what is done once a day -----------------------------------------------------------------


def test_every_day_has_one_effect_with_two_beats_and_kills(crew: Callable[..., Crew]) -> None:
    begin = date(2026, 1, 1)
    show(begin)
    workers = crew(2, "upkeep_every=0.02")
    until(lambda: done_periods() == 1)  # where the schedule begins
    kills = set(random.sample(range(1, DAYS), BEAT_KILLS))
    for number in range(1, DAYS + 1):
        show(begin + timedelta(number))
        if number in kills:
            time.sleep(random.uniform(0, 0.1))
            workers.kill_one()
        until(lambda: effects("daily").total() >= number)  # noqa: B023  (called here and now)
    assert set(workers.end()) <= ENDED
    days = [(begin + timedelta(number)).isoformat() for number in range(1, DAYS + 1)]
    assert effects("daily") == Counter(days)


def test_the_latest_period_is_caught_up_after_a_standstill(crew: Callable[..., Crew]) -> None:
    show(date(2026, 1, 1))
    first = crew(2, "upkeep_every=0.02")
    until(lambda: done_periods() == 1)
    first.kill(0)
    first.kill(1)
    show(date(2026, 1, 5))
    crew(2, "upkeep_every=0.02")
    until(lambda: bool(effects("daily")))
    time.sleep(0.3)
    assert effects("daily") == {"2026-01-05": 1}


def show(day: date) -> None:
    """Four in the morning in China: an hour after the trial's daily work is due."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=4)
    with transaction() as session:
        session.execute(text("UPDATE trial_clock SET moment = :moment"), {"moment": moment})


def done_periods() -> int:
    with transaction() as session:
        done = text("SELECT count(*) FROM periodic_done WHERE job = 'trial.daily'")
        return int(session.execute(done).scalar_one())


def jobs_running() -> int:
    with transaction() as session:
        doing = text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'")
        return int(session.execute(doing).scalar_one())
