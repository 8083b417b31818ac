"""Who was asked to hand papers in, and no more, finds the case by themselves, and nothing in it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Engine, text

from backend.kernel import database as kernel_database
from backend.kernel.clock import today
from backend.kernel.database import transaction
from tests.support.accounts import Accounts
from tests.support.case_http import BOOK, Applying, County, Office, county
from tests.support.handing_in import photo

WUXI: Final = "wuxi-2022-98"
CHRONIC: Final = BOOK.procedure(WUXI, "chronic_certification")
CLOSED_TO: Final = ("/applications/{}", "/applications/{}/progress")
"""What shows something of what is in it."""
TABLES: Final = (
    "application", "application_answer", "application_step", "application_clock", "paper", "letter",
)  # fmt: skip


@pytest.fixture
def place(database: Engine, app_database: Engine, tmp_path: Path, accounts: Accounts) -> County:
    return county(database, app_database, tmp_path, accounts, "320281")


@pytest.fixture
def applying(place: County) -> Applying:
    """A draft that is filled in, with one paper."""
    own = Applying(place, "测试甲", CHRONIC)
    own.begin()
    own.fill()
    own.photograph()
    return own


def delegate(place: County, *scope: str, who: str = "医生") -> int:
    """It is delegated at the bedside, for today."""
    day = today().isoformat()
    body = {
        "scope": list(scope),
        "from_on": day,
        "to_on": day,
        "consent": 1,
        "proof": "签名纸，测试",
    }
    person = place.people["测试甲"].id
    made: dict[str, Any] = place.post(who, f"/people/{person}/delegations", 201, **body)
    return int(made["id"])


def found_by(place: County, who: str = "医生") -> tuple[list[Any], list[Any]]:
    """The cases that somebody finds: whole ones, and those for papers."""
    answer = place.get(who, "/applications")
    return answer["applications"], answer["for_papers"]


def announced(
    place: County, case: int, expect: int = 201, kind: str = "diagnosis_certificate"
) -> Any:
    data = photo(seed=7)
    return place.post(
        "医生", f"/applications/{case}/papers", expect, kind=kind, size=len(data),
        key="0123456789abcdef", sha256=hashlib.sha256(data).hexdigest(),
    )  # fmt: skip


def test_a_paper_that_the_procedure_does_not_name_is_refused_with_those_it_does(
    place: County, applying: Applying
) -> None:
    delegate(place, "materials")
    refused = announced(place, applying.case, 422, "nosuch")
    assert refused["type"] == "/problems/unknown-paper-kind"
    assert "诊断证明（diagnosis_certificate）、检查报告（examination）" in str(refused)
    announced(place, applying.case)


def test_nobody_finds_it_without_a_delegation(place: County, applying: Applying) -> None:
    assert found_by(place) == ([], [])
    announced(place, applying.case, 404)


def test_a_delegate_for_papers_finds_the_case_and_hands_one_in(
    place: County, applying: Applying
) -> None:
    delegate(place, "materials")
    whole, papers = found_by(place)
    assert whole == []
    (one,) = papers
    assert one == {
        "id": applying.case, "person_id": place.people["测试甲"].id, "kind": CHRONIC.kind,
        "policy": WUXI, "state": "draft", "begun_at": one["begun_at"],
    }  # fmt: skip
    assert announced(place, one["id"])["state"] == "taking"
    assert place.get("测试甲", "/applications")["for_papers"] == []


def test_nothing_in_the_case_is_shown_to_them(place: County, applying: Applying) -> None:
    delegate(place, "materials")
    for path in CLOSED_TO:
        place.get("医生", path.format(applying.case), 404)
    answer = {"json": {"value": "别的", "version": 1}}
    place.call("医生", "PUT", f"/applications/{applying.case}/answers/phone", 404, **answer)
    place.post("医生", f"/applications/{applying.case}/submission", 404)
    place.post("医生", f"/applications/{applying.case}/withdrawal", 404)
    with place.owner.connect() as connection:
        (paper,) = connection.execute(text("SELECT min(id) FROM paper")).one()
    place.get("医生", f"/papers/{paper}", 404)
    for table, seen in rows_of(place, "医生").items():
        assert seen == 0, table
    assert rows_of(place, "测试甲")["application_answer"] > 0


def rows_of(place: County, who: str) -> dict[str, int]:
    """How many rows of the case the database shows to somebody's session."""
    with kernel_database.bound(place.site), transaction() as session:
        session.execute(
            text("SELECT set_config('shukun.session', :token, true)"), {"token": place.tokens[who]}
        )
        return {
            table: int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
            for table in TABLES
        }


@pytest.mark.parametrize(
    ("scope", "whole", "papers"),
    [(("see",), 1, 0), (("apply",), 1, 0), (("see", "materials"), 1, 0), (("receive",), 0, 0),
     (("materials", "receive"), 0, 1)],
)  # fmt: skip
def test_each_delegate_finds_it_where_the_delegation_says(
    place: County, applying: Applying, scope: tuple[str, ...], whole: int, papers: int
) -> None:
    delegate(place, *scope)
    assert tuple(map(len, found_by(place))) == (whole, papers)


def test_it_is_found_while_papers_are_taken_and_as_long_as_it_was_delegated(
    place: County, applying: Applying
) -> None:
    made = delegate(place, "materials")
    applying.sign()
    applying.submit()
    assert found_by(place) == ([], [])
    office = Office(place, applying.case)
    office.step("镇甲", "accept")
    assert found_by(place) == ([], [])
    office.step("镇甲", "ask")
    assert [one["state"] for one in found_by(place)[1]] == ["supplement"]
    place.call("测试甲", "DELETE", f"/me/delegations/{made}", 204)
    assert found_by(place) == ([], [])
    announced(place, applying.case, 404)


def test_a_relative_with_an_account_finds_it_as_well(place: County, applying: Applying) -> None:
    place.resident("测试乙")
    place.town.accounts.change(
        "WITH agreed AS (INSERT INTO consent (id, person_id, purpose, text_id, version,"
        " text_sha256, channel, by) VALUES (nextval('row_id'), :person, 'delegation',"
        " 'delegation', 1, sha256('x'), 'counter', '测试') RETURNING id)"
        " INSERT INTO delegation (id, person_id, resident_id, scope, from_on, to_on, consent_id,"
        " channel, recorded_by) SELECT nextval('row_id'), :person, r.id, '{materials}',"
        " DATE '2020-01-01', DATE '2099-01-01', agreed.id, 'counter', '测试' FROM agreed,"
        " resident AS r WHERE r.person_id = :other",
        person=place.people["测试甲"].id, other=place.people["测试乙"].id,
    )  # fmt: skip
    whole, papers = found_by(place, "测试乙")
    assert (whole, [one["id"] for one in papers]) == ([], [applying.case])
    place.get("测试乙", f"/applications/{applying.case}", 404)


def test_the_look_is_written_down(place: County, applying: Applying) -> None:
    delegate(place, "materials")
    found_by(place)
    with place.owner.connect() as connection:
        query = text(
            "SELECT count(*) FROM audit_event WHERE action = 'person.read' AND role ="
            " 'family_doctor' AND purpose = 'delegated' AND subject_id = :id"
        )
        values = {"id": str(place.people["测试甲"].id)}
        assert connection.execute(query, values).scalar_one() == 1


def test_who_was_asked_to_look_and_not_to_apply_is_told_so(place: County) -> None:
    body = {"person": place.people["测试甲"].id, "kind": CHRONIC.kind, "key": "doctor-key-0000001"}
    place.post("医生", "/applications", 404, **body)
    delegate(place, "see")
    refused = place.post("医生", "/applications", 403, **body)
    assert refused["type"] == "/problems/not-asked-to-apply"
    assert "勾选“代为申请”" in str(refused)
    delegate(place, "see", "apply")
    place.post("医生", "/applications", 201, **body)
