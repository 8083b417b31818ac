"""A push is taken in once, however often it is told, and handled once in effect."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from backend.kernel import database as kernel_database
from backend.kernel import key_file, rotation
from backend.kernel.clock import now
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.kernel.settings_wechat import PushSettings
from backend.wechat import handlers
from backend.wechat.errors import PushRefused
from backend.wechat.handlers import on_given_up, on_push
from backend.wechat.keyed import KEYED
from backend.wechat.push import Push, PushReader
from backend.wechat.received import KEPT_DAYS, forget_over, take_in
from backend.wechat.tasks import give_up_push, process_push
from tests.support.pushes import OPENID, Sent, popup_event, sent, text_message
from tests.support.wechat import APPID, PUSH_AES_KEY, PUSH_TOKEN

READER = PushReader(PushSettings(PUSH_TOKEN, PUSH_AES_KEY), APPID)
STATES = text("SELECT state, payload FROM wechat_push ORDER BY id")


@pytest.fixture
def site(app_database: Engine, keyring: Keyring) -> Iterator[Engine]:
    """The database as the website sees it, bound."""
    with kernel_database.bound(app_database):
        yield app_database


@pytest.fixture
def handled(monkeypatch: pytest.MonkeyPatch) -> list[Push]:
    """What a handler of texts and popups was given."""
    monkeypatch.setattr(handlers, "HANDLERS", {})
    monkeypatch.setattr(handlers, "GIVEN_UP", {})
    seen: list[Push] = []

    @on_push("text", "subscribe_msg_popup_event")
    def note(_session: Session, push: Push) -> None:
        seen.append(push)

    return seen


def take(keyring: Keyring, one: Sent) -> bool:
    push = READER.read(one.envelope, one.body, now())
    with transaction() as session:
        return take_in(session, keyring, push, one.envelope.stamp, process_push)


def rows(owner: Engine) -> list[Any]:
    with owner.connect() as connection:
        return list(connection.execute(STATES))


def jobs(owner: Engine) -> list[Any]:
    query = "SELECT args, lock, queue_name FROM procrastinate_jobs ORDER BY id"
    with owner.connect() as connection:
        return list(connection.execute(text(query)))


def work(owner: Engine, worker: Engine) -> None:
    """Every job that waits, done as a worker would."""
    for job in jobs(owner):
        with kernel_database.bound(worker):
            process_push(**job.args)


def test_a_push_told_three_times_is_taken_once(
    database: Engine, site: Engine, keyring: Keyring
) -> None:
    message = text_message(now())
    told = [take(keyring, sent(message, now())) for _ in range(3)]
    assert told == [True, False, False]
    assert len(rows(database)) == len(jobs(database)) == 1


def test_a_push_told_three_times_at_once_is_taken_once(
    database: Engine, site: Engine, keyring: Keyring
) -> None:
    told: list[bool] = []
    start = threading.Barrier(3)
    message = text_message(now())

    def tell() -> None:
        start.wait()
        told.append(take(keyring, sent(message, now())))

    threads = [threading.Thread(target=tell) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(told) == [False, False, True]
    assert len(jobs(database)) == 1


def test_the_very_same_request_again_changes_nothing(
    database: Engine, site: Engine, keyring: Keyring
) -> None:
    one = sent(popup_event(now(), ("a", "accept")), now())
    assert [take(keyring, one) for _ in range(3)] == [True, False, False]
    assert len(rows(database)) == 1


def test_an_envelope_is_good_for_one_message(
    database: Engine, site: Engine, keyring: Keyring
) -> None:
    moment = now()
    assert take(keyring, sent(text_message(moment, 1), moment, nonce="1234567890"))
    with pytest.raises(PushRefused):
        take(keyring, sent(text_message(moment, 2), moment, nonce="1234567890"))
    assert take(keyring, sent(text_message(moment, 2), moment, nonce="1234567891"))


def test_two_events_of_one_second_are_both_taken(
    database: Engine, site: Engine, keyring: Keyring
) -> None:
    moment = now()
    for template in ("a", "b"):
        assert take(keyring, sent(popup_event(moment, (template, "accept")), moment))
    assert len(rows(database)) == 2


def test_what_was_told_stands_sealed_and_nobody_of_the_site_reads_it(
    database: Engine, site: Engine, keyring: Keyring
) -> None:
    take(keyring, sent(text_message(now(), content="我爸得了怪病"), now()))
    (row,) = rows(database)
    for secret in (OPENID.encode(), "怪病".encode()):
        assert secret not in row.payload
    assert OPENID not in str(jobs(database))
    for deed in (
        "SELECT payload FROM wechat_push",
        "SELECT event FROM wechat_push",
        "UPDATE wechat_push SET state = 'done'",
        "DELETE FROM wechat_push",
    ):
        with pytest.raises(ProgrammingError), transaction() as session:
            session.execute(text(deed))


def test_the_jobs_of_one_person_wait_for_each_other_and_name_nobody(
    database: Engine, site: Engine, keyring: Keyring
) -> None:
    for number in (1, 2):
        take(keyring, sent(text_message(now(), number), now()))
    take(keyring, sent({**text_message(now(), 3), "FromUserName": "oOther"}, now()))
    one, two, other = (job.lock for job in jobs(database))
    assert one == two != other
    assert {job.queue_name for job in jobs(database)} == {"wechat"}


def test_a_worker_gives_it_to_who_registered_and_forgets_it(
    database: Engine, site: Engine, worker_database: Engine, keyring: Keyring, handled: list[Push]
) -> None:
    with kernel_database.bound(site):
        take(keyring, sent(text_message(now(), content="低保能报多少"), now()))
        take(keyring, sent(popup_event(now(), ("a", "accept"), ("b", "reject")), now()))
    work(database, worker_database)
    work(database, worker_database)
    words, popup = handled
    assert (words.openid, words.body["Content"], words.name) == (OPENID, "低保能报多少", "text")
    assert abs(words.created_at - now()) < timedelta(minutes=1)
    assert [one["TemplateId"] for one in popup.body["List"]] == ["a", "b"]
    assert [(row.state, row.payload) for row in rows(database)] == [("done", b"")] * 2


def test_what_nobody_registered_for_is_done_at_once(
    database: Engine, site: Engine, worker_database: Engine, keyring: Keyring, handled: list[Push]
) -> None:
    with kernel_database.bound(site):
        take(keyring, sent({**text_message(now()), "MsgType": "image"}, now()))
    work(database, worker_database)
    assert handled == []
    assert [row.state for row in rows(database)] == ["done"]


def test_a_handler_that_fails_leaves_no_effect_and_is_tried_again(
    database: Engine,
    site: Engine,
    worker_database: Engine,
    keyring: Keyring,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handlers, "HANDLERS", {})
    monkeypatch.setattr(handlers, "GIVEN_UP", {})
    fails = [True]

    @on_push("text")
    def write(session: Session, _push: Push) -> None:
        session.execute(text("INSERT INTO notice_due (person_id, kind, cause, created_on)"
                             " VALUES (1, 'x', 'y', '2026-11-22')"))  # fmt: skip
        if fails[0]:
            raise LookupError("no such person")

    with kernel_database.bound(site):
        take(keyring, sent(text_message(now()), now()))
    count = text("SELECT count(*) FROM notice_due")
    for given_up in (False, True):
        with pytest.raises(LookupError):
            work(database, worker_database)
        assert [row.state for row in rows(database)] == ["new"]
        with database.connect() as connection:
            assert connection.execute(count).scalar() == 0
        if given_up:
            for job in jobs(database):
                with kernel_database.bound(worker_database):
                    give_up_push(**job.args)
            assert [row.state for row in rows(database)] == ["failed"]
    fails[0] = False
    work(database, worker_database)
    work(database, worker_database)
    with database.connect() as connection:
        assert connection.execute(count).scalar() == 1
    assert [row.state for row in rows(database)] == ["done"]


def test_a_thousand_events_told_three_times_by_eight_hands_have_one_effect_each(
    database: Engine, site: Engine, worker_database: Engine, keyring: Keyring, handled: list[Push]
) -> None:
    moment = now()
    events = [popup_event(moment, (f"template-{number}", "accept")) for number in range(1000)]
    tellings = iter([sent(event, moment) for _ in range(3) for event in events])
    guard = threading.Lock()

    def tell() -> None:
        while True:
            with guard:
                one = next(tellings, None)
            if one is None:
                return
            take(keyring, one)

    threads = [threading.Thread(target=tell) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    work(database, worker_database)
    templates = [push.body["List"][0]["TemplateId"] for push in handled]
    assert sorted(templates) == sorted(f"template-{number}" for number in range(1000))


def test_without_our_key_an_event_told_three_times_has_three_effects(
    database: Engine,
    site: Engine,
    worker_database: Engine,
    keyring: Keyring,
    handled: list[Push],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: WeChat itself gives events no number to know them by."""
    monkeypatch.setattr("backend.wechat.push._key", lambda *_: secrets.token_bytes(32))
    event = popup_event(now(), ("a", "accept"))
    with kernel_database.bound(site):
        assert [take(keyring, sent(event, now())) for _ in range(3)] == [True] * 3
    work(database, worker_database)
    assert len(handled) == 3


def test_what_was_done_long_ago_is_forgotten_and_nothing_else(
    database: Engine, site: Engine, worker_database: Engine, keyring: Keyring, handled: list[Push]
) -> None:
    with kernel_database.bound(site):
        for number in range(4):
            take(keyring, sent(text_message(now(), number), now()))
    old_done, new_done, old_failed, _old_new = jobs(database)
    with kernel_database.bound(worker_database):
        process_push(**old_done.args)
        process_push(**new_done.args)
        give_up_push(**old_failed.args)
    with database.begin() as connection:
        connection.execute(
            text("UPDATE wechat_push SET received_at = now() - make_interval(days => :days)"
                 " WHERE id <> :new"),
            {"days": KEPT_DAYS + 1, "new": new_done.args["push_id"]},
        )  # fmt: skip
    with kernel_database.bound(worker_database), transaction() as session:
        assert forget_over(session, now()) == 2
    assert [row.state for row in rows(database)] == ["done", "new"]


def test_a_push_that_was_given_up_is_somebody_elses_care_once_it_is_marked(
    database: Engine,
    site: Engine,
    worker_database: Engine,
    keyring: Keyring,
    handled: list[Push],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handlers, "GIVEN_UP", {})
    cared: list[str] = []

    @on_given_up("text")
    def care(_session: Session, push: Push, _push_id: int) -> None:
        cared.append(push.body["Content"])
        raise LookupError("this as well")

    with kernel_database.bound(site):
        take(keyring, sent(text_message(now(), content="低保能报多少"), now()))
    (job,) = jobs(database)
    with kernel_database.bound(worker_database), pytest.raises(LookupError):
        give_up_push(**job.args)
    assert cared == ["低保能报多少"]
    assert [row.state for row in rows(database)] == ["failed"]
    work(database, worker_database)
    with kernel_database.bound(worker_database):
        give_up_push(**job.args)
    assert len(cared) == 1  # it was handled meanwhile
    assert [row.state for row in rows(database)] == ["done"]


def test_new_keys_reach_what_waits(
    database: Engine, site: Engine, worker_database: Engine, keyring: Keyring, handled: list[Push]
) -> None:
    with kernel_database.bound(site):
        take(keyring, sent(text_message(now(), content="换密钥前"), now()))
    content = key_file.read(keyring.path).added("aes")
    key_file.write(keyring.path, key_file.KeyFile(content.newest, content.keys))
    with kernel_database.bound(worker_database):
        rotation.rotate(keyring, KEYED, lambda _progress: None)
        with transaction() as session:
            assert sum(rotation.uses(session, one, 1) for one in KEYED) == 0
    work(database, worker_database)
    assert handled[0].body["Content"] == "换密钥前"
