"""The demo's WeChat: residents log in, phones ring, the chat answers; it comes and goes with it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend.kernel import clock
from backend.kernel.settings import Settings
from backend.kernel.settings_wechat import SIMULATOR_SECRET, WeChatSettings, as_environ
from backend.notifications.wording import titles
from miniprogram_api import demo_site, demo_wechat
from miniprogram_api.serving import ServingFailed
from tests.support.demo import FEW, Demo, asked, sign_in, wait_for
from tests.support.wechat import APPID

USER = "resident1"


@pytest.fixture
def demo(tmp_path: Path, lived_in: Path) -> Iterator[Demo]:
    subprocess.run(["cp", "-a", lived_in, tmp_path / "data"], check=True)
    demo = Demo(tmp_path / "data")
    yield demo
    demo.clean()


def on_phone(sheet: dict[str, str], deed: str, body: Any) -> Any:
    return asked(f"{sheet['PHONES']}/{USER}/{deed}", body)


def inbox(sheet: dict[str, str], kind: str) -> list[Any]:
    return [one for one in asked(f"{sheet['PHONES']}/{USER}/inbox") if one["kind"] == kind]


def log_in(address: str, sheet: dict[str, str]) -> Any:
    code = on_phone(sheet, "login", {})["code"]
    return asked(f"{address}/api/v1/sessions", {"code": code})


def test_a_resident_of_the_demo_is_told_on_the_phone_and_answered_in_the_chat(demo: Demo) -> None:
    demo.start()
    address, sheet = demo.address(), demo.sheet()
    token = log_in(address, sheet)["token"]
    phone = {"code": on_phone(sheet, "phone-code", {})["code"]}
    asked(f"{address}/api/v1/me/phone", phone, token)
    claim = {"name": sheet["RESIDENT1_NAME"], "id_number": sheet["RESIDENT1_NUMBER"]}
    asked(f"{address}/api/v1/me/identity", claim, token)
    events = f"{address}/api/v1/inbox"
    wait_for(
        lambda: "grant" in {one["event"] for one in asked(events, token=token)["messages"]}, demo
    )
    wait_for(lambda: set(left(address, token)) == set(titles()), demo)
    on_phone(sheet, "subscribe", {"choices": {"SIM-PROGRESS": "accept"}})
    wait_for(lambda: 1 in left(address, token).values(), demo)
    doctor = sign_in(address, sheet, "FAMILY_DOCTOR")["token"]
    today = clock.today().isoformat()
    terms = {"scope": ["see"], "from_on": today, "to_on": today, "consent": 1, "proof": "演示签名"}
    path = f"/api/v1/people/{sheet['RESIDENT1_PERSON']}/delegations"
    asked(f"{address}{path}", terms, doctor)
    wait_for(lambda: inbox(sheet, "subscribe") != [], demo)
    (told,) = inbox(sheet, "subscribe")
    assert told["data"]["thing1"] == "有人可以代您办事"
    on_phone(sheet, "send", {"text": "江阴低保户住院要先交押金吗"})
    wait_for(lambda: inbox(sheet, "customer") != [], demo)
    assert "不用交押金" in str(inbox(sheet, "customer"))
    assert demo.end(signal.SIGTERM) == 0
    assert demo.processes() == []
    # WeChat, and who they are there, is as it was.
    demo.close()
    demo.start()
    address, sheet = demo.address(), demo.sheet()
    assert inbox(sheet, "subscribe") == [told]
    assert log_in(address, sheet)["level"] == 2
    assert demo.end(signal.SIGTERM) == 0


def left(address: str, token: str) -> dict[str, int]:
    """By title, how many messages may still be sent."""
    shown = asked(f"{address}/api/v1/subscriptions", token=token)["templates"]
    return {one["title"]: one["left"] for one in shown}


def test_a_simulator_that_dies_is_reported_and_everything_else_stopped(demo: Demo) -> None:
    demo.environ = FEW
    demo.start()
    demo.address()
    os.kill(demo.child(b"wechat-simulator"), signal.SIGKILL)
    assert demo.process.wait(60) == 2
    assert "微信模拟器意外停止" in demo.errors()
    assert demo.processes() == []


def test_a_configured_mini_program_is_taken_instead_of_the_simulator(tmp_path: Path) -> None:
    real = WeChatSettings(APPID, SIMULATOR_SECRET)
    with demo_wechat.simulator(Settings(data=tmp_path / "data", wechat=real)) as started:
        assert started is None


def test_no_demo_where_real_people_are_served(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    assert demo_site.fitting(settings).sms == "record"
    with pytest.raises(ServingFailed, match="正式运行时不能启动演示"):
        demo_site.fitting(replace(settings, production=True))


@pytest.mark.parametrize("push", [True, False])
def test_a_child_is_told_of_the_same_mini_program(push: bool) -> None:
    given = {
        "WECHAT_APPID": APPID, "WECHAT_SECRET": SIMULATOR_SECRET,
        "WECHAT_API_BASE": "http://127.0.0.1:1",
    }  # fmt: skip
    if push:
        given |= {"WECHAT_PUSH_TOKEN": "abc", "WECHAT_PUSH_AES_KEY": "a" * 43}
        given["WECHAT_PUSH_FORMAT"] = "xml"
    settings = Settings.from_env(given)
    assert settings.wechat is not None
    assert as_environ(settings.wechat) == given
