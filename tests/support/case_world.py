"""Applicants, helpers and staff of one county, who act on cases in sessions of their own, as the
site does: in its role, under row-level security.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Any, Final

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor, act_as
from backend.applications.applying import supply
from backend.applications.cases import Case, case_of
from backend.applications.drafts import Answer, Beginning, begin_application, change_answer
from backend.applications.steps import SYSTEM, Circumstances, Step, take_step
from backend.applications.submitting import Submitted, submit
from backend.kernel.crypto import Keyring
from backend.kernel.database import bound, transaction
from backend.policies.procedures import Procedure
from tests.support.procedures import procedure
from tests.support.townsfolk import Townsfolk, Townsman

COUNTY: Final = "320281"
TOWNSHIP: Final = "320281101"
TODAY: Final = date(2026, 11, 23)
_KEYS: Final = count(1)


@dataclass
class CaseWorld:
    """Tokens by name; deeds in a session each."""

    owner: Engine
    site: Engine
    town: Townsfolk
    keyring: Keyring
    tokens: dict[str, str] = field(default_factory=dict)
    staff_ids: dict[str, int] = field(default_factory=dict)
    people: dict[str, Townsman] = field(default_factory=dict)
    today: date = TODAY

    def staff(self, name: str, role: str, area: str) -> str:
        """Somebody of the staff with one duty."""
        own = self.town.accounts.staff(name)
        self.staff_ids[name] = own
        self.tokens[name] = self.town.accounts.sign_in(self.town.accounts.duty(own, role, area))
        return name

    def resident(self, name: str, **more: Any) -> Townsman:
        """Somebody with an account, known by name."""
        who = self.town.person(name, **more)
        self.people[name], self.tokens[name] = who, self.town.known(who)
        return who

    def delegate(self, helper: str, person: str, *scope: str) -> None:
        """The person delegates to the member of staff."""
        whom = self.people[person].id
        self.town.accounts.change(
            "WITH given AS (INSERT INTO consent (id, person_id, purpose, text_id, version,"
            " text_sha256, channel, by) VALUES (nextval('row_id'), :person, 'delegation',"
            " 'delegation', 100, sha256('x'), 'counter', '测试') RETURNING id)"
            " INSERT INTO delegation (id, person_id, staff_id, scope, from_on, to_on, consent_id,"
            " channel, recorded_by) SELECT nextval('row_id'), :person, :staff,"
            " CAST(:scope AS text[]), DATE '2020-01-01', DATE '2099-01-01', id, 'counter', '测试'"
            " FROM given",
            person=whom, staff=self.staff_ids[helper], scope=list(scope or ("see", "apply")),
        )  # fmt: skip

    @contextmanager
    def acting(self, name: str) -> Iterator[tuple[Session, Actor]]:
        """A transaction of the site in the session of somebody."""
        with bound(self.site), transaction() as session:
            actor = act_as(session, self.tokens[name])
            assert actor is not None, name
            yield session, actor

    def given(self, actor: Any, rules: Procedure | None = None) -> Circumstances:
        """In whose name, today, by the procedure."""
        return Circumstances(actor, self.keyring, rules or procedure(), self.today)

    def begun(
        self, name: str, person: str | None = None, rules: Procedure | None = None, key: str = ""
    ) -> Case:
        """A draft for the person, begun by `name`."""
        rules = rules or procedure()
        whom = self.people[person or name].id
        with self.acting(name) as (session, actor):
            beginning = Beginning(whom, rules.kind, key or f"key-{next(_KEYS):06d}")
            return begin_application(session, actor, beginning, rules)[0]

    def answer(
        self, name: str, case: int, field: str, value: str, *, version: int = 0,
        rules: Procedure | None = None,
    ) -> None:  # fmt: skip
        """One value saved."""
        with self.acting(name) as (session, actor):
            answer = Answer(field, value, version)
            change_answer(session, case_of(session, case), answer, self.given(actor, rules))

    def filled(self, name: str, person: str | None = None, rules: Procedure | None = None) -> int:
        """A draft with what must be answered; its id."""
        case = self.begun(name, person, rules).id
        for code, value in (
            ("category", "illness_impoverished"), ("income", "12000"), ("people", "3"),
        ):  # fmt: skip
            self.answer(name, case, code, value, rules=rules)
        return case

    def submitted(
        self, name: str, person: str | None = None, rules: Procedure | None = None
    ) -> int:
        """A submitted case; its id."""
        case = self.filled(name, person, rules)
        self.submit(name, case, rules)
        return case

    def submit(self, name: str, case: int, rules: Procedure | None = None) -> Submitted:
        """Submitted by `name`."""
        with self.acting(name) as (session, actor):
            return submit(session, case, self.given(actor, rules))

    def does(
        self, name: str, case: int, deed: str, rules: Procedure | None = None, **more: str
    ) -> Case:
        """Somebody makes a step of the deed, with a reason and words where they are needed."""
        said = {"proposal": "grant"} if deed == "review" else {}
        said |= {"reason": "other", "note": "测试说明"}
        with self.acting(name) as (session, actor):
            step = Step(deed, **{**said, **more})
            return take_step(session, case_of(session, case), step, self.given(actor, rules))

    def supplies(self, name: str, case: int, rules: Procedure | None = None) -> Case:
        """What was asked for is there."""
        with self.acting(name) as (session, actor):
            return supply(session, case, self.given(actor, rules))

    def by_itself(self, case: int, deed: str, rules: Procedure | None = None) -> Case:
        """A step of the system, in a worker."""
        with bound(self.owner), transaction() as session:
            session.execute(text("SET LOCAL ROLE shukun_worker"))
            given = self.given(SYSTEM, rules)
            return take_step(session, case_of(session, case), Step(deed), given)

    def state(self, case: int) -> str:
        """Where the case is."""
        with self.owner.connect() as connection:
            query = text("SELECT state FROM application WHERE id = :case")
            return str(connection.execute(query, {"case": case}).scalar_one())


def county(owner: Engine, site: Engine, town: Townsfolk, keyring: Keyring) -> CaseWorld:
    """Two people at each desk, a doctor and a coordinator, an applicant."""
    world = CaseWorld(owner, site, town, keyring)
    for name in ("镇甲", "镇乙"):
        world.staff(name, "township_reviewer", TOWNSHIP)
    for name in ("县甲", "县乙", "县丙"):
        world.staff(name, "county_officer", COUNTY)
    world.staff("市甲", "city_officer", "320200")
    world.staff("医生", "family_doctor", f"{TOWNSHIP}001")
    world.staff("邻县", "county_officer", "320282")
    world.resident("甲测试")
    return world
