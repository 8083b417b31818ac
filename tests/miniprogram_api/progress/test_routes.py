"""Progress over HTTP: a whole case, its messages, and what a code tells without an account."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, text

from backend.applications.moves import STATES
from backend.kernel import database as kernel_database
from backend.kernel.clock import now
from backend.kernel.database import transaction
from backend.notifications.taking import take_notices
from backend.policies.procedures import KINDS
from backend.progress.words import WORDS
from miniprogram_api.progress.routes import WRONG_CODES
from miniprogram_api.progress.schemas import CASE_PROGRESS, PROGRESS, STANDING
from tests.support.accounts import Accounts
from tests.support.case_http import BOOK, Applying, County, Office, county
from tests.support.raw_cases import force_state

pytestmark = pytest.mark.postgres

POLICY, KIND = "wuxi-2022-98", "chronic_certification"
WHO = "测试甲"


@pytest.fixture
def place(database: Engine, app_database: Engine, accounts: Accounts, tmp_path: Path) -> County:
    return county(database, app_database, tmp_path, accounts, "320281")


@pytest.fixture
def applying(place: County) -> Applying:
    made = Applying(place, WHO, BOOK.procedure(POLICY, KIND))
    made.begin()
    made.fill()
    made.photograph()
    return made


def told(place: County) -> None:
    """What people are owed becomes messages."""
    with kernel_database.bound(place.owner), transaction() as session:
        session.execute(text("SET LOCAL ROLE shukun_worker"))
        take_notices(session, now())


def answer(app: Flask, site: Engine, path: str) -> Any:
    with kernel_database.bound(site):
        return app.test_client().get(path)


def test_a_resident_reads_every_step_with_the_message_that_told_of_it(
    place: County, applying: Applying
) -> None:
    applying.submit()
    office = Office(place, applying.case)
    office.step("镇甲", "accept")
    office.step("镇甲", "ask", note="请补病历首页")
    told(place)
    found = place.get(WHO, f"/applications/{applying.case}/progress")
    inbox = {one["cause"]: one["id"] for one in place.get(WHO, "/inbox")["messages"]}
    causes = [f"application:{applying.case}:{seq}" for seq in (1, 2, 3)]
    assert [step["message"] for step in found["steps"]] == [inbox[one] for one in causes]
    assert found["who"] == "您自己"
    assert found["steps"][-1]["note"] == "请补病历首页"
    assert PROGRESS.validate(found) == {}
    assert "role" not in found["steps"][0]


def test_staff_read_the_inner_steps_too_and_no_messages(place: County, applying: Applying) -> None:
    applying.submit()
    office = Office(place, applying.case)
    for who, deed in (("镇甲", "accept"), ("镇甲", "review"), ("县甲", "return")):
        office.step(who, deed)
    told(place)
    found = place.get("县乙", f"/cases/{applying.case}/progress")
    assert [step["deed"] for step in found["steps"]] == ["submit", "accept", "review", "return"]
    assert {step["message"] for step in found["steps"]} == {None}
    assert CASE_PROGRESS.validate(found) == {}
    own = place.get(WHO, f"/applications/{applying.case}/progress")
    assert [step["deed"] for step in own["steps"]] == ["submit", "accept", "review"]


def test_a_code_tells_the_state_and_nothing_personal(place: County, applying: Applying) -> None:
    code = applying.submit()
    Office(place, applying.case).step("镇甲", "ask", note="测试说明")
    typed = f"{code[:5].lower()}-{code[5:]}"
    path = f"/api/v1/progress/{typed}"
    found = answer(place.app, place.site, path).json
    assert set(found) == {"state", "state_name", "todo", "since", "until"}
    assert found["state_name"] == WORDS.states["supplement"].normal.name
    assert found["todo"] == WORDS.states["supplement"].normal.todo
    assert (found["until"]["clock"], found["until"]["late"]) == ("supplement", False)
    assert STANDING.validate(found) == {}
    page = answer(place.app, place.site, f"/progress/{code}?big=1")
    assert WORDS.states["supplement"].elder.name in page.text
    assert WORDS.states["supplement"].elder.todo in page.text
    day = found["until"]["due_on"].split("-")
    assert f"最晚 {int(day[0])}年{int(day[1])}月{int(day[2])}日 补上" in page.text
    assert KINDS[KIND] not in page.text + str(found)
    person = place.people[WHO]
    for shown in (page.text, str(found)):
        for canary in (WHO, person.number, "测试说明", "测试病种", "320281"):
            assert canary not in shown


@pytest.mark.parametrize("state", [one for one in STATES if one != "draft"])
def test_a_code_tells_every_state_in_words(place: County, applying: Applying, state: str) -> None:
    code = applying.submit()
    with place.owner.begin() as connection:
        force_state(connection, applying.case, state)
    found = answer(place.app, place.site, f"/api/v1/progress/{code}").json
    assert found["state_name"] == WORDS.states[state].normal.name


def test_unknown_malformed_and_a_drafts_codes_are_answered_alike(
    place: County, applying: Applying
) -> None:
    code = applying.submit()
    with place.owner.begin() as connection:
        force_state(connection, applying.case, "draft")
    asked = [code, "2222222222", "1", "%27--", "%E7%94%B2" * 20, "A" * 500]
    got = [answer(place.app, place.site, f"/api/v1/progress/{one}") for one in asked]
    assert {one.status_code for one in got} == {404}
    bodies = [{k: v for k, v in one.json.items() if k != "instance"} for one in got]
    assert all(one == bodies[0] for one in bodies)
    pages = [answer(place.app, place.site, f"/progress/{one}") for one in asked[:3]]
    assert {page.status_code for page in pages} == {404}
    assert all("没有查到" in page.text for page in pages)


def test_who_tries_codes_has_to_wait_and_who_has_one_does_not(
    place: County, applying: Applying
) -> None:
    code = applying.submit()
    right = f"/api/v1/progress/{code}"
    for _ in range(3):
        assert answer(place.app, place.site, right).status_code == 200
    for _ in range(WRONG_CODES.most):
        assert answer(place.app, place.site, "/api/v1/progress/2222222222").status_code == 404
    refused = answer(place.app, place.site, "/api/v1/progress/2222222222")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert answer(place.app, place.site, "/progress/2222222222").status_code == 429


def test_the_form_leads_to_the_page_of_the_code(place: County, applying: Applying) -> None:
    code = applying.submit()
    sent = answer(place.app, place.site, f"/progress?code=%20{code.lower()}%2F&big=1")
    assert (sent.status_code, sent.location) == (303, f"/progress/{code}?big=1")
    page = answer(place.app, place.site, sent.location)
    assert page.status_code == 200
    assert answer(place.app, place.site, "/progress").status_code == 200
    assert "/progress" in answer(place.app, place.site, "/").text
