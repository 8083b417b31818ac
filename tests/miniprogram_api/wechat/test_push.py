"""WeChat's push over HTTP: what comes in, what is answered, and how soon."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from backend.kernel import database as kernel_database
from backend.kernel.clock import now
from backend.kernel.crypto import Keyring
from backend.kernel.settings import Settings
from backend.kernel.settings_wechat import SIMULATOR_SECRET, PushSettings, WeChatSettings
from backend.wechat import connection
from backend.wechat.push import LARGEST
from backend.wechat.push_crypto import signature
from miniprogram_api.app import create_app
from miniprogram_api.wechat import in_time, routes
from miniprogram_api.wechat.in_time import NotInTime, within
from tests.support.pushes import OPENID, TARGET, Sent, forged, popup_event, sent, text_message
from tests.support.wechat import APPID, PUSH_AES_KEY, PUSH_TOKEN

URL = "/wechat/push"
MOST_SECONDS = 4.0
"""WeChat waits five."""
CHOSEN = WeChatSettings(APPID, SIMULATOR_SECRET, push=PushSettings(PUSH_TOKEN, PUSH_AES_KEY))


@pytest.fixture
def log() -> io.BytesIO:
    return io.BytesIO()


@pytest.fixture
def app(app_database: Engine, tmp_path: Path, log: io.BytesIO) -> Iterator[Flask]:
    """The site, connected to the simulator's mini-program."""
    keys = tmp_path / "keys.json"
    Keyring.open_or_create(keys)
    with kernel_database.bound(app_database), connection.bound(None):
        yield create_app(Settings(keys=keys, wechat=CHOSEN), log_stream=log)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def post(client: FlaskClient, one: Sent) -> Any:
    return client.post(URL, query_string=one.query, data=one.body, content_type=one.content_type)


def taken(owner: Engine) -> int:
    with owner.connect() as connected:
        count: int = connected.execute(text("SELECT count(*) FROM wechat_push")).scalar_one()
    return count


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("mode", ["safe", "compatible"])
def test_a_push_is_taken_in_and_answered_with_a_word(
    client: FlaskClient, database: Engine, form: str, mode: str
) -> None:
    target = replace(TARGET, format=form, mode=mode)
    answer = post(client, sent(text_message(now()), now(), target=target))
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "success", "text/plain")
    assert taken(database) == 1


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_push_in_plain_is_refused(client: FlaskClient, database: Engine, form: str) -> None:
    target = replace(TARGET, format=form, mode="plain")
    answer = post(client, sent(text_message(now()), now(), target=target))
    assert answer.status_code == 403
    assert taken(database) == 0


def test_the_check_of_the_address_is_answered_in_plain(client: FlaskClient) -> None:
    at = str(int(now().timestamp()))
    query = {"timestamp": at, "nonce": "1514711492", "echostr": "4375120948345356249"}
    query["signature"] = signature(PUSH_TOKEN, at, "1514711492")
    answer = client.get(URL, query_string=query)
    assert (answer.status_code, answer.text) == (200, "4375120948345356249")
    assert answer.mimetype == "text/plain"
    assert client.get(URL, query_string={**query, "nonce": "1"}).status_code == 403
    assert client.get(URL).status_code == 403


def test_forged_pushes_are_all_refused_alike(
    client: FlaskClient, database: Engine, log: io.BytesIO
) -> None:
    answers = {
        (answer.status_code, answer.json["type"], answer.json["detail"])
        for _, one in forged(320, now())
        for answer in [post(client, one)]
    }
    assert len(answers) == 1
    assert next(iter(answers))[0] == 403
    assert taken(database) == 0


def test_what_was_answered_in_vain_is_known_again(client: FlaskClient, database: Engine) -> None:
    one = sent(popup_event(now(), ("a", "accept")), now())
    assert [post(client, one).status_code for _ in range(3)] == [200] * 3
    assert taken(database) == 1


def test_a_body_that_is_too_large_or_no_body_is_refused(client: FlaskClient) -> None:
    one = sent(text_message(now()), now())
    assert post(client, replace(one, body=b"x" * (LARGEST + 1))).status_code == 413
    assert post(client, replace(one, body=b"")).status_code == 403


def test_where_no_mini_program_or_no_push_is_set_up_nothing_is_taken(client: FlaskClient) -> None:
    one = sent(text_message(now()), now())
    for chosen in (None, replace(CHOSEN, push=None)):
        connection.bind(chosen)
        answer = post(client, one)
        assert answer.status_code == 503
        assert answer.json["type"] == "/problems/wechat-not-configured"


def test_nothing_of_a_push_is_in_the_log(client: FlaskClient, log: io.BytesIO) -> None:
    one = sent(text_message(now(), content="我得了怪病"), now())
    post(client, one)
    post(client, replace(one, body=one.body[:-20]))
    said = log.getvalue().decode()
    assert said
    for secret in ("怪病", OPENID, PUSH_TOKEN, one.query["msg_signature"], one.query["nonce"]):
        assert secret not in said


@contextmanager
def holding(owner: Engine, statement: str) -> Iterator[None]:
    """Another's transaction that holds a lock."""
    with owner.connect() as other, other.begin():
        other.execute(text(statement))
        yield
        other.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "LOCK TABLE wechat_push IN ACCESS EXCLUSIVE MODE",
        "LOCK TABLE procrastinate_jobs IN ACCESS EXCLUSIVE MODE",
    ],
)
def test_while_the_database_is_locked_it_is_answered_in_time_that_nothing_was_kept(
    client: FlaskClient, database: Engine, statement: str
) -> None:
    one = sent(text_message(now()), now())
    with holding(database, statement):
        began = time.monotonic()
        answer = post(client, one)
        assert time.monotonic() - began < MOST_SECONDS
        assert answer.status_code == 503
    assert post(client, one).status_code == 200
    assert taken(database) == 1


def test_while_the_same_push_is_being_taken_in_the_second_telling_is_answered_in_time(
    client: FlaskClient, database: Engine
) -> None:
    one = sent(text_message(now()), now())
    waiting = (
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(30); RETURN NEW; END';"
        " CREATE TRIGGER slow BEFORE INSERT ON wechat_push FOR EACH ROW EXECUTE FUNCTION wait()"
    )
    with database.begin() as connected:
        connected.execute(text(waiting))
    began = time.monotonic()
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(post(client, one).status_code))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < MOST_SECONDS + 0.5
    assert answers == [503] * 3
    with database.begin() as connected:
        connected.execute(text("DROP TRIGGER slow ON wechat_push"))
    assert post(client, one).status_code == 200


def test_a_database_that_does_not_even_answer_the_door_is_not_waited_for(
    client: FlaskClient,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        hung = kernel_database.engine_for(f"postgresql://nobody@127.0.0.1:{port}/none")
        with kernel_database.bound(hung):
            began = time.monotonic()
            answer = post(client, sent(text_message(now()), now()))
            assert time.monotonic() - began < MOST_SECONDS
        assert answer.status_code == 503


def test_without_its_own_time_limit_the_answer_comes_too_late(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the limits of the database and its driver alone are not enough."""
    monkeypatch.setattr(routes, "within", lambda _seconds, deed: deed())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        hung = kernel_database.engine_for(f"postgresql://nobody@127.0.0.1:{port}/none")
        with kernel_database.bound(hung):
            began = time.monotonic()
            post(client, sent(text_message(now()), now()))
            assert time.monotonic() - began > MOST_SECONDS


def test_those_who_are_left_waiting_are_never_more_than_a_few() -> None:
    hold = threading.Event()

    def wait() -> None:
        hold.wait(30)

    for _ in range(in_time.LEFT_BEHIND):
        with pytest.raises(NotInTime):
            within(0.01, wait)
    began = time.monotonic()
    with pytest.raises(NotInTime):
        within(5, wait)
    assert time.monotonic() - began < 1
    hold.set()
    deadline = time.monotonic() + 10
    while True:
        try:
            within(1, lambda: None)
            break
        except NotInTime:
            assert time.monotonic() < deadline


def test_what_goes_wrong_is_raised_where_it_is_waited_for() -> None:
    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        within(1, fail)
