"""`shukun worker` as a command, on a server that is given."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from backend.kernel.jobs import queues
from miniprogram_api import lifeline, queue_app

pytestmark = pytest.mark.postgres
SHUKUN = Path(sys.executable).with_name("shukun")


class Command:
    """Runs `shukun worker` on the test's database."""

    def __init__(self, url: str, data: Path) -> None:
        self.environ = {**os.environ, "DATABASE_URL": url, "SHUKUN_DATA": str(data)}

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SHUKUN, "worker", *options], env=self.environ, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip

    def start(self, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [SHUKUN, "worker"], env={**self.environ, **environ}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip


@pytest.fixture
def command(database: Engine, database_url: str, tmp_path: Path) -> Command:
    return Command(database_url, tmp_path)


@pytest.fixture
def running(command: Command) -> Iterator[subprocess.Popen[str]]:
    with command.start() as process:
        yield process
        process.kill()


def put(database: Engine, queue: str, task: str, status: str) -> None:
    row = {"queue": queue, "task": task, "status": status}
    with database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
                " VALUES (:queue, :task, CAST(:status AS procrastinate_job_status))"
            ),
            row,
        )


def statuses(database: Engine) -> list[str]:
    with database.connect() as connection:
        return list(connection.scalars(text("SELECT status::text FROM procrastinate_jobs")))


def a_queue() -> str:
    queue_app.import_tasks()
    return queues()[0]


def test_it_ends_when_nothing_is_left_and_says_what_it_consumes(command: Command) -> None:
    done = command.run("--until-empty")
    assert done.returncode == 0, done.stderr
    assert "后台任务已就绪：" in done.stdout
    assert a_queue() in done.stdout


def test_jobs_given_up_are_told_with_what_to_do(command: Command, database: Engine) -> None:
    put(database, a_queue(), "trial.unknown", "failed")
    done = command.run("--until-empty")
    assert done.returncode == 1
    assert "有 1 个任务多次重试后仍未完成" in done.stderr
    again = command.run("--until-empty", "--retry-failed")
    assert "已重新排队 1 个任务" in again.stdout
    assert statuses(database) == ["failed"]  # no program knows the task


def test_a_queue_that_nobody_knows_is_refused_with_those_there_are(command: Command) -> None:
    done = command.run("--queues", "matchng")
    assert done.returncode == 2
    assert "没有名为 matchng 的队列" in done.stderr
    assert a_queue() in done.stderr


def test_other_queues_are_left_alone(command: Command, database: Engine) -> None:
    put(database, "elsewhere", "trial.unknown", "todo")
    assert command.run("--until-empty", "--queues", a_queue()).returncode == 0
    assert statuses(database) == ["todo"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_it_is_told(running: subprocess.Popen[str], number: signal.Signals) -> None:
    assert running.stdout is not None
    assert "后台任务已就绪" in running.stdout.readline()
    time.sleep(0.5)
    running.send_signal(number)
    assert running.wait(30) == 0


def test_it_does_not_start_for_a_supervisor_that_is_gone(command: Command) -> None:
    with command.start(**{lifeline.SUPERVISOR_VARIABLE: "1"}) as orphan:
        assert orphan.wait(30) == 1
