"""演示微信 (demo WeChat): the simulator as a process beside a demo, connected with its site."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from backend.kernel.settings import PROJECT, Settings
from backend.kernel.settings_wechat import PushSettings, WeChatSettings
from miniprogram_api import serving
from miniprogram_api.serving import ServingFailed

SNAPSHOT: Final = "wechat-simulator.json"
LOOK_SECONDS: Final = 0.05
ENDED: Final = "微信模拟器意外停止，演示已停下：请重新启动。"
REFUSED: Final = "微信模拟器没有照办（{}）：{}"


@dataclass
class Simulator:
    """Started, and perhaps ready. `ready`: the file that it writes then."""

    process: subprocess.Popen[bytes]
    ready: Path
    made: Any = field(default=None, init=False)
    ports: dict[str, int] = field(default_factory=dict, init=False)

    def connect(self, stopping: threading.Event) -> WeChatSettings | None:
        """Its mini-program, once it is ready; None when stopping. Raises `ServingFailed`."""
        while not self.ready.exists():
            self.check()
            if stopping.wait(LOOK_SECONDS):
                return None
        self.ports = json.loads(self.ready.read_text(encoding="utf-8"))
        self.made = self._control("POST", "/seed")
        base = f"http://127.0.0.1:{self.ports['api']}"
        return WeChatSettings(
            self.made["appid"], self.made["secret"], base, PushSettings(**self.made["push"])
        )

    def push_to(self, site: str) -> None:
        """Push to the site, which must answer the check of the URL. Raises `ServingFailed`."""
        self._control("PUT", "/push", {"url": f"{site}/wechat/push", **self.made["push"]})

    @property
    def phones(self) -> str:
        """Where testers act as the users."""
        return f"http://127.0.0.1:{self.ports['control']}/__sim/users"

    @property
    def users(self) -> tuple[str, ...]:
        """The names of the users that it has made."""
        return tuple(self.made["users"])

    def check(self) -> None:
        """Raises `ServingFailed` when it has ended by itself."""
        if self.process.poll() is not None:
            raise ServingFailed(ENDED)

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["control"], timeout=30)
        with closing(connection):
            connection.request(method, f"/__sim{path}", content)
            with connection.getresponse() as answer:
                said = answer.read().decode()
        if answer.status != HTTPStatus.OK:
            raise ServingFailed(REFUSED.format(path, said))
        return json.loads(said)


@contextmanager
def simulator(settings: Settings) -> Iterator[Simulator | None]:
    """Start it, for the length of the block; None where a mini-program is configured already.

    It goes on with the state of the last demo on the data folder.
    """
    if settings.wechat is not None:
        yield None
        return
    settings.data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "miniprogram_api", "wechat-simulator"),
                *("--ready-file", ready, "--snapshot", settings.data / SNAPSHOT),
            ],
            env=serving.environment(settings, ""),
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield Simulator(process, ready)
        finally:
            serving.stop(process)
