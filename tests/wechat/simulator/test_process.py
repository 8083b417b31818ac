"""The process as a whole: its ports, its end, its snapshot, its strictness."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backend.kernel.settings import PROJECT
from backend.wechat.simulator.server import NotLoopback, serving
from backend.wechat.simulator.state import World
from tests.support.wechat import Simulator, simulator, until

PLACE = "/cgi-bin/getcallbackip"


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "::"])
def test_it_listens_on_this_machine_alone(host: str) -> None:
    with pytest.raises(NotLoopback), serving(World(1), host=host):
        pass


def test_it_ends_with_0_at_sigterm_and_its_ports_are_free(tmp_path: Path) -> None:
    with simulator(tmp_path) as running:
        port = int(running.api.rsplit(":", 1)[1])
        running.fault("hang", PLACE)
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0
    with serving(World(1), api_port=port) as ports:
        assert ports.api == port


def test_a_taken_port_is_told_plainly(wechat_simulator: Simulator) -> None:
    port = wechat_simulator.api.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "miniprogram_api", "wechat-simulator", "--api-port", port]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert "请换一个端口" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_snapshot_goes_on_where_it_ended(tmp_path: Path) -> None:
    kept, ready = tmp_path / "state.json", tmp_path / "ready.json"
    command = [sys.executable, "-m", "miniprogram_api", "wechat-simulator"]
    command += ["--ready-file", str(ready), "--snapshot", str(kept)]

    def run(first: bool) -> str:
        ready.unlink(missing_ok=True)
        process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        with process:
            until(ready.exists, bool, 60)
            ports = json.loads(ready.read_text())
            sim = Simulator(f"http://127.0.0.1:{ports['api']}", ports["control"], process)  # type: ignore[arg-type]
            if first:
                sim.control("POST", "/seed")
                sim.advance(1000)
            token = sim.token()
            process.terminate()
            assert json.loads(process.communicate(timeout=20)[0]) == ports
        assert process.returncode == 0
        return token

    assert run(first=True) == run(first=False)
    kept.write_text("[]")
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, "不是模拟器的快照" in ended.stderr) == (2, True)


def test_a_state_is_taken_and_put_back(wechat_simulator: Simulator) -> None:
    token = wechat_simulator.token()
    state = wechat_simulator.control("GET", "/snapshot")
    wechat_simulator.reset()
    wechat_simulator.user("newcomer")
    wechat_simulator.control("POST", "/snapshot", state)
    assert "ip_list" in wechat_simulator.call("GET", PLACE, access_token=token)
    with pytest.raises(AssertionError, match="there is no user newcomer"):
        wechat_simulator.login("newcomer")


def test_control_is_not_on_the_api_port_nor_the_api_on_the_control_port(
    wechat_simulator: Simulator,
) -> None:
    wechat_simulator.expect_unexpected()
    port = int(wechat_simulator.api.rsplit(":", 1)[1])
    swapped = Simulator(
        f"http://127.0.0.1:{wechat_simulator.control_port}", port, wechat_simulator.process
    )
    with pytest.raises(json.JSONDecodeError):
        swapped.control("GET", "/clock")
    assert "error" in swapped.call("GET", PLACE)
    assert wechat_simulator.unexpected()[0]["unexpected"] == ["unknown path"]


def test_two_hundred_calls_at_once_are_all_answered(wechat_simulator: Simulator) -> None:
    token = wechat_simulator.token()
    with ThreadPoolExecutor(50) as pool:
        answers = list(
            pool.map(lambda _: wechat_simulator.call("GET", PLACE, access_token=token), range(200))
        )
    assert all("ip_list" in answer for answer in answers)


def test_the_journal_shows_no_secret(wechat_simulator: Simulator) -> None:
    code = wechat_simulator.login("resident1")
    token = wechat_simulator.token()
    secret = "wechat-simulator-well-known-secret"
    wechat_simulator.call(
        "GET", "/sns/jscode2session", appid="wxs1mulator0000001", secret=secret, js_code=code,
        grant_type="authorization_code",
    )  # fmt: skip
    phone = wechat_simulator.phone_code("resident1")
    path = "/wxa/business/getuserphonenumber"
    wechat_simulator.call("POST", path, {"code": phone}, access_token=token)
    said = json.dumps(wechat_simulator.journal())
    assert [one in said for one in (secret, code, phone, token)] == [False] * 4
    assert said.count("***") >= 5
    assert len(wechat_simulator.journal(path)) == 1


def test_a_parameter_that_is_not_documented_is_noted(wechat_simulator: Simulator) -> None:
    wechat_simulator.expect_unexpected()
    token = wechat_simulator.token()
    assert "ip_list" in wechat_simulator.call("GET", PLACE, access_token=token, other="x")
    assert wechat_simulator.unexpected()[0]["unexpected"] == ["query has other"]


def test_an_unknown_name_is_told_to_the_tester(wechat_simulator: Simulator) -> None:
    with pytest.raises(AssertionError, match="there is no user nobody"):
        wechat_simulator.login("nobody")
    with pytest.raises(AssertionError, match="404"):
        wechat_simulator.control("POST", "/nothing")
    with pytest.raises(AssertionError, match="unknown field"):
        wechat_simulator.user("someone", age=5)
