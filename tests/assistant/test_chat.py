"""The chat end to end, but for the wire of the push: the simulator, PostgreSQL, the tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.accounts.tables import WECHAT_USER
from backend.assistant import answering, listening, sayings, sending
from backend.assistant.answers import NO_DECISION
from backend.assistant.conversations import Content, Said, write_down
from backend.assistant.forgetting import KEPT, forget_old
from backend.assistant.keyed import KEYED
from backend.assistant.progress import NO_FAMILY, NOT_KNOWN, NOTHING
from backend.assistant.sending import SendLater, deliver
from backend.assistant.tasks import (
    answer_utterance,
    apologise_for,
    deliver_waiting,
    say_sorry,
    take_up,
)
from backend.assistant.wechat_voice import WeChatVoice
from backend.kernel import clock, key_file, keys, rotation
from backend.kernel.crypto import Keyring, Place
from backend.kernel.database import bound, transaction
from backend.kernel.settings_wechat import SIMULATOR_SECRET, PushSettings, WeChatSettings
from backend.wechat import connection
from backend.wechat.errors import WeChatUnavailable
from backend.wechat.received import take_in
from backend.wechat.tasks import give_up_push, process_push
from tests.support.accounts import Accounts
from tests.support.chatting import Phone
from tests.support.register import JIANGYIN, Register
from tests.support.wechat import APPID, PUSH_AES_KEY, PUSH_TOKEN, Simulator

UNSENT = "SELECT state FROM utterance WHERE said_by <> 'resident' ORDER BY id"


@pytest.fixture
def keyring(tmp_path: Path) -> Iterator[Keyring]:
    ring = Keyring.open_or_create(tmp_path / "keys.json")
    with keys.bound(ring):
        yield ring


@pytest.fixture
def phone(
    database: Engine, worker_database: Engine, keyring: Keyring, wechat_simulator: Simulator
) -> Iterator[Phone]:
    """A resident with a phone, and our mini-program connected to the simulator."""
    push = PushSettings(PUSH_TOKEN, PUSH_AES_KEY)
    chosen = WeChatSettings(APPID, SIMULATOR_SECRET, wechat_simulator.api, push)
    with connection.bound(chosen):
        yield Phone(database, worker_database, wechat_simulator)


@pytest.fixture
def register(database: Engine) -> Register:
    return Register(database)


@pytest.fixture
def accounts(database: Engine) -> Accounts:
    return Accounts(database)


def make_known(phone: Phone, keyring: Keyring, accounts: Accounts, person: int | None) -> int:
    """The user has an account, known to be the person where one is given."""
    resident = accounts.resident(person)
    sealed = keyring.shared().seal(Place("wechat_user", "openid", resident), phone.openid)
    row = {
        "openid_index": keyring.index("openid", phone.openid),
        "resident_id": resident,
        "openid": sealed,
    }
    with Session(phone.engine) as session, session.begin():
        session.execute(WECHAT_USER.insert().values(row))
    return resident


def leave(phone: Phone, keyring: Keyring, *texts: str, by: str = "assistant") -> int:
    """Messages of ours that are due in the user's conversation."""
    (conversation,) = phone.rows("SELECT id FROM conversation")[0]
    staff = "T0001" if by == "staff" else None
    with bound(phone.worker), transaction() as session:
        for one in texts:
            said = Said(conversation, by, Content(one), "due", staff_no=staff)  # type: ignore[arg-type]
            write_down(session, keyring, said)
    return int(conversation)


def send_due(phone: Phone, keyring: Keyring, conversation: int) -> int:
    with bound(phone.worker):
        return deliver(conversation, WeChatVoice(), keyring, clock.now())


# -- answers ---------------------------------------------------------------------------------------


def test_a_question_is_answered_by_the_clause_and_a_card_that_opens_it(phone: Phone) -> None:
    said, card = phone.ask("无锡低保户住院要交押金吗")
    assert "不用交押金" in said
    assert NO_DECISION in said
    assert card.startswith("pages/policy/clause?policy=wuxi-2022-98&anchor=")


def test_an_estimate_goes_on_from_message_to_message(phone: Phone) -> None:
    phone.ask("算一下，江阴，低保，去年三月住院，总共三万二，医保报了两万一")
    for said in ("没有", "不知道", "是", "是"):
        phone.ask(said)
    result, card = phone.ask("是")
    assert "医疗救助付 9,350 元" in result
    assert card == "pages/estimate/index?area=320281"


def test_a_message_told_three_times_is_answered_once(phone: Phone) -> None:
    phone.say("你好", times=3)
    assert phone.work() == 1
    assert phone.seen() == [sayings.WELCOME]


def test_a_picture_is_answered_with_what_to_do(phone: Phone) -> None:
    phone.show_picture()
    phone.work()
    assert phone.seen() == [sayings.NOT_TEXT]


def test_the_answer_is_written_once_though_the_job_runs_twice(phone: Phone) -> None:
    phone.say("你好")
    query = "SELECT args FROM procrastinate_jobs WHERE queue_name = 'assistant'"
    (again,) = phone.rows(query)[0]
    phone.work()
    with bound(phone.worker):
        answer_utterance(**again)
    assert phone.seen() == [sayings.WELCOME]


def test_control_without_its_mark_an_utterance_is_answered_twice(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "take", lambda *_: True)
    phone.say("你好")
    query = "SELECT args FROM procrastinate_jobs WHERE queue_name = 'assistant'"
    (again,) = phone.rows(query)[0]
    phone.work()
    with bound(phone.worker):
        answer_utterance(**again)
    assert phone.seen() == [sayings.WELCOME] * 2


def test_control_without_its_cause_a_message_is_answered_as_often_as_it_is_told(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(session: Session, keyring: Keyring, said: Said) -> int | None:
        return write_down(session, keyring, replace(said, cause=None))

    monkeypatch.setattr(listening, "write_down", forgetful)
    phone.say("你好", times=3)
    phone.work()
    assert phone.seen() == [sayings.WELCOME] * 3


def test_whoever_is_not_known_is_told_how_to_become_known(phone: Phone) -> None:
    said, card = phone.ask("我的救助款到账了吗")
    assert said == NOT_KNOWN
    assert card == "pages/account/real-name"


def test_a_known_person_is_told_where_the_assistance_stands(
    phone: Phone, keyring: Keyring, accounts: Accounts, register: Register
) -> None:
    person = register.person("赵甲")
    make_known(phone, keyring, accounts, person)
    assert phone.ask("我的救助款到账了吗") == [NOTHING, "pages/progress/index"]
    bill = register.bill("赵甲", "J-0001", "2026-10-20", "30000.00")
    year, area = date.today().year, JIANGYIN
    accounts.change(
        "INSERT INTO payment_item (bill_id, layer, person_id, area, year, amount, state)"
        " VALUES (:bill, 3, :person, :area, :year, 935000, 'paid')",
        bill=bill, person=person, area=area, year=year,
    )  # fmt: skip
    said, _ = phone.ask("我的救助款到账了吗")
    assert "1 笔已经付到登记的账户" in said
    assert "9350" not in said.replace(",", "")
    (event, *_) = phone.rows(
        "SELECT actor, subject_id, purpose FROM audit_event WHERE action = 'person.read'"
    )
    assert (event.subject_id, event.purpose) == (str(person), "own")
    assert event.actor.startswith("resident:")


def test_the_progress_of_people_one_acts_for_is_told_apart_and_no_longer_when_that_ended(
    phone: Phone, keyring: Keyring, accounts: Accounts, register: Register
) -> None:
    own, mother = register.person("赵甲"), register.person("钱乙")
    resident = make_known(phone, keyring, accounts, own)
    accounts.change(
        "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis,"
        " recorded_by, from_on) VALUES (nextval('row_id'), :resident, :person, 'child',"
        " 'written', '测试', '2020-01-01')",
        resident=resident, person=mother,
    )  # fmt: skip
    accounts.change(
        "INSERT INTO payment_item (bill_id, layer, person_id, area, year, amount, state)"
        " VALUES (7, 3, :person, :area, :year, 1, 'due')",
        person=mother, area=JIANGYIN, year=date.today().year,
    )  # fmt: skip
    assert "您代办的家人：1 笔已经决定" in phone.ask("我娘的钱到了没")[0]
    accounts.change("UPDATE family_authority SET revoked_at = now(), revoked_by = '测试'")
    assert phone.ask("我娘的钱到了没")[0] == NO_FAMILY


# -- the window ------------------------------------------------------------------------------------


def test_five_messages_go_out_and_the_sixth_waits_until_the_person_writes_again(
    phone: Phone, keyring: Keyring
) -> None:
    phone.say("谢谢")
    conversation = leave(phone, keyring, *"一二三四五六")
    assert send_due(phone, keyring, conversation) == 5
    assert phone.seen() == list("一二三四五")
    assert [row.state for row in phone.rows(UNSENT)] == [*["sent"] * 5, "waiting"]
    phone.say("谢谢")
    assert send_due(phone, keyring, conversation) == 1
    assert phone.seen()[-1] == "六"


def test_control_without_our_own_count_wechat_refuses_what_we_send(
    phone: Phone, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "use_window", lambda *_: clock.now())
    phone.say("谢谢")
    conversation = leave(phone, keyring, *"一二三四五六")
    send_due(phone, keyring, conversation)
    last = phone.rows("SELECT state, errcode FROM utterance ORDER BY id DESC LIMIT 1")[0]
    assert tuple(last) == ("waiting", 45047)


def test_after_two_days_nothing_is_sent(phone: Phone, keyring: Keyring) -> None:
    phone.say("谢谢")
    conversation = leave(phone, keyring, "过期的话")
    with bound(phone.worker):
        later = clock.now() + timedelta(hours=48, seconds=1)
        assert deliver(conversation, WeChatVoice(), keyring, later) == 0
    assert phone.seen() == []
    assert [row.state for row in phone.rows(UNSENT)] == ["waiting"]


def test_opening_the_chat_lets_two_waiting_messages_through(phone: Phone, keyring: Keyring) -> None:
    phone.enter()
    leave(phone, keyring, *"一二三")
    phone.work()
    assert phone.seen() == ["一", "二"]
    assert [row.state for row in phone.rows(UNSENT)] == ["sent", "sent", "waiting"]


def test_a_word_of_staff_goes_before_the_programs_own(phone: Phone, keyring: Keyring) -> None:
    phone.enter()
    conversation = leave(phone, keyring, "自动的一", "自动的二")
    leave(phone, keyring, "工作人员的话", by="staff")
    send_due(phone, keyring, conversation)
    assert phone.seen() == ["工作人员的话", "自动的一"]


# -- faults ----------------------------------------------------------------------------------------


def test_what_a_killed_worker_perhaps_sent_is_not_sent_again(
    phone: Phone, keyring: Keyring, accounts: Accounts
) -> None:
    phone.say("谢谢")
    conversation = leave(phone, keyring, "半路上的话", "后面的话")
    accounts.change(
        "UPDATE utterance SET state = 'sending' WHERE id ="
        " (SELECT min(id) FROM utterance WHERE state = 'due')"
    )
    assert send_due(phone, keyring, conversation) == 1
    assert phone.seen() == ["后面的话"]
    assert [row.state for row in phone.rows(UNSENT)] == ["unknown", "sent"]


def test_control_without_the_mark_what_was_sent_would_be_sent_again(
    phone: Phone, keyring: Keyring, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hopeful(session: Session, conversation: int) -> None:
        session.execute(text("UPDATE utterance SET state = 'due' WHERE state = 'sending'"))

    monkeypatch.setattr(sending, "_give_up_lost", hopeful)
    phone.say("谢谢")
    conversation = leave(phone, keyring, "说过的话")
    send_due(phone, keyring, conversation)
    accounts.change("UPDATE utterance SET state = 'sending' WHERE state = 'sent'")
    send_due(phone, keyring, conversation)
    assert phone.seen() == ["说过的话"] * 2


def test_what_wechat_did_without_saying_so_is_not_done_twice(phone: Phone) -> None:
    phone.simulator.fault("duplicate_effect", path="/cgi-bin/message/custom/send", times=1)
    phone.say("你好")
    phone.work()
    phone.work(later=True)
    assert phone.seen() == [sayings.WELCOME]
    assert [row.state for row in phone.rows(UNSENT)] == ["unknown"]


def test_while_wechat_is_away_answers_wait_and_go_out_afterwards(phone: Phone) -> None:
    phone.simulator.fault("http", path="/cgi-bin/stable_token", status=503)
    phone.say("你好")
    phone.work()
    assert phone.seen() == []
    phone.simulator.clear_faults()
    assert phone.work() == 0  # not at once
    assert phone.work(later=True) == 2
    assert phone.seen() == [sayings.WELCOME]


USED_UP = {"path": "/cgi-bin/message/custom/send", "code": 45009}
LATER = "SELECT task_name, lock FROM procrastinate_jobs WHERE scheduled_at > now()"


def test_while_nothing_can_be_sent_till_midnight_an_emergency_is_heard_and_handed_over(
    phone: Phone, keyring: Keyring, accounts: Accounts, register: Register
) -> None:
    make_known(phone, keyring, accounts, register.person("赵甲"))
    phone.simulator.fault("errcode", **USED_UP)
    phone.say("你好")
    phone.work()
    assert [tuple(row) for row in phone.rows(LATER)] == [("assistant.deliver_later", None)]
    phone.say("我不想活了，活着没意思")
    phone.work()
    (item,) = items(phone)
    assert item.due_on == clock.today()
    heard = phone.rows("SELECT state FROM utterance WHERE said_by = 'resident'")
    assert [row.state for row in heard] == ["answered", "answered"]
    assert len(phone.rows(LATER)) == 1  # one try at midnight, however much is written


def test_control_with_the_lock_kept_till_midnight_an_emergency_is_not_even_heard(
    phone: Phone, accounts: Accounts
) -> None:
    phone.simulator.fault("errcode", **USED_UP)
    phone.say("你好")
    phone.work()
    accounts.change(
        "UPDATE procrastinate_jobs SET lock = 'assistant/' || (args ->> 'conversation_id')"
    )
    phone.say("我在江阴，我不想活了")
    phone.work()
    assert items(phone) == []


def test_a_word_that_fails_holds_up_the_next_one_for_seconds_alone() -> None:
    for held in (answer_utterance, deliver_waiting):
        assert sum(5 * 2**failed for failed in range(held.retry)) <= 15


def unsent_windows(phone: Phone) -> int:
    (row,) = phone.rows("SELECT messages_left FROM conversation")
    return int(row.messages_left)


def test_an_outage_takes_nothing_off_what_the_person_may_still_be_told(phone: Phone) -> None:
    phone.simulator.fault("http", path="/cgi-bin/stable_token", status=503)
    phone.say("你好")
    phone.work()
    for _ in range(6):
        phone.work(later=True, most=2)
    assert unsent_windows(phone) == 5
    phone.simulator.clear_faults()
    phone.work(later=True)
    assert phone.seen() == [sayings.WELCOME]
    assert unsent_windows(phone) == 4


def test_control_with_each_try_counted_an_outage_eats_the_window(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "give_back", lambda *_: None)
    phone.simulator.fault("http", path="/cgi-bin/stable_token", status=503)
    phone.say("你好")
    phone.work()
    for _ in range(6):
        phone.work(later=True, most=2)
    phone.simulator.clear_faults()
    phone.work(later=True)
    assert phone.seen() == []


def test_what_is_given_back_is_not_added_to_a_window_opened_since(
    phone: Phone, keyring: Keyring
) -> None:
    phone.say("谢谢")
    conversation = leave(phone, keyring, "一")

    class Meanwhile:
        """The person opens the chat just while nothing can be sent."""

        def text(self, openid: str, text: str) -> None:
            phone.tell("event", "user_enter_tempsession", {"SessionFrom": ""})
            raise WeChatUnavailable

        def card(self, openid: str, title: str, path: str) -> None:
            raise NotImplementedError

    with bound(phone.worker), pytest.raises(SendLater):
        deliver(conversation, Meanwhile(), keyring, clock.now())
    assert unsent_windows(phone) == 2


def test_without_a_mini_program_the_window_stays_open(phone: Phone, keyring: Keyring) -> None:
    phone.say("谢谢")
    conversation = leave(phone, keyring, "一")
    with connection.bound(None):
        assert send_due(phone, keyring, conversation) == 0
    assert unsent_windows(phone) == 5
    assert send_due(phone, keyring, conversation) == 1


def test_when_the_days_quota_is_used_up_staffs_word_is_told_otherwise_and_somebody_must_look(
    phone: Phone, keyring: Keyring, accounts: Accounts, register: Register
) -> None:
    make_known(phone, keyring, accounts, register.person("赵甲"))
    phone.say("谢谢")
    phone.simulator.fault("errcode", path="/cgi-bin/message/custom/send", code=45009)
    conversation = leave(phone, keyring, "材料收到了", by="staff")
    for _ in range(2):
        with pytest.raises(SendLater):
            send_due(phone, keyring, conversation)
    assert len(owed(phone)) == 1
    alarms = "SELECT role, list_area FROM work_item WHERE kind = 'wechat_used_up'"
    assert [tuple(row) for row in phone.rows(alarms)] == [("city_officer", 320200000000)]


def owed(phone: Phone) -> list[tuple[str, str]]:
    return [tuple(row) for row in phone.rows("SELECT kind, cause FROM notice_due ORDER BY id")]


def test_a_word_of_staff_that_was_perhaps_lost_is_told_otherwise_too(
    phone: Phone, keyring: Keyring, accounts: Accounts, register: Register
) -> None:
    make_known(phone, keyring, accounts, register.person("赵甲"))
    phone.say("谢谢")
    phone.simulator.fault("reset", path="/cgi-bin/message/custom/send", times=1)
    conversation = leave(phone, keyring, "材料收到了", by="staff")
    send_due(phone, keyring, conversation)
    assert [row.state for row in phone.rows(UNSENT)] == ["unknown"]
    (told,) = owed(phone)
    assert (told[0], told[1].partition(":")[0]) == ("chat_reply", "utterance")


def test_a_word_of_staff_whose_sender_died_is_told_otherwise_too(
    phone: Phone, keyring: Keyring, accounts: Accounts, register: Register
) -> None:
    make_known(phone, keyring, accounts, register.person("赵甲"))
    phone.say("谢谢")
    conversation = leave(phone, keyring, "材料收到了", by="staff")
    leave(phone, keyring, "自动的话")
    accounts.change("UPDATE utterance SET state = 'sending' WHERE state = 'due'")
    for _ in range(2):
        send_due(phone, keyring, conversation)
    assert [row.state for row in phone.rows(UNSENT)] == ["unknown", "unknown"]
    assert len(owed(phone)) == 1


# -- faults of our own -----------------------------------------------------------------------------


def fail_to_the_last(phone: Phone) -> None:
    """The answer that waits is tried in vain, and given up; the latter twice."""
    with pytest.raises(LookupError):
        phone.work(most=1)
    ((said,),) = phone.rows("SELECT id FROM utterance WHERE said_by = 'resident'")
    for _ in range(2):
        with bound(phone.worker):
            apologise_for(said)


@pytest.fixture
def speechless(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise LookupError("the answer")

    monkeypatch.setattr("backend.assistant.tasks.answer", fail)


def test_what_cannot_be_answered_is_said_so_and_goes_to_the_township(
    phone: Phone, keyring: Keyring, accounts: Accounts, register: Register, speechless: None
) -> None:
    make_known(phone, keyring, accounts, register.person("赵甲"))
    phone.say("大病保险能报多少")
    fail_to_the_last(phone)
    phone.work()
    assert phone.seen() == [sayings.FAULT_HANDED.format("江阴市")]
    (item,) = items(phone)
    assert (item.role, item.list_area) == ("township_reviewer", 320281101000)


def test_somebody_unknown_is_asked_to_write_again(phone: Phone, speechless: None) -> None:
    phone.say("大病保险能报多少")
    fail_to_the_last(phone)
    phone.work()
    assert phone.seen() == [sayings.FAULT]
    assert items(phone) == []


def give_up_hearing(phone: Phone, keyring: Keyring, said: str) -> int:
    """What is written is taken in, and given up, twice; its number."""
    push = phone.say(said, times=0)
    with bound(phone.engine), transaction() as session:
        assert take_in(session, keyring, push, push.key, process_push)
    ((push_id,),) = phone.rows("SELECT id FROM wechat_push")
    for _ in range(2):
        with bound(phone.worker):
            give_up_push(push_id)
    return int(push_id)


def test_a_push_of_a_word_that_cannot_be_handled_is_not_met_with_silence(
    phone: Phone, keyring: Keyring
) -> None:
    give_up_hearing(phone, keyring, "大病保险能报多少")
    phone.work()
    assert phone.seen() == [sayings.FAULT]
    assert len(phone.rows("SELECT FROM utterance WHERE said_by = 'resident'")) == 1


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise LookupError("the conversation")

    monkeypatch.setattr(listening, "conversation_of", fail)


def test_a_word_that_cannot_be_written_down_at_all_is_not_met_with_silence(
    phone: Phone, keyring: Keyring, deaf: None
) -> None:
    push_id = give_up_hearing(phone, keyring, "大病保险能报多少")
    for _ in range(2):
        with pytest.raises(LookupError):
            phone.work()
    phone.simulator.fault("http", path="/cgi-bin/stable_token", status=503)
    with bound(phone.worker):
        assert take_up.given_up is not None
        take_up.given_up(push_id)
        with pytest.raises(WeChatUnavailable):  # tried again by the task library
            say_sorry(push_id)
    phone.simulator.clear_faults()
    phone.work()
    assert phone.seen() == [sayings.FAULT]


def test_an_apology_that_perhaps_went_out_is_not_repeated(
    phone: Phone, keyring: Keyring, deaf: None
) -> None:
    push_id = give_up_hearing(phone, keyring, "大病保险能报多少")
    phone.simulator.fault("duplicate_effect", path="/cgi-bin/message/custom/send", times=1)
    with bound(phone.worker):
        say_sorry(push_id)
    assert phone.seen() == [sayings.FAULT]


# -- what is kept ----------------------------------------------------------------------------------


def test_nothing_that_was_written_stands_in_plain_text_anywhere(phone: Phone) -> None:
    secret = "尿毒症透析花了六万三千七，我在江阴"
    phone.ask(secret)
    phone.ask("要找人工")
    tables = phone.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        " AND table_type = 'BASE TABLE'"
    )
    for (table,) in tables:
        kept = str([row[0] for row in phone.rows(f"SELECT t::text FROM {table} AS t")])
        for part in (secret, "尿毒症", "六万三", phone.openid):
            assert part not in kept, table
            assert part.encode().hex() not in kept, table


def test_keys_change_while_conversations_go_on(phone: Phone, keyring: Keyring) -> None:
    phone.ask("算一下，江阴")
    content = key_file.read(keyring.path).added("aes")
    key_file.write(keyring.path, key_file.KeyFile(content.newest, content.keys))
    with bound(phone.worker):
        rotation.rotate(keyring, KEYED, lambda _: None)
        with transaction() as session:
            assert [rotation.left(session, one, keyring) for one in KEYED] == [0, 0]
    assert "怎么看的病" in phone.ask("低保")[0]
    assert len(phone.rows("SELECT FROM conversation")) == 1


def test_what_was_said_half_a_year_ago_is_forgotten(phone: Phone, accounts: Accounts) -> None:
    phone.ask("你好")
    accounts.change("UPDATE utterance SET at = at - interval '200 days'")
    moments = "said_at = '2020-01-01', opened_at = '2020-01-01'"
    accounts.change(f"UPDATE conversation SET {moments}")
    with bound(phone.worker), transaction() as session:
        forget_old(session, clock.now())
    assert phone.rows("SELECT FROM utterance") == phone.rows("SELECT FROM conversation") == []


def test_what_was_said_by_who_closed_the_account_is_forgotten(
    phone: Phone, keyring: Keyring, accounts: Accounts
) -> None:
    make_known(phone, keyring, accounts, None)
    phone.ask("你好")
    accounts.change("UPDATE resident SET closed_at = now()")
    with bound(phone.worker), transaction() as session:
        forget_old(session, clock.now())
    assert phone.rows("SELECT FROM utterance") == phone.rows("SELECT FROM conversation") == []


def close_account(accounts: Accounts, resident: int) -> None:
    accounts.change("UPDATE resident SET closed_at = now() WHERE id = :id", id=resident)


def test_who_closes_the_account_and_writes_again_begins_anew_and_leaves_nothing(
    phone: Phone, keyring: Keyring, accounts: Accounts
) -> None:
    phone.ask("算一下，江阴，低保")  # before there is an account
    resident = make_known(phone, keyring, accounts, None)
    phone.ask("尿毒症能报多少")
    old = phone.rows("SELECT id FROM conversation")[0].id
    close_account(accounts, resident)
    (ended,) = phone.rows("SELECT openid, openid_index, memory, resident_id FROM conversation")
    assert tuple(ended) == (b"", None, b"", resident)
    phone.ask("你好")
    with bound(phone.worker), transaction() as session:
        forget_old(session, clock.now())
    (left,) = phone.rows("SELECT id, resident_id FROM conversation")
    assert (left.id == old, left.resident_id) == (False, None)
    assert phone.rows("SELECT FROM utterance WHERE conversation_id <> :id", id=left.id) == []


def test_a_conversation_from_before_the_account_ends_with_it(
    phone: Phone, keyring: Keyring, accounts: Accounts
) -> None:
    phone.ask("你好")
    close_account(accounts, make_known(phone, keyring, accounts, None))
    with bound(phone.worker), transaction() as session:
        forget_old(session, clock.now())
    assert phone.rows("SELECT FROM utterance") == phone.rows("SELECT FROM conversation") == []


def test_control_without_the_trigger_what_was_said_before_stays(
    phone: Phone, keyring: Keyring, accounts: Accounts
) -> None:
    accounts.change("DROP TRIGGER resident_closed_conversations ON resident")
    resident = make_known(phone, keyring, accounts, None)
    phone.ask("尿毒症能报多少")
    close_account(accounts, resident)
    phone.ask("你好")
    with bound(phone.worker), transaction() as session:
        forget_old(session, clock.now())
    assert len(phone.rows("SELECT FROM utterance WHERE said_by = 'resident'")) == 2


def test_nothing_is_answered_or_sent_after_the_account_was_closed(
    phone: Phone, keyring: Keyring, accounts: Accounts
) -> None:
    resident = make_known(phone, keyring, accounts, None)
    phone.say("你好")
    conversation = leave(phone, keyring, "还没送出的话")
    close_account(accounts, resident)
    assert phone.work() == 1
    assert send_due(phone, keyring, conversation) == 0
    assert phone.seen() == []


def test_keys_change_past_conversations_that_have_ended(
    phone: Phone, keyring: Keyring, accounts: Accounts
) -> None:
    resident = make_known(phone, keyring, accounts, None)
    phone.ask("算一下，江阴")
    close_account(accounts, resident)
    content = key_file.read(keyring.path).added("aes")
    key_file.write(keyring.path, key_file.KeyFile(content.newest, content.keys))
    with bound(phone.worker):
        assert rotation.rotate(keyring, KEYED, lambda _: None).broken == 0
        with transaction() as session:
            assert [rotation.left(session, one, keyring) for one in KEYED] == [0, 0]


def test_what_lies_with_staff_is_not_forgotten(phone: Phone, accounts: Accounts) -> None:
    phone.ask("我在江阴，转人工")
    accounts.change("UPDATE utterance SET at = at - :kept", kept=KEPT + timedelta(days=1))
    with bound(phone.worker), transaction() as session:
        forget_old(session, clock.now())
    assert phone.rows("SELECT FROM utterance")


def pass_hours(accounts: Accounts, hours: int) -> None:
    """Everything said so far is that much older."""
    earlier = timedelta(hours=hours)
    accounts.change("UPDATE utterance SET at = at - :earlier", earlier=earlier)
    accounts.change("UPDATE conversation SET said_at = said_at - :earlier", earlier=earlier)


@pytest.mark.parametrize(("hours", "goes_on"), [(23, True), (25, False)])
def test_an_estimate_is_gone_on_with_for_a_day(
    phone: Phone, accounts: Accounts, hours: int, goes_on: bool
) -> None:
    phone.ask("算一下，江阴")
    pass_hours(accounts, hours)
    assert ("怎么看的病" in phone.ask("低保")[0]) is goes_on


@pytest.mark.parametrize(("hours", "opened"), [(23, 2), (25, 1)])
def test_a_place_named_a_day_after_an_emergency_is_no_longer_taken_for_its_own(
    phone: Phone, accounts: Accounts, hours: int, opened: int
) -> None:
    phone.ask("我不想活了")
    phone.ask("算了")
    pass_hours(accounts, hours)
    phone.ask("乐清低保能报多少")
    assert len(items(phone)) == opened


def test_words_answered_late_are_no_silence(phone: Phone, accounts: Accounts) -> None:
    phone.say("算一下，江阴")
    phone.say("低保")
    pass_hours(accounts, 25)  # no worker ran
    phone.work()
    assert "怎么看的病" in phone.seen()[-1]


# -- handing over ----------------------------------------------------------------------------------


def items(phone: Phone) -> list[Any]:
    return phone.rows(
        "SELECT role, list_area, reason, person_id, state, due_on FROM work_item"
        " WHERE kind = 'chat_handover' ORDER BY id"
    )


def test_a_known_person_comes_to_the_list_of_their_township(
    phone: Phone, keyring: Keyring, accounts: Accounts, register: Register
) -> None:
    person = register.person("赵甲")
    make_known(phone, keyring, accounts, person)
    assert "转给江阴市的工作人员" in phone.ask("转人工")[0]
    (item,) = items(phone)
    assert (item.role, item.list_area) == ("township_reviewer", 320281101000)
    assert item.person_id == person
    assert "人工" not in item.reason.replace("转人工", "").replace("工作人员", "")
    assert sayings.ALREADY in phone.ask("人工")[0]
    assert len(items(phone)) == 1


def test_somebody_unknown_is_asked_for_the_place_first(phone: Phone) -> None:
    assert sayings.WHERE_FOR_PERSON in phone.ask("转人工")[0]
    assert items(phone) == []
    phone.ask("江阴")
    (item,) = items(phone)
    assert (item.role, item.list_area) == ("county_officer", 320281000000)


def test_an_emergency_is_due_today(phone: Phone) -> None:
    phone.ask("我在江阴，真不想活了")
    (item,) = items(phone)
    assert item.due_on == clock.today()
    assert "12356" in phone.seen()[-1]


def unread(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.message for one in caplog.records if getattr(one, "kind", "") == "emergency_unread"]


def test_an_emergency_that_nobody_on_duty_reads_raises_an_alarm(
    phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    phone.ask("我在江阴，转人工")
    assert unread(caplog) == []
    phone.ask("真不想活了")
    assert unread(caplog) == ["alarm"]


def test_an_emergency_goes_to_the_level_at_which_somebody_is_on_duty_without_an_alarm(
    phone: Phone, accounts: Accounts, caplog: pytest.LogCaptureFixture
) -> None:
    accounts.duty(accounts.staff(), "city_officer", "320200")
    phone.ask("我在江阴，真不想活了")
    (item,) = items(phone)
    assert (item.role, item.list_area) == ("city_officer", 320200000000)
    assert unread(caplog) == []


def test_an_emergency_from_nowhere_is_in_a_list_before_the_place_is_known(phone: Phone) -> None:
    for said in ("我不想活了", "不知道", "随便", "江阴"):
        phone.ask(said)
    somewhere, there = items(phone)
    assert (somewhere.role, somewhere.list_area) == ("city_officer", 320200000000)
    assert (there.role, there.list_area) == ("county_officer", 320281000000)
    assert somewhere.due_on == there.due_on == clock.today()


def test_a_closed_hand_over_does_not_keep_the_next_from_being_made(
    phone: Phone, accounts: Accounts
) -> None:
    phone.ask("我在江阴，转人工")
    accounts.change(
        "UPDATE work_item SET state = 'done', outcome = 'done', closed_by = '测试',"
        " closed_at = now()"
    )
    phone.ask("转人工")
    assert [item.state for item in items(phone)] == ["done", "open"]


def test_the_site_sees_no_conversation_without_a_session(
    phone: Phone, app_database: Engine
) -> None:
    phone.ask("我在江阴，转人工")
    for table in ("conversation", "utterance"):
        with Session(app_database) as session:
            count = session.execute(text(f"SELECT count(id) FROM {table}")).scalar_one()
            assert count == 0
