"""What can happen to a case on its way: asked for more, refused and appealed, taken back, revoked,
applied for by a doctor, decided twice.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Engine

from backend.kernel.clock import today
from tests.support.accounts import Accounts
from tests.support.case_http import BOOK, Applying, County, Office, county

WUXI: Final = "wuxi-2022-98"
DAY: Final = today().isoformat()
CHRONIC: Final = BOOK.procedure(WUXI, "chronic_certification")


@pytest.fixture
def place(database: Engine, app_database: Engine, accounts: Accounts, tmp_path: Path) -> County:
    return county(database, app_database, tmp_path, accounts, "320281")


def applied(place: County, who: str = "测试甲", whom: str = "") -> Applying:
    applying = Applying(place, who, CHRONIC, whom)
    applying.apply()
    return applying


def test_what_is_asked_for_comes_and_the_case_goes_on(place: County) -> None:
    applying = applied(place)
    office = Office(place, applying.case)
    office.step("镇甲", "accept")
    office.step("镇甲", "ask", note="请补交近一年的检查报告")
    seen = place.get("测试甲", f"/applications/{applying.case}")
    assert seen["state"] == "supplement"
    assert seen["steps"][-1]["note"] == "请补交近一年的检查报告"
    applying.photograph("examination")
    place.call(
        "测试甲", "PUT", f"/applications/{applying.case}/answers/hospital",
        json={"value": "测试二院", "version": 1},
    )  # fmt: skip
    place.post("测试甲", f"/applications/{applying.case}/supplement")
    office.step("镇乙", "review")
    assert office.step("县甲", "approve")["state"] == "granted"


def test_the_applicant_is_not_shown_what_the_office_says_to_itself(place: County) -> None:
    applying = applied(place)
    office = Office(place, applying.case)
    office.step("镇甲", "accept")
    office.step("镇甲", "review", proposal="refuse")
    office.step("县甲", "return", note="内部说明")
    office.step("镇甲", "review", note="内部说明")
    seen = place.get("测试甲", f"/applications/{applying.case}")
    assert [one["deed"] for one in seen["steps"]] == ["submit", "accept", "review", "review"]
    assert {(one["proposal"], one["note"]) for one in seen["steps"]} == {("", "")}
    whole = place.get("县甲", f"/cases/{applying.case}")["steps"]
    assert [one["deed"] for one in whole][-2:] == ["return", "review"]
    assert {one["proposal"] for one in whole} == {"", "refuse", "grant"}
    assert whole[-1]["note"] == "内部说明"


def test_a_refusal_says_why_and_an_appeal_is_decided_by_others(place: County) -> None:
    applying = applied(place)
    office = Office(place, applying.case)
    office.step("镇甲", "accept")
    office.step("镇甲", "review", proposal="refuse")
    wrong = office.step("县甲", "refuse", 422, reason="no_such_reason")
    assert "病种不在名单里" in wrong["errors"][0]["detail"]
    office.step("县甲", "refuse", reason="not_listed", note="名单里没有这种病")
    seen = place.get("测试甲", f"/applications/{applying.case}")
    assert (seen["state"], seen["steps"][-1]["reason"]) == ("refused", "not_listed")
    assert {one["clock"] for one in seen["clocks"]} == {"appeal"}
    place.post("测试甲", f"/applications/{applying.case}/appeal", why="诊断写的就是名单里的病")
    refused = office.step("县甲", "overturn", 403)
    assert refused["type"].endswith("application-another-person")
    office.step("县乙", "overturn", note="核对后成立")
    office.step("镇乙", "review")
    assert office.step("县丙", "approve")["state"] == "granted"


def test_a_case_is_taken_back_by_its_applicant_before_it_is_decided(place: County) -> None:
    applying = applied(place)
    for _ in range(2):
        taken = place.post("测试甲", f"/applications/{applying.case}/withdrawal")
        assert taken["state"] == "withdrawn"
    Office(place, applying.case).step("镇甲", "accept", 409)
    assert Applying(place, "测试甲", CHRONIC).county.get("测试甲", "/applications")["applications"]


def test_a_doctor_applies_with_a_delegation_and_the_person_sees_it(place: County) -> None:
    person = place.people["测试甲"].id
    body = {"person": person, "kind": CHRONIC.kind, "key": "doctor-key-0000001"}
    place.post("医生", "/applications", 404, **body)
    delegated = {
        "scope": ["see", "apply", "materials"], "from_on": DAY, "to_on": DAY, "consent": 1,
        "proof": "签名纸，测试",
    }  # fmt: skip
    place.post("医生", f"/people/{person}/delegations", 201, **delegated)
    place.people["医生"] = place.people["测试甲"]
    applying = applied(place, "医生", "测试甲")
    seen = place.get("测试甲", f"/applications/{applying.case}")
    assert seen["state"] == "submitted"
    assert place.get("医生", f"/applications/{applying.case}")["name"] == "测试甲"


def test_a_grant_is_revoked_by_two(place: County) -> None:
    applying = applied(place)
    office = Office(place, applying.case)
    office.step("镇甲", "accept")
    office.step("镇甲", "review")
    office.step("县甲", "approve")
    office.step("镇乙", "propose", note="诊断证明是假的")
    assert office.step("县乙", "revoke", note="核对属实")["state"] == "revoked"


def test_who_saw_an_older_page_decides_nothing(place: County) -> None:
    applying = applied(place)
    path = f"/cases/{applying.case}/steps"
    place.post("镇甲", path, deed="accept", seq=1)
    again = place.post("镇乙", path, 409, deed="accept", seq=1)
    assert again["type"].endswith("application-moved")


def test_many_of_the_filing_kind_are_filed_at_once_and_others_are_told_why(place: County) -> None:
    referral = BOOK.procedure(WUXI, "referral")
    filed = []
    for name in ("测试乙", "测试丙", "测试丁"):
        place.resident(name)
        one = Applying(place, name, referral)
        one.begin()
        one.fill()
        one.submit()
        Office(place, one.case).step("镇甲", "accept")
        filed.append(one.case)
    other = applied(place)
    Office(place, other.case).step("镇甲", "accept")
    wanted = [{"id": case, "seq": 2} for case in (*filed, other.case, 999_999_999)]
    answer = place.post("镇乙", "/cases/filings", cases=wanted)["cases"]
    assert [one["filed"] for one in answer] == [True, True, True, False, False]
    assert all("请" in one["detail"] for one in answer[3:])
    assert other.state() == "accepted"


def test_the_list_of_a_desk_names_nobody(place: County) -> None:
    applied(place)
    listed: dict[str, Any] = place.get("镇甲", "/cases")
    assert listed["waiting"] == 1
    assert "测试甲" not in str(listed)
    assert place.get("县甲", "/cases")["waiting"] == 0


def test_in_an_emergency_the_certificate_is_enough_and_help_comes_first(place: County) -> None:
    applying = Applying(place, "测试甲", BOOK.procedure(WUXI, "recognition"))
    applying.begin()
    applying.fill()
    path = f"/applications/{applying.case}"
    place.call("测试甲", "PUT", f"{path}/fast-lane", 204, json={"fast_lane": True})
    place.post("测试甲", f"{path}/submission", 422)
    applying.photograph("diagnosis_certificate")
    applying.sign()
    applying.submit()
    office = Office(place, applying.case)
    office.step("镇甲", "accept")
    assert [one["id"] for one in place.get("县甲", "/cases")["cases"]] == [applying.case]
    office.step("县甲", "help")
    clocks = {one["clock"] for one in place.get("测试甲", path)["clocks"]}
    assert clocks == {"approval", "papers_owed"}
    office.step("镇乙", "review")
    assert office.step("县乙", "approve")["state"] == "granted"
