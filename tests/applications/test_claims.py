"""Bills that a case names: claimed once, paid once granted, let go without a grant. Tinghu."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from backend.applications.answers import AnswerWrong
from backend.applications.applying import appeal, withdraw
from backend.applications.cases import case_of, cipher_of
from backend.applications.claims import release_claims
from backend.applications.drafts import answers_of
from backend.applications.expected import Asking, expected
from backend.applications.steps import BillClaimed
from backend.citizens.exchange.step import take_turn
from backend.estimation.terms import Rules
from backend.policies.procedures import Procedure
from tests.support.accounts import Accounts
from tests.support.case_effects import BOOK, Effects
from tests.support.case_world import CaseWorld
from tests.support.townsfolk import Townsfolk

AREA = "320902"
TINGHU = 320902_101_001
TODAY = date(2026, 11, 23)
CONFIRMED = {"tinghu-trial": (date(2026, 1, 1), date(2027, 12, 31))}


@pytest.fixture
def world(database: Engine, app_database: Engine, town: Townsfolk, accounts: Accounts) -> CaseWorld:
    """甲 of class I with two bills in Tinghu, whose policy is confirmed for the year."""
    made = CaseWorld(database, app_database, town, town.keyring)
    for name in ("镇甲", "镇乙"):
        made.staff(name, "township_reviewer", f"{AREA}101")
    for name in ("县甲", "县乙"):
        made.staff(name, "county_officer", AREA)
    made.resident("甲测试", area=TINGHU)
    town.register.identity("甲测试", "extreme_poverty", "2022-01-01")
    town.register.bill("甲测试", "B1", "2026-04-30", "9000.00")
    town.register.bill("甲测试", "B2", "2026-06-30", "4000.00")
    return made


@pytest.fixture
def effects(database: Engine, world: CaseWorld, tmp_path: Path) -> Iterator[Effects]:
    made = Effects(database, world.keyring, tmp_path, TODAY)
    with made.working() as session:
        session.execute(
            text(
                "INSERT INTO policy_confirmation (policy_id, in_force_from, in_force_to,"
                " confirmed_by) VALUES ('tinghu-trial', '2026-01-01', '2027-12-31', '测试')"
            )
        )
    yield made
    made.worker.dispose()


def rules(**more: object) -> Procedure:
    """The catalogue's, without letter and notice: these are tried elsewhere."""
    real = BOOK.procedure("tinghu-trial", "special_assistance")
    return replace(real, letter=None, notice=None, **more)  # type: ignore[arg-type]


def submitted(world: CaseWorld, *bill_nos: str, fast_lane: bool = False) -> int:
    """A case that names the bills."""
    own = rules(papers={})
    case = world.begun("甲测试", rules=own).id
    with world.owner.connect() as connection:
        query = text("SELECT id FROM bill WHERE bill_no = ANY (:numbers) ORDER BY id")
        ids = connection.execute(query, {"numbers": list(bill_nos)}).scalars().all()
    for field in own.fields.values():
        if not field.required:
            continue
        values = {"money": "100.00", "number": "3", "phone": "19900000009"}
        value = {**values, "bills": ",".join(map(str, ids))}.get(field.type, "测试")
        world.answer("甲测试", case, field.code, value, rules=own)
    if fast_lane:
        world.town.accounts.change(
            "UPDATE application SET fast_lane = true WHERE id = :case", case=case
        )
    world.submit("甲测试", case, own)
    return case


def granted(world: CaseWorld, case: int) -> int:
    for name, deed in (("镇甲", "accept"), ("镇甲", "review"), ("县甲", "approve")):
        world.does(name, case, deed, rules())
    return case


def claims(effects: Effects) -> list[str]:
    return [row[0] for row in effects.ask("SELECT state FROM bill_claim ORDER BY id")]


def test_granted_bills_alone_are_paid_to_the_fen(world: CaseWorld, effects: Effects) -> None:
    case = granted(world, submitted(world, "B2"))
    effects.account(world.people["甲测试"].id)
    assert claims(effects) == ["claimed"]
    assert effects.settle(case)
    assert claims(effects) == ["granted"]
    effects.match()
    # 9,000 has used up the deductible of 3,000: 4,000 at 50%
    assert effects.granted() == [("B2", 200_000)]
    assert effects.pay(AREA) == 200_000
    assert [effects.finish(case) for _ in range(3)] == ["pay", "close", ""]


def test_two_cases_cannot_claim_one_bill(world: CaseWorld, effects: Effects) -> None:
    submitted(world, "B1", "B2")
    with pytest.raises(BillClaimed) as refusal:
        submitted(world, "B2")
    assert "已经在另一件申请里" in refusal.value.faults[0].detail
    assert claims(effects) == ["claimed", "claimed"]


def test_a_case_that_ends_without_a_grant_lets_its_bills_go(
    world: CaseWorld, effects: Effects
) -> None:
    first = submitted(world, "B1")
    with world.acting("甲测试") as (session, actor):
        withdraw(session, first, world.given(actor, rules()))
    assert claims(effects) == ["released"]
    second = submitted(world, "B1")
    world.does("镇甲", second, "accept", rules())
    world.does("镇甲", second, "review", rules(), proposal="refuse")
    world.does("县甲", second, "refuse", rules())
    assert claims(effects) == ["released", "released"]


def test_an_appeal_takes_the_bills_again(world: CaseWorld, effects: Effects) -> None:
    case = submitted(world, "B1")
    world.does("镇甲", case, "accept", rules())
    world.does("镇甲", case, "review", rules(), proposal="refuse")
    world.does("县甲", case, "refuse", rules())
    with world.acting("甲测试") as (session, actor):
        appeal(session, case, "算错了", world.given(actor, rules()))
    assert claims(effects) == ["released", "claimed"]
    world.does("县乙", case, "uphold", rules())
    assert claims(effects) == ["released", "released"]


def test_a_revoked_case_gives_back_what_its_bills_brought(
    world: CaseWorld, effects: Effects
) -> None:
    case = granted(world, submitted(world, "B1"))
    effects.settle(case)
    effects.match()
    assert effects.granted() == [("B1", 300_000)]  # (9,000 - 3,000) at 50%
    world.does("镇甲", case, "propose", rules())
    world.does("县乙", case, "revoke", rules())
    effects.settle(case)
    assert claims(effects) == ["released"]
    effects.match()
    assert effects.granted() == []


def test_help_that_came_first_ends_with_a_refusal(world: CaseWorld, effects: Effects) -> None:
    case = submitted(world, "B1", fast_lane=True)
    world.does("镇甲", case, "accept", rules())
    world.does("县甲", case, "help", rules())
    effects.settle(case)
    effects.match()
    assert effects.granted() == [("B1", 300_000)]
    world.does("镇乙", case, "review", rules(), proposal="refuse")
    world.does("县乙", case, "refuse", rules())
    assert effects.settle(case)
    effects.match()
    assert effects.granted() == []


def helped(world: CaseWorld, effects: Effects, case: int) -> int:
    """In an emergency the county helped first."""
    world.does("镇甲", case, "accept", rules())
    world.does("县甲", case, "help", rules())
    assert effects.settle(case)
    return case


def test_who_was_helped_first_and_is_asked_for_more_supplies_it(
    world: CaseWorld, effects: Effects
) -> None:
    case = helped(world, effects, submitted(world, "B1", fast_lane=True))
    world.does("镇乙", case, "review", rules())
    world.does("县乙", case, "ask", rules())
    world.answer("甲测试", case, "circumstances", "没有别的了", rules=rules())
    world.supplies("甲测试", case, rules(papers={}))
    assert world.state(case) == "accepted"
    assert claims(effects) == ["granted"]


def test_the_bills_that_were_helped_on_stay_as_they_were(
    world: CaseWorld, effects: Effects
) -> None:
    case = helped(world, effects, submitted(world, "B1", fast_lane=True))
    world.does("镇乙", case, "review", rules())
    world.does("县乙", case, "ask", rules())
    ids = effects.ask("SELECT string_agg(id::text, ',' ORDER BY id) FROM bill")[0][0]
    for version, value in ((1, ids), (2, ids.split(",")[1])):
        world.answer("甲测试", case, "bills", value, version=version, rules=rules())
        with pytest.raises(AnswerWrong) as refusal:
            world.supplies("甲测试", case, rules(papers={}))
        assert "费用单不能再增减" in refusal.value.faults[0].detail
    assert claims(effects) == ["granted"]


def test_an_appeal_waits_for_another_case_that_names_its_bills(
    world: CaseWorld, effects: Effects
) -> None:
    first = submitted(world, "B1")
    world.does("镇甲", first, "accept", rules())
    world.does("镇甲", first, "review", rules(), proposal="refuse")
    world.does("县甲", first, "refuse", rules())
    second = submitted(world, "B1", "B2")
    with (
        pytest.raises(BillClaimed) as refusal,
        world.acting("甲测试") as (session, actor),
    ):
        appeal(session, first, "算错了", world.given(actor, rules()))
    assert "请先撤回那一件，再申诉" in refusal.value.faults[0].detail
    with world.acting("甲测试") as (session, actor):
        withdraw(session, second, world.given(actor, rules()))
    with world.acting("甲测试") as (session, actor):
        assert appeal(session, first, "算错了", world.given(actor, rules())).state == "appealed"


@pytest.mark.parametrize("overturned", [False, True])
def test_an_appeal_before_the_refusal_took_effect_keeps_the_bills(
    world: CaseWorld, effects: Effects, overturned: bool
) -> None:
    case = helped(world, effects, submitted(world, "B1", fast_lane=True))
    world.does("镇乙", case, "review", rules(), proposal="refuse")
    world.does("县乙", case, "refuse", rules())
    with world.acting("甲测试") as (session, actor):
        appeal(session, case, "算错了", world.given(actor, rules()))
    if overturned:
        world.staff("县丙", "county_officer", AREA)
        world.does("县丙", case, "overturn", rules())
    assert effects.settle(case)
    assert claims(effects) == ["released", "claimed"]
    with pytest.raises(BillClaimed):
        submitted(world, "B1", "B2")


def test_an_appeal_that_failed_before_the_refusal_took_effect_leaves_no_claim(
    world: CaseWorld, effects: Effects
) -> None:
    case = helped(world, effects, submitted(world, "B1", fast_lane=True))
    world.does("镇乙", case, "review", rules(), proposal="refuse")
    world.does("县乙", case, "refuse", rules())
    with world.acting("甲测试") as (session, actor):
        appeal(session, case, "算错了", world.given(actor, rules()))
    world.staff("县丙", "county_officer", AREA)
    world.does("县丙", case, "uphold", rules())
    assert effects.settle(case)
    assert claims(effects) == ["released"]


def test_the_applicant_is_shown_what_may_be_expected_and_the_run_grants_just_that(
    world: CaseWorld, effects: Effects
) -> None:
    case = submitted(world, "B2")
    asking = Asking(rules(), Rules(BOOK.with_confirmed(CONFIRMED)), TODAY)
    with world.acting("甲测试") as (session, _):
        own = case_of(session, case)
        answers = answers_of(session, cipher_of(session, world.keyring, own), case)
        found = expected(session, own, answers, asking)
    assert found is not None
    assert found.amount == 200_000
    assert "2026-06-30 的费用（4000.00 元）" in found.steps[0]
    granted(world, case)
    effects.settle(case)
    effects.match()
    assert effects.granted() == [("B2", found.amount)]


def test_control_without_the_key_two_cases_claim_one_bill(
    world: CaseWorld, effects: Effects
) -> None:
    with world.owner.begin() as connection:
        connection.execute(text("DROP INDEX uq_bill_claim_live"))
    submitted(world, "B1", "B2")
    submitted(world, "B2")
    assert claims(effects) == ["claimed"] * 3


def test_control_without_claiming_again_an_early_appeal_loses_its_bills(
    world: CaseWorld, effects: Effects
) -> None:
    case = helped(world, effects, submitted(world, "B1", fast_lane=True))
    world.does("镇乙", case, "review", rules(), proposal="refuse")
    world.does("县乙", case, "refuse", rules())
    with world.acting("甲测试") as (session, actor):
        appeal(session, case, "算错了", world.given(actor, rules()))
    with effects.working() as session:
        refused = replace(case_of(session, case), state="refused")
        release_claims(session, refused, take_turn(session))
    assert claims(effects) == ["released"]
