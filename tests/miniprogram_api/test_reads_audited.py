"""Whoever reads or changes a person's file leaves a row in the audit, whatever the route.

Generated from the URL map: of each route about objects of people, every object is asked for by
every account that sees it; of each other route for people who are signed in, the table of access
says whose files it reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.accounts import consents, delegation_list, family, own_consents, own_file
from backend.assistant import staff_side
from backend.kernel import database as kernel_database
from backend.kernel.clock import today
from backend.kernel.crypto import Keyring
from backend.kernel.settings import Settings
from backend.notifications import inbox
from backend.papers import handing_in, papers
from backend.progress import timeline
from miniprogram_api.app import create_app
from tests.support import access_cases, access_letters
from tests.support.access_matrix import TABLE, Asker, Route, routes
from tests.support.access_world import INSIDE, Kind, World, build

NOT_OF_PEOPLE = {"run"}
"""Kinds of objects that tell nothing of anybody."""
ME = "resident:2"
_LAST = text("SELECT coalesce(max(id), 0) FROM audit_event")
_SINCE = text(
    "SELECT actor, subject_kind, subject_id, role, purpose, action, detail ->> 'person' AS person"
    " FROM audit_event WHERE id > :last AND action NOT LIKE 'denied.%'"
)


class Reading(Asker):
    """Asks, and looks what the audit says of it. `asking`: who does."""

    asking = ""

    def silent(self, only: str = "") -> list[str]:
        """Every look or change that no row of the audit tells of."""
        found = []
        for route in sorted(routes(self.app), key=lambda one: one.method != "GET"):
            if only in route.name and not route.open and not route.row.get("ends"):
                found += list(self._silent(route))
        return found

    def _silent(self, route: Route) -> Iterator[str]:
        of = route.row.get("of")
        if of is None:
            if route.method == "GET":
                yield from self._silent_list(route)
            return
        ((variable, kind),) = of.items()
        if kind not in NOT_OF_PEOPLE:
            yield from self._silent_objects(route, variable, kind)

    def _silent_list(self, route: Route) -> Iterator[str]:
        if "reads" not in route.row:
            yield f"{route.name}: whose files it reads is not said"
        elif people := route.row["reads"]:
            status, told = self._told(route, ME, {})
            missing = {("person", str(self._people[one])) for one in people} - told
            if status != 200 or missing:
                yield f"{route.name} as {ME}: {status}, nothing written of {sorted(missing)}"

    def _silent_objects(self, route: Route, variable: str, kind: str) -> Iterator[str]:
        objects, heard = self.world.kinds[kind], set()
        for who in (one for one in INSIDE if one in route.allowed):
            for relation in sorted(objects.seen.get(who, frozenset()) & set(objects.ids)):
                status, told = self._told(route, who, {variable: objects.ids[relation]})
                if status < 300 and self._subject(kind, objects, relation) in told:
                    heard.add(relation)
                elif route.method == "GET":
                    yield f"{route.name} as {who} of {relation}: {status}, nothing written"
        # What one account has changed, others need not be able to change again.
        everybody = {one for who in route.allowed for one in objects.seen.get(who, ())}
        if unheard := everybody & set(objects.ids) - heard:
            yield f"{route.name}: nothing written of {sorted(unheard)}"

    def _told(self, route: Route, who: str, of: Mapping[str, int]) -> tuple[int, set[Any]]:
        """The status, and of whom the audit tells since that this account did something."""
        self.asking = who
        body = BODIES.get(route.name)
        own_body = None if body is None else body(self)
        with self.world.engine.connect() as connection:
            last = connection.execute(_LAST).scalar_one()
        status = self.ask(route, who, of, own_body).status_code
        with self.world.engine.connect() as connection:
            rows = connection.execute(_SINCE, {"last": last}).all()
        told = {
            subject
            for row in rows
            if row.actor.startswith(("staff:M-", "resident:"))
            and row.role
            and (row.action != "person.read" or row.purpose)
            # What was done to something else names whom it concerns.
            for subject in ((row.subject_kind, row.subject_id), ("person", row.person))
        }
        return status, told

    def _subject(self, kind: str, objects: Kind, relation: str) -> tuple[str, str]:
        if kind == "chat":  # with nobody who is known
            return "chat", str(objects.ids[relation])
        whose = "next county" if kind == "authority" else relation
        return "person", str(self._people[whose])

    @property
    def _people(self) -> Mapping[str, int]:
        return self.world.kinds["person"].ids


def _code(reading: Reading) -> str:
    """Of the account of somebody new."""
    accounts = reading.world.accounts
    token = accounts.resident_session(accounts.resident())
    headers = {"Authorization": f"Bearer {token}"}
    with kernel_database.bound(reading.site):
        answer = reading.app.test_client().post("/api/v1/me/code", headers=headers)
    assert answer.json is not None
    return str(answer.json["code"])


def _days() -> dict[str, str]:
    return {"from_on": today().isoformat(), "to_on": (today() + timedelta(days=9)).isoformat()}


PERSON = "POST /api/v1/people/{person}"
BODIES: Mapping[str, Callable[[Reading], dict[str, Any]]] = {
    f"{PERSON}/confirmations": lambda reading: {"code": _code(reading), "card_seen": True},
    f"{PERSON}/family": lambda reading: {
        "code": _code(reading), "relationship": "child", "basis": "written", "proof": "授权书一",
    },
    f"{PERSON}/delegations": lambda _: {
        "scope": ["see"], "consent": 1, "proof": "录音一号", **_days(),
    },
    "POST /api/v1/cases/{case}/handover": lambda reading: {
        "staff_no": access_cases.colleague(reading.asking),
    },
    "POST /api/v1/letters/{letter}/signature": lambda _: access_letters.signature(),
}  # fmt: skip
"""Bodies that are not only well-formed, but taken."""


def _conversation(world: World) -> None:
    """Of the resident at level 2."""
    world.accounts.change(
        "INSERT INTO conversation (id, openid, openid_index, resident_id)"
        " VALUES (nextval('row_id'), '', 'mine', :mine)",
        mine=world.mine,
    )


@pytest.fixture
def reading(database: Engine, app_database: Engine, tmp_path: Path) -> Reading:
    keyring = Keyring.open_or_create(tmp_path / "keys.json")
    folders = {"keys": tmp_path / "keys.json", "papers": tmp_path / "papers"}
    settings = Settings(**folders, account_requests=1_000_000)
    with kernel_database.bound(database):
        app, world = create_app(settings), build(database, keyring)
        _conversation(world)
        return Reading(app, app_database, world)


def test_every_look_at_a_persons_file_and_every_change_of_it_is_written_down(
    reading: Reading,
) -> None:
    assert "\n".join(reading.silent()) == ""


class _Deaf:
    """What the audit would be, if nobody wrote anything."""

    def __getattr__(self, _: str) -> Any:
        return lambda *_args, **_more: None


@pytest.mark.parametrize(
    ("module", "route"),
    [
        (delegation_list, "GET /api/v1/people/{person}/delegates"),
        (delegation_list, "GET /api/v1/me/delegations"),
        (own_file, "GET /api/v1/me/file"),
        (own_file, "GET /api/v1/me/viewers"),
        (family, "GET /api/v1/me/family"),
        (family, "DELETE /api/v1/me/family/{authority}"),
        (own_consents, "GET /api/v1/me/consents"),
        (consents, "DELETE /api/v1/me/consents/{consent}"),
        (inbox, "GET /api/v1/inbox"),
        (inbox, "POST /api/v1/inbox/{message}/read"),
        (papers, "GET /api/v1/papers/{paper}"),
        (papers, "GET /api/v1/papers/{paper}/content"),
        (handing_in, "POST /api/v1/applications/{application}/papers"),
        (handing_in, "PUT /api/v1/papers/{paper}/pieces/{number}"),
        (handing_in, "POST /api/v1/papers/{paper}/finish"),
        (handing_in, "DELETE /api/v1/papers/{paper}"),
        (timeline, "GET /api/v1/applications/{application}/progress"),
        (staff_side, "GET /api/v1/chat"),
        (staff_side, "GET /api/v1/chats/{chat}"),
        (staff_side, "POST /api/v1/chats/{chat}/replies"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_look_that_is_no_longer_written_down_is_found(
    reading: Reading, module: ModuleType, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "audit", _Deaf())
    assert reading.silent(route)


def test_a_look_that_the_database_no_longer_writes_down_is_found(
    reading: Reading, database: Engine
) -> None:
    with database.begin() as connection:
        body = connection.scalar(text("SELECT pg_get_functiondef('look_at_progress'::regproc)"))
        assert body is not None
        changed = body.replace("'person.read', 'person'", "'person.read', 'nobody'")
        assert changed != body
        connection.exec_driver_sql(changed.replace("%", "%%"))
    assert reading.silent("GET /api/v1/cases/{case}/progress")


def test_a_list_that_does_not_say_whose_files_it_shows_is_found(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(TABLE["GET /api/v1/me/file"], "reads")
    (found,) = reading.silent("GET /api/v1/me/file")
    assert "not said" in found
