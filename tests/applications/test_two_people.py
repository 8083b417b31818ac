"""Two people: of all ordered pairs of actors, none reviews and approves who may not do both.

Everybody here has a desk for both deeds, but for those who are there as one of the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from backend.applications.desk import recuse
from backend.applications.steps import AnotherPersonNeeded, CaseMoved, DeedImpossible, NotYourDesk
from tests.support.case_world import COUNTY, TOWNSHIP, CaseWorld
from tests.support.raw_cases import Applicant, raw_case, raw_step, whose

PART_OF_THE_CASE: Final = ("帮办的", "本人", "亲属", "监护人", "被监护人", "有授权的", "已回避的")
AT_TOWNSHIP: Final = ("镇甲", "镇乙")
AT_COUNTY: Final = ("县甲", "县乙")
AT_BOTH: Final = "两处都在岗的"
ACTORS: Final = (*PART_OF_THE_CASE, *AT_TOWNSHIP, *AT_COUNTY, AT_BOTH)
PAIRS: Final = tuple(product(ACTORS, ACTORS))
FIT: Final = {
    (first, second)
    for first, second in product((*AT_TOWNSHIP, AT_BOTH), (*AT_COUNTY, AT_BOTH))
    if first != second
}
REFUSED: Final = (AnotherPersonNeeded, NotYourDesk, CaseMoved, DeedImpossible)
SECOND_DEEDS: Final = {"approve": "granted", "refuse": "refused"}


@dataclass(frozen=True)
class Office:
    """The county with all of them; whose cases they are."""

    world: CaseWorld
    whose: Applicant

    def case(self, connection: Connection) -> int:
        """Submitted by the helper, accepted by somebody who does nothing more."""
        case = raw_case(connection, self.whose)
        staff = self.world.staff_ids
        begun = text("UPDATE application SET resident_id = NULL, staff_id = :staff WHERE id = :id")
        connection.execute(begun, {"staff": staff["帮办的"], "id": case})
        raw_step(connection, case, ("submit", "draft", "submitted"), staff=staff["帮办的"])
        raw_step(connection, case, ("accept", "submitted", "accepted"), staff=staff["受理的"])
        return case


@pytest.fixture
def office(world: CaseWorld) -> Office:
    for name in (*PART_OF_THE_CASE, AT_BOTH):
        world.staff(name, "township_reviewer", TOWNSHIP)
        duty = world.town.accounts.duty(world.staff_ids[name], "county_officer", COUNTY)
        world.tokens[f"{name}在县里"] = world.town.accounts.sign_in(duty)
    world.staff("受理的", "township_reviewer", TOWNSHIP)
    _relate(world)
    world.delegate("帮办的", "甲测试")
    return Office(world, whose(world.owner, world.people["甲测试"].id))


def _relate(world: CaseWorld) -> None:
    """By the register: each in another way."""
    change, applicant = world.town.accounts.change, world.people["甲测试"].id
    own = {"本人": applicant}
    for serial, name in enumerate(("亲属", "监护人", "被监护人", "有授权的")):
        own[name] = world.town.person(f"{'乙丙丁戊'[serial]}测试").id
    for name, person in own.items():
        change(
            "INSERT INTO staff_person (staff_id, person_id, recorded_by)"
            " VALUES (:staff, :person, '测试')",
            staff=world.staff_ids[name], person=person,
        )  # fmt: skip
    same_home = "UPDATE person SET household_id = 77 WHERE id IN (:a, :b)"
    change(same_home, a=own["亲属"], b=applicant)
    guardian = "UPDATE person SET guardian_id = :guardian WHERE id = :ward"
    change(guardian, guardian=own["监护人"], ward=applicant)
    change(guardian, guardian=applicant, ward=own["被监护人"])
    change(
        "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis,"
        " recorded_by, from_on) VALUES (nextval('row_id'), :resident, :whose, 'other', 'written',"
        " '测试', DATE '2020-01-01')",
        resident=world.town.accounts.resident(own["有授权的"]), whose=applicant,
    )  # fmt: skip


@contextmanager
def undone(connection: Connection) -> Iterator[None]:
    """What is done inside is not kept."""
    point = connection.begin_nested()
    try:
        yield
    finally:
        point.rollback()


def pairs_by_sql(office: Office, deed: str) -> set[tuple[str, str]]:
    """The pairs of whom the database takes both deeds from a role that sees everything."""
    staff = office.world.staff_ids
    done = set()
    with office.world.owner.connect() as connection:
        case = office.case(connection)
        recused = text("INSERT INTO application_recusal VALUES (:case, :staff)")
        connection.execute(recused, {"case": case, "staff": staff["已回避的"]})
        for first, second in PAIRS:
            with undone(connection):
                try:
                    raw_step(
                        connection, case, ("review", "accepted", "reviewed"), staff=staff[first]
                    )
                    move = (deed, "reviewed", SECOND_DEEDS[deed])
                    raw_step(connection, case, move, staff=staff[second])
                except DBAPIError:
                    continue
                done.add((first, second))
    return done


def pairs_at_desks(office: Office, deed: str) -> set[tuple[str, str]]:
    """The pairs who did both as the site lets them, each in a session of their own."""
    return {pair for pair in PAIRS if _both(office, pair, deed)}


def _both(office: Office, pair: tuple[str, str], deed: str) -> bool:
    world, (first, second) = office.world, pair
    with world.owner.begin() as connection:
        case = office.case(connection)
    with world.acting("已回避的") as (session, actor):
        recuse(session, actor, case)
    at_county = f"{second}在县里"
    try:
        world.does(first, case, "review")
        world.does(at_county if at_county in world.tokens else second, case, deed)
    except REFUSED:
        return False
    return True


@pytest.mark.parametrize("deed", SECOND_DEEDS)
def test_of_all_ordered_pairs_only_two_unrelated_people_review_and_decide(
    office: Office, deed: str
) -> None:
    assert len(PAIRS) == 144
    assert pairs_at_desks(office, deed) == FIT


@pytest.mark.parametrize("deed", SECOND_DEEDS)
def test_who_is_nobody_to_the_case_is_all_that_matters_to_who_writes_sql(
    office: Office, deed: str
) -> None:
    unrelated = (*AT_TOWNSHIP, *AT_COUNTY, AT_BOTH)
    assert pairs_by_sql(office, deed) == {
        (first, second) for first, second in product(unrelated, unrelated) if first != second
    }


@pytest.mark.parametrize(
    ("guard", "hole", "found"),
    [
        ("concerned_in(one.id, NEW.staff_id)", "false", 132),
        ("s.deed = ANY (move.apart)", "false", 25),
    ],
)
def test_a_database_that_does_not_ask_is_noticed(
    office: Office, guard: str, hole: str, found: int
) -> None:
    with office.world.owner.begin() as connection:
        source = text("SELECT pg_get_functiondef('check_step'::regproc)")
        sound: Any = connection.execute(source).scalar_one()
        assert guard in sound
        connection.exec_driver_sql(sound.replace(guard, hole))
    assert len(pairs_by_sql(office, "approve")) == found
