"""Whoever counts through numbers finds nothing: every route that names an object is asked for the
ones of others, for those of other kinds, for neighbours of one's own, and for any.

"Not yours" is what "does not exist" is, in status, bytes and time. `SHUKUN_PROBES`: how many.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.kernel import database as kernel_database
from backend.kernel.crypto import Keyring
from backend.kernel.settings import Settings
from miniprogram_api.accounts import people_routes
from miniprogram_api.app import create_app
from miniprogram_api.limiting import Limit
from tests.support.access_matrix import Asker, Route, routes
from tests.support.access_world import INSIDE, UNKNOWN, build, content
from tests.support.refusals import plain

PROBES = int(os.environ.get("SHUKUN_PROBES", "600"))
TABLES = {
    "run": "match_run", "person": "person", "consent": "consent", "delegation": "delegation",
    "authority": "family_authority", "message": "message", "chat": "conversation",
    "item": "work_item", "objection": "notice_objection", "application": "application",
    "case": "application", "letter": "letter", "paper": "paper",
}  # fmt: skip
"""Variable of a path → where what it names stands."""
GAP = 0.005
LEAST_TIMED = 30


@dataclass
class Found:
    """What came of the probes: how many of each sort, and whatever was not as it should be."""

    asked: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    gaps: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """A route that names an object, as one of the accounts that may call it."""

    route: Route
    who: str
    variable: str
    kind: str


class Prober(Asker):
    """Asks for numbers and compares."""

    def targets(self, only: str = "") -> list[Target]:
        return [
            Target(route, who, *named)
            for route in routes(self.app)
            for named in (route.row.get("of") or {}).items()
            for who in INSIDE
            if who in route.allowed and only in route.name
        ]

    def numbers(self, target: Target) -> Iterator[tuple[str, int]]:
        """Sorts and numbers, without end; none of an object that the account may see."""
        own = self.world.kinds[target.kind]
        seen = {own.ids[one] for one in own.seen.get(target.who, ()) if one in own.ids}
        foreign = set(own.ids.values()) - seen
        others = {kind.ids[one] for kind in self.world.kinds.values() for one in kind.ids}
        with self.world.engine.connect() as connection:
            existing = set(connection.scalars(text(f"SELECT id FROM {TABLES[target.variable]}")))
        sorts = {
            "foreign": sorted(foreign),
            "swapped": sorted(others - set(own.ids.values())),
            "neighbour": sorted({one + step for one in seen for step in (-1, 1)}),
            "sequential": range(1, 1000),
            "any": random.Random(7).sample(range(10**9), 1000),
        }
        left = [(sort, cycle(some)) for sort, some in sorts.items() if some]
        for sort, some in cycle(left):
            number = next(some)
            if number in foreign or number not in existing:
                yield sort, number

    def probe(self, targets: Sequence[Target], count: int) -> Found:
        """So many probes, spread over the targets."""
        found = Found()
        for target in targets:
            self._probe(target, -(-count // len(targets)), found)
        return found

    def _probe(self, target: Target, count: int, found: Found) -> None:
        name = f"{target.route.name} as {target.who}"
        absent = self._ask(target, UNKNOWN)[0]
        times = defaultdict[str, list[float]](list)
        for sort, number in islice(self.numbers(target), count):
            answer, took = self._ask(target, number)
            times["foreign" if sort == "foreign" else "absent"].append(took)
            found.asked[sort] += 1
            same = plain(answer, number, UNKNOWN) == plain(absent, number, UNKNOWN)
            if answer.status_code != 404 or not same:
                found.wrong.append(f"{name}, {sort}: {answer.status_code}")
        if min(len(times[one]) for one in ("foreign", "absent")) >= LEAST_TIMED:
            found.gaps[name] = abs(median(times["foreign"]) - median(times["absent"]))

    def _ask(self, target: Target, number: int) -> tuple[Any, float]:
        begun = time.perf_counter()
        answer = self.ask(target.route, target.who, {target.variable: number})
        return answer, time.perf_counter() - begun


@pytest.fixture
def prober(
    database: Engine, app_database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Prober:
    monkeypatch.setattr(people_routes, "TOLD", Limit("told", 1_000_000, 3600))
    keyring = Keyring.open_or_create(tmp_path / "keys.json")
    folders = {"keys": tmp_path / "keys.json", "papers": tmp_path / "papers"}
    settings = Settings(**folders, account_requests=10_000_000)
    with kernel_database.bound(database):
        app = create_app(settings)
        world = build(database, keyring)
        # The matrix has it ended; here it would let the account see what is foreign to it.
        world.accounts.change(
            "UPDATE family_authority SET revoked_at = now(), revoked_by = '测试' WHERE id = :id",
            id=world.kinds["authority"].ids["mine"],
        )
        return Prober(app, app_database, world)


def test_whatever_number_is_asked_for_nothing_of_others_is_shown_or_changed(
    prober: Prober,
) -> None:
    before = content(prober.world.engine)
    targets = prober.targets()
    found = prober.probe(targets, PROBES)
    assert "\n".join(sorted(set(found.wrong))) == ""
    assert content(prober.world.engine) == before
    assert found.asked.total() >= PROBES
    assert set(found.asked) == {"foreign", "swapped", "neighbour", "sequential", "any"}
    assert len({one.route.name for one in targets}) >= 15


READING = "GET /api/v1/people/{person}/delegates"


def test_what_is_not_yours_takes_as_long_as_what_does_not_exist(prober: Prober) -> None:
    targets = [one for one in prober.targets(READING) if one.who == "family_doctor"]
    (gap,) = prober.probe(targets, 10 * LEAST_TIMED).gaps.values()
    assert gap < GAP


def test_an_answer_that_tells_by_its_time_is_found(
    prober: Prober, monkeypatch: pytest.MonkeyPatch
) -> None:
    (target,) = [one for one in prober.targets(READING) if one.who == "family_doctor"]
    known = set(prober.world.kinds["person"].ids.values())
    endpoint = target.route.rule.endpoint
    view = prober.app.view_functions[endpoint]

    def slow(person: int) -> Any:
        if person in known:
            time.sleep(4 * GAP)
        return view(person=person)

    slow.__dict__.update(view.__dict__)
    monkeypatch.setitem(prober.app.view_functions, endpoint, slow)
    (gap,) = prober.probe([target], 10 * LEAST_TIMED).gaps.values()
    assert gap > GAP


def test_a_policy_that_is_lost_is_found(prober: Prober, database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE match_run DISABLE ROW LEVEL SECURITY"))
    found = prober.probe(prober.targets("GET /api/v1/runs/{run}"), 100)
    assert any("foreign" in one for one in found.wrong)
