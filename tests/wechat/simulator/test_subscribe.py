from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.support.wechat import APPID
from tests.wechat.simulator.conftest import CONTENT, TEMPLATE, Sender


def test_one_accept_is_one_message(sender: Sender) -> None:
    answer = sender.send(page="pages/grants/index?id=1", miniprogram_state="trial", lang="zh_CN")
    assert (answer["errcode"], answer["errmsg"]) == (0, "ok")
    assert sender.errcode() == 43101
    seen = sender.sim.inbox("resident1")
    assert len(seen) == 1
    assert seen[0]["data"] == {"thing1": "材料已收到", "phrase2": "办理中"}
    assert seen[0]["msgid"] == answer["msgid"]
    assert seen[0]["page"] == "pages/grants/index?id=1"


def test_accepts_add_up_and_a_rejection_takes_none_away(sender: Sender) -> None:
    sender.sim.subscribe("resident1", {TEMPLATE: "accept"})
    sender.sim.subscribe("resident1", {TEMPLATE: "reject"})
    sender.sim.subscribe("resident1", {TEMPLATE: "filter"})
    assert [sender.errcode() for _ in range(3)] == [0, 0, 43101]


def test_a_long_term_template_sends_again_and_again(sender: Sender) -> None:
    sender.sim.template("LONG", CONTENT, kind=3)
    sender.sim.subscribe("resident1", {"LONG": "accept"})
    assert [sender.errcode(template_id="LONG") for _ in range(3)] == [0, 0, 0]


def test_a_kept_choice_grants_again_without_a_popup(sender: Sender) -> None:
    sender.sim.subscribe("resident1", {TEMPLATE: "accept"}, always=True)
    said = sender.sim.ask_again("resident1", TEMPLATE)
    assert said[TEMPLATE] == "accept"
    assert sender.sim.seen_user("resident1")["quota"][TEMPLATE] == 3


def test_who_refuses_in_the_settings_gets_nothing_until_they_accept_again(sender: Sender) -> None:
    sender.sim.refuse("resident1", TEMPLATE)
    assert sender.errcode() == 43101
    sender.sim.subscribe("resident1", {TEMPLATE: "accept"})
    assert sender.errcode() == 0


def test_the_main_switch_stops_everything(sender: Sender) -> None:
    sender.sim.switch_off("resident1")
    assert sender.errcode() == 43101
    assert sender.sim.subscribe("resident1", {TEMPLATE: "accept"})["errCode"] == 20004
    sender.sim.switch_off("resident1", off=False)
    assert sender.errcode() == 0


def test_the_popup_shows_five_templates_of_one_kind(sender: Sender) -> None:
    names = [f"T{number}" for number in range(6)]
    for name in names:
        sender.sim.template(name, CONTENT)
    sender.sim.template("LONG", CONTENT, kind=3)

    def shown(*asked: str) -> Any:
        return sender.sim.subscribe("resident1", dict.fromkeys(asked, "accept")).get("errCode")

    assert shown(*names[:5]) is None
    assert shown(*names) == 20003
    assert shown(TEMPLATE, "LONG") == 20002
    assert shown("UNKNOWN") == 20001


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"touser": "o" + "x" * 27}, 40003),
        ({"template_id": "UNKNOWN"}, 40037),
        ({"page": "/pages/index"}, 41030),
        ({"page": "pages/中文"}, 41030),
        ({"data": {"thing1": {"value": "好"}}}, 47003),
        ({"data": {"thing1": {"value": "好"}, "phrase2": {"value": "一二三四五六"}}}, 47003),
        (
            {
                "data": {
                    "thing1": {"value": "好"},
                    "phrase2": {"value": "好"},
                    "thing3": {"value": "多"},
                }
            },
            47003,
        ),
    ],
)
def test_what_is_wrong_is_refused_by_its_code(
    sender: Sender, other: dict[str, Any], code: int
) -> None:
    assert sender.errcode(**other) == code
    assert sender.errcode() == 0, "the accept is still there"


def test_the_refusal_of_a_value_names_its_key(sender: Sender) -> None:
    data = {"thing1": {"value": "一" * 21}, "phrase2": {"value": "好"}}
    text = sender.send(data=data)["errmsg"]
    assert text.startswith("argument invalid! data.thing1.value invalid rid: ")


def test_a_page_must_be_in_the_released_app(sender: Sender) -> None:
    secret = "a-secret-of-another-app"
    sender.sim.app("wxpages00000000001", secret, pages=["pages/index"])
    sender.sim.template("PAGED", CONTENT, appid="wxpages00000000001")
    user = sender.sim.user("reader", appid="wxpages00000000001")
    sender.sim.subscribe("reader", {"PAGED": "accept"})
    sender.token = sender.sim.token("wxpages00000000001", secret)
    known = {"touser": user["openid"], "template_id": "PAGED"}
    assert sender.errcode(**known, page="pages/other") == 41030
    assert sender.errcode(**known, page="pages/index?a=b") == 0


def test_a_ban_comes_before_sensitive_words_and_these_before_the_quota(sender: Sender) -> None:
    seeded = {"appid": APPID, "secret": "wechat-simulator-well-known-secret"}
    sender.sim.app(**seeded, sensitive_words=["材料"])
    assert sender.errcode() == 45168
    sender.sim.template(TEMPLATE, CONTENT, banned=True)
    assert sender.errcode() == 43107
    sender.sim.template(TEMPLATE, CONTENT)
    sender.sim.app(**seeded)
    assert sender.errcode() == 0


@pytest.mark.parametrize(
    "other",
    [
        {"unknown": 1},
        {"touser": None},
        {"data": None},
        {"miniprogram_state": "release"},
        {"lang": "zh"},
        {"data": {"thing1": {"value": 5}, "phrase2": {"value": "好"}}},
        {"data": {"thing1": "好", "phrase2": "好"}},
    ],
)
def test_a_body_that_is_not_as_documented_is_noted(sender: Sender, other: dict[str, Any]) -> None:
    sender.sim.expect_unexpected()
    assert sender.errcode(**other) == 47001
    assert len(sender.sim.unexpected()) == 1
    assert sender.errcode() == 0


def test_the_empty_body_and_the_wrong_method_have_codes_of_their_own(sender: Sender) -> None:
    sender.sim.expect_unexpected()
    path = "/cgi-bin/message/subscribe/send"
    assert sender.sim.call("POST", path, access_token=sender.token)["errcode"] == 44002
    assert sender.sim.call("GET", path, access_token=sender.token)["errcode"] == 43002
    assert sender.sim.call("POST", "/wxaapi/newtmpl/gettemplate")["errcode"] == 43001


def test_two_messages_at_once_to_one_user_are_one_too_many(sender: Sender) -> None:
    for _ in range(3):
        sender.sim.subscribe("resident1", {TEMPLATE: "accept"})
    sender.sim.fault("slow", "/cgi-bin/message/subscribe/send", ms=700, times=1)
    found: list[int] = []
    slow = threading.Thread(target=lambda: found.append(sender.errcode()))
    slow.start()
    while not sender.sim.journal("/cgi-bin/message/subscribe/send"):
        pass
    assert sender.errcode() == 43108
    slow.join()
    assert found == [0]
    assert sender.errcode() == 0, "one after the other it works"


def test_the_templates_are_listed(sender: Sender) -> None:
    sender.sim.template("ENUM", "结果:{{enum1.DATA}}", enums={"enum1": ["通过", "退回"]})
    path = "/wxaapi/newtmpl/gettemplate"
    listed = sender.sim.call("GET", path, access_token=sender.token)["data"]
    found = {one["priTmplId"]: one for one in listed}
    assert found[TEMPLATE]["type"] == 2
    assert found[TEMPLATE]["content"] == CONTENT
    assert found["ENUM"]["keywordEnumValueList"] == [
        {"keywordCode": "enum1", "enumValueList": ["通过", "退回"]}
    ]


def test_a_crowd_is_made_at_once(sender: Sender) -> None:
    body = {"prefix": "villager", "count": 500, "quota": {TEMPLATE: 1}}
    crowd = sender.sim.control("POST", "/crowd", body)
    assert len(set(crowd.values())) == 500
    assert sender.errcode(touser=crowd["villager500"]) == 0
    assert sender.errcode(touser=crowd["villager500"]) == 43101
