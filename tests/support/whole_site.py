"""The whole site as an office runs it: `shukun serve` on its own embedded database, two workers,
and the simulator of WeChat, each a real process; requests from phones and desks, and commands.

Workers here know no nights: a journey must arrive at any hour.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyotp
import pytest

from backend.kernel import clock
from backend.kernel.settings import PROJECT
from backend.kernel.settings_wechat import SIMULATOR_SECRET
from miniprogram_api import lifeline
from miniprogram_api.cli import run
from tests.support.mailroom import DAY_AND_NIGHT
from tests.support.wechat import APPID, PUSH_AES_KEY, PUSH_TOKEN, Simulator, until

PATIENCE: Final = 60
PAUSE: Final = 0.3
WORKERS: Final = 2
PASSWORD: Final = "chosen-at-first-sign-in-7"
ELSEWHERE: Final = ("DATABASE_URL", "DATABASE_APP_URL", "DATABASE_WORKER_URL")
LOG: Final = "site.log"
"""What the server and the workers say."""
_READY: Final = re.compile(r"^就绪：http://127\.0\.0\.1:(\d+)$", re.MULTILINE)
Json = Any


@dataclass(frozen=True)
class Answer:
    """Of a request. `body`: the JSON; None where there is none."""

    status: int
    body: Json


@dataclass
class WholeSite:
    """Ready to be used. `folder`: its data."""

    folder: Path
    port: int
    wechat: Simulator
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    # -- phones and desks --------------------------------------------------------------------------

    def ask(self, method: str, path: str, token: str = "", body: Json = None) -> Answer:
        """A request to /api/v1."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        content = None
        if body is not None:
            content, headers["Content-Type"] = json.dumps(body), "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with closing(connection):
            connection.request(method, f"/api/v1{path}", content, headers)
            with connection.getresponse() as response:
                said = response.read()
        return Answer(response.status, json.loads(said) if said else None)

    def told(self, method: str, path: str, token: str = "", body: Json = None) -> Json:
        """What is answered to a request that is not refused."""
        answer = self.ask(method, path, token, body)
        assert answer.status < 400, (method, path, answer)
        return answer.body

    def soon(self, look: Callable[[], Json], right: Callable[[Json], Any] = bool) -> Json:
        """What `look` sees, once it is right. Looks slowly: an account may ask 600 times."""
        deadline = time.monotonic() + PATIENCE
        while not right(seen := look()):
            assert time.monotonic() < deadline, (seen, (self.folder / LOG).read_text("utf-8"))
            time.sleep(PAUSE)
        return seen

    # -- the server's console ----------------------------------------------------------------------

    def shukun(self, *words: str) -> str:
        """A command, done without a complaint; what it says."""
        with redirect_stdout(io.StringIO()) as said:
            status = run(list(words))
        assert status == 0, (words, said.getvalue())
        return said.getvalue()

    def employ(self, staff_no: str, role: str, area: str) -> str:
        """A member of staff with an account and a duty, signed in for the first time; the token."""
        given = self.shukun("staff", "add", staff_no, "--name", f"测试{staff_no}", "--by", "测试")
        self.shukun("staff", "duty", staff_no, "--role", role, "--area", area, "--by", "测试")
        password, enrolment = (
            re.search(r"初始口令：(\S+?)（", given),
            re.search(r"otpauth:\S+", given),
        )
        assert password, given
        assert enrolment, given
        totp = pyotp.parse_uri(enrolment[0])
        assert isinstance(totp, pyotp.TOTP)
        typed = {"staff_no": staff_no, "password": password[1], "code": totp.at(clock.now())}
        opened = self.told("POST", "/staff/session", body=typed | {"new_password": PASSWORD})
        return str(opened["token"])


@contextmanager
def whole_site(
    folder: Path, simulator: Simulator, patch: pytest.MonkeyPatch
) -> Iterator[WholeSite]:
    """The site for the length of the block; WeChat pushes to it."""
    for name, value in _environment(folder, simulator).items():
        patch.setenv(name, value)
    for name in ELSEWHERE:
        patch.delenv(name, raising=False)
    with ExitStack() as stack:
        site = WholeSite(folder, 0, simulator)
        stack.callback(_end, site)
        folder.mkdir(parents=True)
        site.running.append(_started(folder, ["serve", "--port", "0"]))
        site.port = int(until(lambda: _ready(site), bool, PATIENCE))
        site.running += [_started(folder, ["worker"], DAY_AND_NIGHT) for _ in range(WORKERS)]
        simulator.push_to(f"http://127.0.0.1:{site.port}/wechat/push")
        yield site


def _environment(folder: Path, simulator: Simulator) -> dict[str, str]:
    return {
        "SHUKUN_DATA": str(folder),
        "SHUKUN_JOB_WORKERS": "0",
        "SHUKUN_SMS": "record",
        "SHUKUN_LOG_LEVEL": "WARNING",
        "WECHAT_APPID": APPID,
        "WECHAT_SECRET": SIMULATOR_SECRET,
        "WECHAT_API_BASE": simulator.api,
        "WECHAT_PUSH_TOKEN": PUSH_TOKEN,
        "WECHAT_PUSH_AES_KEY": PUSH_AES_KEY,
    }


def _started(folder: Path, words: list[str], before: str = "") -> subprocess.Popen[bytes]:
    program = (
        f"{before}\nimport sys; from miniprogram_api.cli import run\nsys.exit(run(sys.argv[1:]))"
    )
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", program, *words],
            env=os.environ | {lifeline.SUPERVISOR_VARIABLE: str(os.getpid())}, cwd=PROJECT,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip


def _ready(site: WholeSite) -> str:
    """The port that the server says it listens on; "" until it does."""
    said = (site.folder / LOG).read_text("utf-8")
    assert site.running[0].poll() is None, said
    found = _READY.search(said)
    return "" if found is None else found[1]


def _end(site: WholeSite) -> None:
    """The server last: the workers use its database."""
    server, *workers = site.running
    for process in workers:
        process.terminate()
    for process in workers:
        process.wait(PATIENCE)
    server.terminate()
    server.wait(PATIENCE)
