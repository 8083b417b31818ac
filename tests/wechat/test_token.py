"""One access token for everybody, fetched once, whoever dies over it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, make_url, text

from backend.kernel import database as kernel_database
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.kernel.settings import PROJECT
from backend.kernel.settings_wechat import SIMULATOR_SECRET, WeChatSettings
from backend.wechat import token as token_module
from backend.wechat.calls import templates
from backend.wechat.client import MiniProgram
from backend.wechat.errors import WeChatBusy, WeChatUnavailable
from backend.wechat.token import LEASE_SECONDS, Keeper, Token, TokenStore
from backend.wechat.token_table import TokenTable
from tests.support.tokens import MemoryTokens
from tests.support.wechat import APPID, Simulator, until

TOKEN = "/cgi-bin/stable_token"


@pytest.fixture
def table(app_database: Engine, keyring: Keyring) -> Iterator[TokenTable]:
    """The store as the website has it."""
    with kernel_database.bound(app_database):
        yield TokenTable(APPID, keyring)


@pytest.fixture(params=["memory", "table"])
def store(request: pytest.FixtureRequest) -> TokenStore:
    kept: TokenStore = (
        MemoryTokens() if request.param == "memory" else request.getfixturevalue("table")
    )
    return kept


class Fetches:
    """Stands for WeChat: gives out `token 1`, `token 2` …, after a while."""

    def __init__(self, seconds: float = 0.2, life: float = 7200) -> None:
        self.seconds, self.life, self.count = seconds, life, 0

    def __call__(self) -> Token:
        self.count += 1
        number = self.count
        time.sleep(self.seconds)
        return Token(f"token {number}", time.monotonic() + self.life)


def at_once(count: int, call: Callable[[], str]) -> list[str]:
    """What so many threads get that call at the same moment."""
    start, found = threading.Barrier(count), []

    def run() -> None:
        start.wait()
        found.append(call())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return found


def test_twenty_threads_fetch_one_token(store: TokenStore) -> None:
    fetch = Fetches()
    keeper = Keeper(store, fetch)
    assert at_once(20, keeper.token) == ["token 1"] * 20
    assert at_once(20, lambda: keeper.renew("token 1")) == ["token 2"] * 20
    assert fetch.count == 2


def test_twenty_processes_at_one_store_fetch_one_token(store: TokenStore) -> None:
    """Keepers that share nothing but the store, as processes do."""
    fetch = Fetches()
    keepers = [Keeper(store, fetch) for _ in range(20)]
    waiting = iter(keepers)
    assert at_once(20, lambda: next(waiting).token()) == ["token 1"] * 20
    assert fetch.count == 1


def test_without_the_lease_each_of_them_fetches(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a store that lets everybody fetch."""
    monkeypatch.setattr(
        type(store), "take_lease", lambda self, version: token_module.Lease(version, "now()")
    )
    fetch = Fetches()
    keepers = iter([Keeper(store, fetch) for _ in range(8)])
    at_once(8, lambda: next(keepers).token())
    assert fetch.count > 1


def test_a_token_that_another_process_renewed_is_taken_from_the_store(store: TokenStore) -> None:
    fetch = Fetches(0)
    one, other = Keeper(store, fetch), Keeper(store, fetch)
    assert (one.token(), other.token()) == ("token 1", "token 1")
    assert one.renew("token 1") == "token 2"
    assert other.token() == "token 1"
    assert other.renew("token 1") == "token 2"
    assert fetch.count == 2


def test_a_token_about_to_end_is_replaced(store: TokenStore) -> None:
    fetch = Fetches(0, life=token_module.MARGIN_SECONDS + 0.2)
    keeper = Keeper(store, fetch)
    assert keeper.token() == "token 1"
    time.sleep(0.3)
    assert keeper.token() == "token 2"
    assert Keeper(store, fetch).token() == "token 2"


def test_who_fails_to_fetch_lets_the_next_one_try(store: TokenStore) -> None:
    def fail() -> Token:
        raise WeChatUnavailable

    with pytest.raises(WeChatUnavailable):
        Keeper(store, fail).token()
    began = time.monotonic()
    assert Keeper(store, Fetches(0)).token() == "token 1"
    assert time.monotonic() - began < 1


def test_who_waits_longer_than_bearable_is_told_to_come_again(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_module, "PATIENCE_SECONDS", 0.3)
    assert store.take_lease(store.read().version) is not None
    fetch = Fetches()
    keeper = Keeper(store, fetch)
    began = time.monotonic()
    start = threading.Barrier(10)
    failed: list[float] = []

    def wait() -> None:
        start.wait()
        with pytest.raises(WeChatBusy):
            keeper.token()
        failed.append(time.monotonic() - began)

    threads = [threading.Thread(target=wait) for _ in range(10)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert max(failed) < 2, "one after another they would wait for each other"
    assert fetch.count == 0


def test_an_old_lease_stores_its_token_and_takes_nobody_elses(table: TokenTable) -> None:
    first = table.take_lease(table.read().version)
    assert first is not None
    with transaction() as session:
        session.execute(text("UPDATE wechat_token SET refreshing_until = now() - interval '1 s'"))
    second = table.take_lease(table.read().version)
    assert second is not None
    table.give_back(first)
    assert table.take_lease(table.read().version) is None
    table.store(second, Token("token", time.monotonic() + 7200))
    assert table.take_lease(second.version) is None, "another version"
    assert table.take_lease(table.read().version) is not None


def test_in_the_database_the_token_is_sealed(table: TokenTable, keyring: Keyring) -> None:
    Keeper(table, Fetches(0)).token()
    with transaction() as session:
        sealed = session.execute(text("SELECT token FROM wechat_token")).scalar_one()
        row = session.execute(text("SELECT wechat_token::text FROM wechat_token")).scalar_one()
    assert b"token 1" not in sealed
    assert "token 1" not in row
    assert "token 1" not in repr(table.read())


def test_a_token_whose_key_is_gone_is_fetched_anew(table: TokenTable, tmp_path: Path) -> None:
    Keeper(table, Fetches(0)).token()
    other = TokenTable(APPID, Keyring.open_or_create(tmp_path / "other.json"))
    fetch = Fetches(0)
    assert Keeper(other, fetch).token() == "token 1"
    assert fetch.count == 1


def test_while_the_database_is_away_nothing_is_asked_of_wechat(
    keyring: Keyring, chosen: WeChatSettings, wechat_simulator: Simulator
) -> None:
    client = MiniProgram(chosen, TokenTable(APPID, keyring))
    away = kernel_database.engine_for("postgresql://nobody@127.0.0.1:9/none")
    with kernel_database.bound(away), pytest.raises(WeChatUnavailable):
        templates(client)
    assert wechat_simulator.journal() == []


def test_twenty_threads_of_the_client_cost_one_fetch(
    wechat: MiniProgram, wechat_simulator: Simulator
) -> None:
    wechat_simulator.fault("slow", TOKEN, ms=200)
    assert at_once(20, lambda: str(len(templates(wechat)))) == ["3"] * 20
    assert len(wechat_simulator.journal(TOKEN)) == 1


@contextmanager
def callers(
    count: int, folder: Path, simulator: Simulator, database_url: str, keyring: Keyring
) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that call once the file `go` is there."""
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "SHUKUN_KEYS": str(keyring.path),
        "WECHAT_APPID": APPID,
        "WECHAT_SECRET": SIMULATOR_SECRET,
        "WECHAT_API_BASE": simulator.api,
    }
    command = [sys.executable, "-m", "tests.support.caller", str(folder)]
    with ExitStack() as stack:
        running = []
        for _ in range(count):
            one = subprocess.Popen(
                command, env=environment, cwd=PROJECT, stdout=subprocess.PIPE, text=True
            )
            stack.callback(_end, one)
            running.append(one)
        for one in running:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        yield running


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_four_processes_fetch_one_token(
    tmp_path: Path,
    wechat_simulator: Simulator,
    database_url: str,
    keyring: Keyring,
) -> None:
    wechat_simulator.fault("slow", TOKEN, ms=300)
    with callers(4, tmp_path, wechat_simulator, database_url, keyring) as running:
        (tmp_path / "go").touch()
        assert [said(one) for one in running] == ["3 templates"] * 4
    assert len(wechat_simulator.journal(TOKEN)) == 1


def test_when_the_process_that_fetches_is_killed_another_takes_over_within_the_lease(
    tmp_path: Path,
    wechat_simulator: Simulator,
    database_url: str,
    keyring: Keyring,
    chosen: WeChatSettings,
    table: TokenTable,
) -> None:
    wechat_simulator.fault("hang", TOKEN, times=1)
    with callers(1, tmp_path, wechat_simulator, database_url, keyring) as (first,):
        (tmp_path / "go").touch()
        until(lambda: wechat_simulator.journal(TOKEN), bool)
        first.send_signal(signal.SIGKILL)
        began = time.monotonic()
    survivor = MiniProgram(chosen, table)
    busy = 0
    while True:
        try:
            assert len(templates(survivor)) == 3
            break
        except WeChatBusy:
            busy += 1
    assert 5 < time.monotonic() - began < LEASE_SECONDS + 2
    assert busy >= 1
    assert len(wechat_simulator.journal(TOKEN)) == 2
    survivor.close()


def test_while_wechat_is_asked_no_transaction_is_open(
    table: TokenTable, chosen: WeChatSettings, wechat_simulator: Simulator, database_url: str
) -> None:
    """Nor any lock held: a fetch that hangs stops nobody."""
    wechat_simulator.fault("slow", TOKEN, ms=1500, times=1)
    client = MiniProgram(chosen, table)
    calling = threading.Thread(target=lambda: templates(client))
    calling.start()
    until(lambda: wechat_simulator.journal(TOKEN), bool)
    url = make_url(database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as other:
        other.execute("SET lock_timeout = '200ms'")
        other.execute("LOCK TABLE wechat_token IN ACCESS EXCLUSIVE MODE")
        query = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' AND datname = current_database()"
        assert other.execute(query).fetchone() == (0,)
    calling.join()
    client.close()
