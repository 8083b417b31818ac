"""What is seen at once, by one function of the database, is what the row policies let be seen."""

from __future__ import annotations

from typing import Any, Final

import pytest
from sqlalchemy import Engine, text

from backend.accounts.scope import Actor, Entry
from backend.applications.cases import UnknownCase
from backend.kernel.clock import now
from backend.kernel.database import bound, transaction
from backend.notifications.taking import take_notices
from backend.policies.catalogue import load_catalogue
from backend.progress.at_once import look_at
from backend.progress.timeline import Look, Progress, progress_of, told_of
from tests.support.case_world import TODAY, CaseWorld

pytestmark = pytest.mark.postgres

BOOK: Final = load_catalogue()
WINDOW: Final = ("test/{}", 1_000_000, 300)
EVERYBODY: Final[tuple[int | None, list[str] | None]] = (0, [])
LAST: Final = text(
    "SELECT actor, role, action, subject_kind, subject_id, detail, purpose, area FROM audit_event"
    " ORDER BY id DESC LIMIT 1"
)
_GIVEN: Final = (
    "WITH given AS (INSERT INTO consent (id, person_id, purpose, text_id, version, text_sha256,"
    " channel, by) VALUES (nextval('row_id'), :person, 'delegation', 'delegation', 100,"
    " sha256('x'), 'counter', '测试') RETURNING id)"
    " INSERT INTO delegation (id, person_id, resident_id, scope, from_on, to_on, consent_id,"
    " channel, recorded_by) SELECT nextval('row_id'), :person, r.id, ARRAY[:scope],"
    " DATE '2020-01-01', DATE '2099-01-01', given.id, 'counter', '测试'"
    " FROM given, resident AS r WHERE r.person_id = :helper"
)
_FAMILY: Final = (
    "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis, recorded_by,"
    " from_on) SELECT nextval('row_id'), r.id, :person, '子女', :basis, '测试', DATE '2020-01-01'"
    " FROM resident AS r WHERE r.person_id = :helper"
)


@pytest.fixture
def cases(world: CaseWorld) -> list[int]:
    """Cases of everybody who applies; with everybody who is related to the first of them."""
    world.staff("协管员", "village_coordinator", "320281101001")
    world.staff("审计", "auditor", "320281")
    for name in ("乙测试", "旧测试", "新测试", "故测试"):
        world.resident(name)
    made = [world.filled("甲测试"), *map(world.submitted, ("乙测试", "旧测试", "故测试"))]
    for case in made[1:]:
        world.does("镇甲", case, "accept")
        world.does("镇甲", case, "ask", note="请补交收入证明")
    with bound(world.owner), transaction() as session:
        session.execute(text("SET LOCAL ROLE shukun_worker"))
        take_notices(session, now())
    _relate(world)
    return [*made, 999_999_999]


def _relate(world: CaseWorld) -> None:
    for person in ("甲测试", "乙测试"):
        for name, basis in (("写明", "written"), ("监护", "guardian")):
            _give(world, _FAMILY, f"{name}{person}", person, basis=basis)
        for name, scope in (("受托看", "see"), ("受托办", "apply"), ("受托收", "receive")):
            _give(world, _GIVEN, f"{name}{person}", person, scope=scope)
    world.delegate("医生", "乙测试")
    world.delegate("县甲", "甲测试")
    change = world.town.accounts.change
    old, new = world.people["旧测试"].id, world.people["新测试"].id
    change(
        "INSERT INTO person_merge (merged_id, revision, person_id, file_id)"
        " VALUES (:old, 2, :new, 1)",
        old=old, new=new,
    )  # fmt: skip
    _give(world, _GIVEN, "受托看旧", "旧测试", scope="see")
    _give(world, _GIVEN, "受托办旧", "旧测试", scope="apply")
    change("UPDATE person SET died_on = '2026-01-01' WHERE id = :id", id=world.people["故测试"].id)


def _give(world: CaseWorld, statement: str, helper: str, person: str, **how: Any) -> None:
    own = world.resident(helper)
    world.town.accounts.change(statement, person=world.people[person].id, helper=own.id, **how)


def by_policies(world: CaseWorld, name: str, case: int) -> tuple[Actor, Progress | None]:
    """What the row policies let them be told."""
    with world.acting(name) as (session, actor):
        look = Look(actor, world.keyring, BOOK, TODAY)
        try:
            return actor, progress_of(session, look, case)
        except UnknownCase:
            return actor, None


def disagreeing(world: CaseWorld, owner: Engine, cases: list[int]) -> tuple[set[str], set[str]]:
    """Who is told something else at once than by the policies, or written down otherwise; and who
    was told at once."""
    other, quick = set(), set()
    for name in world.tokens:
        for case in cases:
            actor, told = by_policies(world, name, case)
            with owner.connect() as connection:
                row = connection.execute(LAST).one_or_none()
            with bound(world.site):
                found = look_at(case, Entry(world.tokens[name], *WINDOW, *EVERYBODY))
            assert found is not None
            assert (found.actor, found.counted) == (actor, True)
            if found.case is None:
                _, at_once = by_policies(world, name, case)
            else:
                quick.add(name)
                at_once = told_of(Look(actor, world.keyring, BOOK, TODAY), case, found.case)
            with owner.connect() as connection:
                again = connection.execute(LAST).one_or_none()
            if (told, row) != (at_once, again):
                other.add(name)
    return other, quick


def test_everybody_is_told_at_once_what_the_row_policies_let_them_see(
    world: CaseWorld, database: Engine, cases: list[int]
) -> None:
    other, quick = disagreeing(world, database, cases)
    assert other == set()
    assert {"甲测试", "乙测试", "写明乙测试", "监护乙测试", "受托看乙测试", "镇甲", "县甲", "市甲",
            "新测试", "旧测试", "受托看旧"} <= quick  # fmt: skip
    assert not quick & {"医生", "协管员", "审计", "邻县", "故测试", "受托办乙测试", "受托收甲测试"}


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("AND whom = ANY (people)", ""),
        ("authority_over('receive')", "people"),
        ("authority_over('speak')", "people"),
        ("p.id = ANY (people)", "whom = ANY (people)"),
        (" AND one.state <> 'draft'", ""),
        ("one.area BETWEEN actor.area_from AND actor.area_to;", "true;"),
    ],
)
def test_control_a_right_that_is_wider_at_once_is_found(
    world: CaseWorld, database: Engine, cases: list[int], was: str, becomes: str
) -> None:
    with database.begin() as connection:
        body = connection.execute(
            text("SELECT pg_get_functiondef('look_at_progress'::regproc)")
        ).scalar_one()
        assert was in body
        connection.exec_driver_sql(body.replace(was, becomes).replace("%", "%%"))
    other, _ = disagreeing(world, database, cases[:-1])
    assert other


@pytest.mark.parametrize(
    ("name", "most", "at_level", "roles", "seen"),
    [
        ("甲测试", 1, 2, None, True),
        ("甲测试", 0, 2, None, False),
        ("甲测试", 1, 3, None, False),
        ("甲测试", 1, None, [], False),
        ("镇甲", 1, None, [], True),
        ("镇甲", 1, None, ["township_reviewer"], True),
        ("镇甲", 1, None, ["county_officer"], False),
        ("镇甲", 1, 0, None, False),
    ],
)
def test_nothing_is_looked_at_by_who_asks_too_often_or_whom_the_view_is_not_for(
    world: CaseWorld,
    database: Engine,
    name: str,
    most: int,
    at_level: int | None,
    roles: list[str] | None,
    seen: bool,
) -> None:
    case = world.submitted("甲测试")
    counted_as, _, seconds = WINDOW
    with bound(world.site):
        found = look_at(case, Entry(world.tokens[name], counted_as, most, seconds, at_level, roles))
    assert found is not None
    assert (found.counted, found.case is not None) == (most > 0, seen)
    with database.connect() as connection:
        looks = connection.scalar(
            text(
                "SELECT count(*) FROM audit_event WHERE detail ->> 'fields' = '[\"applications\"]'"
            )
        )
    assert looks == seen


def test_nobody_is_let_in_by_a_token_of_nobody(world: CaseWorld) -> None:
    case = world.submitted("甲测试")
    with bound(world.site):
        assert look_at(case, Entry("x" * 43, *WINDOW, *EVERYBODY)) is None
