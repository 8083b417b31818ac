from __future__ import annotations

from typing import Any

import pytest

from backend.wechat.simulator.seeding import REVIEW_WORD, RISKY_WORD
from tests.support.push_receiver import push_receiver
from tests.support.wechat import APPID, Simulator


def checked(sim: Simulator, content: str, **other: Any) -> dict[str, Any]:
    openid = sim.openid("resident1")
    body = {"content": content, "version": 2, "scene": 1, "openid": openid, **other}
    answer: dict[str, Any] = sim.call("POST", "/wxa/msg_sec_check", body, access_token=sim.token())
    return answer


@pytest.mark.parametrize(
    ("content", "suggest", "label"),
    [("想问报销", "pass", 100), (REVIEW_WORD, "review", 21000), (RISKY_WORD, "risky", 20001)],
)
def test_a_hit_is_no_error(
    wechat_simulator: Simulator, content: str, suggest: str, label: int
) -> None:
    wechat_simulator.login("resident1")
    answer = checked(wechat_simulator, f"您好，{content}")
    assert answer["errcode"] == 0
    assert answer["result"] == {"suggest": suggest, "label": label}
    assert answer["detail"][0]["suggest"] == suggest


def test_the_title_is_looked_at_too(wechat_simulator: Simulator) -> None:
    wechat_simulator.login("resident1")
    assert checked(wechat_simulator, "好", title=RISKY_WORD)["result"]["suggest"] == "risky"


def test_only_who_was_here_in_the_last_two_hours_is_checked(wechat_simulator: Simulator) -> None:
    assert checked(wechat_simulator, "好")["errcode"] == 61010
    wechat_simulator.login("resident1")
    wechat_simulator.advance(7195)
    assert checked(wechat_simulator, "好")["errcode"] == 0
    wechat_simulator.advance(10)
    assert checked(wechat_simulator, "好")["errcode"] == 61010


def test_the_limits_of_a_text_are_kept(wechat_simulator: Simulator) -> None:
    wechat_simulator.login("resident1")
    assert checked(wechat_simulator, "长" * 2500)["errcode"] == 0
    assert checked(wechat_simulator, "长" * 2501)["errcode"] == 47001
    assert checked(wechat_simulator, "好", scene=5)["errcode"] == 40129
    assert checked(wechat_simulator, "好", openid="o" * 28)["errcode"] == 43104


def test_version_1_is_noted(wechat_simulator: Simulator) -> None:
    wechat_simulator.expect_unexpected()
    assert checked(wechat_simulator, "好", version=1)["errcode"] == 47001
    assert wechat_simulator.unexpected()[0]["unexpected"] == ["not version 2"]


def test_the_result_of_a_picture_is_pushed(wechat_simulator: Simulator) -> None:
    wechat_simulator.login("resident1")
    body = {
        "media_url": "https://files.example/1.png", "media_type": 2, "version": 2, "scene": 1,
        "openid": wechat_simulator.openid("resident1"),
    }  # fmt: skip
    path = "/wxa/media_check_async"
    with push_receiver() as receiver:
        wechat_simulator.push_to(receiver.url)
        answer = wechat_simulator.call("POST", path, body, access_token=wechat_simulator.token())
        message = wechat_simulator.wait_for_deliveries(1)[0]["message"]
    assert message["Event"] == "wxa_media_check"
    assert (message["trace_id"], message["appid"]) == (answer["trace_id"], APPID)
    assert message["result"] == {"suggest": "pass", "label": 100}
