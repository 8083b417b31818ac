"""Every public and printed rendering of a notice: nothing of a person but what may be shown.

`SHUKUN_NOTICE_PEOPLE`: how many people are on lists; each with a number, a phone, an account and an
illness of their own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, Final

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from backend.kernel import clock, keys
from backend.kernel import database as kernel_database
from backend.kernel.crypto import Place
from backend.kernel.settings import Settings
from miniprogram_api.app import create_app
from miniprogram_api.pages import notices_page
from tests.support.canary_people import Canaries, canaries, on_lists
from tests.support.case_world import CaseWorld
from tests.support.notice_days import days_later, days_up, several_up

PEOPLE: Final = int(os.environ.get("SHUKUN_NOTICE_PEOPLE", "150"))
RENDERERS: Final = {
    "GET /api/v1/public-notices": "/api/v1/public-notices",
    "GET /api/v1/public-notices/<notice>": "/api/v1/public-notices/{}",
    "GET /notices": "/notices",
    "GET /notices/<notice>": "/notices/{}",
}
"""Every way in which a list is shown to anybody: one that is not here fails the build."""
_VARIABLE: Final = re.compile(r"<(?:[^:>]+:)?(\w+)>")


@pytest.fixture
def site(world: CaseWorld, app_database: Engine, tmp_path: Path) -> Iterator[Flask]:
    keys.bind(tmp_path / "keys.json")
    app = create_app(Settings(keys=tmp_path / "keys.json"))
    with kernel_database.bound(app_database):
        yield app


@pytest.fixture
def client(site: Flask) -> FlaskClient:
    return site.test_client()


@pytest.fixture
def people(world: CaseWorld) -> Canaries:
    return canaries(world, PEOPLE)


def notices(client: FlaskClient) -> list[int]:
    return [
        one["id"] for one in client.get(RENDERERS["GET /api/v1/public-notices"]).json["notices"]
    ]


def rendered(client: FlaskClient) -> str:
    """All of them, with all that they show."""
    pages = [
        path.format(notice) for path in RENDERERS.values() for notice in notices(client)
    ]  # fmt: skip
    return "\n".join(client.get(path).get_data(as_text=True) for path in dict.fromkeys(pages))


def test_every_way_in_which_a_list_is_shown_is_in_the_register(site: Flask) -> None:
    found = {
        "GET " + _VARIABLE.sub(r"<\1>", rule.rule)
        for rule in site.url_map.iter_rules()
        if "notices" in rule.rule and "GET" in (rule.methods or set())
    }
    assert found == set(RENDERERS)


def test_no_number_phone_account_illness_or_name_is_in_any_of_them(
    world: CaseWorld, client: FlaskClient, people: Canaries
) -> None:
    on_lists(world, people)
    shown = rendered(client)
    assert shown.count("申请") > 0
    assert len(re.findall(r"\*{16}[0-9X*]{2}", shown)) == 2 * PEOPLE
    assert [secret for secret in people.secrets if secret in shown] == []


def test_a_list_that_is_not_masked_is_noticed(
    world: CaseWorld, client: FlaskClient, people: Canaries
) -> None:
    on_lists(world, people)
    with world.owner.begin() as connection:
        for trigger in ("public_notice_entry_kept",):
            connection.execute(text(f"DROP TRIGGER {trigger} ON public_notice_entry"))
        connection.execute(
            text("ALTER TABLE public_notice_entry DROP CONSTRAINT"
                 " ck_public_notice_entry_number_masked")
        )  # fmt: skip
        connection.execute(
            text("UPDATE public_notice_entry SET number = :number"
                 " WHERE id = (SELECT min(id) FROM public_notice_entry)"),
            {"number": people.secrets[0]},
        )  # fmt: skip
    shown = rendered(client)
    assert people.secrets[0] in shown


def test_after_the_last_day_nothing_is_shown_and_nothing_was_kept(
    world: CaseWorld, client: FlaskClient, people: Canaries
) -> None:
    on_lists(world, people)
    up = notices(client)
    ways = [path.format(one) for path in RENDERERS.values() if "{}" in path for one in up]
    for path in (*ways, "/notices", "/api/v1/public-notices"):
        assert client.get(path).status_code == 200
        assert client.get(path).headers["Cache-Control"] == "no-store"
    days_later(world.owner, days_up(world.owner) + 1)
    assert notices(client) == []
    for path in ways:
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.headers["Cache-Control"] == "no-store"
        assert "公示期" in answer.get_data(as_text=True)


def test_lists_that_fill_more_than_a_page_are_reached_by_its_next(
    world: CaseWorld, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.today = clock.today()
    first, second = several_up(world, 2)
    page = client.get("/api/v1/public-notices?area=320281&most=1").json
    assert ([one["id"] for one in page["notices"]], page["next"]) == ([second], second)
    page = client.get(f"/api/v1/public-notices?most=1&before={page['next']}").json
    assert ([one["id"] for one in page["notices"]], page["next"]) == ([first], None)
    assert "下一页" not in client.get("/notices").get_data(as_text=True)
    monkeypatch.setattr(notices_page, "A_PAGE", 1)
    shown = client.get("/notices?area=320281").get_data(as_text=True)
    (following,) = re.findall(r'<a href="([^"]+)">下一页</a>', shown)
    shown = client.get(unescape(following)).get_data(as_text=True)
    assert f"/notices/{first}" in shown
    assert f"/notices/{second}" not in shown
    assert "下一页" not in shown
    assert client.get("/notices?before=0x1").status_code == 200


def test_an_objection_over_http_is_one_with_its_code(
    world: CaseWorld, client: FlaskClient, people: Canaries
) -> None:
    on_lists(world, people)
    (notice, *_) = notices(client)
    entry = client.get(f"/api/v1/public-notices/{notice}").json["entries"][0]["id"]
    sent = {"entry": entry, "words": "与实际不符", "key": "key-of-mine-1"}
    path = f"/api/v1/public-notices/{notice}/objections"
    codes = {client.post(path, json=sent).json["code"] for _ in range(3)}
    assert len(codes) == 1
    found = client.get(f"/api/v1/notice-objections/{codes.pop()}").json
    assert (found["state"], found["decided_on"], found["answer"]) == ("open", None, "")
    assert client.get("/api/v1/notice-objections/AAAAAAAAAA").status_code == 404


def test_objections_of_one_address_are_limited(world: CaseWorld, client: FlaskClient) -> None:
    sent: dict[str, Any] = {"entry": 1, "words": "不符"}
    statuses = [
        client.post("/api/v1/public-notices/1/objections", json=sent | {"key": f"key-{one:06d}"})
        .status_code for one in range(32)
    ]  # fmt: skip
    assert statuses == [404] * 30 + [429] * 2


def test_the_sealed_words_open_with_the_shared_key_alone(
    world: CaseWorld, client: FlaskClient, people: Canaries
) -> None:
    on_lists(world, people)
    (notice, *_) = notices(client)
    entry = client.get(f"/api/v1/public-notices/{notice}").json["entries"][0]["id"]
    sent = {"entry": entry, "words": "不符", "key": "key-of-mine-1", "contact": "王"}
    client.post(f"/api/v1/public-notices/{notice}/objections", json=sent)
    with world.owner.connect() as connection:
        row = connection.execute(text("SELECT id, words, contact FROM notice_objection")).one()
    for column, said in (("words", "不符"), ("contact", "王")):
        sealed = bytes(getattr(row, column))
        opened = keys.keyring().shared().open(Place("notice_objection", column, row.id), sealed)
        assert opened == said
