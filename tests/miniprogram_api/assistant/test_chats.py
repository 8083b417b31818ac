"""Staff read and answer what was handed over to a list of theirs, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from backend.assistant.staff_side import WAITS
from backend.kernel import database as kernel_database
from backend.kernel import keys
from backend.kernel.crypto import Keyring, Place
from backend.kernel.database import acting
from backend.kernel.settings import Settings
from backend.kernel.settings_wechat import SIMULATOR_SECRET, PushSettings, WeChatSettings
from backend.wechat import connection
from miniprogram_api.app import create_app
from tests.support.accounts import Accounts
from tests.support.chatting import Phone
from tests.support.register import Register
from tests.support.wechat import APPID, PUSH_AES_KEY, PUSH_TOKEN, Simulator

COUNTY = "320281"
TOWNSHIP = "320281101"
SAID = "您好，您的材料收到了。"
_CLOSE = text("SELECT close_handovers(:chat, :seen)")


@pytest.fixture
def keyring(tmp_path: Path) -> Iterator[Keyring]:
    ring = Keyring.open_or_create(tmp_path / "keys.json")
    with keys.bound(ring):
        yield ring


@pytest.fixture
def chosen(wechat_simulator: Simulator) -> WeChatSettings:
    push = PushSettings(PUSH_TOKEN, PUSH_AES_KEY)
    return WeChatSettings(APPID, SIMULATOR_SECRET, wechat_simulator.api, push)


@pytest.fixture
def phone(
    database: Engine,
    worker_database: Engine,
    keyring: Keyring,
    wechat_simulator: Simulator,
    chosen: WeChatSettings,
) -> Iterator[Phone]:
    with connection.bound(chosen):
        yield Phone(database, worker_database, wechat_simulator)


@pytest.fixture
def accounts(database: Engine) -> Accounts:
    return Accounts(database)


class Desk:
    """The API, asked by staff and residents as the website runs."""

    def __init__(self, client: FlaskClient, engine: Engine) -> None:
        self._client, self._engine = client, engine

    def get(self, path: str, token: str) -> Any:
        return self._ask("GET", path, token)

    def reply(self, chat: int, token: str, **body: Any) -> Any:
        said = {"text": SAID, "seen": 1, **body}
        return self._ask("POST", f"/chats/{chat}/replies", token, said)

    def last_seen(self, chat: int, token: str) -> int:
        """The last line, as whoever opens the conversation now sees it."""
        return int(self.get(f"/chats/{chat}", token).json["lines"][-1]["id"])

    def _ask(self, method: str, path: str, token: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        with kernel_database.bound(self._engine):
            return self._client.open(f"/api/v1{path}", method=method, json=body, headers=headers)


@pytest.fixture
def desk(app_database: Engine, keyring: Keyring, phone: Phone, chosen: WeChatSettings) -> Desk:
    app = create_app(Settings())
    keys.bind(keyring)  # the application named its own
    connection.bind(chosen)
    return Desk(app.test_client(), app_database)


@pytest.fixture
def reviewer(accounts: Accounts) -> str:
    return accounts.staff_token("township_reviewer", TOWNSHIP, "S1001")


@pytest.fixture
def chat(phone: Phone, accounts: Accounts, keyring: Keyring, database: Engine) -> int:
    """A conversation of a known person that waits for somebody."""
    resident = accounts.resident(Register(database).person("赵甲"))
    sealed = keyring.shared().seal(Place("wechat_user", "openid", resident), phone.openid)
    accounts.change(
        "INSERT INTO wechat_user (openid_index, resident_id, openid)"
        " VALUES (:index, :resident, :openid)",
        index=keyring.index("openid", phone.openid), resident=resident, openid=sealed,
    )  # fmt: skip
    phone.ask("你们是不是算错了，凭什么这么少")
    return int(phone.rows("SELECT id FROM conversation")[0].id)


def test_the_township_sees_what_was_handed_over_to_it(desk: Desk, chat: int, reviewer: str) -> None:
    (listed,) = desk.get("/chats", reviewer).json["chats"]
    assert listed["id"] == chat
    assert listed["can_send"] is True
    assert "算错" not in str(listed)


def test_the_whole_conversation_is_read_and_that_is_audited(
    desk: Desk, chat: int, reviewer: str, phone: Phone
) -> None:
    found = desk.get(f"/chats/{chat}", reviewer).json
    assert [line["said_by"] for line in found["lines"]] == ["resident", "assistant"]
    assert found["lines"][0]["text"] == "你们是不是算错了，凭什么这么少"
    (event,) = phone.rows(
        "SELECT actor, purpose, detail::text FROM audit_event WHERE action = 'person.read'"
    )
    assert (event.actor, event.purpose) == ("staff:S1001", "counsel")


@pytest.mark.parametrize(
    ("role", "area"),
    [
        ("township_reviewer", "320281102"),
        ("township_reviewer", "330382101"),
        ("village_coordinator", "320281101001"),
        ("county_officer", COUNTY),
    ],
)
def test_for_other_lists_it_does_not_exist(
    desk: Desk, chat: int, accounts: Accounts, role: str, area: str
) -> None:
    token = accounts.staff_token(role, area)
    assert desk.get("/chats", token).json == {"chats": []}
    hidden, absent = desk.get(f"/chats/{chat}", token), desk.get("/chats/999999999", token)
    assert hidden.status_code == absent.status_code == 404
    assert hidden.json | {"instance": ""} == absent.json | {"instance": ""}
    assert desk.reply(chat, token).status_code == 404


def test_control_without_its_policy_another_township_would_see_it(
    desk: Desk, chat: int, accounts: Accounts
) -> None:
    accounts.change("ALTER TABLE conversation DISABLE ROW LEVEL SECURITY")
    accounts.change("ALTER TABLE work_item DISABLE ROW LEVEL SECURITY")
    token = accounts.staff_token("township_reviewer", "330382101")
    assert desk.get(f"/chats/{chat}", token).status_code == 200


def test_an_answer_goes_out_through_the_same_window(
    desk: Desk, chat: int, reviewer: str, phone: Phone
) -> None:
    answer = desk.reply(chat, reviewer)
    assert (answer.status_code, answer.json["can_send"]) == (202, True)
    phone.work()
    assert phone.seen()[-1] == SAID


def test_when_the_window_is_used_up_the_answer_waits_and_staff_are_told(
    desk: Desk, chat: int, reviewer: str, phone: Phone, accounts: Accounts
) -> None:
    accounts.change("UPDATE conversation SET messages_left = 0")
    answer = desk.reply(chat, reviewer)
    assert answer.json == {"can_send": False, "note": WAITS}
    phone.work()
    assert phone.seen()[-1] != SAID
    (owed,) = phone.rows("SELECT kind, cause FROM notice_due")
    assert (owed.kind, owed.cause.partition(":")[0]) == ("chat_reply", "utterance")
    last = desk.get(f"/chats/{chat}", reviewer).json["lines"][-1]
    assert (last["text"], last["state"]) == (SAID, "waiting")
    resident = accounts.resident_session(phone.rows("SELECT id FROM resident")[0].id)
    assert desk.get("/chat", resident).json["lines"][-1]["text"] == SAID
    phone.ask("谢谢")
    assert SAID in phone.seen()


def test_who_has_closed_the_account_cannot_be_answered_and_staff_are_told(
    desk: Desk, chat: int, reviewer: str, phone: Phone, accounts: Accounts
) -> None:
    accounts.change("UPDATE resident SET closed_at = now()")
    answer = desk.reply(chat, reviewer)
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/chat-ended")
    assert len(desk.get(f"/chats/{chat}", reviewer).json["lines"]) == 2
    assert phone.rows("SELECT FROM utterance WHERE said_by = 'staff'") == []


def test_what_is_done_leaves_the_list_at_once_and_all_of_it_in_the_name_of_who_did_it(
    desk: Desk, chat: int, reviewer: str, phone: Phone, accounts: Accounts
) -> None:
    accounts.change(  # handed over twice, as an emergency after a complaint is
        "INSERT INTO work_item (kind, subject_kind, subject_id, period, person_id, area, role,"
        " list_area, reason, due_on, due_provisional, opened_by) SELECT kind, subject_kind,"
        " subject_id, (period::bigint - 1)::text, person_id, area, role, list_area, reason, due_on, false, opened_by"
        " FROM work_item"
    )
    assert [one["id"] for one in desk.get("/chats", reviewer).json["chats"]] == [chat]
    seen = desk.last_seen(chat, reviewer)
    assert desk.reply(chat, reviewer, seen=seen, done=True).status_code == 202
    assert desk.get("/chats", reviewer).json == {"chats": []}
    assert desk.get(f"/chats/{chat}", reviewer).status_code == 404
    for item in phone.rows("SELECT state, outcome, closed_by FROM work_item"):
        assert tuple(item) == ("done", "done", "staff:S1001")
    assert len(phone.rows("SELECT FROM audit_event WHERE action = 'work_item.close'")) == 2
    phone.work()
    assert phone.seen()[-1] == SAID


@pytest.mark.parametrize(("since", "opened"), [("我不想活了", 2), ("材料又找着了", 1)])
def test_what_nobody_has_read_is_not_closed(
    desk: Desk, chat: int, reviewer: str, phone: Phone, since: str, opened: int
) -> None:
    seen = desk.last_seen(chat, reviewer)
    phone.ask(since)
    answer = desk.reply(chat, reviewer, seen=seen, done=True)
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/chat-said-since")
    assert [one.state for one in phone.rows("SELECT state FROM work_item")] == ["open"] * opened
    assert phone.rows("SELECT FROM utterance WHERE said_by = 'staff'") == []
    seen = desk.last_seen(chat, reviewer)
    assert desk.reply(chat, reviewer, seen=seen, done=True).status_code == 202
    assert {one.state for one in phone.rows("SELECT state FROM work_item")} == {"done"}


def test_an_answer_that_closes_nothing_may_cross_a_word(
    desk: Desk, chat: int, reviewer: str, phone: Phone
) -> None:
    seen = desk.last_seen(chat, reviewer)
    phone.ask("材料又找着了")
    assert desk.reply(chat, reviewer, seen=seen).status_code == 202


def test_a_line_that_is_not_there_was_seen_by_nobody(desk: Desk, chat: int, reviewer: str) -> None:
    for seen in (1, desk.last_seen(chat, reviewer) + 1_000_000):
        assert desk.reply(chat, reviewer, seen=seen, done=True).status_code == 409


def test_closing_waits_for_a_word_that_is_just_being_written_down(
    chat: int, database: Engine, app_database: Engine, reviewer: str, phone: Phone
) -> None:
    (last,) = phone.rows("SELECT max(id) FROM utterance")[0]
    with Session(database) as hearing, Session(app_database) as closing:
        hearing.execute(text("SELECT FROM conversation WHERE id = :id FOR UPDATE"), {"id": chat})
        acting(closing, reviewer)
        closing.execute(text("SET LOCAL lock_timeout = '100ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            closing.execute(_CLOSE, {"chat": chat, "seen": last})
    with Session(app_database) as closing:  # the control
        acting(closing, reviewer)
        assert closing.execute(_CLOSE, {"chat": chat, "seen": last}).scalar_one() == 1


def test_what_is_overdue_is_seen_by_the_level_above_instead(
    desk: Desk, chat: int, reviewer: str, accounts: Accounts
) -> None:
    accounts.change(
        "UPDATE work_item SET state = 'escalated', role = 'county_officer',"
        " list_area = area - mod(area, 1000000)"
    )
    county = accounts.staff_token("county_officer", COUNTY)
    assert desk.get("/chats", county).json["chats"][0]["escalated"] is True
    assert desk.get(f"/chats/{chat}", reviewer).status_code == 404


def test_where_no_township_is_on_duty_the_county_has_it_at_once(
    desk: Desk, accounts: Accounts, request: pytest.FixtureRequest
) -> None:
    county = accounts.staff_token("county_officer", COUNTY)
    chat = request.getfixturevalue("chat")
    (listed,) = desk.get("/chats", county).json["chats"]
    assert (listed["id"], listed["escalated"]) == (chat, False)
    assert desk.get(f"/chats/{chat}", county).status_code == 200


def test_a_resident_sees_the_own_conversation_alone(
    desk: Desk, chat: int, phone: Phone, accounts: Accounts
) -> None:
    own = accounts.resident_session(phone.rows("SELECT id FROM resident")[0].id)
    assert len(desk.get("/chat", own).json["lines"]) == 2
    assert desk.get("/chat", accounts.resident_token()).json == {"lines": []}


def test_an_empty_answer_is_refused(desk: Desk, chat: int, reviewer: str) -> None:
    for said in ("", "  \n ", "长" * 601):
        assert desk.reply(chat, reviewer, text=said).status_code == 422


def test_who_has_nothing_of_it_in_the_own_list_closes_nothing(
    chat: int, app_database: Engine, accounts: Accounts, phone: Phone
) -> None:
    (last,) = phone.rows("SELECT max(id) FROM utterance")[0]
    for role, area in (("township_reviewer", "320281102"), ("county_officer", COUNTY)):
        with Session(app_database) as session, session.begin():
            acting(session, accounts.staff_token(role, area))
            assert session.execute(_CLOSE, {"chat": chat, "seen": last}).scalar_one() == 0
    assert phone.rows("SELECT FROM work_item WHERE state = 'done'") == []


def test_a_reply_is_no_others_to_forge(
    chat: int, app_database: Engine, reviewer: str, keyring: Keyring
) -> None:
    """The database takes from the site only what the member of staff says, still to be sent."""
    insert = text(
        "INSERT INTO utterance (id, conversation_id, said_by, staff_no, kind, content, state)"
        " VALUES (nextval('row_id'), :chat, :by, :no, 'text', '', :state)"
    )
    others = ("assistant", None, "due"), ("staff", "S1001", "sent"), ("staff", "S1002", "due")
    for by, no, state in others:
        with Session(app_database) as session:
            acting(session, reviewer)
            with pytest.raises(ProgrammingError):
                session.execute(insert, {"chat": chat, "by": by, "no": no, "state": state})
    with Session(app_database) as session, pytest.raises(ProgrammingError):
        session.execute(insert, {"chat": chat, "by": "staff", "no": "S1001", "state": "due"})
    with Session(app_database) as session:  # the control
        acting(session, reviewer)
        session.execute(insert, {"chat": chat, "by": "staff", "no": "S1001", "state": "due"})
