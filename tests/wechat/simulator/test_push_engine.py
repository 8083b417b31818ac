from __future__ import annotations

import json
import time
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from backend.wechat.simulator.push_cipher import Undecipherable, decrypt, encrypt, signature
from tests.support.push_receiver import Received, Receiver, Said, push_receiver
from tests.support.wechat import APPID, PUSH_AES_KEY, PUSH_TOKEN, Json, Simulator
from tests.wechat.simulator.conftest import CONTENT, TEMPLATE, Sender

WAYS = [(mode, form) for mode in ("plain", "compatible", "safe") for form in ("json", "xml")]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with push_receiver() as one:
        yield one


def told(sim: Simulator, receiver: Receiver, count: int = 1) -> list[Json]:
    """The deciphered pushes of safe mode and JSON."""
    sim.wait_for_deliveries(count)
    return [
        json.loads(decrypt(PUSH_AES_KEY, json.loads(one.body)["Encrypt"], APPID))
        for one in receiver.received
    ]


def signed_rightly(one: Received, encrypted: str | None) -> bool:
    query = one.query
    parts = (PUSH_TOKEN, query["timestamp"], query["nonce"])
    if encrypted is None:
        return "msg_signature" not in query and query["signature"] == signature(*parts)
    assert query["encrypt_type"] == "aes"
    return query["msg_signature"] == signature(*parts, encrypted)


def fields(form: str, content: bytes) -> dict[str, str]:
    if form == "json":
        return dict(json.loads(content))
    return {one.tag: one.text or "" for one in ElementTree.fromstring(content)}


@pytest.mark.parametrize(("mode", "form"), WAYS)
def test_a_message_of_the_user_arrives_in_every_mode_and_format(
    wechat_simulator: Simulator, receiver: Receiver, mode: str, form: str
) -> None:
    wechat_simulator.push_to(receiver.url, mode=mode, format=form)
    wechat_simulator.send("resident1", "报销 <多少> ]]> & 几时")
    wechat_simulator.wait_for_deliveries(1)
    one = receiver.received[0]
    shown = fields(form, one.body)
    assert ("Content" in shown) == (mode != "safe")
    assert one.content_type == ("application/json" if form == "json" else "text/xml")
    assert signed_rightly(one, shown.get("Encrypt"))
    if mode != "plain":
        shown = fields(form, decrypt(PUSH_AES_KEY, shown["Encrypt"], APPID))
    openid = wechat_simulator.openid("resident1")
    assert (shown["MsgType"], shown["Content"]) == ("text", "报销 <多少> ]]> & 几时")
    assert (shown["FromUserName"], one.query["openid"]) == (openid, openid)
    assert int(shown["MsgId"]) > 0
    assert abs(int(shown["CreateTime"]) - time.time()) < 60


def test_one_entry_is_an_object_and_more_are_an_array(sender: Sender, receiver: Receiver) -> None:
    sender.sim.template("OTHER", CONTENT)
    sender.sim.push_to(receiver.url)
    sender.sim.subscribe("resident1", {TEMPLATE: "accept"})
    sender.sim.subscribe("resident1", {TEMPLATE: "accept", "OTHER": "reject"})
    one, two = sorted(told(sender.sim, receiver, 2), key=lambda one: str(one["List"]), reverse=True)
    assert one["Event"] == "subscribe_msg_popup_event"
    assert one["List"]["SubscribeStatusString"] == "accept"
    assert [entry["SubscribeStatusString"] for entry in two["List"]] == ["accept", "reject"]


def test_xml_nests_the_list_in_an_element_of_the_event(sender: Sender, receiver: Receiver) -> None:
    sender.sim.template("OTHER", CONTENT)
    sender.sim.push_to(receiver.url, mode="plain", format="xml")
    sender.sim.refuse("resident1", TEMPLATE, "OTHER")
    sender.sim.wait_for_deliveries(1)
    root = ElementTree.fromstring(receiver.received[0].body)
    found = [one.text for one in root.findall("SubscribeMsgChangeEvent/List/TemplateId")]
    assert found == [TEMPLATE, "OTHER"]
    assert root.findtext("Event") == "subscribe_msg_change_event"


def test_a_message_that_was_sent_is_told_of(sender: Sender, receiver: Receiver) -> None:
    sender.sim.push_to(receiver.url)
    answer = sender.send()
    event = told(sender.sim, receiver)[0]
    assert event["Event"] == "subscribe_msg_sent_event"
    assert event["List"] == {
        "TemplateId": TEMPLATE, "MsgID": str(answer["msgid"]), "ErrorCode": "0",
        "ErrorStatus": "success",
    }  # fmt: skip


def test_neither_a_ban_nor_a_kept_choice_is_told_of(sender: Sender, receiver: Receiver) -> None:
    sender.sim.subscribe("resident1", {TEMPLATE: "accept"}, always=True)
    sender.sim.push_to(receiver.url)
    sender.sim.subscribe("resident1", {TEMPLATE: "ban"})
    sender.sim.ask_again("resident1", TEMPLATE)
    sender.sim.enter_session("resident1", "from-a-page")
    events = told(sender.sim, receiver)
    assert [one["Event"] for one in events] == ["user_enter_tempsession"]
    assert events[0]["SessionFrom"] == "from-a-page"


def test_account_events_name_the_user_in_openid(
    wechat_simulator: Simulator, receiver: Receiver
) -> None:
    wechat_simulator.push_to(receiver.url)
    wechat_simulator.revoke("resident1", "8")
    wechat_simulator.cancel("resident1")
    events = {one["Event"]: one for one in told(wechat_simulator, receiver, 2)}
    openid = wechat_simulator.openid("resident1")
    assert events["user_authorization_revoke"]["RevokeInfo"] == "8"
    for one in events.values():
        assert one["OpenID"] == openid
        assert one["FromUserName"] != openid


def test_pictures_and_pages_are_pushed(wechat_simulator: Simulator, receiver: Receiver) -> None:
    wechat_simulator.push_to(receiver.url)
    wechat_simulator.send_image("resident1")
    wechat_simulator.control("POST", "/users/resident1/send", {"page": "pages/index"})
    found = {one["MsgType"]: one for one in told(wechat_simulator, receiver, 2)}
    assert found["image"]["MediaId"]
    assert found["miniprogrampage"]["PagePath"] == "pages/index"


# -- the check of the URL --------------------------------------------------------------------------


def test_a_url_is_taken_only_when_it_answers_the_echostr(
    wechat_simulator: Simulator, receiver: Receiver
) -> None:
    receiver.echo = lambda query: query["echostr"] + "x"
    with pytest.raises(AssertionError, match="the check of the URL failed"):
        wechat_simulator.push_to(receiver.url)
    wechat_simulator.send("resident1", "在吗")
    seen: list[dict[str, str]] = []
    receiver.echo = lambda query: seen.append(query) or query["echostr"]  # type: ignore[func-returns-value]
    wechat_simulator.push_to(receiver.url)
    assert wechat_simulator.deliveries() == []
    parts = (PUSH_TOKEN, seen[0]["timestamp"], seen[0]["nonce"])
    assert seen[0]["signature"] == signature(*parts)


@pytest.mark.parametrize(
    "url", ["http://example.com/push", "https://127.0.0.1:9/push", "http://10.0.0.1/push", "x"]
)
def test_pushes_stay_on_this_machine(wechat_simulator: Simulator, url: str) -> None:
    with pytest.raises(AssertionError, match="this machine alone"):
        wechat_simulator.push_to(url, check=False)


# -- attempts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Said(status=500), "status 500"),
        (Said(status=302), "status 302"),
        (Said(b"ok"), "neither empty, success nor an encrypted reply"),
        (Said(after=0.6), "TimeoutError"),
    ],
    ids=["500", "302", "another text", "too late"],
)
def test_what_fails_is_tried_three_times(
    wechat_simulator: Simulator, receiver: Receiver, said: Said, error: str
) -> None:
    receiver.said = [said]
    wechat_simulator.push_to(receiver.url, limit=0.3, pause=0.01)
    wechat_simulator.send("resident1", "在吗")
    found = wechat_simulator.wait_for_deliveries(1)[0]
    assert found["state"] == "given up"
    assert [one["error"] for one in found["attempts"]] == [error] * 3
    assert len({one["query"]["nonce"] for one in found["attempts"]}) == 3


@pytest.mark.parametrize(("attempts", "state"), [(3, "received"), (2, "given up")])
def test_the_third_attempt_may_arrive_and_two_would_not(
    wechat_simulator: Simulator, receiver: Receiver, attempts: int, state: str
) -> None:
    receiver.said = [Said(status=500), Said(status=500), Said()]
    wechat_simulator.push_to(receiver.url, attempts=attempts, pause=0.01)
    wechat_simulator.send("resident1", "在吗")
    found = wechat_simulator.wait_for_deliveries(1)[0]
    assert (found["state"], len(found["attempts"])) == (state, attempts)


def test_nobody_there_is_a_failure_too(wechat_simulator: Simulator) -> None:
    with push_receiver() as receiver:
        wechat_simulator.push_to(receiver.url, pause=0.01)
    wechat_simulator.send("resident1", "在吗")
    found = wechat_simulator.wait_for_deliveries(1)[0]
    assert found["attempts"][0]["error"] == "ConnectionRefusedError"


def reply(form: str, key: str = PUSH_AES_KEY, token: str = PUSH_TOKEN) -> bytes:
    encrypted = encrypt(key, b"hello", APPID, b"0123456789abcdef")
    signed = signature(token, "1700000000", "5", encrypted)
    said = {"Encrypt": encrypted, "MsgSignature": signed, "TimeStamp": "1700000000", "Nonce": "5"}
    if form == "json":
        return json.dumps(said).encode()
    return "".join(["<xml>", *(f"<{a}>{b}</{a}>" for a, b in said.items()), "</xml>"]).encode()


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize(
    ("other", "state"),
    [({}, "received"), ({"key": "B" * 43}, "given up"), ({"token": "other"}, "given up")],
    ids=["right", "another key", "another token"],
)
def test_an_encrypted_reply_counts_when_it_is_right(
    wechat_simulator: Simulator, receiver: Receiver, form: str, other: dict[str, str], state: str
) -> None:
    receiver.said = [Said(reply(form, **other))]
    wechat_simulator.push_to(receiver.url, format=form, attempts=1)
    wechat_simulator.send("resident1", "在吗")
    assert wechat_simulator.wait_for_deliveries(1)[0]["state"] == state


def test_an_empty_answer_is_as_good_as_success(
    wechat_simulator: Simulator, receiver: Receiver
) -> None:
    receiver.said = [Said(b"")]
    wechat_simulator.push_to(receiver.url)
    wechat_simulator.send("resident1", "在吗")
    assert wechat_simulator.wait_for_deliveries(1)[0]["state"] == "received"


def test_what_was_on_its_way_before_a_reset_no_longer_leaves(
    wechat_simulator: Simulator, receiver: Receiver
) -> None:
    receiver.said = [Said(status=500)]
    wechat_simulator.push_to(receiver.url, pause=0.3)
    wechat_simulator.send("resident1", "在吗")
    while not receiver.received:
        time.sleep(0.01)
    wechat_simulator.reset()
    time.sleep(0.5)
    assert len(receiver.received) == 1
    assert wechat_simulator.deliveries() == []


# -- faults of pushes ------------------------------------------------------------------------------


def pushed(sim: Simulator, receiver: Receiver, action: str, **rule: Json) -> list[Received]:
    """What arrives of one message while a rule is in force for one attempt."""
    sim.push_to(receiver.url, attempts=1)
    sim.fault(action, "push", times=1, **rule)
    sim.send("resident1", "在吗")
    sim.wait_for_deliveries(1)
    return receiver.received


def encrypted_of(one: Received) -> str:
    return str(json.loads(one.body)["Encrypt"])


def test_a_push_may_be_late(wechat_simulator: Simulator, receiver: Receiver) -> None:
    began = time.monotonic()
    pushed(wechat_simulator, receiver, "delay", ms=500)
    assert time.monotonic() - began >= 0.5


def test_a_push_may_come_twice_with_another_stamp(
    wechat_simulator: Simulator, receiver: Receiver
) -> None:
    first, second = pushed(wechat_simulator, receiver, "duplicate")
    assert first.query["nonce"] != second.query["nonce"]
    plain = [decrypt(PUSH_AES_KEY, encrypted_of(one), APPID) for one in (first, second)]
    assert plain[0] == plain[1]


def test_a_push_may_be_replayed_to_the_letter(
    wechat_simulator: Simulator, receiver: Receiver
) -> None:
    first, second = pushed(wechat_simulator, receiver, "replay", ms=10)
    assert first == second


def test_a_push_may_be_overtaken(wechat_simulator: Simulator, receiver: Receiver) -> None:
    wechat_simulator.push_to(receiver.url)
    wechat_simulator.fault("reorder", "push", nth=1, ms=10_000)
    wechat_simulator.send("resident1", "一")
    wechat_simulator.send("resident1", "二")
    said = [one["Content"] for one in told(wechat_simulator, receiver, 2)]
    assert said == ["二", "一"]


def test_a_push_may_be_signed_wrongly(wechat_simulator: Simulator, receiver: Receiver) -> None:
    one = pushed(wechat_simulator, receiver, "wrong_signature")[0]
    assert not signed_rightly(one, encrypted_of(one))


def test_a_push_may_be_for_another_app(wechat_simulator: Simulator, receiver: Receiver) -> None:
    one = pushed(wechat_simulator, receiver, "other_appid")[0]
    assert signed_rightly(one, encrypted_of(one))
    with pytest.raises(Undecipherable):
        decrypt(PUSH_AES_KEY, encrypted_of(one), APPID)
    assert decrypt(PUSH_AES_KEY, encrypted_of(one), "wx0000000000000000")


def test_a_push_may_be_huge(wechat_simulator: Simulator, receiver: Receiver) -> None:
    one = pushed(wechat_simulator, receiver, "oversize", bytes=3_000_000)[0]
    assert len(one.body) > 3_000_000


def test_a_push_may_be_stamped_by_a_wrong_clock(
    wechat_simulator: Simulator, receiver: Receiver
) -> None:
    one = pushed(wechat_simulator, receiver, "clock_skew", seconds=-600)[0]
    assert 590 < time.time() - int(one.query["timestamp"]) < 660
    assert signed_rightly(one, encrypted_of(one))


def test_a_rule_may_name_an_event(sender: Sender, receiver: Receiver) -> None:
    sender.sim.push_to(receiver.url, attempts=1)
    sender.sim.fault("wrong_signature", "push", event="subscribe_msg_sent_event")
    sender.send()
    sender.sim.send("resident1", "在吗")
    found = sender.sim.wait_for_deliveries(2)
    faults = {one["message"].get("Event"): one["attempts"][0]["fault"] for one in found}
    assert faults == {"subscribe_msg_sent_event": "wrong_signature", None: None}
