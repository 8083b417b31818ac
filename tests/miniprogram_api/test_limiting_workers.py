"""How often, on a real website with two workers: a village behind one address, and one account."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from backend.kernel.crypto import Keyring
from backend.kernel.database import bound
from backend.kernel.settings_wechat import SIMULATOR_SECRET
from tests.support.accounts import Accounts
from tests.support.phones import bind_phone
from tests.support.register import Register
from tests.support.townsfolk import Townsfolk
from tests.support.web import APPLICATION, Web, website
from tests.support.wechat import APPID, Simulator

WORKERS, ALLOWED, VILLAGERS = 2, 30, 200
Kept = http.client.HTTPConnection


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.open_or_create(tmp_path / "keys.json")


@pytest.fixture
def town(database: Engine, keyring: Keyring, accounts: Accounts) -> Townsfolk:
    return Townsfolk(database, keyring, accounts, Register(database))


@pytest.fixture
def running(
    database_url: str, tmp_path: Path, wechat_simulator: Simulator, town: Townsfolk
) -> Callable[..., Any]:
    """Starts a website with two workers that lets an account ask thirty times."""
    wechat = {
        "WECHAT_APPID": APPID,
        "WECHAT_SECRET": SIMULATOR_SECRET,
        "WECHAT_API_BASE": wechat_simulator.api,
        "SHUKUN_ACCOUNT_REQUESTS": str(ALLOWED),
    }

    @contextmanager
    def run(target: str = APPLICATION) -> Iterator[Web]:
        with website(database_url, tmp_path / "keys.json", WORKERS, target, **wechat) as web:
            yield web

    return run


def post(to: Kept, path: str, body: dict[str, str], token: str = "") -> tuple[int, Any]:
    """Status and JSON of the answer."""
    headers = {"Content-Type": "application/json"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    to.request("POST", f"/api/v1{path}", json.dumps(body), headers)
    answer = to.getresponse()
    return answer.status, json.loads(answer.read() or b"null")


def get(to: Kept, path: str, token: str) -> int:
    to.request("GET", f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})
    answer = to.getresponse()
    answer.read()
    return answer.status


def by_both(workers: Sequence[Kept], each: Callable[[Kept], int], times: int) -> Counter[int]:
    """The statuses, both workers asked at the same time, so often in all."""

    def some(one: Kept) -> list[int]:
        return [each(one) for _ in range(times // len(workers))]

    with ThreadPoolExecutor(len(workers)) as pool:
        return Counter(status for found in pool.map(some, workers) for status in found)


def test_a_whole_village_behind_one_address_signs_in(
    running: Callable[..., Any], wechat_simulator: Simulator
) -> None:
    with running() as web, web.one_of_each() as each:
        workers = cycle(each.values())
        said = []
        for number in range(VILLAGERS):
            wechat_simulator.user(f"villager{number}")
            code = wechat_simulator.login(f"villager{number}")
            said.append(post(next(workers), "/sessions", {"code": code})[0])
    assert Counter(said) == {201: VILLAGERS}


def test_an_account_is_counted_by_both_workers_together_and_so_are_its_tries_of_a_number(
    running: Callable[..., Any], town: Townsfolk
) -> None:
    jia = town.person("测试甲")
    with bound(town.engine):
        token, neighbour = (
            bind_phone(town.accounts.resident_token(), town.keyring) for _ in range(2)
        )
    wrong = {"name": "测试乙", "id_number": jia.number}
    with running() as web, web.one_of_each() as each:
        workers = list(each.values())
        assert len(workers) == WORKERS
        said = by_both(workers, lambda one: post(one, "/me/identity", wrong, token)[0], 12)
        assert said == {422: 5, 429: 7}
        right = {"name": "测试甲", "id_number": jia.number}
        for one in workers:
            assert post(one, "/me/identity", right, token)[0] == 429
        assert post(workers[0], "/me/identity", right, neighbour)[0] == 200
        token, neighbour = (town.accounts.resident_token() for _ in range(2))
        assert let_in(web, token) in (ALLOWED, ALLOWED + 1)  # where a window ends just then
        assert {get(one, "/me", neighbour) for one in workers} == {200}


def let_in(web: Web, token: str) -> int:
    """How many of twice as many requests as are allowed both workers answer."""
    with web.one_of_each() as each:
        assert len(each) == WORKERS
        return by_both(list(each.values()), lambda one: get(one, "/me", token), 2 * ALLOWED)[200]


def test_workers_that_count_alone_are_found(running: Callable[..., Any], town: Townsfolk) -> None:
    """The control of the one above."""
    with running("tests.support.solitary_site:application()") as web:
        assert let_in(web, town.accounts.resident_token()) > ALLOWED + 1
