from __future__ import annotations

from datetime import date
from typing import Any
from xml.etree import ElementTree

from backend.kernel.audit import Subject
from backend.kernel.database import transaction
from backend.worklist.items import NewItem, open_items
from tests.miniprogram_api.conftest import Log
from tests.miniprogram_api.matching.conftest import LOW, Site, matched
from tests.support.accounts import Accounts
from tests.support.register import YUEQING, Register

ASSISTANCE = "medical_assistance"


def json_of(site: Site, path: str) -> Any:
    answer = site.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_runs_are_listed_the_newest_first_page_by_page(poor: Register, site: Site) -> None:
    numbers = [matched(), matched(), matched(year=2023)]
    first = json_of(site, "/runs?most=2")
    assert [run["id"] for run in first["runs"]] == [numbers[2], numbers[1]]
    rest = json_of(site, f"/runs?most=2&before={first['next']}")
    assert [run["id"] for run in rest["runs"]] == [numbers[0]]
    assert rest["next"] is None


def test_runs_of_an_area_are_those_within_it_too(poor: Register, site: Site) -> None:
    poor.person("乙", YUEQING)
    here, city, away = matched(), matched("320200"), matched("330382")
    old = matched(year=2023)

    def ids(query: str) -> list[int]:
        return [run["id"] for run in json_of(site, f"/runs?{query}")["runs"]]

    assert ids("area=320281") == [old, here]
    assert ids("area=320000") == [old, city, here]
    assert ids("area=330382&year=2024") == [away]
    assert ids("year=2023") == [old]
    assert site.get("/runs?area=999999").json["type"] == "/problems/unknown-area"


def test_a_run_says_who_started_and_released_it(poor: Register, site: Site) -> None:
    number = matched("320281", 2024, "县一", "县二")
    run = json_of(site, f"/runs/{number}")["run"]
    assert run["area"] == {"code": "320281", "name": "江苏省无锡市江阴市"}
    assert (run["state"], run["as_of"], run["started_by"]) == ("released", "2024-12-31", "经办")
    assert (run["first_release_by"], run["released_by"]) == ("县一", "县二")
    assert run["released_at"].endswith("+00:00")


def test_a_run_that_is_computing_says_how_far_it_is(poor: Register, site: Site) -> None:
    number = matched(finish=False)
    found = json_of(site, f"/runs/{number}")
    assert (found["run"]["state"], found["run"]["done"]) == ("computing", 0)
    assert found["run"]["parts"] == 1
    assert found["entries"] == []


def test_a_first_run_is_all_grants(poor: Register, site: Site) -> None:
    found = json_of(site, f"/runs/{matched()}")
    assert (found["people"], found["computed"], found["bills"]) == (1, 1, 1)
    grant = {"layer": ASSISTANCE, "kind": "grant", "count": 1, "money": "510.00"}
    assert grant in found["entries"]
    first = {"layer": ASSISTANCE, "before": "0.00", "more": "510.00", "less": "0.00",
             "after": "510.00"}  # fmt: skip
    assert first in found["layers"]
    assert found["previous"] is None
    assert [reason["codes"] for reason in found["reasons"]] == [["first"]]
    assert all(one["added"] and not one["ended"] for one in found["in_kind"])
    names = {one["entitlement"]["code"]: one["entitlement"]["name"] for one in found["in_kind"]}
    assert names["deposit_waiver"] == "住院免押金，先诊疗后付费"


def test_a_later_run_is_what_changed_and_why(poor: Register, site: Site) -> None:
    first = matched()
    poor.bill("甲", "B1", "2024-03-09", "1200.00", paid={"basic": "400.00"})
    matched()
    poor.bill("甲", "B1", "2024-03-09", "900.00", paid={"basic": "400.00"})
    last = json_of(site, f"/runs/{matched()}")
    assert last["previous"]["id"] == first + 1
    assert last["entries"] == [
        {"layer": ASSISTANCE, "kind": "refund_due", "count": 1, "money": "-255.00"}
    ]
    assert last["layers"] == [
        {"layer": ASSISTANCE, "before": "680.00", "more": "0.00", "less": "-255.00",
         "after": "425.00"}
    ]  # fmt: skip
    assert last["reasons"] == [
        {"codes": ["bill"], "text": "这张结算单有更正或撤回", "count": 1, "more": "0.00",
         "less": "-255.00"}
    ]  # fmt: skip
    assert last["in_kind"] == []


def test_runs_of_the_city_count_what_stood_in_its_counties(poor: Register, site: Site) -> None:
    matched("320281")
    found = json_of(site, f"/runs/{matched('320200')}")
    assert found["entries"] == []
    assert found["layers"][0]["before"] == found["layers"][0]["after"] == "510.00"


def test_an_identity_that_ended_ends_what_came_with_it(register: Register, site: Site) -> None:
    register.person("甲")
    identity = register.identity("甲", LOW, "2023-01-01")
    matched()
    register.end_identity(identity, "2023-12-31")
    found = json_of(site, f"/runs/{matched()}")
    assert sum(one["ended"] for one in found["in_kind"]) >= 2
    assert sum(one["added"] for one in found["in_kind"]) == 0


def test_the_work_that_waits_in_the_area_is_counted_and_no_other(
    poor: Register, site: Site
) -> None:
    poor.person("乙", insurance="none")
    poor.identity("乙", LOW, "2023-01-01")
    number = matched()

    def item(subject: str, area: int) -> NewItem:
        due = date(2024, 3, 6)
        return NewItem("home_visit", Subject("x", subject), None, area, "去看看。", due)

    with transaction() as session:
        open_items(session, [item("1", 320281101001), item("2", YUEQING)], "测试")
    found = json_of(site, f"/runs/{number}")
    assert found["opened"] == 1
    assert found["waiting"] == [
        {"kind": "home_visit", "waiting": 1, "overdue": 1},
        {"kind": "enrol_first", "waiting": 1, "overdue": 0},
    ]


def test_a_run_is_drawn(poor: Register, site: Site) -> None:
    number = matched()
    answer = site.get(f"/runs/{number}/chart.svg")
    assert answer.mimetype == "image/svg+xml"
    picture = ElementTree.fromstring(answer.text)
    words = "".join(picture.itertext())
    assert "医疗救助：原有 0.00 元，新增 510.00 元，现在 510.00 元。" in words
    assert site.get(f"/runs/{number}/chart.svg").data == answer.data


def test_a_run_without_money_is_drawn_too(register: Register, site: Site) -> None:
    register.person("甲")
    answer = site.get(f"/runs/{matched()}/chart.svg")
    assert "还没有发放任何金额" in "".join(ElementTree.fromstring(answer.text).itertext())


def test_nobody_and_no_bill_can_be_told_from_the_answers(poor: Register, site: Site) -> None:
    number = matched()
    for path in ("/runs", f"/runs/{number}", f"/runs/{number}/chart.svg"):
        text = site.get(path).text
        assert "B1" not in text
        assert "person" not in text


def test_what_is_no_run_is_said_so(poor: Register, site: Site) -> None:
    assert site.get("/runs/7").json["type"] == "/problems/unknown-run"
    assert site.get("/runs/7/chart.svg").json["type"] == "/problems/unknown-run"
    for path in ("/runs/x", "/runs/99999999999999999999", "/runs/-1"):
        assert site.get(path).status_code == 404
    assert site.get("/runs?before=0&most=1000").status_code == 422


def test_the_token_stands_in_no_log_line(poor: Register, site: Site, log: Log) -> None:
    site.get("/runs")
    site.get("/runs", "w" * 43)
    assert site.token not in log.text
    assert "w" * 43 not in log.text


def test_an_officer_sees_the_runs_of_the_own_area_and_the_own_part_of_others(
    poor: Register, site: Site, accounts: Accounts
) -> None:
    poor.person("乙", YUEQING)
    poor.person("丙", 320282_101_001)
    here, city, away = matched(), matched("320200"), matched("330382")
    officer = accounts.staff_token("county_officer", "320281")
    assert [run["id"] for run in site.get("/runs", officer).json["runs"]] == [city, here]
    assert site.get(f"/runs/{city}", officer).json["people"] == 1
    assert site.get(f"/runs/{city}").json["people"] == 2
    refused = site.get(f"/runs/{away}", officer)
    assert refused.json["type"] == "/problems/unknown-run"
    unknown = site.get("/runs/77", officer).json
    assert {**unknown, "instance": ""} == {**refused.json, "instance": ""}
