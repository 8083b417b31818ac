"""The WeChat simulator as a real process, and a client of its control port.

    def test_…(wechat_simulator: Simulator) -> None:
        code = wechat_simulator.login("resident1")

The fixture lends one process of the session, fresh and seeded, and fails a test whose calls were
not as the documents have them (`expect_unexpected()` when that is what is tested). A process of
one's own: `with simulator(folder) as sim:`.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import pytest

from backend.kernel.settings import PROJECT
from backend.kernel.settings_wechat import SIMULATOR_SECRET

APPID: Final = "wxs1mulator0000001"
"""Of the seeded app; its secret is SIMULATOR_SECRET."""
PUSH_TOKEN: Final = "simulatorpush"
PUSH_AES_KEY: Final = "Simu1atorSimu1atorSimu1atorSimu1atorSimu1at"
PATIENCE: Final = 60

Json = Any


class ControlRefused(AssertionError):
    """The control port said no; the text says why."""


@dataclass
class Simulator:
    """A running simulator. `api`: the base URL for WECHAT_API_BASE."""

    api: str
    control_port: int
    process: subprocess.Popen[bytes]
    unexpected_is_fine: bool = field(default=False)

    # -- plain requests ----------------------------------------------------------------------------

    def control(self, method: str, path: str, body: Json = None) -> Json:
        """A request to `/__sim<path>`; its result. Raises `ControlRefused`."""
        content = b"" if body is None else json.dumps(body).encode()
        status, answer = _asked(self.control_port, method, f"/__sim{path}", content)
        said = json.loads(answer)
        if status != 200:
            raise ControlRefused(f"{method} {path}: {status} {said}")
        return said

    def call(self, method: str, path: str, body: Json = None, **query: str) -> Json:
        """A request to the API port, as WeChat's documents have it; the JSON of its answer."""
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        port = int(self.api.rsplit(":", 1)[1])
        return json.loads(_asked(port, method, f"{path}?{urlencode(query)}", content)[1])

    def token(self, appid: str = APPID, secret: str = SIMULATOR_SECRET) -> str:
        """A stable access_token."""
        body = {"grant_type": "client_credential", "appid": appid, "secret": secret}
        return str(self.call("POST", "/cgi-bin/stable_token", body)["access_token"])

    # -- state -------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Nothing but the seeded app, templates and users."""
        self.control("POST", "/reset")
        self.control("POST", "/seed")

    def app(self, appid: str, secret: str, **facts: Json) -> Json:
        """Make an app, or change one: pages, sensitive_words, banned."""
        return self.control("POST", "/apps", {"appid": appid, "secret": secret, **facts})

    def template(self, name: str, content: str, **facts: Json) -> Json:
        """Make a template, or change one: title, kind, enums, banned, appid.

        `content` holds the keys: `事项:{{thing1.DATA}}`.
        """
        facts = {"title": name, **facts}
        return self.control("POST", "/templates", {"id": name, "content": content, **facts})

    def user(self, name: str, **facts: Json) -> Json:
        """Make a user, or change one: phone, unionid, blocked, openid, appid."""
        return self.control("POST", "/users", {"id": name, **facts})

    def seen_user(self, name: str) -> Json:
        """All that the platform knows of a user: openid, phone, quota, window …"""
        return self.control("GET", f"/users/{quote(name)}")

    def openid(self, name: str) -> str:
        """The openid of a user."""
        return str(self.seen_user(name)["openid"])

    # -- the user's phone --------------------------------------------------------------------------

    def login(self, name: str) -> str:
        """wx.login: a code."""
        return str(self._act(name, "login")["code"])

    def phone_code(self, name: str) -> str:
        """The user lets the app have the phone number: a code."""
        return str(self._act(name, "phone-code")["code"])

    def subscribe(self, name: str, choices: Mapping[str, str], always: bool = False) -> Json:
        """The user answers the popup: accept, reject, ban, filter for each template."""
        return self._act(name, "subscribe", {"choices": dict(choices), "always": always})

    def ask_again(self, name: str, *templates: str) -> Json:
        """The app asks for templates whose choice the user keeps; no popup, no event."""
        return self._act(name, "subscribe", {"ask": list(templates)})

    def refuse(self, name: str, *templates: str) -> None:
        """The user refuses templates in the settings."""
        self._act(name, "refuse", {"templates": list(templates)})

    def switch_off(self, name: str, off: bool = True) -> None:
        """The user's main switch for subscribe messages."""
        self._act(name, "switch-off", {"off": off})

    def send(self, name: str, text: str) -> None:
        """The user writes to customer service."""
        self._act(name, "send", {"text": text})

    def send_image(self, name: str) -> None:
        """The user sends a picture to customer service."""
        self._act(name, "send", {"image": True})

    def enter_session(self, name: str, session_from: str = "") -> None:
        """The user opens the conversation with customer service."""
        self._act(name, "enter-session", {"session_from": session_from})

    def show_face(self, name: str, passed: bool, code: int = 10001) -> None:
        """What the camera finds, for every check that waits."""
        self._act(name, "face", {"pass": passed, "code": code})

    def revoke(self, name: str, code: str = "8") -> None:
        """The user takes a permission back; 8: the phone number."""
        self._act(name, "revoke", {"code": code})

    def cancel(self, name: str) -> None:
        """The user closes the account."""
        self._act(name, "cancel")

    def inbox(self, name: str, kind: str | None = None) -> list[Json]:
        """What the user sees; `kind`: subscribe or customer."""
        seen: list[Json] = self.control("GET", f"/users/{quote(name)}/inbox")
        return [one for one in seen if kind is None or one["kind"] == kind]

    # -- clock, faults, journal --------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        """Let time pass for the platform."""
        self.control("POST", "/clock/advance", {"seconds": seconds})

    def fault(self, action: str, path: str | None = None, **rule: Json) -> None:
        """Add a rule, as wechat/simulator/faults.py describes them: openid, nth, times, code …

        `path="push"`: of pushes to us.
        """
        self.control("POST", "/faults", {"action": action, "path": path, **rule})

    def clear_faults(self) -> None:
        """Everything works again."""
        self.control("DELETE", "/faults")

    def journal(self, path: str | None = None) -> list[Json]:
        """The requests to the API port, oldest first; those of one path."""
        query = "" if path is None else f"?{urlencode({'path': path})}"
        return list(self.control("GET", f"/journal{query}"))

    def unexpected(self) -> list[Json]:
        """The requests that are not as the documents have them."""
        return list(self.control("GET", "/journal?unexpected=1"))

    def expect_unexpected(self) -> None:
        """This test sends such requests on purpose."""
        self.unexpected_is_fine = True

    # -- push --------------------------------------------------------------------------------------

    def push_to(self, url: str, mode: str = "safe", format: str = "json", **more: Json) -> None:
        """Push to a URL from now on, which is checked first.

        `more`: token, aes_key, limit, attempts, pause (seconds), check, appid. Raises
        `ControlRefused` when the check fails.
        """
        known = {"token": PUSH_TOKEN, "aes_key": PUSH_AES_KEY, "mode": mode, "format": format}
        self.control("PUT", "/push", {"url": url, **known, **more})

    def deliveries(self) -> list[Json]:
        """Every push with its attempts, in the order of its first one."""
        return list(self.control("GET", "/push/deliveries"))

    def wait_for_deliveries(self, count: int, seconds: float = 30) -> list[Json]:
        """The deliveries, once there are so many and none is waiting."""
        return until(
            self.deliveries,
            lambda all_: len(all_) >= count and all(one["state"] != "waiting" for one in all_),
            seconds,
        )

    def _act(self, name: str, deed: str, body: Json = None) -> Json:
        return self.control("POST", f"/users/{quote(name)}/{deed}", body)


def until(look: Callable[[], Json], right: Callable[[Json], bool], seconds: float = 30) -> Json:
    """What `look` sees, once it is right; fails when it is not in time."""
    deadline = time.monotonic() + seconds
    while not right(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.02)
    return seen


@contextmanager
def simulator(folder: Path, seed: int = 1) -> Iterator[Simulator]:
    """A seeded simulator, a process of its own; `folder` takes its ready file and what it says."""
    folder.mkdir(parents=True, exist_ok=True)
    ready = folder / "wechat-simulator.json"
    ready.unlink(missing_ok=True)
    with (folder / "wechat-simulator.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "miniprogram_api", "wechat-simulator"),
                *("--seed", str(seed), "--ready-file", str(ready)),
            ],
            cwd=PROJECT,
            env={**os.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        until(lambda: ready.exists() or process.poll() is not None, bool, PATIENCE)
        assert process.poll() is None, (folder / "wechat-simulator.log").read_text("utf-8")
        ports = json.loads(ready.read_text("utf-8"))
        running = Simulator(f"http://127.0.0.1:{ports['api']}", ports["control"], process)
        running.control("POST", "/seed")
        yield running
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(scope="session")
def wechat_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """One process for all tests of a worker."""
    with simulator(tmp_path_factory.mktemp("wechat")) as running:
        yield running


@pytest.fixture
def wechat_simulator(wechat_process: Simulator) -> Iterator[Simulator]:
    """The simulator, fresh and seeded; the calls of the test must be as the documents have them."""
    wechat_process.reset()
    wechat_process.unexpected_is_fine = False
    yield wechat_process
    found = wechat_process.unexpected()
    assert wechat_process.unexpected_is_fine or found == []


def _asked(port: int, method: str, path: str, body: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with closing(connection):
        connection.request(method, path, body or None)
        with connection.getresponse() as response:
            return response.status, response.read()
