"""What is told is read the same in both forms, and what WeChat did not tell is refused."""

from __future__ import annotations

import random
import secrets
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.settings_wechat import PushSettings
from backend.wechat import push as push_module
from backend.wechat.errors import PushRefused
from backend.wechat.push import LARGEST, Envelope, Push, PushReader
from backend.wechat.push_crypto import signature
from backend.wechat.simulator.push_format import accepted
from tests.support.pushes import OPENID, TARGET, Sent, forged, popup_event, sent, text_message
from tests.support.wechat import APPID, PUSH_AES_KEY, PUSH_TOKEN

FORGED = 10_000
NOW = datetime.fromisoformat("2026-11-22T10:00:00+08:00")
READER = PushReader(PushSettings(PUSH_TOKEN, PUSH_AES_KEY), APPID)
XML = replace(TARGET, format="xml")


def read(one: Sent, moment: datetime = NOW) -> Push:
    return READER.read(one.envelope, one.body, moment)


def told(message: dict[str, Any], form: str = "json") -> Push:
    return read(sent(message, NOW, target=replace(TARGET, format=form)))


def refused(one: Sent, moment: datetime = NOW) -> bool:
    try:
        read(one, moment)
    except PushRefused:
        return True
    return False


@pytest.mark.parametrize("form", ["json", "xml"])
def test_what_a_person_wrote_is_read(form: str) -> None:
    push = told(text_message(NOW, content="我爸去年住院，<b>花了</b>三万二 ]]> & 少不少？"), form)
    assert (push.kind, push.event, push.name, push.openid) == ("text", "", "text", OPENID)
    assert push.created_at == NOW
    assert push.body["Content"] == "我爸去年住院，<b>花了</b>三万二 ]]> & 少不少？"


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_list_of_an_event_is_a_list_however_many_entries_it_has(form: str, count: int) -> None:
    answers = [(f"tmpl{number}", "accept" if number % 2 else "reject") for number in range(count)]
    push = told(popup_event(NOW, *answers), form)
    assert (push.kind, push.name) == ("event", "subscribe_msg_popup_event")
    assert [
        (one["TemplateId"], one["SubscribeStatusString"]) for one in push.body["List"]
    ] == answers


@pytest.mark.parametrize("form", ["json", "xml"])
def test_in_what_is_told_of_an_account_the_person_is_openid(form: str) -> None:
    event = {
        "ToUserName": "gh_nobody",
        "FromUserName": "weixin_of_nobody",
        "CreateTime": str(int(NOW.timestamp())),
        "MsgType": "event",
        "Event": "user_authorization_revoke",
        "OpenID": OPENID,
        "RevokeInfo": "8",
    }
    assert told(event, form).openid == OPENID


def test_a_message_is_known_again_by_its_number() -> None:
    first, again = text_message(NOW, 1), text_message(NOW + timedelta(seconds=5), 1)
    assert told(first).key == told(again).key
    assert told(first).key != told(text_message(NOW, 2)).key
    assert len(told(first).key) == 32


@pytest.mark.parametrize("form", ["json", "xml"])
def test_events_of_one_person_and_second_are_told_apart_by_what_they_say(form: str) -> None:
    one, other = popup_event(NOW, ("a", "accept")), popup_event(NOW, ("b", "accept"))
    assert told(one, form).key == told(one, form).key
    assert told(one, form).key != told(other, form).key
    assert told(one, form).key != told({**one, "FromUserName": f"{OPENID}x"}, form).key


def test_neither_words_nor_person_stand_in_a_description() -> None:
    push = told(text_message(NOW, content="canary"))
    assert "canary" not in repr(push)
    assert OPENID not in repr(push)
    assert "canary-signature" not in repr(Envelope("canary-signature", "1", "2"))


def test_the_check_of_the_address_is_answered_as_it_asks() -> None:
    at = str(int(NOW.timestamp()))
    envelope = Envelope(signature(PUSH_TOKEN, at, "12345"), at, "12345")
    assert READER.check(envelope, "4375120948345356249", NOW) == "4375120948345356249"
    for wrong, echo, moment in (
        (replace(envelope, nonce="12346"), "1", NOW),
        (replace(envelope, signature=""), "1", NOW),
        (envelope, "", NOW),
        (envelope, "<b>\n", NOW),
        (envelope, "1", NOW + timedelta(minutes=6)),
    ):
        with pytest.raises(PushRefused):
            READER.check(wrong, echo, moment)


def test_the_official_examples_are_taken_at_their_time() -> None:
    reader = PushReader(PushSettings("AAAAA", "A" * 43), "wxba5fad812f8e6fb9")
    at = Envelope("f464b24fc39322e44b38aa78f5edd27bd1441696", "1714036504", "1514711492")
    moment = datetime.fromisoformat("2024-04-25T09:16:00Z")
    assert reader.check(at, "4375120948345356249", moment) == "4375120948345356249"


@pytest.mark.parametrize("form", ["json", "xml"])
def test_an_encrypted_answer_is_one_that_wechat_reads(form: Literal["json", "xml"]) -> None:
    reader = PushReader(PushSettings(PUSH_TOKEN, PUSH_AES_KEY, form), APPID)
    answer = reader.reply('{"demo_resp":"好运 <&>"}'.encode(), "1713424427", "415670741")
    target = replace(TARGET, format=form)
    assert accepted(target, APPID, 200, answer.encode()) is None
    assert accepted(target, f"{APPID}0", 200, answer.encode()) is not None


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_between_two_clocks_do_no_harm(seconds: int) -> None:
    one = sent(text_message(NOW), NOW)
    assert read(one, NOW + timedelta(seconds=seconds)).kind == "text"
    assert refused(one, NOW + timedelta(seconds=301))
    assert refused(one, NOW - timedelta(seconds=301))


def test_what_happened_long_ago_is_not_told_now() -> None:
    assert refused(sent(text_message(NOW - timedelta(days=1, seconds=1)), NOW))
    assert not refused(sent(text_message(NOW - timedelta(hours=23)), NOW))


def test_of_ten_thousand_forged_pushes_none_is_taken() -> None:
    taken = Counter(name for name, one in forged(FORGED, NOW) if not refused(one))
    assert taken == Counter()


def test_a_reader_that_asks_no_time_takes_stale_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without the check of the time, the corpus is not refused whole."""
    monkeypatch.setattr(push_module, "_check_fresh", lambda *_: None)
    taken = Counter(name for name, one in forged(160, NOW) if not refused(one))
    assert set(taken) == {"stale", "from the future"}


def test_a_reader_that_asks_no_signature_takes_changed_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(push_module, "is_signed", lambda *_: True)
    taken = {name for name, one in forged(160, NOW) if not refused(one)}
    assert {"wrong signature", "another's body", "another nonce"} <= taken


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"MsgType": "text"},
        {"MsgType": "", "FromUserName": OPENID},
        {"MsgType": 7, "FromUserName": OPENID},
        {"MsgType": "text", "FromUserName": ["a", "b"]},
        {"MsgType": "text", "FromUserName": "空格 openid"},
        {"MsgType": "text", "FromUserName": "x" * 65},
        {"MsgType": "event", "FromUserName": OPENID, "Event": "有害; DROP TABLE"},
        {"MsgType": "event", "FromUserName": OPENID, "Event": {"a": 1}},
        {"MsgType": "event", "FromUserName": OPENID, "Event": "e", "List": "no list"},
        {"MsgType": "event", "FromUserName": OPENID, "Event": "e", "List": [1, 2]},
        {"MsgType": "text", "FromUserName": OPENID, "CreateTime": "soon"},
        {"MsgType": "text", "FromUserName": OPENID, "CreateTime": -1},
        {"MsgType": "text", "FromUserName": OPENID, "CreateTime": 1e300},
    ],
)
def test_what_is_signed_but_says_nothing_is_refused(message: dict[str, Any]) -> None:
    assert refused(sent({"ToUserName": "gh_nobody", **message}, NOW))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"{}",
        b'{"Encrypt": 7}',
        b'{"Encrypt": null}',
        b'{"Encrypt": "\\ud800"}',
        b"\xff\xfe",
        b"<xml/>",
        b"<xml>text</xml>",
        b"<html></html>",
        b"<xml><Encrypt>a</Encrypt><Encrypt>b</Encrypt></xml>",
        b'<!DOCTYPE x [<!ENTITY e "v">]><xml><Encrypt>&e;</Encrypt></xml>',
        b'<?xml version="1.0" encoding="no-such"?><xml><Encrypt>a</Encrypt></xml>',
        b"<a>" * 100_000,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"Encrypt": "' + b"A" * LARGEST + b'"}',
    ],
)
def test_what_cannot_be_read_is_refused(body: bytes) -> None:
    one = sent(text_message(NOW), NOW)
    assert refused(replace(one, body=body))


@given(st.binary(max_size=300))
def test_no_body_makes_another_error(body: bytes) -> None:
    one = sent(text_message(NOW), NOW)
    for front in (b"", b"{", b"<xml>", b'{"Encrypt":"'):
        assert refused(replace(one, body=front + body))


@given(st.text(), st.text(), st.text())
def test_no_envelope_makes_another_error(signed: str, timestamp: str, nonce: str) -> None:
    one = sent(text_message(NOW), NOW)
    query = {"msg_signature": signed, "timestamp": timestamp, "nonce": nonce}
    assert refused(replace(one, query=query))


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
))  # fmt: skip
def test_whatever_is_signed_is_read_or_refused(inside: Any) -> None:
    wrapped = {"MsgType": "event", "Event": "e", "FromUserName": OPENID, "List": inside}
    target = replace(TARGET)
    for message in (inside if isinstance(inside, dict) else {}, wrapped):
        refused(sent({"ToUserName": "gh_nobody", **message}, NOW, target=target))


def test_random_bytes_in_a_genuine_envelope_are_read_or_refused() -> None:
    dice = random.Random(3)
    for _ in range(300):
        content = dice.randbytes(dice.randrange(80))
        encrypted = READER._cipher.seal(content)
        at, nonce = str(int(NOW.timestamp())), secrets.token_hex(4)
        signed = signature(PUSH_TOKEN, at, nonce, encrypted)
        body = msgspec.json.encode({"Encrypt": encrypted})
        assert refused(Sent({"msg_signature": signed, "timestamp": at, "nonce": nonce}, body))
