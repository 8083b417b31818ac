from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.accounts.duties import ROLE_NAMES
from backend.kernel.settings import PROJECT
from tests.miniprogram_api.conftest import Lived
from tests.support.demo import FEW, Demo, asked, get, sign_in

HERE = ("SITE", "PHONES", "DEMO")
"""What the sheet says of where the demo runs."""


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Demo]:
    """A demo that starts from nothing."""
    demo = Demo(tmp_path / "data")
    yield demo
    demo.clean()


@pytest.fixture
def demo(fresh: Demo, lived_in: Path) -> Demo:
    """A demo whose database and people are there from a time before."""
    subprocess.run(["cp", "-a", lived_in, fresh.data], check=True)
    return fresh


def worker_of(demo: Demo) -> int | None:
    try:
        return demo.child(b"miniprogram_api\0worker")
    except StopIteration:
        return None


def text_of(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def test_the_demo_answers_starts_a_worker_that_died_again_and_says_who_is_who(
    demo: Demo, lived: Lived
) -> None:
    assert f"账号在 {lived.data / 'demo.sh'} 里；工作人员页面：" in lived.said
    assert "演示数据已就绪：300 人" in lived.said
    demo.start()
    address = demo.address()
    assert get(f"{address}/healthz") == get(f"{address}/readyz") == 200
    assert len(demo.processes()) > 4
    first = demo.child(b"miniprogram_api\0worker")
    os.kill(first, signal.SIGKILL)
    told = demo.sheet()
    for private in ("demo.sh", "demo-staff.json"):
        assert (demo.data / private).stat().st_mode & 0o777 == 0o600
    same = {name: value for name, value in lived.sheet.items() if name not in HERE}
    assert same.items() <= told.items()
    tokens = {role: sign_in(address, told, role.upper()) for role in ROLE_NAMES}
    assert [one["duty"]["role"] for one in tokens.values()] == list(ROLE_NAMES)
    token = tokens["county_officer"]["token"]
    runs = asked(f"{address}/api/v1/runs", token=token)["runs"]
    assert {run["state"] for run in runs} == {"released"}
    deadline = time.monotonic() + 30
    while first in demo.processes() or not worker_of(demo):
        assert time.monotonic() < deadline, demo.errors()
        time.sleep(0.05)
    assert get(f"{address}/readyz") == 200
    assert demo.end(signal.SIGTERM) == 0
    assert demo.processes() == []
    assert demo.process.stdout is not None
    assert demo.process.stdout.read() == ""
    assert "演示数据" not in demo.errors()
    for secret in (token, told["COUNTY_OFFICER_PASSWORD"], told["RESIDENT1_NUMBER"]):
        assert secret not in lived.said + demo.errors()


@pytest.mark.parametrize("moment", ["postgres.lock", "metrics"])
def test_a_demo_that_is_stopped_while_it_starts_leaves_no_process(fresh: Demo, moment: str) -> None:
    fresh.start()
    deadline = time.monotonic() + 60
    while not (fresh.data / moment).exists():
        assert time.monotonic() < deadline, fresh.errors()
        time.sleep(0.005)
    assert fresh.end(signal.SIGTERM) == 0, fresh.errors()
    assert fresh.processes() == []


def test_a_second_start_clears_the_metrics_of_the_first_and_ctrl_c_in_a_terminal_ends_it_well(
    demo: Demo,
) -> None:
    """Ctrl-C reaches the whole group of processes."""
    demo.environ = FEW
    demo.start()
    port = demo.address().rsplit(":", 1)[1]
    os.killpg(demo.process.pid, signal.SIGINT)
    assert demo.process.wait(60) == 0
    assert demo.processes() == []
    assert demo.process.stdout is not None
    demo.process.stdout.close()
    left = demo.data / "metrics" / port / "counter_1.db"
    left.write_bytes(b"left over")
    demo.arguments = ("demo", "--port", port)
    demo.start()
    assert get(f"{demo.address()}/metrics") == 200
    assert not left.exists()
    assert demo.end(signal.SIGTERM) == 0


def test_two_demos_on_one_data_folder_share_the_database_and_nothing_else(demo: Demo) -> None:
    demo.environ = FEW
    demo.start()
    first = demo.address()
    for _ in range(3):
        get(f"{first}/healthz")
    other = Demo(demo.data, demo.mark, environ=FEW)
    other.start()
    assert get(f"{other.address()}/readyz") == 200
    assert 'route="/healthz",status="200"} 3.0' in text_of(f"{first}/metrics")
    assert other.end(signal.SIGTERM) == 0
    assert other.process.stdout is not None
    other.process.stdout.close()
    assert get(f"{first}/readyz") == 200
    assert demo.end(signal.SIGTERM) == 0
    assert demo.processes() == []


def test_a_web_server_that_dies_is_reported_and_everything_else_stopped(demo: Demo) -> None:
    demo.environ = FEW
    demo.start()
    demo.address()
    os.kill(demo.gunicorn(), signal.SIGKILL)
    assert demo.process.wait(60) == 2
    assert "网站意外停止" in demo.errors()
    assert demo.processes() == []


def test_a_database_that_dies_is_reported_and_the_site_stopped(demo: Demo) -> None:
    demo.environ = FEW
    demo.start()
    demo.address()
    postmaster = int((demo.data / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    assert demo.process.wait(60) == 2
    assert "数据库意外停止" in demo.errors()
    assert demo.processes() == []


def test_the_processes_of_a_killed_demo_go_and_its_database_is_taken_over(
    demo: Demo,
) -> None:
    demo.start()
    demo.address()
    words = (b"miniprogram_api\0worker", b"wechat-simulator")
    orphans = {demo.gunicorn(), *map(demo.child, words)}
    demo.process.kill()
    demo.process.wait()
    assert demo.process.stdout is not None
    demo.process.stdout.close()
    deadline = time.monotonic() + 30
    while orphans & set(demo.processes()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    demo.start()
    assert get(f"{demo.address()}/readyz") == 200
    assert demo.end(signal.SIGTERM) == 0
    assert demo.processes() == []


def test_serving_works_on_the_embedded_default_too(demo: Demo) -> None:
    demo.arguments, demo.ready = ("serve", "--port", "0"), "就绪："
    demo.start()
    assert get(f"{demo.address()}/readyz") == 200
    assert demo.end(signal.SIGTERM) == 0
    assert demo.processes() == []


def test_the_command_line_and_the_environment_decide_and_the_folder_it_is_called_from_nothing(
    fresh: Demo, lived_in: Path, tmp_path: Path
) -> None:
    """Where the data lie and whether workers run elsewhere; neither which code runs, nor what a
    relative path means to the web server."""
    named = tmp_path / "named"
    subprocess.run(["cp", "-a", lived_in, named], check=True)
    (tmp_path / "miniprogram_api").mkdir()
    (tmp_path / "miniprogram_api" / "__init__.py").write_text("raise SystemExit('decoy')")
    (tmp_path / "more").mkdir()
    fresh.environ = {"SHUKUN_CATALOGUE": "more", "PYTHONPATH": "", "SHUKUN_JOB_WORKERS": "0"}
    fresh.arguments = ("demo", "--port", "0", "--data", str(named))
    fresh.start()
    assert get(f"{fresh.address()}/healthz") == 200
    assert not worker_of(fresh)
    assert (named / "postgres" / "postmaster.pid").exists()
    assert fresh.end(signal.SIGTERM) == 0
    assert not fresh.data.exists()


def test_a_port_in_use_is_said_plainly(demo: Demo) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        demo.arguments = ("demo", "--port", str(taken.getsockname()[1]))
        demo.start()
        assert demo.process.wait(60) == 2
    assert "请用 --port 换一个端口" in demo.errors()
    assert demo.processes() == []


def test_what_gunicorn_loads_before_it_forks_starts_no_threads_that_hang_the_workers() -> None:
    """A process forked after Polars was imported never ends by itself."""
    program = "import sys, miniprogram_api.gunicorn_conf, miniprogram_api.app; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert "polars" not in done.stdout.split()
