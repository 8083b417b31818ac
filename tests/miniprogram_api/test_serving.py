import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyotp
import pytest

from backend.kernel.settings import PROJECT

MARK = "SHUKUN_TEST_MARK"


@dataclass
class Demo:
    """`shukun demo` as a process; its descendants carry a mark in their environment."""

    data: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    arguments: tuple[str, ...] = ("demo", "--port", "0")
    ready: str = "ready "

    environ: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        environ = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        with (self.data.parent / "err").open("w") as errors:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name("shukun"), *self.arguments],
                cwd=self.data.parent,
                env={**environ, **self.environ, MARK: self.mark, "SHUKUN_DATA": str(self.data)}, start_new_session=True,
                stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip

    def address(self) -> str:
        """Wait for the ready line and return the address in it."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith(f"{self.ready}http://127.0.0.1:"), (line, self.errors())
        return line.removeprefix(self.ready).strip()

    def errors(self) -> str:
        return (self.data.parent / "err").read_text()

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)

    def processes(self) -> list[int]:
        """Living processes that stem from the demo, itself included."""
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if self._stems(entry)]

    def gunicorn(self) -> int:
        """The pid of the arbiter."""
        return self.child(b"gunicorn")

    def child(self, word: bytes) -> int:
        """The pid of the child with the word in its command; raises `StopIteration`."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        words = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children.split()}
        return next(pid for pid, command in words.items() if word in command)

    def _stems(self, process: Path) -> bool:
        try:
            marked = f"{MARK}={self.mark}".encode() in (process / "environ").read_bytes()
            # PostgreSQL's helpers write their titles over their environment.
            return marked or (process / "cwd").readlink().is_relative_to(self.data)
        except OSError:  # it ended meanwhile
            return False


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(tmp_path / "data")
    yield demo
    for pid in demo.processes():
        os.kill(pid, signal.SIGKILL)
    demo.process.wait(10)
    assert demo.process.stdout is not None
    demo.process.stdout.close()


def get(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as answer:
        status: int = answer.status
    return status


def worker_of(demo: Demo) -> int | None:
    try:
        return demo.child(b"miniprogram_api\0worker")
    except StopIteration:
        return None


def text_of(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def wait_for(happened: Callable[[], bool], demo: Demo) -> None:
    deadline = time.monotonic() + 90
    while not happened():
        assert time.monotonic() < deadline, demo.errors()
        time.sleep(0.1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_demo_answers_and_stops_leaving_no_process(demo: Demo, number: signal.Signals) -> None:
    demo.start()
    address = demo.address()
    assert get(f"{address}/healthz") == get(f"{address}/readyz") == 200
    assert len(demo.processes()) > 4
    assert demo.end(number) == 0
    assert demo.processes() == []
    assert demo.process.stdout is not None
    assert demo.process.stdout.read() == ""


def test_ctrl_c_in_a_terminal_reaches_the_whole_group_and_the_demo_still_ends_well(
    demo: Demo,
) -> None:
    demo.start()
    demo.address()
    os.killpg(demo.process.pid, signal.SIGINT)
    assert demo.process.wait(60) == 0
    assert demo.processes() == []


@pytest.mark.parametrize("moment", ["postgres.lock", "postgres/postmaster.pid", "metrics"])
def test_a_demo_that_is_stopped_while_it_starts_leaves_no_process(demo: Demo, moment: str) -> None:
    demo.start()
    deadline = time.monotonic() + 60
    while not (demo.data / moment).exists():
        assert time.monotonic() < deadline, demo.errors()
        time.sleep(0.005)
    assert demo.end(signal.SIGTERM) == 0, demo.errors()
    assert demo.processes() == []


def test_the_demo_says_where_staff_get_in_and_fills_itself_with_people(demo: Demo) -> None:
    demo.start()
    address = demo.address()
    account = demo.data / "staff-account.txt"
    assert f"工作人员页面：{address}/staff，账号在 {account} 里。" in demo.errors()
    assert account.stat().st_mode & 0o777 == 0o600
    told = account.read_text(encoding="utf-8")
    wait_for(lambda: "演示数据已就绪：300 人" in demo.errors(), demo)
    token = sign_in(address, told)
    request = urllib.request.Request(
        f"{address}/api/v1/runs", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        runs = json.load(answer)["runs"]
    assert {run["state"] for run in runs} == {"released"}
    assert demo.end(signal.SIGTERM) == 0
    assert demo.processes() == []
    assert token not in demo.errors()
    assert demo.process.stdout is not None
    demo.process.stdout.close()
    demo.start()
    demo.address()
    assert account.read_text(encoding="utf-8") == told
    assert demo.end(signal.SIGTERM) == 0
    assert "演示数据" not in demo.errors()


def sign_in(address: str, told: str) -> str:
    """A session by what stands in the file of the demo's account."""
    typed = dict(line.split("：", 1) for line in told.splitlines() if "：" in line)
    enrolment = next(line for line in told.splitlines() if line.startswith("otpauth://"))
    code = pyotp.parse_uri(enrolment)
    assert isinstance(code, pyotp.TOTP)
    body = {"staff_no": typed["工号"], "password": typed["初始口令"], "code": code.now(),
            "new_password": "something-else-7-now"}  # fmt: skip
    request = urllib.request.Request(
        f"{address}/api/v1/staff/session", json.dumps(body).encode(),
        {"Content-Type": "application/json"}, method="POST",
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=10) as answer:
        token: str = json.load(answer)["token"]
    return token


def test_a_second_start_finds_its_data_and_clears_the_metrics_of_the_first(demo: Demo) -> None:
    demo.start()
    port = demo.address().rsplit(":", 1)[1]
    assert demo.end(signal.SIGTERM) == 0
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
    demo.start()
    first = demo.address()
    for _ in range(3):
        get(f"{first}/healthz")
    other = Demo(demo.data, demo.mark)
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
    demo.start()
    demo.address()
    os.kill(demo.gunicorn(), signal.SIGKILL)
    assert demo.process.wait(60) == 2
    assert "网站意外停止" in demo.errors()
    assert demo.processes() == []


def test_a_worker_that_dies_is_started_again_and_the_site_goes_on(demo: Demo) -> None:
    demo.start()
    address = demo.address()
    first = demo.child(b"miniprogram_api\0worker")
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while first in demo.processes() or not worker_of(demo):
        assert time.monotonic() < deadline, demo.errors()
        time.sleep(0.05)
    assert get(f"{address}/readyz") == 200
    assert demo.end(signal.SIGTERM) == 0
    assert demo.processes() == []


def test_workers_may_run_elsewhere(demo: Demo) -> None:
    demo.environ = {"SHUKUN_JOB_WORKERS": "0"}
    demo.start()
    demo.address()
    assert not worker_of(demo)
    assert demo.end(signal.SIGTERM) == 0


def test_a_database_that_dies_is_reported_and_the_site_stopped(demo: Demo) -> None:
    demo.start()
    demo.address()
    postmaster = int((demo.data / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    assert demo.process.wait(60) == 2
    assert "数据库意外停止" in demo.errors()
    assert demo.processes() == []


def test_the_web_server_and_worker_of_a_killed_demo_go_and_its_database_is_taken_over(
    demo: Demo,
) -> None:
    demo.start()
    demo.address()
    orphans = {demo.gunicorn(), demo.child(b"miniprogram_api\0worker")}
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


def test_the_data_folder_may_be_named_on_the_command_line(demo: Demo, tmp_path: Path) -> None:
    demo.arguments = ("demo", "--port", "0", "--data", str(tmp_path / "named"))
    demo.start()
    demo.address()
    assert demo.end(signal.SIGTERM) == 0
    assert (tmp_path / "named" / "postgres").is_dir()
    assert not demo.data.exists()


def test_the_folder_it_is_called_from_decides_nothing(demo: Demo, tmp_path: Path) -> None:
    """Neither which code runs, nor what a relative path means to the web server."""
    (tmp_path / "miniprogram_api").mkdir()
    (tmp_path / "miniprogram_api" / "__init__.py").write_text("raise SystemExit('decoy')")
    (tmp_path / "more").mkdir()
    demo.environ = {"SHUKUN_CATALOGUE": "more", "PYTHONPATH": ""}
    demo.start()
    assert get(f"{demo.address()}/healthz") == 200
    assert demo.end(signal.SIGTERM) == 0


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
