"""An objection by the form below the list, without a script, a session or a token; and its code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from backend.kernel import database as kernel_database
from backend.kernel import keys
from backend.kernel.crypto import Place
from backend.kernel.settings import Settings
from miniprogram_api.app import create_app
from tests.support.canary_people import canaries, on_lists
from tests.support.case_world import CaseWorld
from tests.support.html import Element, label_of, read
from tests.support.notice_days import days_later, days_up

LISTS: Final = "/api/v1/public-notices"
_MADE: Final = re.compile(r"查询码：<strong>([0-9A-Z]{10})</strong>")


@pytest.fixture
def client(world: CaseWorld, app_database: Engine, tmp_path: Path) -> Iterator[FlaskClient]:
    """Somebody's browser, and a list of three people that is up."""
    keys.bind(tmp_path / "keys.json")
    app = create_app(Settings(keys=tmp_path / "keys.json"))
    on_lists(world, canaries(world, 3))
    with kernel_database.bound(app_database):
        yield app.test_client()


@pytest.fixture
def path(client: FlaskClient) -> str:
    (notice,) = asked(client, LISTS)["notices"]
    return f"/notices/{notice['id']}"


def asked(client: FlaskClient, path: str) -> Any:
    return client.get(path).json


def form_of(client: FlaskClient, path: str) -> Element:
    return read(client.get(path).text).one("form", id="object")


def filled(form: Element, **typed: str) -> dict[str, str]:
    """What the browser sends: the first entry is chosen, words are written."""
    entries = [one["value"] for one in form.all("option") if one["value"]]
    said = {"entry": entries[0], "words": "与实际不符\r\n他家有两套房", "contact": ""}
    return {"key": form.one("input", name="key")["value"], **said, **typed}


def objections(world: CaseWorld) -> list[Any]:
    with world.owner.connect() as connection:
        query = "SELECT id, entry_id, words, contact FROM notice_objection ORDER BY id"
        return list(connection.execute(text(query)))


def code_in(page: str) -> str:
    found = _MADE.search(page)
    assert found is not None
    return found[1]


def test_the_form_is_in_the_page_and_needs_no_script(client: FlaskClient, path: str) -> None:
    page = read(client.get(path).text)
    form = page.one("form", id="object")
    assert (form["method"], form["action"]) == ("post", path)
    assert {one["name"] for one in form.all() if one.get("name")} == {
        "key", "entry", "words", "contact",
    }  # fmt: skip
    for control in form.all():
        if control.tag in ("input", "select", "textarea") and control.get("type") != "hidden":
            assert label_of(page, control)
    assert page.all("script") == []
    assert len([one for one in form.all("option") if one["value"]]) == 3


def test_an_objection_by_the_form_is_one_with_its_code(
    world: CaseWorld, client: FlaskClient, path: str
) -> None:
    sent = filled(form_of(client, path), contact="19900000000")
    answer = client.post(path, data=sent)
    assert answer.status_code == 200
    code = code_in(answer.text)
    (row,) = objections(world)
    shared = keys.keyring().shared()
    assert row.entry_id == int(sent["entry"])
    for column, said in (("words", "与实际不符\n他家有两套房"), ("contact", "19900000000")):
        sealed = bytes(getattr(row, column))
        assert shared.open(Place("notice_objection", column, row.id), sealed) == said
    assert asked(client, f"/api/v1/notice-objections/{code}")["state"] == "open"
    assert answer.headers.getlist("Set-Cookie") == []


def test_the_button_pressed_twice_makes_one_and_what_was_changed_makes_another(
    world: CaseWorld, client: FlaskClient, path: str
) -> None:
    form = form_of(client, path)
    sent = filled(form)
    codes = {code_in(client.post(path, data=sent).text) for _ in range(3)}
    assert (len(codes), len(objections(world))) == (1, 1)
    other = [one["value"] for one in form.all("option") if one["value"]][1]
    for changed in ({"words": "另一件事"}, {"entry": other}, {"contact": "19900000000"}):
        codes.add(code_in(client.post(path, data=sent | changed).text))
    assert (len(codes), len(objections(world))) == (4, 4)
    again = filled(form_of(client, path))  # another visit, perhaps another neighbour
    assert code_in(client.post(path, data=again).text) not in codes


@pytest.mark.parametrize(
    ("typed", "field", "told"),
    [
        ({"entry": ""}, "entry", "请选名单里的一条。"),
        ({"entry": "第一条"}, "entry", "请选名单里的一条。"),
        ({"entry": "1' OR 1=1"}, "entry", "请选名单里的一条。"),
        ({"entry": "999999999"}, "entry", "这一条已经不在名单里"),
        ({"words": " \r\n "}, "words", "请写哪里不对、为什么。"),
        ({"words": "不" * 1001}, "words", "最多 1000 个字，现在有 1001 个"),
        ({"contact": "1" * 101}, "contact", "最多 100 个字"),
    ],
    ids=lambda one: str(one)[:30],
)
def test_what_is_wrong_is_told_beside_the_field_and_what_was_typed_is_kept(
    world: CaseWorld, client: FlaskClient, path: str, typed: dict[str, str], field: str, told: str
) -> None:
    sent = filled(form_of(client, path)) | {"contact": "找村长"} | typed
    answer = client.post(path, data=sent)
    assert answer.status_code == 422
    page = read(answer.text)
    assert told in page.one(id=f"{field}-fault").text
    assert f"#{field}" in [one["href"] for one in page.one(class_="summary").all("a")]
    form = page.one("form", id="object")
    assert form.one("input", name="key")["value"] == sent["key"]
    assert form.one("input", name="contact")["value"] == sent["contact"]
    if field != "words":
        assert form.one("textarea").text == "与实际不符 他家有两套房"
    assert objections(world) == []


def test_what_was_typed_is_shown_as_text(client: FlaskClient, path: str) -> None:
    bad = '</textarea>"><script>alert(1)</script>'
    sent = filled(form_of(client, path), words=bad, contact=bad, entry="", key=bad)
    page = client.post(path, data=sent).text
    assert "<script" not in page
    assert "alert(1)" in page
    assert re.fullmatch("[0-9a-f]{32}", read(page).one("input", name="key")["value"])


def test_a_body_that_is_no_form_is_told_what_is_missing(client: FlaskClient, path: str) -> None:
    assert client.post(path).status_code == 422
    assert client.post(path, data=b"\xff\x00").status_code == 422
    assert client.post(path, json={"entry": 1}).status_code == 422


def test_an_address_that_objects_too_often_waits_and_keeps_its_words(
    world: CaseWorld, client: FlaskClient, path: str
) -> None:
    sent = filled(form_of(client, path))
    wrong = client.post(path, data=sent | {"words": ""})
    assert wrong.status_code == 422  # is not counted
    for number in range(29):
        assert client.post(path, data=sent | {"words": f"不符{number}"}).status_code == 200
    body = {"entry": int(sent["entry"]), "words": "不符", "key": "key-of-mine-1"}
    assert client.post(f"/api/v1/public-{path[1:]}/objections", json=body).status_code == 200
    refused = client.post(path, data=sent)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    page = read(refused.text)
    assert "请求太频繁" in page.one(role="alert").text
    assert page.one("form", id="object").one("textarea").text == "与实际不符 他家有两套房"
    assert len(objections(world)) == 30


def test_after_the_last_day_nobody_objects_and_the_page_says_why(
    world: CaseWorld, client: FlaskClient, path: str
) -> None:
    sent = filled(form_of(client, path))
    days_later(world.owner, days_up(world.owner) + 1)
    answer = client.post(path, data=sent)
    assert answer.status_code == 404
    assert "公示期满就撤下" in answer.text
    assert client.post("/notices/999999999", data=sent).status_code == 404
    assert objections(world) == []


def test_who_is_off_the_list_meanwhile_cannot_be_chosen(
    world: CaseWorld, client: FlaskClient, path: str
) -> None:
    sent = filled(form_of(client, path))
    with world.owner.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text("UPDATE application SET state = 'withdrawn' WHERE id ="
                 " (SELECT application_id FROM public_notice_entry WHERE id = :entry)"),
            {"entry": int(sent["entry"])},
        )  # fmt: skip
    answer = client.post(path, data=sent)
    assert answer.status_code == 422
    assert "这一条已经不在名单里" in answer.text


def test_the_code_shows_what_became_of_it_and_stands_in_no_address(
    world: CaseWorld, client: FlaskClient, path: str
) -> None:
    code = code_in(client.post(path, data=filled(form_of(client, path))).text)
    form = read(client.get("/objections").text).one("form")
    assert (form["method"], form["action"]) == ("post", "/objections")
    shown = client.post("/objections", data={"code": f" {code[:5]}-{code[5:].lower()} "})
    assert (shown.status_code, "正在核实" in shown.text) == (200, True)
    (row,) = objections(world)
    sealed = keys.keyring().shared().seal(Place("notice_objection", "answer", row.id), "已经核实。")
    with world.owner.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text("UPDATE notice_objection SET state = 'dismissed', decided_at = now(),"
                 " answer = :answer"),
            {"answer": sealed},
        )  # fmt: skip
    shown = client.post("/objections", data={"code": code})
    assert "异议不成立" in shown.text
    assert "答复：已经核实。" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"


def test_codes_that_are_wrong_are_told_so_and_limited(client: FlaskClient, path: str) -> None:
    wrong = ["", "AAAAAAAAAA", "A" * 500, "<script>", "中文"]
    for code in wrong:
        answer = client.post("/objections", data={"code": code})
        assert answer.status_code == 404
        assert "没有查到" in read(answer.text).one(role="alert").text
    statuses = [
        client.post("/objections", data={"code": f"BBBBBBBB{number:02d}"}).status_code
        for number in range(17)
    ]
    assert statuses == [404] * 15 + [429] * 2
    refused = client.post("/objections", data={"code": "AAAAAAAAAA"})
    assert "请求太频繁" in read(refused.text).one(role="alert").text
