"""From a department's file to a coordinator's door: what one resident meets, and who sees of it.

On the whole site: gunicorn, workers, PostgreSQL, the simulator of WeChat, all of them processes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from backend.kernel.clock import today
from tests.support.delivered import GOOD, id_number, write_csv
from tests.support.wechat import Simulator
from tests.support.whole_site import WholeSite, whole_site

NAME, NUMBER, PHONE_USER = "测试甲", id_number(), "resident1"
HOME, REGISTERED = "320281101001", "320281101002"
"""Who lives in one village is registered in the next: where people live binds those who visit."""
COORDINATOR: Final = "V1"
YEAR: Final = today().year - 1
FIRST: Final = {"grant", "entitlement"}
"""What the first run gives cause to tell."""
RESULT: Final = "办理结果通知"
QUESTION: Final = "我收到一条消息，说我有新的救助结果，是什么意思？"
SEND: Final = "/cgi-bin/message/subscribe/send"
ILLNESS: Final = "C34"
NOBODY: Final = 999_999_999
DEEDS: Final = {
    "data_file.load", "match.start", "match.release.first", "match.release", "resident.log_in",
    "resident.bind_phone", "resident.prove_name", "consent.give", "consent.withdraw",
    "person.read", "staff.add", "duty.grant", "staff.sign_in", "denied.access",
}  # fmt: skip


@pytest.fixture
def site(
    tmp_path: Path, wechat_simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WholeSite]:
    with whole_site(tmp_path / "site", wechat_simulator, monkeypatch) as running:
        yield running


def test_a_resident_hears_of_a_grant_asks_about_it_and_hears_the_next_at_the_door(
    site: WholeSite,
) -> None:
    departments_deliver(site)
    token, person = resident_becomes_known(site)
    allows_messages(site, token, times=len(FIRST) + 1)

    messages_arrive_on_the_phone(site, token, run=grant_is_released(site))
    chat_answers(site, token)

    refuses_further_messages(site, token)
    bill_is_delivered(site, "B2", f"{YEAR}-08-21", f"{YEAR}-08-30")
    message = next_message_goes_to_the_coordinator(site, token, run=grant_is_released(site))

    item = coordinator_sees_whom_to_tell(site, person, message)
    others_see_nothing(site, person, item)
    auditor_sees_everything(site, person)
    resident_sees_who_looked(site, token)
    chain_is_whole(site)


# -- the office ------------------------------------------------------------------------------------


def departments_deliver(site: WholeSite) -> None:
    """Somebody of the register, recognised, with one stay in hospital."""
    person = {**GOOD["people"], "name": NAME, "area_code": HOME, "registered_area_code": REGISTERED}
    identity = {**GOOD["identities"], "from": f"{YEAR - 1}-01-01", "to": "", "applied_on": ""}
    for kind, row in (
        ("people", person), ("identities", identity), ("hospitals", dict(GOOD["hospitals"])),
    ):  # fmt: skip
        deliver(site, kind, row)
    bill_is_delivered(site, "B1", f"{YEAR}-03-01", f"{YEAR}-03-09")


def bill_is_delivered(site: WholeSite, number: str, admitted: str, discharged: str) -> None:
    stay = {"bill_no": number, "admitted_on": admitted, "discharged_on": discharged}
    deliver(site, "bills", {**GOOD["bills"], **stay})


def deliver(site: WholeSite, kind: str, row: dict[str, str]) -> None:
    file = write_csv(site.folder / f"{kind}-{row.get('bill_no', '')}.csv", [row])
    site.shukun("import", kind, str(file), "--by", "测试")


def grant_is_released(site: WholeSite) -> str:
    """Matched, and let out by two people; the run."""
    said = site.shukun("match", "--area", "320281", "--year", str(YEAR), "--by", "测试")
    run = re.search(r"运行 (\d+) 已算完", said)
    assert run is not None, said
    site.shukun("match", "--release", run[1], "--by", "经办一")
    assert f"运行 {run[1]} 已放行" in site.shukun("match", "--release", run[1], "--by", "经办二")
    return run[1]


# -- the resident ----------------------------------------------------------------------------------


def resident_becomes_known(site: WholeSite) -> tuple[str, int]:
    """Code, phone, name, consent to text messages; the token, and who it is."""
    opened = site.told("POST", "/sessions", body={"code": site.wechat.login(PHONE_USER)})
    token = str(opened["token"])
    code = {"code": site.wechat.phone_code(PHONE_USER)}
    assert site.told("POST", "/me/phone", token, code) == {"phone": "199****0001"}
    assert site.ask("GET", "/me/file", token).status == 403
    claim = {"name": NAME, "id_number": NUMBER}
    named = site.told("POST", "/me/identity", token, claim)
    me = site.told("GET", "/me", token)
    assert (me["level"], me["person_id"]) == (2, named["person_id"])
    assert site.told("GET", "/me/file", token)["bills"] == 1
    site.told("POST", "/me/consents", token, {"purpose": "sms", "version": 1, "agrees": True})
    return token, int(named["person_id"])


def allows_messages(site: WholeSite, token: str, times: int) -> None:
    """The popup, so many times; told by WeChat and by the mini-program, counted once each."""
    template = site.soon(lambda: template_of(site, token))["template"]
    for number in range(times):
        site.wechat.subscribe(PHONE_USER, {template: "accept"})
        answers = [{"template": template, "answer": "accept"}]
        report = {"call": f"invented-call-{number:04d}", "answers": answers}
        site.told("POST", "/subscriptions", token, report)
    site.soon(lambda: all(one["state"] == "received" for one in site.wechat.deliveries()))
    site.soon(lambda: template_of(site, token)["left"], lambda left: left == times)


def template_of(site: WholeSite, token: str) -> Any:
    listed = site.told("GET", "/subscriptions", token)["templates"]
    return next((one for one in listed if one["title"] == RESULT), None)


def messages_arrive_on_the_phone(site: WholeSite, token: str, run: str) -> None:
    """Each once, by WeChat and in the inbox; on the locked screen nothing about the person."""
    told = site.soon(lambda: inbox(site, token, run), lambda found: len(found) == len(FIRST))
    assert {one["event"] for one in told} == FIRST
    on_phone = site.soon(lambda: by_wechat(site), lambda found: len(found) >= len(FIRST))
    assert sorted(serials(on_phone)) == sorted(one["id"] for one in told)
    assert {one["title"] for one in on_phone} == {RESULT}
    site.soon(lambda: template_of(site, token)["left"], lambda left: left == 1)
    shown = json.dumps([one["data"] for one in on_phone], ensure_ascii=False)
    assert not revealing(shown), shown
    site.told("POST", f"/inbox/{told[0]['id']}/read", token)
    assert site.told("GET", "/inbox", token)["unread"] == len(FIRST) - 1


def inbox(site: WholeSite, token: str, run: str) -> list[Any]:
    """What a run gave cause to tell, in the mini-program."""
    found = site.told("GET", "/inbox", token)["messages"]
    return [one for one in found if one["cause"] == f"match_run:{run}"]


def by_wechat(site: WholeSite) -> list[Any]:
    return site.wechat.inbox(PHONE_USER, "subscribe")


def serials(messages: list[Any]) -> list[int]:
    """The numbers that the messages end in."""
    return [int(re.findall(r"\d+$", one["data"]["thing4"])[0]) for one in messages]


def revealing(text: str) -> list[str]:
    """What of the person, an illness or an amount a text holds."""
    return [one for one in (NAME, NUMBER, ILLNESS) if one in text] + re.findall(r"\d+\.\d\d", text)


def chat_answers(site: WholeSite, token: str) -> None:
    """Where the grant stands, and a card that opens the details; in the mini-program as well."""
    site.wechat.send(PHONE_USER, QUESTION)
    said = site.soon(lambda: site.wechat.inbox(PHONE_USER, "customer"), lambda one: len(one) == 2)
    answer, card = said[0]["text"]["content"], said[1]["miniprogrampage"]
    assert re.search(r"您本人：\d 笔已经决定，正在安排付款", answer), answer
    assert not revealing(answer), answer
    assert card["pagepath"].startswith("pages/")
    lines = site.told("GET", "/chat", token)["lines"]
    assert [one["said_by"] for one in lines] == ["resident", "assistant", "assistant"]
    assert (lines[0]["text"], lines[1]["text"]) == (QUESTION, answer)


def refuses_further_messages(site: WholeSite, token: str) -> None:
    """No text messages; and none by WeChat, of which WeChat's word comes late."""
    purposes = site.told("GET", "/me/consents", token)["purposes"]
    (given,) = next(one["given"] for one in purposes if one["purpose"] == "sms")
    site.told("DELETE", f"/me/consents/{given['id']}", token)
    site.wechat.fault("delay", "push", event="subscribe_msg_change_event", ms=600_000)
    site.wechat.refuse(PHONE_USER, template_of(site, token)["template"])


def next_message_goes_to_the_coordinator(site: WholeSite, token: str, run: str) -> int:
    """WeChat is tried once and refuses; no text message; the message's number."""
    told = site.soon(lambda: inbox(site, token, run))
    assert [one["event"] for one in told] == ["grant"]
    site.soon(lambda: "当面告知消息" in site.shukun("worklist", "--area", HOME[:6]))
    sent = [one["errcode"] for one in site.wechat.journal(SEND)]
    assert sent == [0] * len(FIRST) + [43101]
    assert len(by_wechat(site)) == len(FIRST)
    return int(told[0]["id"])


# -- who sees of it --------------------------------------------------------------------------------


def coordinator_sees_whom_to_tell(site: WholeSite, person: int, message: int) -> int:
    """In the list of the village where the person lives; the item."""
    token = site.employ(COORDINATOR, "village_coordinator", HOME)
    (item,) = site.told("GET", "/work", token)["items"]
    assert item["kind"] == "tell_person"
    assert f"编号{message}" in item["reason"]
    assert not revealing(item["reason"])
    whom = site.told("GET", f"/work/{item['id']}", token)["person"]
    assert (whom["person_id"], whom["name"], whom["lives_in"]) == (person, NAME, HOME)
    assert site.ask("GET", f"/people/{person}/delegates", token).status == 200
    return int(item["id"])


def others_see_nothing(site: WholeSite, person: int, item: int) -> None:
    """In the village where the person is registered, but does not live: as of nobody at all."""
    doctor = site.employ("D2", "family_doctor", REGISTERED)
    coordinator = site.employ("V2", "village_coordinator", REGISTERED)
    assert site.told("GET", "/work", coordinator) == {"items": []}
    assert same_as_nothing(site, doctor, "/people/{}/delegates", person)
    assert same_as_nothing(site, coordinator, "/people/{}/delegates", person)
    assert same_as_nothing(site, coordinator, "/work/{}", item)
    assert site.ask("GET", f"/work/{item}", doctor).status == 403
    assert site.ask("GET", "/audit", doctor).status == 403


def same_as_nothing(site: WholeSite, token: str, path: str, number: int) -> bool:
    """Whether what exists is refused in the words that what does not exist is refused in."""
    found, none = (site.ask("GET", path.format(one), token) for one in (number, NOBODY))
    said = [{**one.body, "instance": ""} for one in (found, none)]
    return found.status == none.status == 404 and said[0] == said[1]


def auditor_sees_everything(site: WholeSite, person: int) -> None:
    """Who did what, who looked, and who was refused; nothing of what the files say."""
    token = site.employ("A1", "auditor", HOME[:6])
    listed = site.told("GET", "/audit?most=200", token)["events"]
    assert {one["action"] for one in listed} >= DEEDS
    refused = {one["actor"] for one in listed if one["action"] == "denied.access"}
    assert {"staff:D2", "staff:V2"} <= refused
    of_person = site.told("GET", f"/audit?person={person}&most=200", token)["events"]
    looked = {one["actor"] for one in of_person if one["action"] == "person.read"}
    assert f"staff:{COORDINATOR}" in looked
    assert not {"staff:D2", "staff:V2"} & looked
    text = json.dumps([*listed, *of_person], ensure_ascii=False)
    assert not [one for one in (NAME, NUMBER, ILLNESS, QUESTION) if one in text]


def resident_sees_who_looked(site: WholeSite, token: str) -> None:
    viewers = site.told("GET", "/me/viewers", token)["viewers"]
    looks = [one for one in viewers if one["by"].endswith(f"村居协管员（工号 {COORDINATOR}）")]
    assert [one["why"] for one in looks] == ["入户走访、核实情况"] * 2
    assert not [one for one in viewers if "D2" in one["by"] or "V2" in one["by"]]


def chain_is_whole(site: WholeSite) -> None:
    said = site.soon(
        lambda: site.shukun("audit", "verify"), lambda said: "全部记录都已封存" in said
    )
    assert "没有发现改动" in said
