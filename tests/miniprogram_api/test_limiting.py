"""How often: counted together by all processes, fair to neighbours behind one address."""

from __future__ import annotations

import multiprocessing
import re
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

from backend.accounts.staff_login import SignInRefused
from backend.accounts.tasks import WINDOWS_KEPT
from backend.kernel import database, keys
from backend.kernel.crypto import Keyring
from backend.kernel.settings import Settings
from backend.kernel.settings_wechat import SIMULATOR_SECRET, WeChatSettings
from backend.wechat import connection
from miniprogram_api import credentials, limiting
from miniprogram_api.accounts import resident_routes, signing_in
from miniprogram_api.app import create_app
from miniprogram_api.limits_store import DatabaseStorage
from miniprogram_api.problems import Refused
from tests.support.accounts import Accounts
from tests.support.office_staff import employ
from tests.support.wechat import APPID, Simulator

FEW = RateLimitItemPerSecond(5, 60, namespace="few")
MOST, PROCESSES = 100, 2


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
    assert {signing_in.ONE, signing_in.ANY, resident_routes.LOG_IN_FAILED} <= set(limits)
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
    before, left, now, _ = limiter.storage.get_sliding_window(  # type: ignore[attr-defined]
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
    """How many of four times as many as are allowed were let through by all processes."""
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
def test_processes_count_together(database_url: str) -> None:
    assert knock_together(database_url, DatabaseStorage) == MOST


@pytest.mark.usefixtures("database")
def test_counting_in_memory_would_let_each_process_have_its_own(database_url: str) -> None:
    """The control: the test above can tell."""
    assert knock_together(database_url, MemoryStorage) == MOST * PROCESSES


VILLAGE = {"REMOTE_ADDR": "192.0.2.7"}


def post(site: Flask, path: str, body: dict[str, str], address: str = "192.0.2.7") -> int:
    sent = site.test_client().post(
        f"/api/v1{path}", json=body, environ_base={"REMOTE_ADDR": address}
    )
    return sent.status_code


def test_however_many_get_in_behind_one_address_nobody_waits(
    site: Flask, monkeypatch: pytest.MonkeyPatch, wechat_simulator: Simulator
) -> None:
    """Thirty, where three failures would be enough; then codes that WeChat does not take."""
    monkeypatch.setattr(resident_routes, "LOG_IN_FAILED", limiting.Limit("log_in", 3, 600))

    def log_in(number: int) -> int:
        wechat_simulator.user(f"villager{number}")
        code = wechat_simulator.login(f"villager{number}")
        return post(site, "/sessions", {"code": code})

    with connection.bound(WeChatSettings(APPID, SIMULATOR_SECRET, wechat_simulator.api)):
        assert {log_in(number) for number in range(30)} == {201}
        wrong = [post(site, "/sessions", {"code": f"no-code-{n}"}) for n in range(5)]
        assert wrong == [422, 422, 422, 429, 429]
        assert post(site, "/sessions", {"code": "no-code"}, "192.0.2.8") == 422


def sign_in(site: Flask, staff_no: str, address: str = "192.0.2.7") -> int:
    body = {"staff_no": staff_no, "password": "guess", "code": "000000"}
    return post(site, "/staff/session", body, address)


def test_whoever_guesses_at_staff_keeps_no_neighbour_out(
    site: Flask, monkeypatch: pytest.MonkeyPatch, database: Engine, accounts: Accounts
) -> None:
    monkeypatch.setattr(signing_in, "ANY", limiting.Limit("staff_sign_ins", 40, 600))
    officer = employ(database, keys.keyring(), "S1001", "county_officer")

    def enter() -> int:
        officer.used_no_code()
        typed = officer.typed()
        body = {"staff_no": "S1001", "password": typed.password, "code": typed.code}
        return post(site, "/staff/session", body)

    assert enter() == 201
    said = [sign_in(site, f"S{n}") for n in range(42)]
    assert said == [422] * 40 + [429] * 2
    assert enter() == 201  # she signed in from here before
    assert {sign_in(site, "S1001", "198.51.100.1") for _ in range(20)} == {422}
    assert sign_in(site, "S1001", "198.51.100.1") == 429
    assert enter() == 201
    accounts.change("DELETE FROM staff_network")
    assert enter() == 429  # the control: who is not known from here waits


def test_what_fails_is_counted_before_it_is_tried(site: Flask) -> None:
    """Many at once cannot pass the limit together; what succeeds is given back."""
    two = limiting.Limit("two", 2, 600)
    with site.test_request_context(environ_base=VILLAGE):
        with (
            limiting.failures(two, SignInRefused),
            limiting.failures(two, SignInRefused),
            pytest.raises(Refused),
            limiting.failures(two, SignInRefused),
        ):
            pass
        for _ in range(5):
            with limiting.failures(two, SignInRefused):
                pass


def test_an_address_is_kept_as_a_digest_and_a_customers_network_is_one(
    site: Flask, database: Engine
) -> None:
    few = limiting.Limit("few", 2, 600)

    def ask(address: str) -> bool:
        with site.test_request_context(environ_base={"REMOTE_ADDR": address}):
            try:
                with limiting.failures(few, SignInRefused):
                    raise SignInRefused
            except SignInRefused:
                return True
            except Refused:
                return False

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
    assert re.search(r"请过 \d+ (秒|分钟|小时)再试", refused.get_json()["detail"])
    assert statuses(tokens[1], 5) == {200}


def test_counting_costs_little(limiter: SlidingWindowCounterRateLimiter) -> None:
    wide = RateLimitItemPerSecond(100_000, 3600, namespace="wide")
    begun = perf_counter()
    for _ in range(100):
        assert limiter.hit(wide, "one")
    assert perf_counter() - begun < 5
