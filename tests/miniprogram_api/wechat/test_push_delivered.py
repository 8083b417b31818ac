"""The simulator pushes to a real gunicorn: what arrives, and what is left of it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from backend.kernel.crypto import Keyring
from backend.kernel.settings import PROJECT, Settings
from backend.kernel.settings_wechat import SIMULATOR_SECRET
from miniprogram_api import serving
from tests.support.wechat import APPID, PUSH_AES_KEY, PUSH_TOKEN, Simulator


@pytest.fixture
def address(
    database_url: str,
    tmp_path: Path,
    wechat_simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """Where the site takes pushes."""
    keys = tmp_path / "keys.json"
    Keyring.open_or_create(keys)
    for name, value in {
        "SHUKUN_KEYS": str(keys),
        "SHUKUN_DATA": str(tmp_path),
        "WECHAT_APPID": APPID,
        "WECHAT_SECRET": SIMULATOR_SECRET,
        "WECHAT_API_BASE": wechat_simulator.api,
        "WECHAT_PUSH_TOKEN": PUSH_TOKEN,
        "WECHAT_PUSH_AES_KEY": PUSH_AES_KEY,
    }.items():
        monkeypatch.setenv(name, value)
    listener = serving.listen("127.0.0.1", 0)
    at = listener.getsockname()
    with serving.gunicorn(Settings.from_env(os.environ), database_url, listener) as server:
        assert serving.wait_until_ready(server, at, threading.Event())
        yield f"http://127.0.0.1:{at[1]}/wechat/push"


def taken(owner: Engine) -> list[str]:
    """Event or kind of what was taken in."""
    query = "SELECT coalesce(nullif(event, ''), kind) FROM wechat_push ORDER BY id"
    with owner.connect() as connected:
        return list(connected.execute(text(query)).scalars())


def test_in_either_form_everything_is_heard_at_the_first_try(
    address: str, database: Engine, wechat_simulator: Simulator
) -> None:
    for form in ("json", "xml"):
        wechat_simulator.push_to(address, format=form)
        wechat_simulator.subscribe("resident1", {"SIM-PROGRESS": "accept", "SIM-RESULT": "reject"})
        wechat_simulator.send("resident1", "我爸低保，住院<能>报多少？")
        wechat_simulator.enter_session("resident2")
        wechat_simulator.refuse("resident1", "SIM-PROGRESS")
        wechat_simulator.revoke("resident1")
        wechat_simulator.cancel("resident2")
        time.sleep(1.1)  # the same again is told in another second
    deliveries = wechat_simulator.wait_for_deliveries(12)
    assert [one["state"] for one in deliveries] == ["received"] * 12
    assert [len(one["attempts"]) for one in deliveries] == [1] * 12
    assert sorted(taken(database)) == sorted(2 * [
        "subscribe_msg_popup_event", "text", "user_enter_tempsession",
        "subscribe_msg_change_event", "user_authorization_revoke",
        "user_authorization_cancellation",
    ])  # fmt: skip


def test_a_worker_handles_what_arrived_and_keeps_nothing_of_it(
    address: str, database: Engine, database_url: str, wechat_simulator: Simulator
) -> None:
    wechat_simulator.push_to(address)
    wechat_simulator.subscribe("resident1", {"SIM-PROGRESS": "accept"})
    wechat_simulator.send("resident1", "您好")
    wechat_simulator.revoke("resident2")
    wechat_simulator.wait_for_deliveries(3)
    worker = [sys.executable, "-m", "miniprogram_api", "worker", "--queues", "wechat"]
    done = subprocess.run(
        [*worker, "--until-empty"],
        env={**os.environ, "DATABASE_URL": database_url},
        cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with database.connect() as connected:
        rows = connected.execute(text("SELECT state, length(payload) FROM wechat_push"))
        assert {tuple(row) for row in rows} == {("done", 0)}


def test_pushes_that_are_spoilt_on_their_way_have_no_effect_and_doubled_ones_have_one(
    address: str, database: Engine, wechat_simulator: Simulator
) -> None:
    wechat_simulator.push_to(address, attempts=1)
    spoilt = {
        "duplicate": ([200, 200], 1),
        "replay": ([200, 200], 1),
        "wrong_signature": ([403], 0),
        "other_appid": ([403], 0),
        "clock_skew": ([403], 0),
        "oversize": ([413], 0),
    }
    kept = 0
    for count, (action, (statuses, new)) in enumerate(spoilt.items(), 1):
        wechat_simulator.fault(action, "push", times=1, ms=10)
        wechat_simulator.send("resident1", "您好")
        delivery = wechat_simulator.wait_for_deliveries(count)[-1]
        assert [one["status"] for one in delivery["attempts"]] == statuses, action
        kept += new
        assert len(taken(database)) == kept, action


def test_what_is_in_plain_or_of_another_key_is_not_taken(
    address: str, database: Engine, wechat_simulator: Simulator
) -> None:
    for count, wrong in enumerate(({"mode": "plain"}, {"aes_key": "A" * 43}), 1):
        wechat_simulator.push_to(address, attempts=1, **wrong)
        wechat_simulator.send("resident1", "您好")
        delivery = wechat_simulator.wait_for_deliveries(count)[-1]
        assert [one["status"] for one in delivery["attempts"]] == [403]
    assert taken(database) == []


def test_what_could_not_be_kept_arrives_when_it_is_told_again(
    address: str, database: Engine, wechat_simulator: Simulator
) -> None:
    wechat_simulator.push_to(address, pause=0.2)
    with database.connect() as other, other.begin():
        other.execute(text("LOCK TABLE wechat_push IN ACCESS EXCLUSIVE MODE"))
        wechat_simulator.send("resident1", "您好")
        time.sleep(3.8)
        other.rollback()
    (delivery,) = wechat_simulator.wait_for_deliveries(1)
    assert [one["status"] for one in delivery["attempts"]] == [503, 200]
    assert delivery["attempts"][0]["ms"] < 4_000
    assert taken(database) == ["text"]
