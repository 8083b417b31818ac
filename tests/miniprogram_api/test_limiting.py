"""How often: counted together by all processes, fair to neighbours behind one address."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import pytest
from flask import Flask
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, Storage
from limits.strategies import SlidingWindowCounterRateLimiter
from sqlalchemy import Engine, text

from backend.accounts.tasks import WINDOWS_KEPT
from backend.kernel import database, keys
from backend.kernel.crypto import Keyring
from backend.kernel.settings import Settings
from miniprogram_api import credentials, limiting
from miniprogram_api.app import create_app
from miniprogram_api.limits_store import DatabaseStorage
from miniprogram_api.problems import Refused
from tests.support.accounts import Accounts

FEW = RateLimitItemPerSecond(5, 60, namespace="few")
MOST, PROCESSES = 100, 4


@pytest.fixture
def limiter(app_database: Engine) -> Iterator[SlidingWindowCounterRateLimiter]:
    """In the website's role."""
    with database.bound(app_database):
        yield SlidingWindowCounterRateLimiter(DatabaseStorage())


@pytest.fixture
def site(app_database: Engine, tmp_path: Path) -> Iterator[Flask]:
    """An application that lets an account ask thirty times."""
    keyring = Keyring.open_or_create(tmp_path / "keys.json")
    with database.bound(app_database), keys.bound(keyring):
        yield create_app(Settings(keys=tmp_path / "keys.json", account_requests=30))


def test_counts_are_kept_until_the_longest_limit_needs_them_no_more(site: Flask) -> None:
    limits = [
        one
        for name, module in list(sys.modules.items())
        if name.startswith("miniprogram_api")
        for one in vars(module).values()
        if isinstance(one, limiting.Limit)
    ]
    assert limiting.SIGN_IN in limits
    assert timedelta(seconds=2 * max(one.seconds for one in limits)) <= WINDOWS_KEPT


def test_so_many_and_no_more_and_each_for_itself(
    limiter: SlidingWindowCounterRateLimiter,
) -> None:
    assert [limiter.hit(FEW, "one") for _ in range(7)] == [True] * 5 + [False] * 2
    assert limiter.hit(FEW, "another")
    assert not limiter.test(FEW, "one")
    assert limiter.test(FEW, "another")
    assert limiter.get_window_stats(FEW, "one").remaining == 0
    assert limiter.get_window_stats(FEW, "another").remaining == 4
    limiter.clear(FEW, "one")
    assert limiter.hit(FEW, "one")
    limiter.storage.reset()
    assert limiter.get_window_stats(FEW, "another").remaining == 5
    assert limiter.storage.check()


def test_what_was_counted_is_forgotten_little_by_little(
    limiter: SlidingWindowCounterRateLimiter, accounts: Accounts
) -> None:
    """A whole window later the count before weighs as much as still lies within the period."""
    for _ in range(5):
        limiter.hit(FEW, "one")
    accounts.change("UPDATE rate_window SET window_start = window_start - interval '60 seconds'")
    before, left, now, _ = limiter.storage.get_sliding_window(  # type: ignore[union-attr]
        FEW.key_for("one"), 60
    )
    assert (before, now) == (5, 0)
    assert 0 < left <= 60
    allowed = sum(limiter.hit(FEW, "one") for _ in range(7))
    assert allowed <= 5 - int(5 * (left - 1) / 60)
    accounts.change("UPDATE rate_window SET window_start = window_start - interval '120 seconds'")
    assert [limiter.hit(FEW, "one") for _ in range(6)] == [True] * 5 + [False]


def _knock(url: str, storage: Callable[[], Storage], together: object, taken: object) -> None:
    """One process: a few threads that ask as fast as they can."""
    engine = database.engine_for(url, role="app")
    item = RateLimitItemPerSecond(MOST, 3600, namespace="together")
    with database.bound(engine):
        own = SlidingWindowCounterRateLimiter(storage())
        together.wait()  # type: ignore[attr-defined]
        counts = [0] * 4

        def ask(which: int) -> None:
            counts[which] = sum(own.hit(item, "one") for _ in range(MOST // 2))

        threads = [threading.Thread(target=ask, args=(which,)) for which in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    taken.put(sum(counts))  # type: ignore[attr-defined]
    engine.dispose()


def knock_together(url: str, storage: Callable[[], Storage]) -> int:
    """How many of eight times as many as are allowed were let through by four processes."""
    context = multiprocessing.get_context("spawn")
    together, taken = context.Barrier(PROCESSES), context.Queue()
    processes = [
        context.Process(target=_knock, args=(url, storage, together, taken))
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    total = sum(taken.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(30)
    return int(total)


@pytest.mark.usefixtures("database")
def test_four_processes_count_together(database_url: str) -> None:
    assert knock_together(database_url, DatabaseStorage) == MOST


@pytest.mark.usefixtures("database")
def test_counting_in_memory_would_let_each_process_have_its_own(database_url: str) -> None:
    """The control: the test above can tell."""
    assert knock_together(database_url, MemoryStorage) == MOST * PROCESSES


def test_two_hundred_villagers_behind_one_address_all_get_in(site: Flask) -> None:
    with site.test_request_context(environ_base={"REMOTE_ADDR": "192.0.2.7"}):
        for _ in range(200):
            limiting.by_address(limiting.SIGN_IN)


def test_an_address_is_kept_as_a_digest_and_a_customers_network_is_one(
    site: Flask, monkeypatch: pytest.MonkeyPatch, database: Engine
) -> None:
    monkeypatch.setattr(limiting, "SIGN_IN", limiting.Limit("few", 2, 600))

    def ask(address: str) -> bool:
        with site.test_request_context(environ_base={"REMOTE_ADDR": address}):
            try:
                limiting.by_address(limiting.SIGN_IN)
            except Refused:
                return False
            return True

    assert [ask(f"2001:db8:1:2::{n}") for n in range(3)] == [True, True, False]
    assert ask("2001:db8:1:3::1")
    assert [ask(f"192.0.2.{n}") for n in (1, 1, 2, 1)] == [True, True, True, False]
    with database.connect() as connection:
        kept = connection.execute(
            text("SELECT string_agg(encode(key, 'escape'), '') FROM rate_window")
        )
        assert "192.0.2" not in kept.scalar_one()


@pytest.mark.parametrize(
    ("proxies", "said", "address"),
    [
        (0, None, "127.0.0.1"), (0, "203.0.113.9", "127.0.0.1"), (1, None, "127.0.0.1"),
        (1, "198.51.100.4", "198.51.100.4"), (1, "203.0.113.9, 198.51.100.4", "198.51.100.4"),
        (2, "203.0.113.9, 198.51.100.4", "203.0.113.9"), (2, "198.51.100.4", "127.0.0.1"),
        (1, "203.0.113.9,", "127.0.0.1"),
    ],
)  # fmt: skip
def test_of_what_a_header_claims_only_our_own_proxies_are_believed(
    proxies: int, said: str | None, address: str
) -> None:
    app = create_app(Settings(proxies=proxies))
    headers = {} if said is None else {"X-Forwarded-For": said}
    with app.test_request_context(headers=headers, environ_base={"REMOTE_ADDR": "127.0.0.1"}):
        assert credentials.address() == address


def test_an_account_is_held_to_its_own_requests(site: Flask, accounts: Accounts) -> None:
    tokens = [accounts.staff_token("county_officer", "320281") for _ in range(2)]

    def statuses(token: str, times: int) -> set[int]:
        headers = {"Authorization": f"Bearer {token}"}
        client = site.test_client()
        return {client.get("/api/v1/runs", headers=headers).status_code for _ in range(times)}

    assert statuses(tokens[0], 30) == {200}
    refused = site.test_client().get(
        "/api/v1/runs", headers={"Authorization": f"Bearer {tokens[0]}"}
    )
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert statuses(tokens[1], 5) == {200}


def test_counting_costs_little(limiter: SlidingWindowCounterRateLimiter) -> None:
    wide = RateLimitItemPerSecond(100_000, 3600, namespace="wide")
    begun = perf_counter()
    for _ in range(100):
        assert limiter.hit(wide, "one")
    assert perf_counter() - begun < 5
