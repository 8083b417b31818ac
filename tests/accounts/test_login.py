"""Logging in by WeChat, and what hangs on an account."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from backend.accounts import closing, consents
from backend.accounts.keyed import KEYED
from backend.accounts.login import LoggedIn, log_in
from backend.accounts.me import account_of, choose_ui_mode
from backend.accounts.phone import PhoneUnusable, bind_phone, openid_of
from backend.accounts.scope import Actor, act_as
from backend.accounts.wechat_events import BY
from backend.kernel import keys
from backend.kernel.crypto import Keyring
from backend.kernel.database import bound, transaction
from backend.wechat.calls import Phone
from backend.wechat.handlers import handle
from backend.wechat.push import Push
from tests.support.townsfolk import Townsfolk, events

OPENID = "o-invented-openid-1"
NUMBER = "19900000007"


@pytest.fixture(autouse=True)
def site(app_database: Engine) -> Iterator[None]:
    with bound(app_database):
        yield


def enter(keyring: Keyring, openid: str = OPENID) -> LoggedIn:
    with transaction() as session:
        return log_in(session, keyring, openid, "192.0.2.0")


def who(token: str) -> Actor | None:
    with transaction() as session:
        return act_as(session, token)


def give_phone(keyring: Keyring, token: str, phone: Phone) -> str:
    with transaction() as session:
        actor = act_as(session, token)
        assert actor is not None
        return bind_phone(session, keyring, actor, phone)


def test_the_same_wechat_user_has_the_same_account(keyring: Keyring, database: Engine) -> None:
    first, second, other = enter(keyring), enter(keyring), enter(keyring, "o-another")
    assert (first.new, second.new, other.new) == (True, False, True)
    accounts = [who(one.token) for one in (first, second, other)]
    ids = [one.resident_id for one in accounts if one is not None]
    assert ids[0] == ids[1] != ids[2]
    assert (first.level, first.ui_mode) == (0, "normal")
    assert len(events(database, "resident.log_in")) == 3


def test_two_first_logins_at_once_make_one_account(keyring: Keyring, database: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        entered = list(pool.map(lambda _: enter(keyring), range(8)))
    assert sum(one.new for one in entered) >= 1
    with database.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM resident")).scalar_one() == 1


def test_an_openid_and_a_phone_are_nowhere_in_plain(keyring: Keyring, database: Engine) -> None:
    entered = enter(keyring)
    assert give_phone(keyring, entered.token, Phone(NUMBER, "86")) == "199****0007"
    with database.connect() as connection:
        for table in ("resident", "wechat_user", "account_session", "audit_event"):
            rows = connection.execute(text(f"SELECT string_agg(t::text, '') FROM {table} AS t"))
            kept = rows.scalar_one()
            for plain in (OPENID, NUMBER, entered.token):
                assert plain not in kept
                assert plain.encode().hex() not in kept
    with transaction() as session:
        actor = act_as(session, entered.token)
        assert actor is not None
        assert openid_of(session, keyring, actor) == OPENID
    assert {one.table for one in KEYED} >= {"resident", "wechat_user"}


def test_a_phone_is_shown_masked_and_raises_the_level(keyring: Keyring) -> None:
    token = enter(keyring).token
    give_phone(keyring, token, Phone(NUMBER, "86"))
    with transaction() as session:
        actor = act_as(session, token)
        assert actor is not None
        account = account_of(session, keyring, actor)
    assert (account.level, account.phone, account.person_id) == (1, "199****0007", None)


@pytest.mark.parametrize("phone", [Phone("61234567", "852"), Phone("12345", "86")])
def test_a_number_that_nobody_here_could_call_is_refused(keyring: Keyring, phone: Phone) -> None:
    with pytest.raises(PhoneUnusable):
        give_phone(keyring, enter(keyring).token, phone)


def test_the_elder_interface_stays_chosen(keyring: Keyring) -> None:
    token = enter(keyring).token
    with transaction() as session:
        actor = act_as(session, token)
        assert actor is not None
        choose_ui_mode(session, actor, "elder")
    assert enter(keyring).ui_mode == "elder"


# -- what WeChat tells


def tell(keyring: Keyring, worker: Engine, event: str, **body: str) -> None:
    push = Push(b"k" * 32, "event", event, OPENID, datetime(2026, 6, 15, tzinfo=UTC), body)
    with bound(worker), keys.bound(keyring), transaction() as session:
        assert handle(session, push) >= 1


@pytest.fixture
def worker(database_url: str) -> Iterator[Engine]:
    from backend.kernel.database import engine_for

    engine = engine_for(database_url, role="worker")
    yield engine
    engine.dispose()


def test_a_phone_taken_back_at_wechat_is_deleted(
    keyring: Keyring, worker: Engine, database: Engine
) -> None:
    token = enter(keyring).token
    give_phone(keyring, token, Phone(NUMBER, "86"))
    tell(keyring, worker, "user_authorization_revoke", RevokeInfo="7")
    assert _account(keyring, token) == (1, "199****0007")
    tell(keyring, worker, "user_authorization_revoke", RevokeInfo="8")
    assert _account(keyring, token) == (0, "")
    with database.connect() as connection:
        kept = connection.execute(text("SELECT phone, phone_index FROM resident")).one()
    assert tuple(map(bytes, kept)) == (b"", b"")
    assert [one[0] for one in events(database, "resident.forget_phone")] == [BY.label]


def _account(keyring: Keyring, token: str) -> tuple[int, str]:
    with transaction() as session:
        actor = act_as(session, token)
        assert actor is not None
        account = account_of(session, keyring, actor)
    return account.level, account.phone


def test_who_closes_the_wechat_account_has_none_here(
    keyring: Keyring, worker: Engine, database: Engine
) -> None:
    entered = enter(keyring)
    give_phone(keyring, entered.token, Phone(NUMBER, "86"))
    tell(keyring, worker, "user_info_modified")
    assert who(entered.token) is not None
    for _ in range(2):  # WeChat may tell it again
        tell_quietly(keyring, worker)
    assert who(entered.token) is None
    with database.connect() as connection:
        row = connection.execute(text("SELECT phone, closed_at FROM resident")).one()
        openid = connection.execute(text("SELECT openid FROM wechat_user")).scalar_one()
    assert (bytes(row.phone), bytes(openid)) == (b"", b"")
    assert row.closed_at is not None
    assert enter(keyring).new


def tell_quietly(keyring: Keyring, worker: Engine) -> None:
    tell(keyring, worker, "user_authorization_cancellation")


def test_closing_ends_everything_that_hangs_on_the_account(
    keyring: Keyring, town: Townsfolk, database: Engine
) -> None:
    jia, yi = town.person("测试甲"), town.person("测试乙")
    account = town.accounts.resident(jia.id)
    tokens = [town.accounts.resident_session(account) for _ in range(2)]
    town.accounts.change(
        "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis,"
        " recorded_by, from_on) VALUES (nextval('row_id'), :account, :yi, 'parent', 'written',"
        " '测试', DATE '2020-01-01')",
        account=account, yi=yi.id,
    )  # fmt: skip
    with transaction() as session:
        actor = act_as(session, tokens[0])
        assert actor is not None
        giving = consents.Giving(jia.id, "sms", 1, "mini_program")
        consents.give_consent(session, keyring, actor, giving)
    with transaction() as session:
        actor = act_as(session, tokens[0])
        assert actor is not None
        closing.close_account(session, account, actor, "left")
    assert [who(one) for one in tokens] == [None, None]
    with database.connect() as connection:
        ended = connection.execute(text("SELECT ended_why FROM account_session")).scalars().all()
        revoked = connection.execute(text("SELECT revoked_at FROM family_authority")).scalar_one()
        withdrawn = connection.execute(text("SELECT count(*) FROM consent_withdrawal")).scalar_one()
    assert (ended, withdrawn) == (["closed", "closed"], 1)
    assert revoked is not None
