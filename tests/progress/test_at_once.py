"""What is seen at once, by one function of the database, is what the row policies let be seen."""

from __future__ import annotations

from typing import Any, Final

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor
from backend.applications.cases import UnknownCase
from backend.kernel.clock import now
from backend.kernel.database import bound, transaction
from backend.notifications.taking import take_notices
from backend.policies.catalogue import load_catalogue
from backend.progress.at_once import AtOnce
from backend.progress.timeline import Look, Progress, progress_of
from tests.support.case_world import TODAY, CaseWorld

pytestmark = pytest.mark.postgres

BOOK: Final = load_catalogue()
WINDOW: Final = ("test/{}", 1_000_000, 300)
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


def told(world: CaseWorld, session: Session, actor: Actor, once: AtOnce) -> Progress | None:
    look = Look(actor, world.keyring, BOOK, TODAY)
    try:
        return progress_of(session, look, once.case_id, once.case)
    except UnknownCase:
        return None


def disagreeing(world: CaseWorld, owner: Engine, cases: list[int]) -> tuple[set[str], set[str]]:
    """Who is told something else at once than by the policies, or written down otherwise; and who
    was told at once."""
    other, quick = set(), set()
    for name in world.tokens:
        for case in cases:
            with world.acting(name) as (session, actor):
                by_policies = told(world, session, actor, AtOnce(case))
            with owner.connect() as connection:
                row = connection.execute(LAST).one_or_none()
            once = AtOnce(case)
            with bound(world.site), transaction() as session:
                actor_again, counted = once.enter(session, world.tokens[name], WINDOW)
                assert counted
                assert actor_again == actor
                at_once = told(world, session, actor, once)
            with owner.connect() as connection:
                again = connection.execute(LAST).one_or_none()
            if (by_policies, row) != (at_once, again):
                other.add(name)
            if once.case is not None:
                quick.add(name)
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
        ("seen := whom = ANY (people)", "seen := true"),
        ("authority_over('receive')", "people"),
        ("authority_over('speak')", "people"),
        ("p.id = ANY (people)", "whom = ANY (people)"),
        ("one.state <> 'draft' AND ", ""),
        ("one.area BETWEEN actor.area_from AND actor.area_to;", "true;"),
    ],
)
def test_control_a_right_that_is_wider_at_once_is_found(
    world: CaseWorld, database: Engine, cases: list[int], was: str, becomes: str
) -> None:
    with database.begin() as connection:
        body = connection.execute(
            text("SELECT pg_get_functiondef('progress_at_once'::regproc)")
        ).scalar_one()
        assert was in body
        connection.exec_driver_sql(body.replace(was, becomes).replace("%", "%%"))
    other, _ = disagreeing(world, database, cases[:-1])
    assert other
