"""Every call against the simulator: what it answers, and each refusal that is listed for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from backend.kernel.settings_wechat import WeChatSettings
from backend.wechat.calls import (
    Card,
    CodeWanted,
    Link,
    Login,
    Phone,
    SubscribeMessage,
    TextVerdict,
    WrittenText,
    check_text,
    code_to_session,
    phone_number,
    send_card,
    send_subscribe,
    send_text,
    templates,
    typing,
    unlimited_code,
    upload_image,
    url_link,
)
from backend.wechat.client import MiniProgram
from backend.wechat.errors import WeChatBusy, WeChatError, WeChatRefused, WeChatUnavailable
from tests.support.tokens import MemoryTokens
from tests.support.wechat import APPID, Simulator

TEMPLATE = "SIM-PROGRESS"
PAGE = "pages/inbox/index?id=1"
DATA = {"thing1": "医疗救助", "phrase2": "已办结", "date3": "2026年11月22日", "thing4": "请查看"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture
def openid(wechat_simulator: Simulator) -> str:
    return wechat_simulator.openid("resident1")


@pytest.fixture
def message(openid: str) -> SubscribeMessage:
    return SubscribeMessage(openid, TEMPLATE, DATA, PAGE)


def refusal(call: Callable[[], object]) -> int | None:
    with pytest.raises(WeChatRefused) as caught:
        call()
    return caught.value.errcode


def test_a_code_tells_who_logged_in(
    wechat: MiniProgram, wechat_simulator: Simulator, openid: str
) -> None:
    code = wechat_simulator.login("resident1")
    assert code_to_session(wechat, code) == Login(openid, None)
    assert refusal(lambda: code_to_session(wechat, code)) == 40163
    assert refusal(lambda: code_to_session(wechat, "0" * 32)) == 40029


def test_a_code_ends_after_five_minutes(wechat: MiniProgram, wechat_simulator: Simulator) -> None:
    code = wechat_simulator.login("resident1")
    wechat_simulator.advance(301)
    assert refusal(lambda: code_to_session(wechat, code)) == 40029


def test_a_person_whom_wechat_blocks_does_not_log_in(
    wechat: MiniProgram, wechat_simulator: Simulator
) -> None:
    wechat_simulator.user("resident3", blocked=True)
    code = wechat_simulator.login("resident3")
    assert refusal(lambda: code_to_session(wechat, code)) == 40226


def test_the_login_knows_people_of_several_mini_programs(
    wechat: MiniProgram, wechat_simulator: Simulator
) -> None:
    wechat_simulator.user("resident2", unionid="u" * 28)
    login = code_to_session(wechat, wechat_simulator.login("resident2"))
    assert login.unionid == "u" * 28


def test_a_login_shows_neither_person_nor_session_key(
    wechat: MiniProgram, wechat_simulator: Simulator, openid: str
) -> None:
    login = code_to_session(wechat, wechat_simulator.login("resident1"))
    assert openid not in repr(login)
    assert not any("key" in name for name in Login.__dataclass_fields__)


def test_a_phone_code_tells_the_number_of_its_person(
    wechat: MiniProgram, wechat_simulator: Simulator, openid: str
) -> None:
    code = wechat_simulator.phone_code("resident1")
    phone = phone_number(wechat, code, openid)
    assert phone == Phone("19900000001", "86")
    assert "19900000001" not in repr(phone)
    assert refusal(lambda: phone_number(wechat, code, openid)) in (40029, 40163)
    other = wechat_simulator.phone_code("resident2")
    assert refusal(lambda: phone_number(wechat, other, openid))


def test_a_message_reaches_a_person_who_wants_it_once(
    wechat: MiniProgram, wechat_simulator: Simulator, message: SubscribeMessage
) -> None:
    wechat_simulator.subscribe("resident1", {TEMPLATE: "accept"})
    send_subscribe(wechat, message)
    (shown,) = wechat_simulator.inbox("resident1", "subscribe")
    assert shown["data"] == DATA
    assert shown["page"] == PAGE
    assert refusal(lambda: send_subscribe(wechat, message)) == 43101
    (entry, _) = wechat_simulator.journal("/cgi-bin/message/subscribe/send")
    assert entry["body"]["miniprogram_state"] == "formal"
    assert entry["body"]["lang"] == "zh_CN"


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"openid": "oNobody"}, 40003),
        ({"template": "NO-SUCH"}, 40037),
        ({"page": "/pages/with slash"}, 41030),
        ({"data": DATA | {"thing1": "字" * 21}}, 47003),
        ({"data": {"thing1": "少了"}}, 47003),
        ({"data": DATA | {"phrase2": "六个汉字太长"}}, 47003),
    ],
)
def test_a_message_with_a_fault_is_refused_for_good(
    wechat: MiniProgram,
    wechat_simulator: Simulator,
    message: SubscribeMessage,
    change: dict[str, str],
    errcode: int,
) -> None:
    wechat_simulator.subscribe("resident1", {TEMPLATE: "accept"})
    assert refusal(lambda: send_subscribe(wechat, replace(message, **change))) == errcode
    assert len(wechat_simulator.journal("/cgi-bin/message/subscribe/send")) == 1


def test_the_refusal_names_the_value_at_fault(
    wechat: MiniProgram, wechat_simulator: Simulator, message: SubscribeMessage
) -> None:
    wechat_simulator.subscribe("resident1", {TEMPLATE: "accept"})
    with pytest.raises(WeChatRefused) as caught:
        send_subscribe(wechat, replace(message, data=DATA | {"thing4": "字" * 21}))
    assert caught.value.field == "thing4"


def test_a_refused_person_a_banned_template_and_a_bad_word_are_told_apart(
    wechat: MiniProgram, wechat_simulator: Simulator, message: SubscribeMessage
) -> None:
    wechat_simulator.subscribe("resident1", {TEMPLATE: "accept"})
    wechat_simulator.refuse("resident1", TEMPLATE)
    assert refusal(lambda: send_subscribe(wechat, message)) == 43101
    for errcode in (43107, 45168):
        wechat_simulator.fault("errcode", "/cgi-bin/message/subscribe/send", code=errcode, times=1)
        assert refusal(lambda: send_subscribe(wechat, message)) == errcode


def test_two_messages_at_once_to_one_person_are_to_wait(
    wechat: MiniProgram, wechat_simulator: Simulator, message: SubscribeMessage
) -> None:
    wechat_simulator.fault("errcode", "/cgi-bin/message/subscribe/send", code=43108)
    with pytest.raises(WeChatBusy) as caught:
        send_subscribe(wechat, message)
    assert (caught.value.errcode, caught.value.pause) == (43108, 3)


def test_the_templates_are_read_with_their_choices(
    wechat: MiniProgram, wechat_simulator: Simulator
) -> None:
    wechat_simulator.template("T-1", "结果:{{enum1.DATA}}", enums={"enum1": ["同意", "不同意"]})
    found = {one.id: one for one in templates(wechat)}
    assert found["T-1"].choices == {"enum1": ("同意", "不同意")}
    assert found["SIM-SERVICE"].long_term
    assert not found["SIM-PROGRESS"].long_term
    assert "{{thing1.DATA}}" in found["SIM-PROGRESS"].content


def test_in_the_chat_texts_and_cards_are_shown_as_long_as_they_may(
    wechat: MiniProgram, wechat_simulator: Simulator, openid: str
) -> None:
    assert refusal(lambda: send_text(wechat, openid, "您好")) == 45015
    wechat_simulator.send("resident1", "能报多少")
    typing(wechat, openid)
    assert refusal(lambda: typing(wechat, openid)) == 45081
    typing(wechat, openid, ends=True)
    thumb = upload_image(wechat, PNG)
    send_card(wechat, openid, Card("待遇测算", "pages/estimate/index", thumb))
    send_text(wechat, openid, "“低保”可以直接救助", by_ai=True)
    for _ in range(3):
        send_text(wechat, openid, "还有什么想问的？")
    assert refusal(lambda: send_text(wechat, openid, "第六条")) == 45047
    card, text, *_ = wechat_simulator.inbox("resident1", "customer")
    assert card["miniprogrampage"]["pagepath"] == "pages/estimate/index"
    assert text["text"]["content"] == "“低保”可以直接救助"
    assert (card["ai"], text["ai"]) == (False, True)


def test_typing_without_a_word_before_is_refused(wechat: MiniProgram, openid: str) -> None:
    assert refusal(lambda: typing(wechat, openid)) == 45080


def test_a_text_is_judged_while_its_writer_is_here(
    wechat: MiniProgram, wechat_simulator: Simulator, openid: str
) -> None:
    assert refusal(lambda: check_text(wechat, WrittenText(openid, "好", 2))) == 61010
    wechat_simulator.login("resident1")
    assert check_text(wechat, WrittenText(openid, "医生很好", 2)) == TextVerdict("pass", 100)
    assert check_text(wechat, WrittenText(openid, "违规词示例", 1)) == TextVerdict("risky", 20001)
    assert check_text(wechat, WrittenText(openid, "可疑词示例", 4)).suggest == "review"
    assert refusal(lambda: check_text(wechat, WrittenText("oNobody", "好", 2))) in (40003, 43104)
    wechat_simulator.advance(2 * 3600 + 1)
    assert refusal(lambda: check_text(wechat, WrittenText(openid, "好", 2))) == 61010


def test_a_link_leads_to_a_page_for_thirty_days_at_most(wechat: MiniProgram) -> None:
    link = url_link(wechat, Link("pages/letter/index", "t=x7Fq", days=30))
    assert link.startswith("https://")
    assert refusal(lambda: url_link(wechat, Link("pages/letter/index", "t=1", days=31)))


def test_a_code_leads_to_a_page(wechat: MiniProgram, wechat_simulator: Simulator) -> None:
    image = unlimited_code(wechat, CodeWanted("t=x7Fq", "pages/letter/index"))
    assert image.startswith((b"\x89PNG", b"\xff\xd8"))
    assert refusal(lambda: unlimited_code(wechat, CodeWanted("x" * 33, "pages/a"))) == 40169
    wechat_simulator.app(APPID, wechat.secret, pages=["pages/a"])
    assert refusal(lambda: unlimited_code(wechat, CodeWanted("t", "pages/b"))) == 41030


@pytest.mark.parametrize(("change", "errcode"), [({"appid": "wx" + "0" * 16}, 40013), ({"secret": "x" * 32}, 40125)])  # fmt: skip
def test_a_wrong_appid_or_secret_is_our_trouble_and_no_refusal_of_the_person(
    chosen: WeChatSettings, openid: str, change: dict[str, str], errcode: int
) -> None:
    stranger = MiniProgram(replace(chosen, **change), MemoryTokens())
    for call in (
        lambda: code_to_session(stranger, "0" * 32),
        lambda: send_text(stranger, openid, "您好"),
    ):
        with pytest.raises(WeChatUnavailable) as caught:
            call()
        assert caught.value.errcode == errcode


@pytest.mark.parametrize(
    ("errcode", "error"),
    [
        (-1, WeChatBusy),
        (45009, WeChatBusy),
        (45011, WeChatBusy),
        (44990, WeChatBusy),
        (44991, WeChatBusy),
        (43108, WeChatBusy),
        (40001, WeChatUnavailable),
        (40014, WeChatUnavailable),
        (42001, WeChatUnavailable),
        (40164, WeChatUnavailable),
        (48001, WeChatUnavailable),
        (40003, WeChatRefused),
        (47003, WeChatRefused),
        (45047, WeChatRefused),
        (87009, WeChatRefused),
    ],
)
def test_each_number_of_wechat_means_one_thing(
    wechat: MiniProgram,
    wechat_simulator: Simulator,
    openid: str,
    errcode: int,
    error: type[WeChatError],
) -> None:
    wechat_simulator.send("resident1", "您好")
    wechat_simulator.fault("errcode", "/cgi-bin/message/custom/send", code=errcode)
    with pytest.raises(error) as caught:
        send_text(wechat, openid, "您好")
    assert caught.value.errcode == errcode
