"""The client while WeChat misbehaves: what is tried again, how long it takes, what it gives away."""

from __future__ import annotations

import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import Engine

from backend.kernel.database import transaction
from backend.kernel.settings_wechat import OFFICIAL, SIMULATOR_SECRET, WeChatSettings
from backend.wechat import adapter, retrying
from backend.wechat.adapter import ForeignAddress
from backend.wechat.calls import CodeWanted, code_to_session, send_text, templates, unlimited_code
from backend.wechat.client import CallInTransaction, MiniProgram
from backend.wechat.errors import (
    WeChatBusy,
    WeChatError,
    WeChatRefused,
    WeChatUnavailable,
    WeChatUnknown,
)
from tests.support.tokens import MemoryTokens
from tests.support.wechat import APPID, Simulator

SEND = "/cgi-bin/message/custom/send"
LIST = "/wxaapi/newtmpl/gettemplate"
LOGIN = "/sns/jscode2session"
TOKEN = "/cgi-bin/stable_token"


@pytest.fixture
def openid(wechat_simulator: Simulator) -> str:
    """Of a person with whom we are in a chat."""
    wechat_simulator.send("resident1", "您好")
    return wechat_simulator.openid("resident1")


@pytest.fixture
def quick(chosen: WeChatSettings) -> Iterator[MiniProgram]:
    """A client that does not wait long for an answer."""
    client = MiniProgram(chosen, MemoryTokens(), timeout=(1, 0.4))
    yield client
    client.close()


def count(simulator: Simulator, path: str) -> int:
    return len(simulator.journal(path))


def timed(call: Callable[[], object], error: type[WeChatError]) -> float:
    began = time.monotonic()
    with pytest.raises(error):
        call()
    return time.monotonic() - began


@pytest.mark.parametrize("action", ["expire_token", "supersede_token", "garbage"])
def test_a_token_that_does_not_count_any_more_is_replaced_once(
    wechat: MiniProgram, wechat_simulator: Simulator, openid: str, action: str
) -> None:
    send_text(wechat, openid, "一")
    wechat_simulator.fault(action, SEND, times=1)
    send_text(wechat, openid, "二")
    assert (count(wechat_simulator, SEND), count(wechat_simulator, TOKEN)) == (3, 2)
    assert len(wechat_simulator.inbox("resident1", "customer")) == 2


def test_a_server_that_refuses_every_token_is_asked_twice(
    wechat: MiniProgram, wechat_simulator: Simulator, openid: str
) -> None:
    wechat_simulator.fault("always_40001", SEND)
    with pytest.raises(WeChatUnavailable):
        send_text(wechat, openid, "您好")
    assert (count(wechat_simulator, SEND), count(wechat_simulator, TOKEN)) == (2, 2)


def test_nor_is_it_asked_for_a_new_token_at_every_call(
    wechat: MiniProgram, wechat_simulator: Simulator, openid: str
) -> None:
    wechat_simulator.fault("always_40001", SEND)
    for _ in range(20):
        with pytest.raises(WeChatUnavailable):
            send_text(wechat, openid, "您好")
    assert count(wechat_simulator, TOKEN) == 2


@pytest.mark.parametrize("action", ["http", "html200", "reset", "truncate", "bad_json"])
def test_what_only_asks_is_tried_again_when_the_answer_is_lost(
    wechat: MiniProgram, wechat_simulator: Simulator, action: str
) -> None:
    wechat_simulator.fault(action, LIST, times=2, status=502)
    assert templates(wechat)
    assert count(wechat_simulator, LIST) == 3
    wechat_simulator.fault(action, LIST, status=502)
    assert timed(lambda: templates(wechat), WeChatUnavailable) < retrying.BUDGET_SECONDS
    assert count(wechat_simulator, LIST) == 6


@pytest.mark.parametrize("action", ["http", "html200", "reset", "truncate", "bad_json"])
def test_what_a_person_would_get_twice_is_sent_once(
    wechat: MiniProgram, wechat_simulator: Simulator, openid: str, action: str
) -> None:
    wechat_simulator.fault(action, SEND, status=504)
    with pytest.raises(WeChatUnknown):
        send_text(wechat, openid, "您好")
    assert count(wechat_simulator, SEND) == 1
    assert len(wechat_simulator.inbox("resident1", "customer")) <= 1


def test_a_message_that_was_sent_without_an_answer_is_not_sent_again(
    quick: MiniProgram, wechat_simulator: Simulator, openid: str
) -> None:
    wechat_simulator.fault("duplicate_effect", SEND)
    with pytest.raises(WeChatUnknown):
        send_text(quick, openid, "只说一次")
    assert len(wechat_simulator.inbox("resident1", "customer")) == 1


def test_a_manner_that_tries_lost_messages_again_sends_them_twice(
    quick: MiniProgram, wechat_simulator: Simulator, openid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: by the table for questions the person gets it more than once."""
    monkeypatch.setattr("backend.wechat.calls.SEND", retrying.READ)
    wechat_simulator.fault("duplicate_effect", SEND)
    with pytest.raises(WeChatUnavailable):
        send_text(quick, openid, "只说一次")
    assert len(wechat_simulator.inbox("resident1", "customer")) > 1


@pytest.mark.parametrize("action", ["string_errcode", "no_errmsg"])
@pytest.mark.parametrize("path", [SEND, LIST, TOKEN])
def test_answers_that_are_written_otherwise_are_understood(
    wechat: MiniProgram, wechat_simulator: Simulator, openid: str, action: str, path: str
) -> None:
    wechat_simulator.fault(action, path)
    assert templates(wechat)
    send_text(wechat, openid, "您好")
    with pytest.raises(WeChatRefused) as caught:
        send_text(wechat, "oNobody", "您好")
    assert caught.value.errcode == 40003


def test_a_token_answer_without_a_word_of_why_is_no_crash(
    wechat: MiniProgram, wechat_simulator: Simulator, openid: str
) -> None:
    wechat_simulator.app(APPID, "another-secret-of-nobody")
    wechat_simulator.fault("no_errmsg", TOKEN)
    with pytest.raises(WeChatUnavailable) as caught:
        send_text(wechat, openid, "您好")
    assert caught.value.errcode == 40125


def test_busy_wechat_is_asked_again_and_then_left_alone(
    wechat: MiniProgram, wechat_simulator: Simulator, openid: str
) -> None:
    wechat_simulator.fault("errcode", SEND, code=-1, times=1)
    send_text(wechat, openid, "您好")
    assert count(wechat_simulator, SEND) == 2
    wechat_simulator.fault("errcode", SEND, code=-1)
    with pytest.raises(WeChatBusy):
        send_text(wechat, openid, "您好")
    assert count(wechat_simulator, SEND) == 4
    wechat_simulator.fault("errcode", LIST, code=-1)
    with pytest.raises(WeChatBusy):
        templates(wechat)
    assert count(wechat_simulator, LIST) == 3


def test_a_quota_that_is_used_up_closes_that_call_alone_until_midnight(
    wechat: MiniProgram,
    wechat_simulator: Simulator,
    openid: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    wechat_simulator.fault("errcode", SEND, code=45009, times=1)
    for _ in range(3):
        with pytest.raises(WeChatBusy) as caught:
            send_text(wechat, openid, "您好")
        assert 0 < caught.value.pause <= 86_400
    assert count(wechat_simulator, SEND) == 1
    assert templates(wechat)
    alarms = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert [one.__dict__["errcode"] for one in alarms] == [45009]


@pytest.mark.parametrize("path", [TOKEN, LIST])
@pytest.mark.parametrize("action", ["hang", "drip"])
def test_an_answer_that_does_not_come_ends_in_time(
    chosen: WeChatSettings,
    wechat_simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    action: str,
) -> None:
    monkeypatch.setattr("backend.wechat.client.FOR_TOKEN", (1, 1))
    client = MiniProgram(chosen, MemoryTokens(), timeout=(1, 1))
    wechat_simulator.fault(action, path, ms=300)
    assert timed(lambda: templates(client), WeChatUnavailable) < 5


def test_without_a_limit_for_the_whole_answer_one_that_drips_takes_long(
    chosen: WeChatSettings, wechat_simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the libraries' own limit is one for each piece."""
    monkeypatch.setattr(adapter._Connection, "response_class", adapter.HTTPResponse)
    client = MiniProgram(chosen, MemoryTokens(), timeout=(1, 1))
    wechat_simulator.fault("drip", LIST, ms=5, times=1)
    began = time.monotonic()
    assert templates(client)
    assert time.monotonic() - began > 2


def test_the_login_waits_no_longer_than_its_five_seconds(
    wechat: MiniProgram, wechat_simulator: Simulator
) -> None:
    wechat_simulator.fault("hang", LOGIN)
    assert timed(lambda: code_to_session(wechat, "0" * 32), WeChatUnavailable) < 6


@contextmanager
def silence() -> Iterator[str]:
    """A port where nobody takes calls, for there are too many already; its address."""
    with socket.socket() as busy, socket.socket() as first, socket.socket() as second:
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(busy.getsockname())
        yield f"http://127.0.0.1:{busy.getsockname()[1]}"


def nobody() -> str:
    """The address of a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_where_nobody_is_reached_nothing_was_sent(chosen: WeChatSettings) -> None:
    client = MiniProgram(replace(chosen, base=nobody()), MemoryTokens())
    assert timed(lambda: send_text(client, "o", "您好"), WeChatUnavailable) < 3


def test_a_connection_that_does_not_come_about_is_given_up_in_time(chosen: WeChatSettings) -> None:
    with silence() as base:
        client = MiniProgram(replace(chosen, base=base), MemoryTokens())
        assert timed(lambda: send_text(client, "o", "您好"), WeChatUnavailable) < 6


def test_a_connection_that_ends_after_the_message_leaves_it_unknown(
    wechat: MiniProgram, wechat_simulator: Simulator, openid: str
) -> None:
    """Not to be taken for one that never came about."""
    templates(wechat)
    wechat_simulator.fault("reset", SEND)
    with pytest.raises(WeChatUnknown):
        send_text(wechat, openid, "您好")


def test_an_image_that_is_none_is_no_image(
    wechat: MiniProgram, wechat_simulator: Simulator
) -> None:
    wechat_simulator.fault("html200", "/wxa/getwxacodeunlimit")
    with pytest.raises(WeChatUnavailable):
        unlimited_code(wechat, CodeWanted("t", "pages/a"))


def test_no_other_server_is_spoken_to_and_no_redirect_followed(
    wechat: MiniProgram, chosen: WeChatSettings
) -> None:
    for address in ("http://127.0.0.1:9/x", "https://example.com/x", f"{OFFICIAL}.example.com/x"):
        with pytest.raises(ForeignAddress) as caught:
            wechat.get(address)
        assert "access_token" not in str(caught.value)
    with redirecting() as (base, seen):
        client = MiniProgram(replace(chosen, base=base), MemoryTokens())
        with pytest.raises(WeChatUnavailable):
            templates(client)
        assert set(seen) == {"/cgi-bin/stable_token"}


@contextmanager
def redirecting() -> Iterator[tuple[str, list[str]]]:
    """A server that sends everybody elsewhere on itself, and the paths it was asked for."""
    seen: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        at = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    asked = connection.recv(65_536).decode("latin-1")
                    seen.append(asked.split(" ")[1])
                    connection.sendall(
                        f"HTTP/1.1 302 Found\r\nLocation: {at}/elsewhere\r\n"
                        "Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
                    )

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield at, seen
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_the_proxies_of_the_environment_are_not_asked(
    wechat: MiniProgram, wechat_simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, nobody())
    assert templates(wechat)


def test_cookies_are_not_kept(wechat: MiniProgram) -> None:
    templates(wechat)
    wechat._http.cookies.set("a", "b", domain="127.0.0.1")
    assert wechat._http.cookies.get_policy().is_not_allowed("127.0.0.1")  # type: ignore[attr-defined]


def test_no_call_is_made_inside_a_transaction(
    wechat: MiniProgram, wechat_simulator: Simulator, database: Engine
) -> None:
    with pytest.raises(CallInTransaction), transaction():
        templates(wechat)
    assert wechat_simulator.journal() == []


def test_the_login_sends_no_access_token(wechat: MiniProgram, wechat_simulator: Simulator) -> None:
    code_to_session(wechat, wechat_simulator.login("resident1"))
    assert count(wechat_simulator, TOKEN) == 0


WORDS = "病怪了得我"[::-1]
"""Not as it stands in the source, whose lines tracebacks show."""
FAULTS = (
    ("hang", {}),
    ("drip", {"ms": 400}),
    ("reset", {}),
    ("truncate", {}),
    ("html200", {}),
    ("bad_json", {}),
    ("http", {"status": 500}),
    ("http", {"status": 403}),
    ("errcode", {"code": 40001}),
    ("errcode", {"code": 40125}),
    ("errcode", {"code": 47003}),
    ("errcode", {"code": 45009}),
)


@pytest.mark.parametrize(("action", "rule"), FAULTS, ids=lambda one: str(one))
@pytest.mark.parametrize("path", [TOKEN, LOGIN, SEND])
def test_no_error_and_no_log_line_gives_a_secret_away(
    quick: MiniProgram,
    wechat_simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    path: str,
    action: str,
    rule: dict[str, int],
) -> None:
    monkeypatch.setattr("backend.wechat.client.FOR_TOKEN", (1, 0.4))
    monkeypatch.setattr("backend.wechat.calls.LOGIN", (1, 0.4))
    caplog.set_level(logging.DEBUG)
    token = wechat_simulator.token()
    code, openid = wechat_simulator.login("resident1"), wechat_simulator.openid("resident1")
    wechat_simulator.fault(action, path, **rule)
    calls: list[Callable[[], object]] = [
        lambda: code_to_session(quick, code),
        lambda: send_text(quick, openid, WORDS),
    ]
    for call in calls:
        check_gives_away(call, caplog, (SIMULATOR_SECRET, token, code, openid, WORDS))


@pytest.mark.parametrize("base", ["nobody", "silence"])
def test_nor_does_a_connection_that_fails(
    chosen: WeChatSettings, caplog: pytest.LogCaptureFixture, base: str
) -> None:
    caplog.set_level(logging.DEBUG)
    with silence() as silent:
        address = silent if base == "silence" else nobody()
        client = MiniProgram(replace(chosen, base=address), MemoryTokens(), timeout=(1, 1))
        check_gives_away(lambda: code_to_session(client, WORDS), caplog, (SIMULATOR_SECRET, WORDS))
    assert SIMULATOR_SECRET not in repr(client)


def test_the_libraries_own_errors_would_give_it_away(
    chosen: WeChatSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """The control."""
    client = MiniProgram(replace(chosen, base=nobody()), MemoryTokens())
    query = {"secret": client.secret}
    call = partial(client._http.get, f"{OFFICIAL}/sns/jscode2session", params=query, timeout=(1, 1))
    with pytest.raises(AssertionError):
        check_gives_away(call, caplog, (SIMULATOR_SECRET,))


def check_gives_away(
    call: Callable[[], object], caplog: pytest.LogCaptureFixture, secrets: tuple[str, ...]
) -> None:
    """Neither the error, its traceback, whatever stands behind it, nor the log."""
    said = [""]
    try:
        call()
    except Exception as error:
        said.append("".join(traceback.format_exception(error)))
        behind: BaseException | None = error
        while behind is not None:
            said += [str(behind), repr(behind), repr(vars(behind))]
            behind = behind.__cause__ or behind.__context__
    said += [f"{one.getMessage()} {one.__dict__}" for one in caplog.records]
    for secret in secrets:
        assert [one for one in said if secret in one] == []


def test_wechatpys_own_methods_go_the_same_way(
    wechat: MiniProgram, wechat_simulator: Simulator, openid: str
) -> None:
    wechat.message.send_text(openid, "您好")
    wechat_simulator.fault("always_40001", SEND)
    with pytest.raises(WeChatUnavailable):
        wechat.message.send_text(openid, "您好")
    assert (count(wechat_simulator, SEND), count(wechat_simulator, TOKEN)) == (3, 2)
