from __future__ import annotations

import json
import socket
import time
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected

import pytest

from backend.wechat.simulator.faults import Faults, Met, Rule
from tests.support.wechat import Simulator
from tests.wechat.simulator.conftest import TEMPLATE, Sender

SEND = "/cgi-bin/message/subscribe/send"
PLACE = "/cgi-bin/getcallbackip"


def raw(sim: Simulator, timeout: float = 20, path: str = PLACE) -> tuple[int, str, bytes, str]:
    """Status, kind, body and date of a plain request."""
    connection = HTTPConnection(sim.api.removeprefix("http://"), timeout=timeout)
    try:
        connection.request("GET", f"{path}?access_token={sim.token()}")
        answer = connection.getresponse()
        kind, date = answer.headers["Content-Type"], answer.headers["Date"]
        return answer.status, kind, answer.read(), date
    finally:
        connection.close()


def errcode(sim: Simulator, token: str) -> int:
    return int(sim.call("GET", PLACE, access_token=token).get("errcode", 0))


@pytest.mark.parametrize(
    ("action", "code"), [("expire_token", 42001), ("supersede_token", 40001), ("garbage", 40014)]
)
def test_a_spoilt_token_stays_so_and_the_next_one_is_another(
    wechat_simulator: Simulator, action: str, code: int
) -> None:
    token = wechat_simulator.token()
    wechat_simulator.fault(action, PLACE, times=1)
    assert [errcode(wechat_simulator, token) for _ in range(2)] == [code, code]
    newer = wechat_simulator.token()
    assert newer != token
    assert errcode(wechat_simulator, newer) == 0


def test_always_40001_does_not_end_with_a_new_token(wechat_simulator: Simulator) -> None:
    wechat_simulator.fault("always_40001", PLACE)
    for _ in range(3):
        assert errcode(wechat_simulator, wechat_simulator.token()) == 40001
        wechat_simulator.fault("supersede_token", PLACE)
    wechat_simulator.clear_faults()
    assert errcode(wechat_simulator, wechat_simulator.token()) == 0


def test_any_code_may_come_and_nothing_was_done(sender: Sender) -> None:
    sender.sim.fault("errcode", SEND, code=45009, times=1)
    assert [sender.errcode(), sender.errcode()] == [45009, 0]
    entries = sender.sim.journal(SEND)
    assert [(one["fault"], one["errcode"]) for one in entries] == [("errcode", 45009), (None, 0)]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_error_page_comes_as_html(wechat_simulator: Simulator, status: int) -> None:
    wechat_simulator.fault("http", PLACE, status=status)
    found, kind, body, _ = raw(wechat_simulator)
    assert (found, kind) == (status, "text/html")
    assert body.startswith(b"<html>")


def test_a_captive_network_answers_200_with_html(wechat_simulator: Simulator) -> None:
    wechat_simulator.fault("html200", PLACE)
    assert raw(wechat_simulator)[:2] == (200, "text/html")


def test_a_slow_answer_is_late_and_right(wechat_simulator: Simulator) -> None:
    wechat_simulator.fault("slow", PLACE, ms=600)
    began = time.monotonic()
    assert raw(wechat_simulator)[0] == 200
    assert time.monotonic() - began >= 0.6


def test_a_hanging_platform_accepts_and_never_answers(sender: Sender) -> None:
    sender.sim.fault("hang", PLACE)
    with pytest.raises(TimeoutError):
        raw(sender.sim, timeout=0.7)


def test_a_dripping_answer_comes_byte_by_byte(wechat_simulator: Simulator) -> None:
    wechat_simulator.fault("drip", PLACE, ms=3)
    began = time.monotonic()
    assert json.loads(raw(wechat_simulator)[2])["ip_list"]
    assert time.monotonic() - began >= 0.3


def test_a_reset_ends_the_connection_before_anything_comes(wechat_simulator: Simulator) -> None:
    wechat_simulator.fault("reset", PLACE)
    with pytest.raises(ConnectionResetError) as found:
        raw(wechat_simulator)
    assert not isinstance(found.value, RemoteDisconnected)


def test_a_truncated_answer_ends_in_the_middle(wechat_simulator: Simulator) -> None:
    wechat_simulator.fault("truncate", PLACE)
    with pytest.raises(IncompleteRead):
        raw(wechat_simulator)


def test_a_lost_answer_leaves_the_work_done(sender: Sender) -> None:
    sender.sim.fault("duplicate_effect", SEND, times=1)
    port = int(sender.sim.api.rsplit(":", 1)[1])
    body = {
        "touser": sender.openid, "template_id": TEMPLATE,
        "data": {"thing1": {"value": "好"}, "phrase2": {"value": "好"}},
    }  # fmt: skip
    connection = HTTPConnection("127.0.0.1", port, timeout=0.7)
    connection.request("POST", f"{SEND}?access_token={sender.token}", json.dumps(body))
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    assert len(sender.sim.inbox("resident1")) == 1
    assert sender.errcode() == 43101


def test_json_may_be_broken(wechat_simulator: Simulator) -> None:
    wechat_simulator.fault("bad_json", PLACE)
    body = raw(wechat_simulator)[2]
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def test_the_errcode_may_be_text_and_the_errmsg_missing(sender: Sender) -> None:
    sender.sim.fault("string_errcode", SEND, times=1)
    assert sender.send()["errcode"] == "0"
    sender.sim.fault("no_errmsg", SEND, times=1)
    assert "errmsg" not in sender.send()
    assert sender.send()["errmsg"].startswith("user refuse")


def test_the_clock_of_the_platform_may_be_wrong(wechat_simulator: Simulator) -> None:
    right = raw(wechat_simulator)[3]
    wechat_simulator.fault("clock_skew", PLACE, seconds=-86400)
    assert raw(wechat_simulator)[3][:16] != right[:16]


def test_a_rule_strikes_whom_it_names(sender: Sender) -> None:
    other = sender.sim.openid("resident2")
    sender.sim.fault("errcode", SEND, openid=other, code=-1)
    sender.sim.fault("errcode", SEND, template="OTHER", code=45011)
    assert sender.errcode(touser=other) == -1
    assert sender.errcode(template_id="OTHER") == 45011
    assert sender.errcode() == 0


def test_a_rule_strikes_the_nth_call_alone(wechat_simulator: Simulator) -> None:
    token = wechat_simulator.token()
    wechat_simulator.fault("errcode", PLACE, nth=2, code=-1)
    assert [errcode(wechat_simulator, token) for _ in range(3)] == [0, -1, 0]
    assert wechat_simulator.control("GET", "/faults")[0]["happened"] == 1


def test_chance_comes_from_the_seed() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add(Rule(action="errcode", probability=0.3))
        return [faults.meet(Met("/a")) is not None for _ in range(1000)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 250 < sum(struck(1)) < 350


def test_rules_for_calls_and_for_pushes_do_not_meet() -> None:
    faults = Faults(1)
    faults.add(Rule(action="errcode"))
    assert faults.meet(Met("push")) is None
    assert faults.meet(Met("/a")) is not None


def test_a_tester_s_slip_is_told(wechat_simulator: Simulator) -> None:
    with pytest.raises(AssertionError, match="Invalid enum value 'explode'"):
        wechat_simulator.fault("explode")
    with pytest.raises(AssertionError, match="unknown field"):
        wechat_simulator.fault("slow", PLACE, milliseconds=5)


def test_who_goes_away_in_the_middle_hurts_nobody(wechat_simulator: Simulator) -> None:
    port = int(wechat_simulator.api.rsplit(":", 1)[1])
    for content in (
        b"",
        b"GET",
        b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n{",
        b"\0\xff\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", port)) as one:
            one.sendall(content)
    wechat_simulator.expect_unexpected()
    assert raw(wechat_simulator)[0] == 200
