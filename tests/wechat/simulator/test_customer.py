from __future__ import annotations

from typing import Any

import pytest

from tests.support.wechat import Simulator

SEND = "/cgi-bin/message/custom/send"
TYPING = "/cgi-bin/message/custom/business/typing"


def body(sim: Simulator, **other: Any) -> dict[str, Any]:
    text = {"msgtype": "text", "text": {"content": "您好"}}
    return {"touser": sim.openid("resident1"), **(other or text)}


def sent(sim: Simulator, **other: Any) -> int:
    return int(sim.call("POST", SEND, body(sim, **other), access_token=sim.token())["errcode"])


def typing(sim: Simulator, command: str = "Typing") -> int:
    said = {"touser": sim.openid("resident1"), "command": command}
    return int(sim.call("POST", TYPING, said, access_token=sim.token())["errcode"])


def test_nobody_is_written_to_who_did_not_write(wechat_simulator: Simulator) -> None:
    assert sent(wechat_simulator) == 45015
    assert sent(wechat_simulator, touser="o" * 28, msgtype="text", text={"content": "好"}) == 40003


def test_a_message_allows_five_answers_within_two_days(wechat_simulator: Simulator) -> None:
    wechat_simulator.send("resident1", "我能报多少")
    assert [sent(wechat_simulator) for _ in range(6)] == [0, 0, 0, 0, 0, 45047]
    wechat_simulator.send("resident1", "还有呢")
    wechat_simulator.advance(48 * 3600 - 60)
    assert sent(wechat_simulator) == 0
    wechat_simulator.advance(61)
    assert sent(wechat_simulator) == 45015


def test_entering_allows_two_answers_within_a_minute(wechat_simulator: Simulator) -> None:
    wechat_simulator.enter_session("resident1")
    assert [sent(wechat_simulator) for _ in range(3)] == [0, 0, 45047]
    wechat_simulator.enter_session("resident1")
    wechat_simulator.advance(61)
    assert sent(wechat_simulator) == 45015


def test_each_act_of_the_user_begins_anew_and_adds_nothing(wechat_simulator: Simulator) -> None:
    wechat_simulator.send("resident1", "在吗")
    wechat_simulator.enter_session("resident1")
    assert [sent(wechat_simulator) for _ in range(3)] == [0, 0, 45047]


def test_the_user_sees_what_was_sent(wechat_simulator: Simulator) -> None:
    wechat_simulator.send("resident1", "在吗")
    said = {"msgtype": "text", "text": {"content": "您好"}, "aimsgcontext": {"is_ai_msg": 1}}
    assert sent(wechat_simulator, **said) == 0
    link = {"title": "一", "description": "二", "url": "https://a.example", "thumb_url": ""}
    assert sent(wechat_simulator, msgtype="link", link=link) == 0
    first, second = wechat_simulator.inbox("resident1", "customer")
    assert (first["text"]["content"], first["ai"]) == ("您好", True)
    assert (second["link"]["title"], second["ai"]) == ("一", False)


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"msgtype": "image", "image": {"media_id": "none"}}, 40007),
        (
            {
                "msgtype": "miniprogrampage",
                "miniprogrampage": {"title": "一", "pagepath": "a", "thumb_media_id": "none"},
            },
            40007,
        ),
        ({"msgtype": "text", "text": {"content": ""}}, 44004),
        ({"msgtype": "text", "text": {"content": "长" * 683}}, 45002),
    ],
)
def test_what_cannot_be_shown_is_refused(
    wechat_simulator: Simulator, other: dict[str, Any], code: int
) -> None:
    wechat_simulator.send("resident1", "在吗")
    assert sent(wechat_simulator, **other) == code


@pytest.mark.parametrize(
    "other",
    [
        {"msgtype": "voice", "voice": {"media_id": "x"}},
        {"msgtype": "text"},
        {"msgtype": "text", "text": {"content": "好"}, "image": {"media_id": "x"}},
        {"msgtype": "text", "text": {"content": "好", "more": 1}},
    ],
)
def test_a_body_that_is_not_as_documented_is_noted(
    wechat_simulator: Simulator, other: dict[str, Any]
) -> None:
    wechat_simulator.expect_unexpected()
    wechat_simulator.send("resident1", "在吗")
    assert sent(wechat_simulator, **other) == 47001
    assert len(wechat_simulator.unexpected()) == 1


def test_typing_needs_a_message_of_just_now(wechat_simulator: Simulator) -> None:
    assert typing(wechat_simulator) == 45080
    wechat_simulator.send("resident1", "在吗")
    assert typing(wechat_simulator, "Other") == 45072
    assert [typing(wechat_simulator), typing(wechat_simulator)] == [0, 45081]
    assert [typing(wechat_simulator, "CancelTyping"), typing(wechat_simulator)] == [0, 0]
    wechat_simulator.advance(16)
    assert typing(wechat_simulator) == 0, "it ended by itself"
    wechat_simulator.advance(16)
    assert typing(wechat_simulator) == 45080
