"""A case in all hands at once: the database and a model written apart agree after every step.

`SHUKUN_CASE_EXAMPLES` and `SHUKUN_CASE_STEPS`: how many walks, and how long.
"""

from __future__ import annotations

import os
from itertools import count
from typing import Any, ClassVar, Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from backend.applications.cases import UnknownCase
from backend.applications.desk import (
    CaseTaken,
    NotTaken,
    SuccessorUnfit,
    claim_case,
    hand_over,
    recuse,
    release_case,
)
from backend.applications.steps import (
    AnotherPersonNeeded,
    CaseMoved,
    DeedImpossible,
    NotYourDesk,
)
from tests.support.case_model import DEEDS, STATES, SYSTEM, CaseModel, Someone
from tests.support.case_world import CaseWorld
from tests.support.raw_cases import Applicant, raw_case, whose

EXAMPLES = int(os.environ.get("SHUKUN_CASE_EXAMPLES", "15"))
STEPS = int(os.environ.get("SHUKUN_CASE_STEPS", "30"))
REFUSALS: Final = (UnknownCase, DeedImpossible, CaseMoved, NotYourDesk, AnotherPersonNeeded)
APPLICANT: Final = Someone("甲测试", applies=True)
DOCTOR: Final = Someone("医生", "医生", applies=True)
PEOPLE: Final = (
    APPLICANT,
    DOCTOR,
    Someone("医生在镇里", "医生", 1, applies=True),
    Someone("镇甲", "镇甲", 1),
    Someone("镇乙", "镇乙", 1),
    Someone("镇亲", "镇亲", 1, related=True),
    Someone("镇甲在县里", "镇甲", 2),
    Someone("县甲", "县甲", 2),
    Someone("县乙", "县乙", 2),
    Someone("县亲", "县亲", 2, related=True),
    Someone("市甲", "市甲", 3),
    Someone("邻县", "邻县", 2, near=False),
    Someone("路人"),
    SYSTEM,
)
STAFF: Final = tuple(one for one in PEOPLE if one.staff)
ENDINGS: Final = ("discard", "expire", "withdraw", "lapse", "close")
"""Deeds that are made more seldom: not every walk is to end at its beginning."""
FLAGS: Final = st.fixed_dictionaries(
    {flag: st.booleans() for flag in ("by_doctor", "filing", "fast_lane", "notice")}
)
PROBE: Final = """
CREATE FUNCTION probe_moves(wanted bigint, deeds text[], states text[]) RETURNS text[]
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    one record;
    deed text;
    after text;
    taken text[] := '{}';
BEGIN
    SELECT a.state, a.seq INTO one FROM application AS a WHERE a.id = wanted;
    IF NOT FOUND THEN
        RETURN taken;
    END IF;
    FOREACH deed IN ARRAY deeds LOOP
        FOREACH after IN ARRAY states LOOP
            BEGIN
                INSERT INTO application_step (id, application_id, seq, deed, from_state, to_state,
                        proposal, reason, by)
                    VALUES (nextval('row_id'), wanted, one.seq + 1, deed, one.state, after,
                        CASE WHEN deed = 'review' THEN 'grant' ELSE '' END, 'other', 'test');
                RAISE EXCEPTION 'taken' USING ERRCODE = 'P0099';
            EXCEPTION
                WHEN SQLSTATE 'P0099' THEN taken := taken || (deed || ' ' || after);
                WHEN check_violation OR insufficient_privilege OR unique_violation
                    OR foreign_key_violation THEN NULL;
            END;
        END LOOP;
    END LOOP;
    RETURN taken;
END
$$
"""


class CaseMachine(RuleBasedStateMachine):
    """One case from the draft on; everybody tries everything."""

    world: ClassVar[CaseWorld]
    whose: ClassVar[Applicant]

    def __init__(self) -> None:
        super().__init__()
        self.model = CaseModel(APPLICANT, state="withdrawn")

    @initialize(flags=FLAGS)
    def begun(self, flags: dict[str, bool]) -> None:
        self._begin(**flags)

    @precondition(lambda self: self.model.desk == "")
    @rule(flags=FLAGS)
    def after_its_end_another_begins(self, flags: dict[str, bool]) -> None:
        self._begin(**flags)

    @rule(data=st.data())
    def somebody_does_what_they_may(self, data: st.DataObject) -> None:
        model = self.model
        open_to = [
            (who, deed)
            for deed in DEEDS
            for who in PEOPLE
            if any(model.may(who, deed, after) for after in model.afters(deed))
        ]
        deeds = sorted({deed for _, deed in open_to})
        if data.draw(st.integers(0, 9)):
            deeds = [deed for deed in deeds if deed not in ENDINGS]
        if deeds:
            deed = data.draw(st.sampled_from(deeds))
            who = data.draw(st.sampled_from([one for one, other in open_to if other == deed]))
            self._does(who, deed)

    @rule(who=st.sampled_from(PEOPLE))
    def somebody_tries_everything(self, who: Someone) -> None:
        self._probe(who)

    @rule(data=st.data())
    def whose_case_it_is_and_somebody_at_its_desk_try_everything(self, data: st.DataObject) -> None:
        self._probe(data.draw(st.sampled_from((APPLICANT, DOCTOR))))
        at_desk = [one for one in PEOPLE if one.near and one.level == self.model.level]
        self._probe(data.draw(st.sampled_from(at_desk)))

    @rule(who=st.sampled_from(PEOPLE), deed=st.sampled_from(DEEDS))
    def somebody_does_anything(self, who: Someone, deed: str) -> None:
        self._does(who, deed)

    @rule(who=st.sampled_from(STAFF))
    def somebody_claims_it(self, who: Someone) -> None:
        held = self.model.claimant
        again = held is not None and held.staff == who.staff and self.model.seen_by(who)
        if self._done(who, claim_case) and not again:
            assert self.model.may_claim(who), (who, self.model)
            self.model.claimant = who
        else:
            assert again or not self.model.may_claim(who), (who, self.model)

    @precondition(lambda self: self.model.claimant is not None)
    @rule(data=st.data(), own=st.booleans())
    def somebody_gives_it_back(self, data: st.DataObject, own: bool) -> None:
        held = self.model.claimant
        assert held is not None
        who = held if own else data.draw(st.sampled_from(STAFF))
        expected = who.staff == held.staff and self.model.seen_by(who)
        assert self._done(who, release_case) == expected
        if expected:
            self.model.claimant = None

    @precondition(lambda self: self.model.claimant is not None)
    @rule(to=st.sampled_from(STAFF))
    def the_claimant_hands_it_on(self, to: Someone) -> None:
        held = self.model.claimant
        assert held is not None
        at_desk = [
            one for one in STAFF
            if one.staff == to.staff and one.level == self.model.level and one.near
        ]  # fmt: skip
        expected = bool(at_desk) and to.staff != held.staff and not self.model.partial(to)
        assert self._done(held, hand_over, to.staff) == expected, (to, self.model)
        if expected:
            self.model.claimant = at_desk[0]

    @precondition(lambda self: len(self.model.recused) < 2)
    @rule(who=st.sampled_from(STAFF))
    def somebody_recuses_themselves(self, who: Someone) -> None:
        assert self._done(who, recuse) == self.model.seen_by(who)
        if self.model.seen_by(who):
            self.model.recused.add(who.staff)
            if self.model.claimant is not None and self.model.claimant.staff == who.staff:
                self.model.claimant = None

    @invariant()
    def both_are_the_same(self) -> None:
        with self.world.owner.connect() as connection:
            query = text(
                "SELECT a.state, a.seq, a.raised, a.desk, s.staff_no, a.ended_at IS NOT NULL"
                " FROM application AS a LEFT JOIN application_claim AS c"
                " ON c.application_id = a.id LEFT JOIN staff AS s ON s.id = c.staff_id"
                " WHERE a.id = :case"
            )
            found = tuple(connection.execute(query, {"case": self.case}).one())
        model = self.model
        claimant = None if model.claimant is None else model.claimant.staff
        over = model.desk == ""
        assert found == (model.state, model.seq, model.raised, model.desk, claimant, over)

    def _begin(self, by_doctor: bool, filing: bool, fast_lane: bool, notice: bool) -> None:
        flags = {"filing": filing, "fast_lane": fast_lane, "notice": notice}
        self.model = CaseModel(DOCTOR if by_doctor else APPLICANT, **flags)
        with self.world.owner.begin() as connection:
            self.case = raw_case(connection, self.whose, **flags)
            if by_doctor:
                begun = (
                    "UPDATE application SET resident_id = NULL, staff_id = :staff WHERE id = :id"
                )
                values = {"staff": self.world.staff_ids["医生"], "id": self.case}
                connection.execute(text(begun), values)

    def _probe(self, who: Someone) -> None:
        """Of all deeds and states to come to, the database takes what the model allows."""
        values = {"case": self.case, "deeds": list(DEEDS), "states": list(STATES)}
        query = text("SELECT probe_moves(:case, :deeds, :states)")
        if who is SYSTEM:
            with self.world.owner.begin() as connection:
                taken = connection.execute(query, values).scalar_one()
        else:
            with self.world.acting(who.name) as (session, _):
                taken = session.execute(query, values).scalar_one()
        expected = {
            f"{deed} {after}" for deed in DEEDS for after in STATES
            if self.model.may(who, deed, after)
        }  # fmt: skip
        assert set(taken) == expected, (who, self.model)

    def _does(self, who: Someone, deed: str) -> None:
        after = next(iter(self.model.afters(deed)), "")
        expected = self.model.may(who, deed, after)
        try:
            if who is SYSTEM:
                self.world.by_itself(self.case, deed)
            else:
                self.world.does(who.name, self.case, deed)
        except REFUSALS:
            assert not expected, (who, deed, self.model)
        else:
            assert expected, (who, deed, self.model)
            self.model.move(who, deed, after)

    def _done(self, who: Someone, deed: Any, *more: str) -> bool:
        try:
            with self.world.acting(who.name) as (session, actor):
                deed(session, actor, self.case, *more)
        except (UnknownCase, NotYourDesk, CaseTaken, NotTaken, SuccessorUnfit):
            return False
        return True


@pytest.fixture
def machine(world: CaseWorld) -> type[RuleBasedStateMachine]:
    """A class of its own on the test's database."""
    world.resident("路人")
    world.delegate("医生", "甲测试")
    accounts = world.town.accounts
    for name, role, area in (
        ("医生", "township_reviewer", "320281101"), ("镇甲", "county_officer", "320281"),
    ):  # fmt: skip
        duty = accounts.duty(world.staff_ids[name], role, area)
        at = "医生在镇里" if name == "医生" else "镇甲在县里"
        world.tokens[at] = accounts.sign_in(duty)
    relatives = {"镇亲": ("township_reviewer", "320281101"), "县亲": ("county_officer", "320281")}
    for serial, (name, duty_of) in enumerate(relatives.items()):
        world.staff(name, *duty_of)
        _make_related(world, name, f"{'甲乙'[serial]}亲属")
    with world.owner.begin() as connection:
        connection.execute(text(PROBE))
        connection.execute(
            text("GRANT EXECUTE ON FUNCTION probe_moves(bigint, text[], text[]) TO PUBLIC")
        )
    who = whose(world.owner, world.people["甲测试"].id)
    return type(f"CaseMachine{next(_SERIAL)}", (CaseMachine,), {"world": world, "whose": who})


_SERIAL: Final = count(1)


def _make_related(world: CaseWorld, name: str, own_name: str) -> None:
    own = world.town.person(own_name)
    change = world.town.accounts.change
    change(
        "INSERT INTO staff_person (staff_id, person_id, recorded_by) VALUES (:staff, :own, '测试')",
        staff=world.staff_ids[name], own=own.id,
    )  # fmt: skip
    change(
        "UPDATE person SET household_id = 77 WHERE id IN (:own, :applicant)",
        own=own.id, applicant=world.people["甲测试"].id,
    )  # fmt: skip


def _walks(examples: int, **more: Any) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=STEPS, deadline=None, database=None,
        derandomize=True, suppress_health_check=list(HealthCheck), **more,
    )  # fmt: skip


def test_no_walk_tells_the_database_from_the_model(machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(machine, settings=_walks(EXAMPLES))


@pytest.mark.parametrize("sabotage", ["an edge more", "no desk asked for"])
def test_one_hole_in_the_database_is_found(
    machine: type[RuleBasedStateMachine], world: CaseWorld, sabotage: str
) -> None:
    with world.owner.begin() as connection:
        if sabotage == "an edge more":
            connection.execute(text("ALTER TABLE application_move DISABLE TRIGGER ALL"))
            edge = "('approve', 'submitted', 'granted', 'township', '', '{}')"
            connection.execute(text(f"INSERT INTO application_move VALUES {edge}"))
        else:
            source = "SELECT pg_get_functiondef('step_of_session'::regproc)"
            sound = str(connection.execute(text(source)).scalar_one())
            assert "IS NOT TRUE" in sound
            connection.exec_driver_sql(sound.replace("IS NOT TRUE", "IS FALSE"))
    with pytest.raises(AssertionError, match="CaseModel"):
        run_state_machine_as_test(machine, settings=_walks(40, phases=[Phase.generate]))
