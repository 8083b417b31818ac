"""What is not paid through a run: amounts, registrations, certifications, what others go on with."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from backend.applications.amounts import GrantWrong, Paid, note_paid, record_amount
from backend.applications.cases import case_of
from backend.applications.certifying import carry_over
from backend.applications.desk import recuse
from backend.applications.handing_on import handed_on
from backend.applications.steps import AnotherPersonNeeded, NotYourDesk
from backend.kernel.areas import code_range
from backend.policies.procedures import Procedure
from tests.support.accounts import Accounts
from tests.support.case_effects import BOOK, Effects
from tests.support.case_world import CaseWorld
from tests.support.office import Office
from tests.support.townsfolk import Townsfolk

AREA = "330382"
YUEQING = 330382_101_001
POLICY = "yueqing-2022-41"
DAY = date(2025, 11, 24)
VALUES = {
    "day": "2025-11-03", "number": "3", "money": "100.00", "yes_no": "no", "hospital": "市人民医院",
    "diagnosis": "高血压三级", "text": "测试", "phone": "19900000009",
}  # fmt: skip


@pytest.fixture
def world(database: Engine, app_database: Engine, town: Townsfolk, accounts: Accounts) -> CaseWorld:
    made = CaseWorld(database, app_database, town, town.keyring, today=DAY)
    made.staff("镇甲", "township_reviewer", f"{AREA}101")
    for name in ("县甲", "县乙", "县丙"):
        made.staff(name, "county_officer", AREA)
    made.resident("甲测试", area=YUEQING)
    return made


@pytest.fixture
def effects(database: Engine, world: CaseWorld, tmp_path: Path) -> Iterator[Effects]:
    made = Effects(database, world.keyring, tmp_path, DAY)
    yield made
    made.worker.dispose()


def rules(kind: str) -> Procedure:
    return replace(BOOK.procedure(POLICY, kind), letter=None, notice=None, papers={})


def granted(world: CaseWorld, kind: str, **answers: str) -> int:
    case, own = reviewed(world, kind, **answers), rules(kind)
    if own.filing:
        world.does("镇甲", case, "file", own)
        return case
    if kind == "temporary_relief":
        with world.acting("县甲") as (session, actor):
            record_amount(session, actor, case_of(session, case), 150_000, DAY)
    world.does("县甲", case, "approve", own)
    return case


def reviewed(world: CaseWorld, kind: str, **answers: str) -> int:
    """With the county, or for the township to file."""
    own = rules(kind)
    case = filled(world, own, **answers)
    world.submit("甲测试", case, own)
    world.does("镇甲", case, "accept", own)
    if not own.filing:
        world.does("镇甲", case, "review", own)
    return case


def filled(world: CaseWorld, own: Procedure, **answers: str) -> int:
    """A draft with all that must be answered."""
    case = world.begun("甲测试", rules=own).id
    for field in own.fields.values():
        if field.required or field.code in answers:
            value = answers.get(field.code) or VALUES.get(field.type)
            value = value or (field.choices[0].code if field.choices else "")
            world.answer("甲测试", case, field.code, value, rules=own)
    return case


def test_a_referral_is_registered_and_the_case_closed_with_it(
    world: CaseWorld, effects: Effects
) -> None:
    case = granted(world, "referral")
    assert effects.settle(case)
    assert effects.ask(
        "SELECT kind, from_on::text, to_on::text, length(hospital) > 20, ended_on FROM registration"
    ) == [("referral", "2025-11-03", "infinity", True, None)]
    assert effects.finish(case) == "close"
    assert world.state(case) == "closed"


def test_a_stay_elsewhere_ends_on_the_day_that_was_said(world: CaseWorld, effects: Effects) -> None:
    case = granted(world, "away_registration", to_on="2025-12-31")
    effects.settle(case)
    assert effects.ask("SELECT kind, to_on::text FROM registration") == [
        ("away_registration", "2025-12-31")
    ]


def entitled(effects: Effects) -> list[tuple[object, ...]]:
    return effects.ask(
        "SELECT c.code, d.code, e.from_on::text, e.to_on::text FROM entitlement e"
        " JOIN code_number c ON c.kind = 'entitlement' AND c.number = e.code"
        " JOIN code_number d ON d.kind = 'delivery' AND d.number = e.delivery"
        " WHERE e.application_id > 0 AND e.ended_by_run = 0 ORDER BY e.year"
    )


def test_a_certification_entitles_and_no_run_ends_it(
    world: CaseWorld, effects: Effects, worker_database: Engine
) -> None:
    case = granted(world, "chronic_certification")
    effects.settle(case)
    row = ("chronic_outpatient_chronic", "by_certification", "2025-11-24", "2025-12-31")
    assert entitled(effects) == [row]
    Office(worker_database, world.keyring).match(AREA, 2025, full=True)
    assert entitled(effects) == [row]
    with effects.working() as session:
        assert carry_over(session, 2026) == 1
        assert carry_over(session, 2026) == 0
    next_year = (*row[:2], "2026-01-01", "2026-12-31")
    assert entitled(effects) == [row, next_year]
    assert effects.finish(case) == "close"
    world.does("镇甲", case, "propose", rules("chronic_certification"))
    world.does("县乙", case, "revoke", rules("chronic_certification"))
    effects.settle(case)
    assert entitled(effects) == [(*row[:3], "2025-11-24")]


def test_a_disease_that_no_list_names_is_for_the_county_to_judge(
    world: CaseWorld, effects: Effects
) -> None:
    effects.settle(granted(world, "chronic_certification", diagnosis="少见的病"))
    assert entitled(effects) == []
    assert effects.ask("SELECT kind, role FROM work_item") == [
        ("entitlement_question", "county_officer")
    ]


@pytest.mark.parametrize("agreed", [True, False])
def test_a_charity_gets_a_case_with_the_person_s_consent_alone(
    agreed: bool, world: CaseWorld, effects: Effects
) -> None:
    if agreed:
        world.town.accounts.change(
            "INSERT INTO consent (id, person_id, purpose, text_id, version, text_sha256, given_at, channel, by)"
            " VALUES (nextval('row_id'), :person, 'sharing_beyond_duty', 'sharing_beyond_duty', 100,"
            " sha256('x'), DATE '2025-11-01', 'counter', '测试')",
            person=world.people["甲测试"].id,
        )
    case = granted(world, "charity")
    effects.settle(case)
    with effects.working() as session:
        assert [one.case_id for one in handed_on(session, *code_range(AREA))] == [case] * agreed
    ((kind, reason),) = effects.ask("SELECT kind, reason FROM work_item")
    assert kind == "hand_on"
    assert ("没有转交" in reason) is not agreed


@pytest.mark.parametrize("kind", ["objection", "correction"])
def test_what_was_judged_right_is_work_for_the_county(
    kind: str, world: CaseWorld, effects: Effects
) -> None:
    case = granted(world, kind)
    effects.settle(case)
    assert effects.ask("SELECT kind, role, subject_id FROM work_item") == [
        ("judgement", "county_officer", str(case))
    ]
    assert effects.finish(case) == "close"


def test_an_amount_is_paid_when_the_department_says_so(world: CaseWorld, effects: Effects) -> None:
    case = granted(world, "temporary_relief")
    effects.settle(case)
    assert effects.finish(case) == ""
    with world.acting("县乙") as (session, actor):
        own = case_of(session, case)
        with pytest.raises(GrantWrong):
            note_paid(session, actor, own, Paid(DAY, " "), DAY)
        first = note_paid(session, actor, own, Paid(DAY, "民政凭证1号"), DAY)
        assert note_paid(session, actor, own, Paid(DAY, "民政凭证2号"), DAY) == first
        assert first.amount == 150_000
        with pytest.raises(GrantWrong):
            record_amount(session, actor, own, 1, DAY)
    assert effects.finish(case) == "pay"
    assert effects.finish(case) == "close"


def test_who_decides_an_amount_is_no_part_of_the_case_and_does_not_note_its_payment(
    world: CaseWorld, effects: Effects
) -> None:
    own, case = rules("temporary_relief"), reviewed(world, "temporary_relief")
    with world.acting("县丙") as (session, actor):
        recuse(session, actor, case)
    with world.acting("县丙") as (session, actor), pytest.raises(AnotherPersonNeeded):
        record_amount(session, actor, case_of(session, case), 900_000, DAY)
    for amount in (140_000, 150_000):
        with world.acting("县甲") as (session, actor):
            record_amount(session, actor, case_of(session, case), amount, DAY)
    world.does("县乙", case, "approve", own)
    effects.settle(case)
    with world.acting("县乙") as (session, actor), pytest.raises(GrantWrong) as refused:
        record_amount(session, actor, case_of(session, case), 150_001, DAY)
    assert "已经批准" in refused.value.faults[0].detail
    for other in ("县甲", "县丙"):
        with world.acting(other) as (session, actor), pytest.raises(AnotherPersonNeeded):
            note_paid(session, actor, case_of(session, case), Paid(DAY, "凭证1号"), DAY)
    with world.acting("县乙") as (session, actor):
        assert note_paid(session, actor, case_of(session, case), Paid(DAY, "凭证1号"), DAY).paid_on


def test_of_two_who_note_the_payment_at_once_the_second_is_told_what_the_first_noted(
    world: CaseWorld, effects: Effects
) -> None:
    case = granted(world, "temporary_relief")
    effects.settle(case)

    def noted_by_another() -> str:
        with world.acting("县丙") as (session, actor):
            return note_paid(
                session, actor, case_of(session, case), Paid(DAY, "凭证2号"), DAY
            ).paid_ref

    with ThreadPoolExecutor(1) as pool:
        with world.acting("县乙") as (session, actor):
            note_paid(session, actor, case_of(session, case), Paid(DAY, "凭证1号"), DAY)
            second = pool.submit(noted_by_another)
            with pytest.raises(TimeoutError):
                second.result(0.5)
        assert second.result(20) == "凭证1号"
    assert effects.ask("SELECT actor FROM audit_event WHERE action = 'application.paid'") == [
        ("staff:县乙",)
    ]


@pytest.mark.parametrize("paid", [True, False])
def test_what_was_paid_and_is_granted_no_more_is_asked_back_by_the_county(
    world: CaseWorld, effects: Effects, paid: bool
) -> None:
    own = rules("temporary_relief")
    case = granted(world, "temporary_relief")
    effects.settle(case)
    if paid:
        with world.acting("县乙") as (session, actor):
            note_paid(session, actor, case_of(session, case), Paid(DAY, "凭证1号"), DAY)
    world.does("镇甲", case, "propose", own)
    world.does("县乙", case, "revoke", own)
    assert effects.settle(case)
    assert effects.ask("SELECT kind, role, subject_id FROM work_item") == (
        [("refund_due", "county_officer", str(case))] if paid else []
    )


def test_what_was_paid_first_refused_and_won_by_appeal_is_asked_back_no_more(
    world: CaseWorld, effects: Effects
) -> None:
    own = replace(rules("temporary_relief"), fast_lane=True)
    case = filled(world, own)
    world.submit("甲测试", case, own)
    with effects.owner.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("UPDATE application SET fast_lane = true"))
    world.does("镇甲", case, "accept", own)
    world.does("县乙", case, "help", own)
    with world.acting("县甲") as (session, actor):
        record_amount(session, actor, case_of(session, case), 150_000, DAY)
    effects.settle(case)
    with world.acting("县丙") as (session, actor):
        note_paid(session, actor, case_of(session, case), Paid(DAY, "凭证1号"), DAY)
    world.does("镇甲", case, "review", own, proposal="refuse")
    world.does("县丙", case, "refuse", own)
    effects.settle(case)
    assert effects.ask("SELECT kind, state FROM work_item") == [("refund_due", "open")]
    world.does("甲测试", case, "appeal", own)
    world.does("县甲", case, "overturn", own)
    world.does("县乙", case, "help", own)
    effects.settle(case)
    assert effects.ask("SELECT kind, outcome FROM work_item") == [("refund_due", "superseded")]


def test_only_the_county_decides_an_amount(world: CaseWorld) -> None:
    case = granted(world, "temporary_relief")
    with world.acting("镇甲") as (session, actor), pytest.raises(NotYourDesk):
        record_amount(session, actor, case_of(session, case), 100, DAY)
    with world.owner.connect() as connection:
        assert (
            connection.execute(text("SELECT amount FROM application_grant")).scalar_one() == 150_000
        )
