"""Residents over HTTP, with the simulator of WeChat: from the first code to who looked."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from backend.accounts import login
from backend.accounts.residents import birthday
from backend.kernel.clock import today
from backend.kernel.settings_wechat import SIMULATOR_SECRET
from backend.wechat.calls import Login
from tests.miniprogram_api.accounts.conftest import Site
from tests.support.townsfolk import Townsfolk, Townsman

REPLAYS = int(os.environ.get("SHUKUN_REPLAYS", "100"))
DAY = today()
YEAR = (DAY + timedelta(days=365)).isoformat()


def give_phone(site: Site, token: str, user: str = "resident1") -> None:
    body = {"code": site.simulator.phone_code(user)}
    assert site.ask("POST", "/me/phone", token, body).status_code == 200


def prove(site: Site, token: str, who: Townsman, user: str = "resident1") -> None:
    give_phone(site, token, user)
    body = {"name": who.name, "id_number": who.number}
    assert site.ask("POST", "/me/identity", token, body).status_code == 200


def sessions(database: Engine) -> int:
    with database.connect() as connection:
        found = connection.execute(text("SELECT count(*) FROM account_session"))
        return int(found.scalar_one())


def replayed(site: Site, code: str, times: int) -> int:
    """How many of the replays gave a session."""

    def again(number: int) -> bool:
        answer = site.client.open(
            "/api/v1/sessions", method="POST", json={"code": code},
            environ_overrides={"REMOTE_ADDR": f"198.51.100.{number % 250}"},
        )  # fmt: skip
        assert answer.status_code != 429
        return bool(answer.status_code == 201)

    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(again, range(times)))


def test_a_code_gives_one_session_however_often_it_is_shown(site: Site, database: Engine) -> None:
    code = site.simulator.login("resident1")
    assert site.ask("POST", "/sessions", body={"code": code}).status_code == 201
    assert replayed(site, code, REPLAYS) == 0
    assert sessions(database) == 1
    refused = site.ask("POST", "/sessions", body={"code": code})
    assert (refused.status_code, refused.json["type"]) == (422, "/problems/login-code-unusable")


def test_a_site_that_remembers_codes_would_be_noticed(
    site: Site, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: asking WeChat each time is what refuses the replays."""
    asked: dict[str, Login] = {}
    real = login.code_to_session

    def remembering(wechat: object, code: str) -> Login:
        if code not in asked:
            asked[code] = real(wechat, code)  # type: ignore[arg-type]
        return asked[code]

    monkeypatch.setattr(login, "code_to_session", remembering)
    code = site.simulator.login("resident1")
    assert site.ask("POST", "/sessions", body={"code": code}).status_code == 201
    assert replayed(site, code, 5) == 5


@pytest.mark.parametrize("code", ["made-up", "x" * 128, "a b", "", "码"])
def test_what_is_no_code_gives_no_session(site: Site, database: Engine, code: str) -> None:
    assert site.ask("POST", "/sessions", body={"code": code}).status_code == 422
    assert sessions(database) == 0


def test_whom_wechat_blocks_is_not_let_in(site: Site, database: Engine) -> None:
    site.simulator.user("resident1", blocked=True)
    answer = site.ask("POST", "/sessions", body={"code": site.simulator.login("resident1")})
    assert (answer.status_code, answer.json["type"]) == (403, "/problems/login-blocked")
    assert sessions(database) == 0


def test_while_wechat_is_down_nobody_is_let_in_and_told_when(site: Site) -> None:
    site.simulator.fault("http", "/sns/jscode2session", code=503)
    answer = site.ask("POST", "/sessions", body={"code": site.simulator.login("resident1")})
    assert answer.status_code == 503
    assert "稍后" in answer.json["detail"]
    site.simulator.clear_faults()
    site.log_in()


def test_no_secret_of_wechat_is_answered_or_logged(
    site: Site, database: Engine, jia: Townsman
) -> None:
    said = []
    for user in ("resident1", "resident2"):
        body = {"code": site.simulator.login(user)}
        answer = site.ask("POST", "/sessions", body=body)
        token = answer.json["token"]
        said += [answer.text.replace(token, ""), site.ask("POST", "/sessions", body=body).text]
        phone = {"code": site.simulator.phone_code(user)}
        said += [site.ask("POST", "/me/phone", token, phone).text for _ in range(2)]
        claim = {"name": jia.name, "id_number": jia.number}
        said += [site.ask("POST", "/me/identity", token, claim).text]
        said += [site.ask("GET", path, token).text for path in ("/me", "/me/file", "/me/consents")]
        seen = site.simulator.seen_user(user)
        secrets = [SIMULATOR_SECRET, seen["openid"], seen["session_key"], seen["phone"]]
        secrets += [jia.number, site.simulator.token()]
        for secret in secrets:
            assert secret not in "".join(said)
            assert secret not in site.log
        assert token not in site.log
        assert jia.name not in site.log
        with database.connect() as connection:
            for table in (
                "resident",
                "wechat_user",
                "audit_event",
                "account_session",
                "rate_window",
            ):
                kept = connection.execute(text(f"SELECT string_agg(t::text, '') FROM {table} AS t"))
                plain = kept.scalar_one() or ""
                assert not [one for one in secrets if one in plain]


def test_a_phone_is_bound_by_its_code_once_and_by_its_owner_alone(site: Site) -> None:
    token = site.log_in("resident1")
    code = site.simulator.phone_code("resident1")
    answer = site.ask("POST", "/me/phone", token, {"code": code})
    assert (answer.status_code, answer.json) == (200, {"phone": "199****0001"})
    refused = site.ask("POST", "/me/phone", token, {"code": code})
    assert (refused.status_code, refused.json["type"]) == (422, "/problems/phone-code-unusable")
    others = site.simulator.phone_code("resident2")
    assert site.ask("POST", "/me/phone", token, {"code": others}).status_code == 422
    me = site.ask("GET", "/me", token).json
    assert (me["level"], me["phone"], me["person_id"]) == (1, "199****0001", None)
    assert site.ask("DELETE", "/me/phone", token).status_code == 204
    assert site.ask("GET", "/me", token).json["level"] == 0


def test_the_tries_of_an_account_are_told_without_telling_what_was_wrong(
    site: Site, jia: Townsman
) -> None:
    token = site.log_in()
    body = {"name": "测试乙", "id_number": jia.number}
    refused = site.ask("POST", "/me/identity", token, body)
    assert (refused.status_code, refused.json["type"]) == (403, "/problems/phone-missing")
    assert refused.json["title"] == "还没有绑定手机号"
    give_phone(site, token)
    answers = [site.ask("POST", "/me/identity", token, body) for _ in range(6)]
    assert [one.status_code for one in answers] == [422] * 5 + [429]
    assert answers[0].json["type"] == "/problems/name-not-matched"
    assert "柜台" in answers[5].json["errors"][0]["detail"]


def test_a_resident_becomes_known_and_sees_the_file_and_who_looked(
    site: Site, town: Townsfolk, jia: Townsman
) -> None:
    town.register.identity("测试甲", "subsistence_allowance", "2023-01-01")
    token = site.log_in()
    refused = site.ask("GET", "/me/file", token)
    assert (refused.status_code, refused.json["type"]) == (403, "/problems/not-named")
    assert refused.json["title"] == "还没有实名"
    assert "实名" in refused.json["detail"]
    prove(site, token, jia)
    file = site.ask("GET", "/me/file", token).json
    assert (file["name"], file["number"][3:14]) == (jia.name, "*" * 11)
    assert [one["category"]["code"] for one in file["identities"]] == ["subsistence_allowance"]
    assert file["identities"][0]["category"]["name"]
    assert site.ask("GET", "/me/viewers", token).json == {"viewers": [], "next": None}
    seen = site.ask("GET", "/me/viewers?own=true", token).json["viewers"]
    assert [(one["why"], one["parts"][0]) for one in seen] == [
        ("查看本人或家人的情况", "查看记录"), ("查看本人或家人的情况", "姓名和住址"),
        ("核对本人身份", "姓名和住址"),
    ]  # fmt: skip
    stranger, nobody = town.person("测试乙").id, 999_999_999
    hidden = [site.ask("GET", f"/me/file?person={one}", token) for one in (stranger, nobody)]
    assert [one.status_code for one in hidden] == [404, 404]
    said = [{**one.json, "instance": ""} for one in hidden]
    assert said[0] == said[1]
    with town.engine.connect() as connection:
        denied = connection.execute(
            text("SELECT detail->>'person' FROM audit_event WHERE action = 'denied.access'"
                 " AND detail->>'status' = '404' ORDER BY id")
        )  # fmt: skip
        assert denied.scalars().all() == [str(stranger), str(nobody)]


def test_who_looked_is_told_with_office_and_number_page_by_page(
    site: Site, town: Townsfolk, jia: Townsman
) -> None:
    token = site.log_in()
    prove(site, token, jia)
    town.accounts.change(
        "INSERT INTO area_unit (code, name, file_id) VALUES (320281101000, '测试镇', 1)"
    )
    for role, area, number in (
        ("township_reviewer", "320281101", "R1"), ("county_officer", "320281", "C1"),
    ):  # fmt: skip
        staff = town.accounts.staff_token(role, area, number)
        answer = site.ask("GET", f"/people/{jia.id}/delegates", staff)
        assert answer.status_code == 200
    first = site.ask("GET", "/me/viewers?most=1", token).json
    (seen,) = first["viewers"]
    assert seen["by"] == "江阴市县级经办人员（工号 C1）"
    second = site.ask("GET", f"/me/viewers?most=1&before={first['next']}", token).json
    (seen,) = second["viewers"]
    assert seen["by"] == "江阴市测试镇乡镇（街道）初审员（工号 R1）"
    assert seen["why"] == "审核救助"
    assert "工作人员" not in seen["sentence"]  # that is what the colleague is called: no names
    last = site.ask("GET", f"/me/viewers?most=1&before={second['next']}", token).json
    assert last == {"viewers": [], "next": None}


def test_the_interface_and_the_end_of_an_account(site: Site, jia: Townsman) -> None:
    token = site.log_in()
    assert site.ask("PATCH", "/me", token, {"ui_mode": "elder"}).json["ui_mode"] == "elder"
    assert site.ask("PATCH", "/me", token, {"ui_mode": "huge"}).status_code == 422
    assert site.ask("PATCH", "/me", token, {"ui_mode": "elder", "level": 2}).status_code == 422
    other = site.log_in()
    assert site.ask("DELETE", "/sessions/current", token).status_code == 204
    assert site.ask("GET", "/me", token).status_code == 401
    prove(site, other, jia)
    assert site.ask("DELETE", "/me", other).status_code == 204
    assert site.ask("GET", "/me", other).status_code == 401
    again = site.log_in()
    assert site.ask("GET", "/me", again).json["person_id"] is None
    prove(site, again, jia)  # the person may come back


def test_at_the_counter_and_at_the_bedside(site: Site, town: Townsfolk, jia: Townsman) -> None:
    token = site.log_in()
    reviewer = town.accounts.staff_token("township_reviewer", "320281101")
    shown = site.ask("POST", "/me/code", token)
    assert shown.status_code == 201
    path = f"/people/{jia.id}/confirmations"
    body = {"code": shown.json["code"], "card_seen": True}
    assert site.ask("POST", path, reviewer, body).status_code == 204
    assert site.ask("GET", "/me", token).json["person_id"] == jia.id
    coordinator = town.accounts.staff_token("village_coordinator", "320281101001", "V1")
    terms = {"scope": ["apply"], "from_on": DAY.isoformat(), "to_on": YEAR, "consent": 1}
    path = f"/people/{jia.id}/delegations"
    made = site.ask("POST", path, coordinator, terms | {"proof": "录音，编号一"})
    assert made.status_code == 201
    given = site.ask("GET", "/me/delegations", token).json["given"]
    assert [(one["staff_no"], one["channel"]) for one in given] == [("V1", "bedside")]
    path = f"/delegations/{made.json['id']}/ending"
    assert site.ask("POST", path, reviewer, {"channel": "counter"}).status_code == 204
    given = site.ask("GET", "/me/delegations", token).json["given"]
    assert [one["state"] for one in given] == ["ended"]


def test_a_child_is_taken_up_with_consent_and_lost_with_it(
    site: Site, town: Townsfolk, jia: Townsman
) -> None:
    child = town.person("测试童", birthday(DAY, -4), guardian_id=jia.id)
    token = site.log_in()
    prove(site, token, jia)
    wards = site.ask("GET", "/me/family", token).json["wards"]
    assert [(one["person_id"], one["child"]) for one in wards] == [(child.id, True)]
    body = {"person": child.id, "relationship": "child", "declares": True}
    refused = site.ask("POST", "/me/family", token, body)
    assert refused.json["type"] == "/problems/consent-missing"
    assert site.ask("POST", "/me/family", token, body | {"consent": 1}).status_code == 201
    assert site.ask("GET", f"/me/file?person={child.id}", token).json["name"] == "测试童"
    purposes = site.ask("GET", "/me/consents", token).json["purposes"]
    given = next(one["given"] for one in purposes if one["purpose"] == "children_data")
    assert site.ask("DELETE", f"/me/consents/{given[0]['id']}", token).status_code == 204
    assert site.ask("GET", f"/me/file?person={child.id}", token).status_code == 404


def test_consents_say_what_for_and_what_needs_none(site: Site, jia: Townsman) -> None:
    token = site.log_in()
    shown = site.ask("GET", "/me/consents", token).json
    assert "法定职责" in shown["statutory"]
    assert all(one["given"] == [] for one in shown["purposes"])
    prove(site, token, jia)
    body = {"purpose": "sms", "version": 1, "agrees": True}
    assert site.ask("POST", "/me/consents", token, body | {"agrees": False}).status_code == 422
    assert site.ask("POST", "/me/consents", token, body | {"version": 2}).status_code == 409
    assert (
        site.ask("POST", "/me/consents", token, body | {"purpose": "delegation"}).status_code == 422
    )
    assert site.ask("DELETE", "/me/phone", token).status_code == 204
    refused = site.ask("POST", "/me/consents", token, body)
    assert (refused.status_code, refused.json["type"]) == (403, "/problems/phone-missing")
    assert site.ask("POST", "/me/consents", token, body | {"purpose": "face_check"}).json
    give_phone(site, token)
    made = site.ask("POST", "/me/consents", token, body)
    assert made.status_code == 201
    path = f"/me/consents/{made.json['id']}"
    assert [site.ask("DELETE", path, token).status_code for _ in range(2)] == [204, 404]


def test_a_relative_is_delegated_to_by_code(site: Site, town: Townsfolk, jia: Townsman) -> None:
    token, son = site.log_in("resident1"), site.log_in("family1")
    prove(site, token, jia)
    prove(site, son, town.person("测试子"), "family1")
    code = site.ask("POST", "/me/code", son).json["code"]
    terms = {"scope": ["see"], "from_on": DAY.isoformat(), "to_on": YEAR, "consent": 1}
    body = terms | {"code": code, "relationship": "儿子"}
    outdated = site.ask("POST", "/me/delegations", token, body | {"consent": 7})
    assert (outdated.status_code, outdated.json["errors"][0]["pointer"]) == (409, "/consent")
    for wrong in ("123456", "abcdefgh"):
        refused = site.ask("POST", "/me/delegations", token, body | {"code": wrong})
        assert refused.json["errors"] == [{"pointer": "/code", "detail": "请填写 8 位数字。"}]
    again = site.ask("POST", "/me/identity", token, {"name": "测试子", "id_number": jia.number})
    assert (again.status_code, "不能再改成别人" in again.text) == (409, True)
    assert site.ask("POST", "/me/delegations", token, terms).status_code == 422
    made = site.ask("POST", "/me/delegations", token, body)
    assert made.status_code == 201
    assert site.ask("GET", f"/me/file?person={jia.id}", son).json["name"] == jia.name
    viewers = site.ask("GET", "/me/viewers", token).json["viewers"]
    assert (viewers[0]["why"], viewers[0]["by"]) == ("受委托代为办理", "测试子（受托人）")
    (shown,) = site.ask("GET", "/me/delegations", token).json["given"]
    assert (shown["relationship"], shown["relative_name"]) == ("儿子", "测试子")
    assert site.ask("DELETE", f"/me/delegations/{made.json['id']}", token).status_code == 204
    assert site.ask("GET", f"/me/file?person={jia.id}", son).status_code == 404
