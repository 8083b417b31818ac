from __future__ import annotations

import hmac
from hashlib import sha256

from backend.kernel.settings_wechat import SIMULATOR_SECRET
from tests.support.wechat import APPID, Json, Simulator


def session(sim: Simulator, code: str, **other: str) -> Json:
    query = {"appid": APPID, "secret": SIMULATOR_SECRET, "grant_type": "authorization_code"}
    return sim.call("GET", "/sns/jscode2session", **{**query, "js_code": code, **other})


def test_a_code_becomes_the_openid_once(wechat_simulator: Simulator) -> None:
    code = wechat_simulator.login("resident1")
    said = session(wechat_simulator, code)
    assert said["openid"] == wechat_simulator.openid("resident1")
    assert said["errcode"] == 0
    assert session(wechat_simulator, code)["errcode"] == 40163
    assert session(wechat_simulator, "0" * 32)["errcode"] == 40029


def test_a_code_lives_for_five_minutes(wechat_simulator: Simulator) -> None:
    first, second = (wechat_simulator.login("resident1") for _ in range(2))
    wechat_simulator.advance(295)
    assert session(wechat_simulator, first)["errcode"] == 0
    wechat_simulator.advance(6)
    assert session(wechat_simulator, second)["errcode"] == 40029


def test_a_code_for_login_is_none_for_the_phone_and_the_other_way_round(
    wechat_simulator: Simulator,
) -> None:
    phone = wechat_simulator.phone_code("resident1")
    assert session(wechat_simulator, phone)["errcode"] == 40029
    assert number(wechat_simulator, wechat_simulator.login("resident1"))["errcode"] == 40029


def test_app_and_secret_are_looked_at_before_the_code(wechat_simulator: Simulator) -> None:
    code = wechat_simulator.login("resident1")
    assert session(wechat_simulator, code, appid="wx0")["errcode"] == 40013
    assert session(wechat_simulator, code, secret="wrong")["errcode"] == 40125
    assert session(wechat_simulator, code)["errcode"] == 0


def test_a_user_of_high_risk_is_blocked(wechat_simulator: Simulator) -> None:
    wechat_simulator.user("resident1", blocked=True)
    code = wechat_simulator.login("resident1")
    assert session(wechat_simulator, code)["errcode"] == 40226


def test_one_user_logs_in_a_hundred_times_a_minute(wechat_simulator: Simulator) -> None:
    codes = [wechat_simulator.login("resident1") for _ in range(101)]
    found = [session(wechat_simulator, code)["errcode"] for code in codes]
    # The minute may change in between: then none is too many.
    assert found[:100] == [0] * 100
    wechat_simulator.advance(60)
    assert session(wechat_simulator, wechat_simulator.login("resident1"))["errcode"] == 0


def test_an_access_token_sent_to_login_is_noted(wechat_simulator: Simulator) -> None:
    wechat_simulator.expect_unexpected()
    session(wechat_simulator, wechat_simulator.login("resident1"), access_token="any")
    assert "access_token sent to jscode2session" in wechat_simulator.unexpected()[0]["unexpected"]


def test_a_session_is_checked_by_its_signature_and_changed(wechat_simulator: Simulator) -> None:
    said = session(wechat_simulator, wechat_simulator.login("resident1"))
    token = wechat_simulator.token()

    def signed(path: str, key: str) -> Json:
        signature = hmac.new(key.encode(), b"", sha256).hexdigest()
        return wechat_simulator.call(
            "GET", path, access_token=token, openid=said["openid"], signature=signature,
            sig_method="hmac_sha256",
        )  # fmt: skip

    assert signed("/wxa/checksession", said["session_key"])["errcode"] == 0
    assert signed("/wxa/checksession", "other")["errcode"] == 87009
    changed = signed("/wxa/resetusersessionkey", said["session_key"])
    assert changed["session_key"] != said["session_key"]
    assert signed("/wxa/checksession", said["session_key"])["errcode"] == 87009


def number(sim: Simulator, code: str, **more: str) -> Json:
    body = {"code": code, **more}
    return sim.call("POST", "/wxa/business/getuserphonenumber", body, access_token=sim.token())


def test_a_phone_code_becomes_the_number_once(wechat_simulator: Simulator) -> None:
    code = wechat_simulator.phone_code("resident1")
    info = number(wechat_simulator, code)["phone_info"]
    assert (info["phoneNumber"], info["purePhoneNumber"]) == ("19900000001", "19900000001")
    assert info["countryCode"] == "86"
    assert info["watermark"]["appid"] == APPID
    assert number(wechat_simulator, code)["errcode"] == 40029


def test_the_country_code_may_be_a_number(wechat_simulator: Simulator) -> None:
    wechat_simulator.control("POST", "/quirks", {"country_code_is_number": True})
    info = number(wechat_simulator, wechat_simulator.phone_code("resident1"))["phone_info"]
    assert info["countryCode"] == 86


def test_a_phone_code_is_bound_to_its_openid_and_app(wechat_simulator: Simulator) -> None:
    code = wechat_simulator.phone_code("resident1")
    other = wechat_simulator.openid("resident2")
    assert number(wechat_simulator, code, openid=other)["errcode"] == 40029
    wechat_simulator.app("wxother00000000001", "another-secret-of-an-app")
    token = wechat_simulator.token("wxother00000000001", "another-secret-of-an-app")
    path = "/wxa/business/getuserphonenumber"
    assert (
        wechat_simulator.call("POST", path, {"code": code}, access_token=token)["errcode"] == 40013
    )
    own = wechat_simulator.openid("resident1")
    assert number(wechat_simulator, code, openid=own)["errcode"] == 0
