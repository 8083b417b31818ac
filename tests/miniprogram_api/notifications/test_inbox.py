"""Residents read what they were told, in their wording, and say what they allow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from backend.kernel import database as kernel_database
from backend.kernel import keys
from backend.kernel.audit import Subject
from backend.kernel.crypto import Keyring
from backend.kernel.database import acting, transaction
from backend.kernel.settings import Settings
from backend.notifications.handing_on import Letter, hand_on
from backend.notifications.reach import Reach
from backend.notifications.wording import Said
from backend.wechat import connection
from backend.worklist.items import NewItem, open_items
from miniprogram_api.app import create_app
from tests.support.accounts import Accounts
from tests.support.recipients import NOON, PROGRESS, RESULT, Recipients

pytestmark = pytest.mark.postgres

CALL = "0123456789abcdef"


class Resident:
    """Somebody's mini-program."""

    def __init__(self, client: FlaskClient, token: str) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> Any:
        answer = self.client.get(f"/api/v1{path}", headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, path: str, body: Any = None) -> Any:
        return self.client.post(f"/api/v1{path}", json=body, headers=self.headers)

    def left(self) -> dict[str, int]:
        return {one["template"]: one["left"] for one in self.get("/subscriptions")["templates"]}

    def report(self, call: str, **answers: str) -> None:
        told = [
            {"template": name.replace("_", "-"), "answer": said} for name, said in answers.items()
        ]
        answer = self.post("/subscriptions", {"call": call, "answers": told})
        assert answer.status_code == 200, answer.text


@pytest.fixture
def recipients(worker_database: Engine, tmp_path: Path) -> Recipients:
    found = Recipients(worker_database, Keyring.open_or_create(tmp_path / "keys.json"))
    found.templates()
    return found


@pytest.fixture
def client(recipients: Recipients, app_database: Engine, tmp_path: Path) -> Iterator[FlaskClient]:
    """The site in its own role."""
    with (
        kernel_database.bound(app_database),
        connection.bound(None),
        keys.bound(recipients.keyring),
    ):
        yield create_app(Settings(keys=tmp_path / "keys.json")).test_client()


def resident(client: FlaskClient, recipients: Recipients, person: int | None) -> Resident:
    accounts = Accounts(recipients.engine)
    return Resident(client, accounts.resident_session(recipients.account(person)))


@pytest.fixture
def me(client: FlaskClient, recipients: Recipients) -> tuple[int, Resident]:
    """A person, and the person's mini-program."""
    person = recipients.person("me")
    return person, resident(client, recipients, person)


def owe(recipients: Recipients, people: list[int], event: str = "grant") -> None:
    with kernel_database.bound(recipients.engine):
        recipients.owe(people, event)


def test_i_read_what_i_am_told_whether_or_not_it_was_sent(
    recipients: Recipients, me: tuple[int, Resident]
) -> None:
    person, phone = me
    owe(recipients, [person, recipients.person("neighbour")])
    seen = phone.get("/inbox")
    (one,) = seen["messages"]
    assert seen["unread"] == 1
    assert seen["next"] is None
    assert (one["event"], one["cause"], one["read_at"]) == ("grant", "match_run:1", None)
    assert one["title"] == "医疗救助有新的结果"
    assert "2026年11月18日" in one["text"]


def test_reading_counts_once_and_the_first_time(
    recipients: Recipients, me: tuple[int, Resident]
) -> None:
    person, phone = me
    owe(recipients, [person])
    number = phone.get("/inbox")["messages"][0]["id"]
    assert phone.post(f"/inbox/{number}/read").status_code == 204
    first = phone.get("/inbox")["messages"][0]["read_at"]
    assert phone.post(f"/inbox/{number}/read").status_code == 204
    seen = phone.get("/inbox")
    assert seen["messages"][0]["read_at"] == first
    assert seen["unread"] == 0
    assert phone.get("/inbox?unread=true")["messages"] == []


def tell_in_person(recipients: Recipients, message: int) -> None:
    """As though no other way had led to the person."""
    item = NewItem("tell_person", Subject("message", str(message)), None, 320281101001, "请告诉。")
    with kernel_database.bound(recipients.engine), transaction() as session:
        open_items(session, [item], "notifications")


TOLD = "SELECT state, outcome FROM work_item ORDER BY id"


def test_what_the_person_has_read_nobody_need_go_and_tell(
    recipients: Recipients, me: tuple[int, Resident]
) -> None:
    person, phone = me
    owe(recipients, [person])
    owe(recipients, [person], "delegated")
    other, number = (one["id"] for one in phone.get("/inbox")["messages"])
    tell_in_person(recipients, number)
    tell_in_person(recipients, other)
    assert phone.post(f"/inbox/{number}/read").status_code == 204
    assert recipients.rows(TOLD) == [("done", "read"), ("open", None)]
    (event,) = recipients.rows(
        "SELECT actor, detail FROM audit_event WHERE action = 'work_item.close'"
    )
    assert event[0].startswith("resident:")
    assert event[1] == {"kind": "tell_person", "outcome": "read"}
    assert phone.post(f"/inbox/{number}/read").status_code == 204


def test_what_the_person_read_before_is_not_handed_on(
    recipients: Recipients, me: tuple[int, Resident], client: FlaskClient
) -> None:
    person, phone = me
    owe(recipients, [person])
    number = phone.get("/inbox")["messages"][0]["id"]
    assert phone.post(f"/inbox/{number}/read").status_code == 204
    letter = Letter(
        number, "task", Said("grant", NOON.date(), number), Reach(person, 320281101001, False, ())
    )
    with kernel_database.bound(recipients.engine), transaction() as session:
        hand_on(session, [letter], NOON)
    assert recipients.rows(TOLD) == []
    assert recipients.rows("SELECT state FROM message") == [("handed_on",)]


def test_a_reader_who_is_not_the_person_leaves_the_person_to_be_told(
    recipients: Recipients, me: tuple[int, Resident], client: FlaskClient
) -> None:
    """Of somebody's delegation a delegate may read the warning, not silence it; nor may an account
    silence that it was named."""
    person, phone = me
    delegate = recipients.account(recipients.person("delegate"))
    recipients.execute(
        "INSERT INTO consent (id, person_id, purpose, text_id, version, text_sha256, channel, by)"
        " VALUES (1, :person, 'delegation', 'delegation', 9, '', 'mini_program', '测试')",
        person=person,
    )
    recipients.execute(
        "INSERT INTO delegation (id, person_id, resident_id, scope, from_on, to_on, consent_id,"
        " channel, recorded_by) VALUES (2, :person, :delegate, '{receive}', '2020-01-01',"
        " '2099-01-01', 1, 'mini_program', '测试')",
        person=person,
        delegate=delegate,
    )
    owe(recipients, [person], "delegated")
    owe(recipients, [person], "account_named")
    named, delegated = (one["id"] for one in phone.get("/inbox")["messages"])
    tell_in_person(recipients, delegated)
    tell_in_person(recipients, named)
    theirs = Resident(client, Accounts(recipients.engine).resident_session(delegate))
    assert theirs.post(f"/inbox/{delegated}/read").status_code == 204
    assert phone.post(f"/inbox/{named}/read").status_code == 204
    assert recipients.rows(TOLD) == [("open", None), ("open", None)]
    assert phone.post(f"/inbox/{delegated}/read").status_code == 204
    assert recipients.rows(TOLD) == [("done", "read"), ("open", None)]


def test_a_neighbours_message_is_as_one_that_does_not_exist(
    recipients: Recipients, me: tuple[int, Resident]
) -> None:
    _, phone = me
    owe(recipients, [recipients.person("neighbour")])
    ((number,),) = recipients.rows("SELECT id FROM message")
    theirs = phone.post(f"/inbox/{number}/read")
    nobodys = phone.post("/inbox/999999999/read")
    assert theirs.status_code == nobodys.status_code == 404
    assert {**theirs.json, "instance": ""} == {**nobodys.json, "instance": ""}
    assert recipients.rows("SELECT * FROM message_read") == []


def test_elder_wording_is_shown_to_who_chose_it(
    recipients: Recipients, me: tuple[int, Resident]
) -> None:
    person, phone = me
    owe(recipients, [person])
    recipients.execute("UPDATE resident SET ui_mode = 'elder'")
    assert phone.get("/inbox")["messages"][0]["title"] == "救助的钱有结果了"


def test_pages_of_the_inbox_go_from_new_to_old(
    recipients: Recipients, me: tuple[int, Resident]
) -> None:
    person, phone = me
    for event in ("grant", "entitlement", "exit"):
        owe(recipients, [person], event)
    first = phone.get("/inbox?most=2")
    assert [one["event"] for one in first["messages"]] == ["exit", "entitlement"]
    second = phone.get(f"/inbox?most=2&before={first['next']}")
    assert [one["event"] for one in second["messages"]] == ["grant"]
    assert second["next"] is None


def test_messages_of_a_person_i_act_for_are_there_and_looking_is_written_down(
    recipients: Recipients, me: tuple[int, Resident]
) -> None:
    person, phone = me
    child = recipients.person("child")
    recipients.execute(
        "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis, recorded_by,"
        " from_on) SELECT nextval('row_id'), id, :child, 'child', 'guardian', '测试', '2020-01-01'"
        " FROM resident",
        child=child,
    )
    owe(recipients, [person, child])
    assert {one["person_id"] for one in phone.get("/inbox")["messages"]} == {person, child}
    looked = "SELECT subject_id, detail FROM audit_event WHERE action = 'person.read'"
    told = [(str(one), {"fields": ["messages"]}) for one in sorted((person, child))]
    assert recipients.rows(looked) == told


def delegate(recipients: Recipients, neighbour: int, scope: str) -> None:
    """To every account that there is."""
    recipients.execute(
        "WITH agreed AS (INSERT INTO consent (id, person_id, purpose, text_id, version,"
        " text_sha256, channel, by) VALUES (nextval('row_id'), :neighbour, 'delegation',"
        " 'delegation', 1, sha256('x'), 'counter', '测试') RETURNING id)"
        " INSERT INTO delegation (id, person_id, resident_id, scope, from_on, to_on, consent_id,"
        " channel, recorded_by) SELECT nextval('row_id'), :neighbour, resident.id,"
        " ARRAY[CAST(:scope AS text)], '2020-01-01', '2099-01-01', agreed.id, 'counter', '测试'"
        " FROM resident, agreed",
        neighbour=neighbour,
        scope=scope,
    )


@pytest.mark.parametrize(("scope", "seen"), [("receive", True), ("see", False)])
def test_messages_of_who_delegated_something_else_to_me_are_not_mine(
    scope: str, seen: bool, recipients: Recipients, me: tuple[int, Resident]
) -> None:
    _, phone = me
    neighbour = recipients.person("neighbour")
    delegate(recipients, neighbour, scope)
    owe(recipients, [neighbour])
    ((number,),) = recipients.rows("SELECT id FROM message")
    assert len(phone.get("/inbox")["messages"]) == seen
    assert phone.get("/inbox")["unread"] == seen
    assert phone.post(f"/inbox/{number}/read").status_code == (204 if seen else 404)
    purposes = recipients.rows("SELECT DISTINCT purpose FROM audit_event WHERE purpose <> ''")
    assert purposes == ([("delegated",)] if seen else [])


@pytest.mark.parametrize("event", ["grant", "delegated"])
def test_what_a_relative_or_a_delegate_reads_stays_unread_for_the_person(
    event: str, client: FlaskClient, recipients: Recipients, me: tuple[int, Resident]
) -> None:
    """The warning that somebody may act for a person is not to vanish because that one looked."""
    _, helper = me
    neighbour = recipients.person("neighbour")
    delegate(recipients, neighbour, "receive")
    phone = resident(client, recipients, neighbour)
    owe(recipients, [neighbour], event)
    ((number,),) = recipients.rows("SELECT id FROM message")
    assert helper.post(f"/inbox/{number}/read").status_code == 204
    assert helper.get("/inbox")["unread"] == 0
    seen = phone.get("/inbox?unread=true")
    assert (seen["unread"], seen["messages"][0]["read_at"]) == (1, None)
    assert phone.post(f"/inbox/{number}/read").status_code == 204
    assert phone.get("/inbox")["unread"] == 0


def test_the_database_lets_an_account_read_for_itself_and_what_it_sees(
    recipients: Recipients, me: tuple[int, Resident], app_database: Engine
) -> None:
    person, phone = me
    neighbour = recipients.person("neighbour")
    other = recipients.account(neighbour)
    ((own,),) = recipients.rows("SELECT id FROM resident WHERE person_id = :one", one=person)
    owe(recipients, [person, neighbour])
    mine, theirs = (
        recipients.rows("SELECT id FROM message WHERE person_id = :one", one=one)[0][0]
        for one in (person, neighbour)
    )
    read = text("INSERT INTO message_read VALUES (:message, :account, now())")
    token = phone.headers["Authorization"].removeprefix("Bearer ")
    for message, account, allowed in (
        (mine, other, False), (theirs, own, False), (theirs, other, False), (mine, own, True),
    ):  # fmt: skip
        refused = pytest.raises(ProgrammingError, match="row-level security")
        with nullcontext() if allowed else refused, Session(app_database) as session:
            acting(session, token)
            session.execute(read, {"message": message, "account": account})


def test_what_was_told_to_a_person_who_was_merged_into_me_is_mine(
    recipients: Recipients, me: tuple[int, Resident]
) -> None:
    person, phone = me
    before = recipients.person("before")
    owe(recipients, [before])
    recipients.execute(
        "INSERT INTO person_merge (merged_id, revision, person_id, file_id)"
        " VALUES (:before, 1, :person, 1)",
        before=before,
        person=person,
    )
    assert len(phone.get("/inbox")["messages"]) == 1


def test_who_is_not_known_yet_has_an_empty_inbox(
    recipients: Recipients, client: FlaskClient
) -> None:
    owe(recipients, [recipients.person("somebody")])
    stranger = resident(client, recipients, None)
    assert stranger.get("/inbox") == {"messages": [], "unread": 0, "next": None}


def test_staff_have_no_inbox_of_residents(recipients: Recipients, client: FlaskClient) -> None:
    owe(recipients, [recipients.person("somebody")])
    token = Accounts(recipients.engine).staff_token("village_coordinator", "320281101001")
    answer = client.get("/api/v1/inbox", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403


def test_each_accept_that_the_phone_reports_is_one_message(me: tuple[int, Resident]) -> None:
    _, phone = me
    assert phone.left() == {RESULT: 0, PROGRESS: 0}
    phone.report(CALL, SIM_RESULT="accept", SIM_PROGRESS="reject")
    assert phone.left() == {RESULT: 1, PROGRESS: 0}
    phone.report(CALL + "2", SIM_RESULT="acceptWithAudio")
    assert phone.left() == {RESULT: 2, PROGRESS: 0}


def test_the_same_report_twice_counts_once(me: tuple[int, Resident]) -> None:
    _, phone = me
    for _ in range(3):
        phone.report(CALL, SIM_RESULT="accept")
    assert phone.left()[RESULT] == 1


def test_templates_that_are_not_ours_are_not_kept(
    recipients: Recipients, me: tuple[int, Resident]
) -> None:
    _, phone = me
    phone.report(CALL, SOMEBODYS="accept")
    assert recipients.rows("SELECT * FROM subscription") == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"call": "short", "answers": [{"template": RESULT, "answer": "accept"}]},
        {"call": CALL, "answers": []},
        {"call": CALL, "answers": [{"template": RESULT, "answer": "perhaps"}]},
        {"call": CALL, "answers": [{"template": RESULT, "answer": "accept"}] * 6},
        {"call": CALL, "answers": [{"template": RESULT}], "more": 1},
    ],
)
def test_a_report_that_is_not_one_is_refused(me: tuple[int, Resident], body: Any) -> None:
    _, phone = me
    assert phone.post("/subscriptions", body).status_code == 422
