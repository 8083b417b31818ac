"""`shukun demo` as a process, and who asks it over HTTP."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyotp

MARK = "SHUKUN_TEST_MARK"
FEW = {"SHUKUN_WORKERS": "1"}
"""One process of the site, where nothing is done with more: they cost their start."""


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

    def again(self) -> None:
        """Start once more, and wait for it."""
        self.close()
        self.start()
        self.address()

    def clean(self) -> None:
        """Kill what is left of it."""
        for pid in self.processes():
            with suppress(ProcessLookupError):  # it ended meanwhile
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)
        self.close()

    def close(self) -> None:
        """Read no more of what an ended one said."""
        assert self.process.stdout is not None
        self.process.stdout.close()

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)

    def processes(self) -> list[int]:
        """Living processes that stem from the demo, itself included."""
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if self._stems(entry)]

    def sheet(self) -> dict[str, str]:
        """What the sheet says, once it is there: variables of a shell."""
        path = self.data / "demo.sh"
        wait_for(path.exists, self)
        lines = shlex.split(path.read_text(encoding="utf-8"), comments=True)
        return dict(line.split("=", 1) for line in lines if "=" in line)

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


def get(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as answer:
        status: int = answer.status
    return status


def asked(url: str, body: Any = None, token: str = "") -> Any:
    """The JSON of an answer; POST where there is a body, as the session of the token."""
    headers = {"Content-Type": "application/json"} | (
        {"Authorization": f"Bearer {token}"} if token else {}
    )
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


def sign_in(address: str, sheet: dict[str, str], role: str) -> Any:
    """A session of the demo's account of a role, by what stands in the sheet."""
    code = pyotp.parse_uri(sheet[f"{role}_CODES"])
    assert isinstance(code, pyotp.TOTP)
    typed = {"staff_no": sheet[role], "password": sheet[f"{role}_PASSWORD"], "code": code.now()}
    return asked(f"{address}/api/v1/staff/session", typed)


def wait_for(happened: Callable[[], bool], demo: Demo) -> None:
    deadline = time.monotonic() + 90
    while not happened():
        assert time.monotonic() < deadline, demo.errors()
        time.sleep(0.1)
