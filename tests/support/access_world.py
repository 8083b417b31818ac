"""A small world for the access matrix: accounts of every kind, and objects in every relation to them.

All staff stand in one village (320281101001) or above it; objects lie there, in the next village,
township, county and province, or belong to one resident and not to another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.accounts.staff_tables import DECIDERS, ROLES
from backend.kernel.crypto import Keyring
from backend.kernel.database import bound, transaction
from backend.matching.runs import StartRun, finish_run, start_run
from backend.notifications.messages import Owed, owe_all
from tests.support import (
    access_acting,
    access_cases,
    access_chats,
    access_letters,
    access_money,
    access_notices,
    access_papers,
    access_work,
)
from tests.support.accounts import Accounts
from tests.support.phones import bind_phone
from tests.support.recipients import NOON
from tests.support.register import Register

VILLAGE: Final = 320281_101_001
DUTY_AREAS: Final[Mapping[str, str]] = {
    "family_doctor": "320281101001", "village_coordinator": "320281101001",
    "cadre": "320281101001", "township_reviewer": "320281101", "county_officer": "320281",
    "city_officer": "320200", "auditor": "320281", "system_admin": "320281",
}  # fmt: skip
LEVELS: Final = ("resident:0", "resident:1", "resident:2")
INSIDE: Final = (*ROLES, *LEVELS)
"""Who has a valid session."""
OUTSIDE: Final = ("nobody", "forged", "expired", "idle", "left", "disabled", "revoked", "closed")
"""Who shows none, or one that is worth nothing any more."""

UNKNOWN: Final = 999_999_999
PLACES: Final[Mapping[str, tuple[int, int]]] = {
    "own village": (VILLAGE, VILLAGE), "next village": (VILLAGE + 1, VILLAGE + 1),
    "next township": (VILLAGE + 1000, VILLAGE + 1000),
    "next county": (320282_101_001, 320282_101_001),
    "next province": (330382_101_001, 330382_101_001),
    "lives in the village": (330382_101_001, VILLAGE),
    "assigned": (330382_101_002, 330382_101_002),
    "mine": (330382_101_003, 330382_101_003),
    "family": (330382_101_004, 330382_101_004),
}  # fmt: skip
"""Relation of a person → registered area, place of living."""
_VISITED: Final = frozenset({"own village", "lives in the village", "assigned"})
_OWN: Final = frozenset({"mine", "family"})
_TOWNSHIP: Final = frozenset({"own village", "next village"})


@dataclass(frozen=True)
class Kind:
    """A kind of object: its ids by relation, and the relations that each account sees."""

    ids: Mapping[str, int]
    seen: Mapping[str, frozenset[str]]


@dataclass
class World:
    """Tokens by account, objects by kind."""

    engine: Engine
    accounts: Accounts
    register: Register
    tokens: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)
    mine: int = 0
    """The account of the resident at level 2."""
    papers: dict[str, dict[str, int]] = field(default_factory=dict)
    letters: dict[str, dict[str, int]] = field(default_factory=dict)
    """Papers and their cases by kind, made together."""
    cases: dict[str, dict[str, int]] = field(default_factory=dict)
    """Applications by kind, made together."""

    def token_of(self, who: str) -> str:
        """The account's token; a new session where it has one."""
        return self.tokens.get(who, "")


def build(engine: Engine, keyring: Keyring) -> World:
    """Everything, as the owner of the database."""
    world = World(engine, Accounts(engine), Register(engine))
    with bound(engine):
        people = _people(world)
        for person in people.values():
            world.accounts.change(
                "UPDATE person SET data_key = :key WHERE id = :id",
                key=keyring.new_person_key(person), id=person,
            )  # fmt: skip
        for role in ROLES:
            staff = world.accounts.staff(f"M-{role}")
            _assign(world, people["assigned"], role)
            world.tokens[role] = world.accounts.sign_in(
                world.accounts.duty(staff, role, DUTY_AREAS[role])
            )
        _residents(world, people, keyring)
        _outsiders(world)
        for name, make in KINDS.items():
            world.kinds[name] = make(world, people)
    return world


def _people(world: World) -> dict[str, int]:
    return {
        relation: world.register.person(relation, area, lives_in=lives_in)
        for relation, (area, lives_in) in PLACES.items()
    }


def _assign(world: World, person: int, role: str) -> None:
    if role in ("family_doctor", "village_coordinator", "cadre"):
        world.accounts.change(
            "INSERT INTO assignment (id, person_id, area, role, staff_no, from_on, file_id,"
            " revision) VALUES (nextval('row_id'), :person, 330382101002, :role, :staff_no,"
            " DATE '2020-01-01', 1, 1)",
            person=person, role=role, staff_no=f"M-{role}",
        )  # fmt: skip


def _residents(world: World, people: Mapping[str, int], keyring: Keyring) -> None:
    accounts = world.accounts
    world.tokens["resident:0"] = accounts.resident_token()
    world.tokens["resident:1"] = accounts.resident_token()
    bind_phone(world.tokens["resident:1"], keyring)
    world.mine = mine = accounts.resident(people["mine"])
    world.tokens["resident:2"] = accounts.resident_session(mine)
    accounts.change(
        "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis,"
        " recorded_by, from_on) VALUES (nextval('row_id'), :mine, :family, 'child', 'guardian',"
        " '测试', DATE '2020-01-01')",
        mine=mine, family=people["family"],
    )  # fmt: skip


def _outsiders(world: World) -> None:
    """Each had a session with every right once."""
    accounts = world.accounts
    world.tokens["forged"] = "x" * 43
    spoilt = {
        "expired": "UPDATE account_session SET expires_at = now() - interval '1 s' WHERE {mine}",
        "idle": "UPDATE account_session SET last_seen_at = now() - interval '16 min' WHERE {mine}",
        "left": "UPDATE account_session SET ended_at = now() WHERE {mine}",
        "disabled": "UPDATE staff SET state = 'disabled' WHERE id = :staff",
        "revoked": "UPDATE duty SET revoked_at = now() WHERE staff_id = :staff",
    }
    for name, statement in spoilt.items():
        staff = accounts.staff(f"M-{name}")
        world.tokens[name] = accounts.sign_in(accounts.duty(staff, "county_officer", "320281"))
        accounts.change(statement.format(mine="staff_id = :staff"), staff=staff)
    closed = accounts.resident()
    world.tokens["closed"] = accounts.resident_session(closed)
    accounts.change("UPDATE resident SET closed_at = now() WHERE id = :id", id=closed)


def _run_objects(world: World, _: Mapping[str, int]) -> Kind:
    areas = {"own county": "320281", "city": "320200", "next county": "320282",
             "next province": "330382"}  # fmt: skip
    ids = {relation: _run(area) for relation, area in areas.items()}
    return Kind(
        ids,
        {
            "county_officer": frozenset({"own county", "city"}),
            "city_officer": frozenset({"own county", "city", "next county"}),
        },
    )


def _run(area: str) -> int:
    with transaction() as session:
        begun = start_run(session, StartRun(area, 2024, date(2024, 12, 31), "测试"))
    with transaction() as session:
        finish_run(session, begun.run_id)
    return begun.run_id


def _person_objects(_: World, people: Mapping[str, int]) -> Kind:
    seen = {role: frozenset[str]() for role in INSIDE}
    seen["family_doctor"] = seen["village_coordinator"] = _VISITED
    seen["cadre"] = frozenset({"assigned"})
    seen["township_reviewer"] = _TOWNSHIP
    seen["county_officer"] = _TOWNSHIP | {"next township"}
    seen["city_officer"] = seen["county_officer"] | {"next county"}
    seen["resident:2"] = _OWN
    return Kind(people, seen)


def _message_objects(world: World, people: Mapping[str, int]) -> Kind:
    """Staff see none, wherever people live."""
    with transaction() as session:
        owe_all(session, [Owed("grant", one, "match_run:1") for one in people.values()], NOON)
        rows = session.execute(text("SELECT person_id, id FROM message"))
        made = {row.person_id: row.id for row in rows}
    ids = {relation: made[person] for relation, person in people.items()}
    return Kind(ids, {"resident:2": frozenset({"mine", "family"})})


def _owned(ids: Mapping[str, int]) -> Kind:
    return Kind(ids, {role: frozenset[str]() for role in INSIDE} | {"resident:2": _OWN})


def _consent_objects(world: World, people: Mapping[str, int]) -> Kind:
    return _owned(access_acting.consents(world.engine, people))


def _delegation_objects(world: World, people: Mapping[str, int]) -> Kind:
    staff = world.accounts.staff("M-delegate")
    seen = _person_objects(world, people).seen
    return Kind(access_acting.delegations(world.engine, people, staff), seen)


def _authority_objects(world: World, people: Mapping[str, int]) -> Kind:
    other = world.accounts.resident(people["next province"])
    whose = {"mine": world.mine, "another's": other}
    person = people["next county"]
    return _owned(
        {name: access_acting.authority(world.engine, one, person) for name, one in whose.items()}
    )


def _chat_objects(world: World, _: Mapping[str, int]) -> Kind:
    nobody = {role: frozenset[str]() for role in INSIDE}
    return Kind(access_chats.conversations(world.engine), nobody | access_chats.SEEN)


def _work_objects(world: World, people: Mapping[str, int]) -> Kind:
    nobody = {role: frozenset[str]() for role in INSIDE}
    return Kind(access_work.items(world.engine, people), nobody | access_work.SEEN)


def _paper_objects(kind: str) -> Callable[[World, Mapping[str, int]], Kind]:
    """Helpers were asked by one person to apply; who decides sees cases of the own area."""

    def made(world: World, people: Mapping[str, int]) -> Kind:
        seen = dict(_person_objects(world, people).seen)
        for role in access_papers.HELPERS:
            seen[role] = frozenset({"assigned"})
        if not world.papers:
            world.papers.update(access_papers.papers(world.engine, people, world.mine))
        return Kind(world.papers[kind], seen)

    return made


def _case_objects(kind: str) -> Callable[[World, Mapping[str, int]], Kind]:
    """As papers; who decides sees no drafts."""

    def made(world: World, people: Mapping[str, int]) -> Kind:
        seen = dict(_paper_objects("paper_case")(world, people).seen)
        if not world.cases:
            world.cases.update(access_cases.cases(world.engine, people, world.mine))
        if kind in access_cases.DRAFTS:
            seen |= dict.fromkeys(DECIDERS, frozenset())
        return Kind(world.cases[kind], seen)

    return made


def _money_objects(kind: str) -> Callable[[World, Mapping[str, int]], Kind]:
    """As cases."""

    def made(world: World, people: Mapping[str, int]) -> Kind:
        seen = _paper_objects("paper_case")(world, people).seen
        if kind not in world.cases:
            world.cases.update(access_money.cases(world.engine, people, world.mine))
        return Kind(world.cases[kind], seen)

    return made


def _letter_objects(kind: str) -> Callable[[World, Mapping[str, int]], Kind]:
    """As papers."""

    def made(world: World, people: Mapping[str, int]) -> Kind:
        seen = _paper_objects("paper_case")(world, people).seen
        if not world.letters:
            world.letters.update(access_letters.letters(world.engine, people, world.mine))
        return Kind(world.letters[kind], seen)

    return made


def _objection_objects(world: World, people: Mapping[str, int]) -> Kind:
    """Seen by the county and the city of the person."""
    seen = {role: frozenset[str]() for role in INSIDE}
    for role in ("county_officer", "city_officer"):
        seen[role] = _person_objects(world, people).seen[role]
    return Kind(access_notices.objections(world.engine, people, world.mine), seen)


KINDS: Final[Mapping[str, Callable[[World, Mapping[str, int]], Kind]]] = {
    "run": _run_objects,
    "person": _person_objects,
    "consent": _consent_objects,
    "delegation": _delegation_objects,
    "authority": _authority_objects,
    "message": _message_objects,
    "chat": _chat_objects,
    "work": _work_objects,
    access_notices.KIND: _objection_objects,
    **{
        kind: _paper_objects(kind)
        for kind in ("paper", "paper_spare", "paper_come", "paper_open", "paper_case")
    },
    **{kind: _letter_objects(kind) for kind in access_letters.KINDS},
    **{kind: _case_objects(kind) for kind in access_cases.KINDS},
    **{kind: _money_objects(kind) for kind in access_money.KINDS},
}
"""Kinds of objects that routes name in their paths. A new kind of object gets its entry here."""

_NOT_COUNTED: Final = ("account_session", "audit_event", "rate_window", "alembic_version")
_TABLES: Final = text(
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    " AND relname <> ALL (:not_counted) ORDER BY relname"
)


def content(engine: Engine) -> dict[str, Any]:
    """Of every table how many rows there are and which change was the last: equal, if none."""
    with Session(engine) as session, session.begin():
        # A hundred counts of a few rows each: workers for them would cost more than they do.
        session.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))
        names = session.execute(_TABLES, {"not_counted": list(_NOT_COUNTED)}).scalars().all()
        parts = [
            f"SELECT '{name}', count(*), max(xmin::text::bigint) FROM {name}" for name in names
        ]
        return {row[0]: tuple(row[1:]) for row in session.execute(text(" UNION ALL ".join(parts)))}


def denials(engine: Engine) -> int:
    """How many refusals were written down."""
    with Session(engine) as session, session.begin():
        query = text("SELECT count(*) FROM audit_event WHERE action = 'denied.access'")
        return int(session.execute(query).scalar_one())


def rested(world: World) -> None:
    """As though no session had been used for two minutes."""
    world.accounts.age(timedelta(minutes=2))
