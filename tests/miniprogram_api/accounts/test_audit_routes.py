"""Auditors read what happened, page by page; nobody else does."""

from __future__ import annotations

import pytest

from backend.kernel.clock import today
from tests.miniprogram_api.accounts.conftest import Site
from tests.support.townsfolk import Townsfolk, Townsman

COUNTY = "320281"


@pytest.fixture
def auditor(town: Townsfolk) -> str:
    return town.accounts.staff_token("auditor", COUNTY, "A1")


@pytest.fixture
def looked(site: Site, town: Townsfolk, jia: Townsman) -> Townsman:
    """A reviewer looked at somebody twice, and was refused somebody else."""
    reviewer = town.accounts.staff_token("township_reviewer", "320281101", "R1")
    for _ in range(2):
        assert site.ask("GET", f"/people/{jia.id}/delegates", reviewer).status_code == 200
    assert site.ask("GET", "/people/999999999/delegates", reviewer).status_code == 404
    return jia


def asked(site: Site, auditor: str, query: str = "") -> list[tuple[str, str]]:
    answer = site.ask("GET", f"/audit?{query}", auditor)
    assert answer.status_code == 200, answer.json
    return [(one["action"], one["subject_id"]) for one in answer.json["events"]]


def test_an_auditor_finds_looks_and_refusals_by_person_account_deed_and_day(
    site: Site, auditor: str, looked: Townsman
) -> None:
    look, denied = (
        ("person.read", str(looked.id)),
        "GET /api/v1/people/<int(max=999999999999):person>",
    )
    assert asked(site, auditor, f"person={looked.id}") == [look, look]
    assert asked(site, auditor, "person=999999999") == [("denied.access", f"{denied}/delegates")]
    assert len(asked(site, auditor, "actor=staff:R1")) == 3
    assert asked(site, auditor, "action=person.read") == [look, look]
    day = today().isoformat()
    assert len(asked(site, auditor, f"actor=staff:R1&from_on={day}&to_on={day}")) == 3
    assert asked(site, auditor, "to_on=2020-01-01") == []
    assert asked(site, auditor, "from_on=2099-01-01") == []


def test_pages_go_from_new_to_old(site: Site, auditor: str, looked: Townsman) -> None:
    query = f"/audit?person={looked.id}&most=1"
    first = site.ask("GET", query, auditor).json
    second = site.ask("GET", f"{query}&before={first['next']}", auditor).json
    assert first["events"][0]["id"] > second["events"][0]["id"]
    last = site.ask("GET", f"{query}&before={second['next']}", auditor).json
    assert last == {"events": [], "next": None}


def test_an_event_is_told_with_who_in_which_role_and_why(
    site: Site, auditor: str, looked: Townsman
) -> None:
    event = site.ask("GET", f"/audit?person={looked.id}", auditor).json["events"][0]
    assert (event["actor"], event["role"], event["purpose"], event["area"]) == (
        "staff:R1", "乡镇（街道）初审员", "审核救助", "320281101000",
    )  # fmt: skip
    assert event["detail"] == {"fields": ["basic", "consents"]}
    assert looked.name not in str(event)


def test_what_the_auditor_asked_is_itself_written_down(
    site: Site, auditor: str, looked: Townsman
) -> None:
    asked(site, auditor, f"person={looked.id}")
    (shown,) = site.ask("GET", "/audit?action=audit.shown", auditor).json["events"]
    assert (shown["actor"], shown["detail"]) == ("staff:A1", {"asked": {"person": str(looked.id)}})


def test_an_auditor_of_elsewhere_sees_nothing_of_it(
    site: Site, town: Townsfolk, looked: Townsman
) -> None:
    elsewhere = town.accounts.staff_token("auditor", "330382")
    assert asked(site, elsewhere, f"person={looked.id}") == []


def test_what_is_asked_wrongly_is_said(site: Site, auditor: str) -> None:
    for query in ("person=0", "most=201", "from_on=yesterday", "unknown=1"):
        assert site.ask("GET", f"/audit?{query}", auditor).status_code == 422
