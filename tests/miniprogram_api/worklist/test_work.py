"""Staff see what lies in their own list, and whom an item is about; nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from backend.kernel import database as kernel_database
from backend.kernel.audit import Subject
from backend.kernel.crypto import Keyring, Place
from backend.kernel.database import transaction
from backend.kernel.settings import Settings
from backend.worklist.items import Closing, NewItem, close_item, open_items
from miniprogram_api.app import create_app
from miniprogram_api.credentials import COOKIE
from tests.support.accounts import Accounts
from tests.support.register import Register
from tests.support.townsfolk import Townsfolk, Townsman, events

HOME, NEXT, TOWNSHIP = "320281101001", "320281101002", "320281101"
DUE = date(2030, 1, 2)

LIST = "/work"


@pytest.fixture
def town(database: Engine, tmp_path: Path, accounts: Accounts) -> Townsfolk:
    keyring = Keyring.open_or_create(tmp_path / "keys.json")
    return Townsfolk(database, keyring, accounts, Register(database))


@pytest.fixture
def jia(town: Townsfolk) -> Townsman:
    """Registered in the next village, living in this one."""
    return town.person("测试甲", area=int(NEXT), lives_in=int(HOME))


@pytest.fixture
def items(database: Engine, jia: Townsman) -> None:
    """About the person: one for the coordinator, one for the township; one about nobody."""
    of = [("tell_person", jia.id, HOME), ("enrol_first", jia.id, NEXT), ("tell_person", None, HOME)]
    with kernel_database.bound(database), transaction() as session:
        open_items(
            session,
            [
                NewItem(kind, Subject("test", str(number)), person, int(area), "原因。", DUE)
                for number, (kind, person, area) in enumerate(of)
            ],
            "测试",
        )


@pytest.fixture
def client(app_database: Engine, tmp_path: Path, town: Townsfolk) -> Iterator[FlaskClient]:
    app = create_app(Settings(keys=tmp_path / "keys.json"))
    with kernel_database.bound(app_database):
        yield app.test_client()


def get(client: FlaskClient, path: str, token: str) -> Any:
    return client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})


def listed(client: FlaskClient, token: str) -> list[int]:
    return [one["id"] for one in get(client, LIST, token).json["items"]]


@pytest.mark.usefixtures("items")
def test_a_list_holds_what_lies_in_it_and_names_nobody(
    client: FlaskClient, accounts: Accounts
) -> None:
    own = accounts.staff_token("village_coordinator", HOME)
    answer = get(client, LIST, own)
    assert [one["kind"] for one in answer.json["items"]] == ["tell_person", "tell_person"]
    assert "测试甲" not in answer.text
    assert listed(client, accounts.staff_token("village_coordinator", NEXT)) == []
    assert listed(client, accounts.staff_token("township_reviewer", TOWNSHIP)) == [2]
    assert listed(client, accounts.staff_token("county_officer", "320281")) == []


@pytest.mark.usefixtures("items")
def test_whom_an_item_is_about_is_told_and_the_look_is_written_down(
    client: FlaskClient, database: Engine, accounts: Accounts, jia: Townsman
) -> None:
    token = accounts.staff_token("village_coordinator", HOME, "V1")
    person = get(client, f"{LIST}/1", token).json["person"]
    assert (person["person_id"], person["name"], person["phone"]) == (
        jia.id,
        "测试甲",
        "19900000009",
    )
    assert person["lives_in"] == HOME
    assert events(database, "person.read") == [("staff:V1", "person.read", f"person:{jia.id}")]
    assert get(client, f"{LIST}/3", token).json["person"] is None


@pytest.mark.usefixtures("items")
def test_where_the_register_has_no_phone_the_one_bound_by_the_person_is_shown(
    client: FlaskClient, database: Engine, accounts: Accounts, town: Townsfolk, jia: Townsman
) -> None:
    token = accounts.staff_token("village_coordinator", HOME)
    accounts.change("UPDATE person SET phone = '' WHERE id = :id", id=jia.id)
    assert get(client, f"{LIST}/1", token).json["person"]["phone"] == ""
    account = accounts.resident(jia.id)
    sealed = town.keyring.shared().seal(Place("resident", "phone", account), "19900000077")
    accounts.change("UPDATE resident SET phone = :sealed WHERE id = :id", sealed=sealed, id=account)
    before = len(events(database, "person.read"))
    assert get(client, f"{LIST}/1", token).json["person"]["phone"] == "19900000077"
    assert len(events(database, "person.read")) == before + 1
    accounts.change("UPDATE resident SET closed_at = now() WHERE id = :id", id=account)
    assert get(client, f"{LIST}/1", token).json["person"]["phone"] == ""


@pytest.mark.usefixtures("items")
def test_where_the_person_lives_is_named_as_far_as_names_are_known(
    client: FlaskClient, accounts: Accounts
) -> None:
    token = accounts.staff_token("village_coordinator", HOME)
    named = []
    for code, name in ((0, ""), (int(HOME), "测试村"), (int(TOWNSHIP) * 1000, "测试镇")):
        accounts.change(
            "INSERT INTO area_unit (code, name, file_id) VALUES (:code, :name, 1)",
            code=code, name=name,
        )  # fmt: skip
        named.append(get(client, f"{LIST}/1", token).json["person"]["lives_in_name"])
    county = "江苏省无锡市江阴市"
    assert named == [county, f"{county}测试村", f"{county}测试镇测试村"]


@pytest.mark.usefixtures("items")
def test_who_decides_is_told_of_whom_is_registered_there(
    client: FlaskClient, accounts: Accounts, jia: Townsman
) -> None:
    token = accounts.staff_token("township_reviewer", TOWNSHIP)
    assert get(client, f"{LIST}/2", token).json["person"]["person_id"] == jia.id


@pytest.mark.usefixtures("items")
def test_an_item_of_others_looks_like_none(client: FlaskClient, accounts: Accounts) -> None:
    token = accounts.staff_token("village_coordinator", NEXT)
    answers = [get(client, f"{LIST}/{one}", token) for one in (1, 2, 999_999_999)]
    assert [one.status_code for one in answers] == [404] * 3
    assert len({str({**one.json, "instance": ""}) for one in answers}) == 1


@pytest.mark.usefixtures("items")
def test_what_is_done_is_no_longer_in_the_list(
    client: FlaskClient, database: Engine, accounts: Accounts
) -> None:
    token = accounts.staff_token("village_coordinator", HOME)
    with kernel_database.bound(database), transaction() as session:
        close_item(session, 1, Closing("done", "测试"))
    assert listed(client, token) == [3]
    assert get(client, f"{LIST}/1", token).status_code == 404


def test_without_an_own_list_there_is_nothing_to_see(
    client: FlaskClient, accounts: Accounts
) -> None:
    for role, area in (("family_doctor", HOME), ("auditor", "320281"), ("system_admin", "320281")):
        assert get(client, LIST, accounts.staff_token(role, area)).status_code == 403


@pytest.mark.usefixtures("items")
def test_on_the_page_too_an_item_opens_to_whom_it_is_about_and_the_look_is_written_down(
    client: FlaskClient, database: Engine, accounts: Accounts, jia: Townsman
) -> None:
    client.set_cookie(COOKIE, accounts.staff_token("village_coordinator", HOME, "V1"))
    page = client.get(LIST)
    assert "当面告知消息" in page.text
    assert f'href="{LIST}/1"' in page.text
    assert "测试甲" not in page.text
    assert events(database, "person.read") == []
    one = client.get(f"{LIST}/1")
    assert "测试甲" in one.text
    assert "19900000009" in one.text
    assert events(database, "person.read") == [("staff:V1", "person.read", f"person:{jia.id}")]
    client.set_cookie(COOKIE, accounts.staff_token("village_coordinator", NEXT))
    assert "现在没有待办" in client.get(LIST).text
    assert client.get(f"{LIST}/1").status_code == 404
