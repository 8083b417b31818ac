"""Kept answers: the same bytes, a tag, and nothing kept past a newly confirmed day."""

from __future__ import annotations

import io
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from backend.kernel.database import transaction
from backend.kernel.settings import Settings
from backend.policies.catalogue import load_catalogue
from backend.policies.confirmation import ConfirmDates, confirm_dates
from miniprogram_api import rulebook
from miniprogram_api.app import create_app
from miniprogram_api.policies import answering
from miniprogram_api.policies.answering import Answers

ON = {"on": "2024-06-01"}
WUXI = "/api/v1/policies/wuxi-2022-98"


def test_an_answer_may_be_kept_for_a_minute_and_is_told_apart_by_its_tag(
    client: FlaskClient,
) -> None:
    first, again = client.get(WUXI, query_string=ON), client.get(WUXI, query_string=ON)
    assert first.data == again.data
    assert first.headers["ETag"] == again.headers["ETag"]
    assert first.headers["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize("path", [WUXI, "/api/v1/areas", "/api/v1/policies"])
def test_who_has_the_answer_already_is_told_so(client: FlaskClient, path: str) -> None:
    tag = client.get(path).headers["ETag"]
    answer = client.get(path, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.data) == (304, b"")


def test_another_day_has_another_tag_and_says_its_day(client: FlaskClient) -> None:
    one = client.get(WUXI, query_string=ON)
    other = client.get(WUXI, query_string={"on": "2024-06-02"})
    assert one.headers["ETag"] != other.headers["ETag"]
    assert (one.json or {})["on"] == "2024-06-01"
    assert {**(one.json or {}), "on": ""} == {**(other.json or {}), "on": ""}


def test_days_between_two_turns_share_one_answer() -> None:
    kept = Answers(load_catalogue())
    wuxi, plan = kept.book.policy("wuxi-2022-98"), kept.book.policy("plan-2026")
    assert kept.moment(wuxi, date(2025, 1, 1)) == kept.moment(wuxi, date(2026, 1, 1))
    assert kept.moment(wuxi, date(2024, 9, 30)) != kept.moment(wuxi, date(2024, 10, 1))
    assert kept.moment(plan, date(2025, 12, 31)) != kept.moment(plan, date(2026, 1, 1))
    assert kept.moment(plan, date(2026, 12, 31)) != kept.moment(plan, date(2027, 1, 1))


def test_the_oldest_answer_goes_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "MOST_KEPT", 2)
    kept = Answers(load_catalogue())
    made: list[int] = []
    for key in (1, 2, 3, 2, 1):
        kept.keep(key, lambda key=key: made.append(key))
    assert made == [1, 2, 3, 1]


def test_a_newly_confirmed_day_shows_at_once(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rulebook, "FRESH_SECONDS", 0.0)
    client = create_app(Settings(), log_stream=io.BytesIO()).test_client()
    tinghu = "/api/v1/policies/tinghu-trial"
    before = client.get(tinghu, query_string=ON).json or {}
    confirmed = ConfirmDates("tinghu-trial", date(2023, 1, 1), date(2024, 12, 31), "李工")
    with transaction() as session:
        confirm_dates(session, load_catalogue(), confirmed)
    after = client.get(tinghu, query_string=ON).json or {}
    lapsed = client.get(tinghu, query_string={"on": "2025-01-01"}).json or {}
    assert [one["state"] for one in (before, after, lapsed)] == [
        "unconfirmed",
        "in_force",
        "expired",
    ]
    assert (after["in_force_from"], after["in_force_to"]) == ("2023-01-01", "2024-12-31")
