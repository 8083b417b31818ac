from __future__ import annotations

import pytest

from backend.kernel.settings_wechat import SIMULATOR_SECRET
from tests.support.wechat import APPID, Json, Simulator

KNOWN = {"appid": APPID, "secret": SIMULATOR_SECRET, "grant_type": "client_credential"}


def stable(sim: Simulator, **other: Json) -> Json:
    return sim.call("POST", "/cgi-bin/stable_token", {**KNOWN, **other})


def basic(sim: Simulator, **other: str) -> Json:
    return sim.call("GET", "/cgi-bin/token", **{**KNOWN, **other})


def used(sim: Simulator, token: str) -> int | None:
    answer = sim.call("GET", "/cgi-bin/getcallbackip", access_token=token)
    return None if "ip_list" in answer else int(answer["errcode"])


def test_a_stable_token_stays_the_same_and_says_what_is_left(wechat_simulator: Simulator) -> None:
    first = stable(wechat_simulator)
    wechat_simulator.advance(6000)
    second = stable(wechat_simulator)
    assert second["access_token"] == first["access_token"]
    assert len(first["access_token"]) == 512
    assert 1190 <= second["expires_in"] <= 1200
    assert used(wechat_simulator, first["access_token"]) is None


def test_a_stable_token_is_renewed_five_minutes_before_its_end(wechat_simulator: Simulator) -> None:
    former = stable(wechat_simulator)["access_token"]
    wechat_simulator.advance(6901)
    renewed = stable(wechat_simulator)
    assert renewed["access_token"] != former
    assert renewed["expires_in"] > 7000
    assert used(wechat_simulator, former) is None
    wechat_simulator.advance(301)
    assert used(wechat_simulator, former) == 42001
    assert used(wechat_simulator, renewed["access_token"]) is None


def test_a_forced_stable_token_kills_the_former(wechat_simulator: Simulator) -> None:
    former = stable(wechat_simulator)["access_token"]
    forced = stable(wechat_simulator, force_refresh=True)["access_token"]
    assert used(wechat_simulator, former) == 40001
    assert stable(wechat_simulator, force_refresh=True)["access_token"] == forced, "within 30 s"
    wechat_simulator.advance(31)
    assert stable(wechat_simulator, force_refresh=True)["access_token"] != forced


def test_a_stable_token_is_forced_twenty_times_a_day(wechat_simulator: Simulator) -> None:
    stable(wechat_simulator)
    to_tomorrow = 86400 - int(wechat_simulator.control("GET", "/clock")["now"] + 8 * 3600) % 86400
    wechat_simulator.advance(to_tomorrow + 1)
    stable(wechat_simulator)
    for _ in range(20):
        assert "errcode" not in stable(wechat_simulator, force_refresh=True)
        wechat_simulator.advance(31)
    assert stable(wechat_simulator, force_refresh=True)["errcode"] == 45009
    assert "access_token" in stable(wechat_simulator)


def test_each_basic_token_is_new_and_the_former_has_five_minutes(
    wechat_simulator: Simulator,
) -> None:
    former, newer = (basic(wechat_simulator)["access_token"] for _ in range(2))
    assert used(wechat_simulator, former) is None
    wechat_simulator.advance(301)
    assert used(wechat_simulator, former) == 40001
    assert used(wechat_simulator, newer) is None


def test_both_kinds_of_token_know_nothing_of_each_other(wechat_simulator: Simulator) -> None:
    kept = stable(wechat_simulator)["access_token"]
    basic(wechat_simulator)
    wechat_simulator.advance(301)
    assert used(wechat_simulator, kept) is None


def test_a_token_ends_after_two_hours(wechat_simulator: Simulator) -> None:
    token = stable(wechat_simulator)["access_token"]
    wechat_simulator.advance(7201)
    assert used(wechat_simulator, token) == 42001


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"appid": "wx0000000000000000"}, 40013),
        ({"secret": "wrong"}, 40125),
        ({"appid": ""}, 41002),
        ({"secret": ""}, 41004),
        ({"grant_type": "other"}, 40002),
    ],
)
def test_who_does_not_say_who_they_are_gets_no_token(
    wechat_simulator: Simulator, other: dict[str, str], code: int
) -> None:
    assert stable(wechat_simulator, **other)["errcode"] == code
    assert basic(wechat_simulator, **other)["errcode"] == code


@pytest.mark.parametrize(("token", "code"), [("", 41001), ("x", 40014), ("x" * 512, 40001)])
def test_a_token_that_was_never_given_is_refused(
    wechat_simulator: Simulator, token: str, code: int
) -> None:
    assert used(wechat_simulator, token) == code


def test_a_refusal_carries_the_long_text_and_a_rid(wechat_simulator: Simulator) -> None:
    answer = wechat_simulator.call("GET", "/cgi-bin/getcallbackip", access_token="x" * 512)
    text, _, rid = answer["errmsg"].partition(" rid: ")
    assert text.startswith("invalid credential, access_token is invalid or not latest")
    assert [len(part) for part in rid.split("-")] == [8, 8, 8]


def test_too_many_calls_a_minute_are_slowed_down_and_a_day_stopped(
    wechat_simulator: Simulator,
) -> None:
    path = "/cgi-bin/stable_token"
    wechat_simulator.control("POST", "/limits", {"path": path, "minute": 0, "day": 100})
    assert stable(wechat_simulator)["errcode"] == 45011
    wechat_simulator.control("POST", "/limits", {"path": path, "minute": 100, "day": 0})
    assert stable(wechat_simulator)["errcode"] == 45009


def test_the_same_seed_and_calls_give_the_same_tokens(wechat_simulator: Simulator) -> None:
    first = stable(wechat_simulator)["access_token"]
    wechat_simulator.reset()
    assert stable(wechat_simulator)["access_token"] == first
