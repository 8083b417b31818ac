"""Cases as the site handles them: by people in sessions, under row-level security."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from backend.accounts.residents import UnknownPerson
from backend.applications.answers import AnswerWrong
from backend.applications.applying import appeal, withdraw
from backend.applications.cases import UnknownCase, case_of
from backend.applications.clocks import running
from backend.applications.desk import (
    Asked,
    CaseTaken,
    NotTaken,
    SuccessorUnfit,
    claim_case,
    desk_list,
    hand_over,
    recuse,
    release_case,
)
from backend.applications.drafts import AnswerChanged, KeyUsed
from backend.applications.steps import (
    AlreadyApplied,
    AnotherGoing,
    AnotherPersonNeeded,
    CaseMoved,
    DeedImpossible,
    NotYourDesk,
    ReasonMissing,
    Step,
    take_step,
)
from backend.applications.submitting import NotComplete
from tests.support.case_world import CaseWorld
from tests.support.procedures import procedure


def granted(world: CaseWorld, **more: Any) -> int:
    case = world.submitted("甲测试", rules=procedure(**more))
    world.does("镇甲", case, "accept")
    world.does("镇甲", case, "review")
    world.does("县甲", case, "approve")
    return case


def listed(world: CaseWorld, name: str) -> list[int]:
    with world.acting(name) as (session, actor):
        return [one.id for one in desk_list(session, actor, Asked())]


def test_a_case_goes_from_the_draft_to_its_end(world: CaseWorld) -> None:
    case = granted(world)
    assert world.state(case) == "granted"
    world.by_itself(case, "pay")
    world.by_itself(case, "close")
    assert world.state(case) == "closed"


def test_a_draft_is_seen_by_nobody_but_its_applicants(world: CaseWorld) -> None:
    case = world.begun("甲测试").id
    world.resident("乙测试")
    for name in ("镇甲", "县甲", "医生", "乙测试", "邻县"):
        with world.acting(name) as (session, _), pytest.raises(UnknownCase):
            case_of(session, case)
    with world.acting("甲测试") as (session, _):
        assert case_of(session, case).state == "draft"


def test_a_case_is_seen_by_its_area_and_its_applicants_alone(world: CaseWorld) -> None:
    case = world.submitted("甲测试")
    world.resident("乙测试")
    seen = {}
    for name in ("镇甲", "县甲", "市甲", "医生", "乙测试", "邻县", "甲测试"):
        with world.acting(name) as (session, _):
            try:
                seen[name] = bool(case_of(session, case))
            except UnknownCase:
                seen[name] = False
    assert {name for name, one in seen.items() if one} == {"镇甲", "县甲", "市甲", "甲测试"}


def test_who_visits_somebody_sees_and_helps_with_a_delegation_alone(world: CaseWorld) -> None:
    with pytest.raises(UnknownPerson):
        world.begun("医生", "甲测试")
    world.delegate("医生", "甲测试")
    case = world.submitted("医生", "甲测试")
    with world.acting("甲测试") as (session, _):
        assert case_of(session, case).capacity == "delegate"


def test_who_helped_to_apply_decides_nothing_in_the_case(world: CaseWorld) -> None:
    world.delegate("医生", "甲测试")
    case = world.submitted("医生", "甲测试")
    helper = world.staff_ids["医生"]
    world.tokens["医生在镇里"] = world.town.accounts.sign_in(
        world.town.accounts.duty(helper, "township_reviewer", "320281101")
    )
    with pytest.raises(AnotherPersonNeeded):
        world.does("医生在镇里", case, "accept")
    with world.acting("医生在镇里") as (session, actor), pytest.raises(NotYourDesk):
        claim_case(session, actor, case)


def test_one_key_makes_one_draft_however_often_it_is_sent(world: CaseWorld) -> None:
    first = world.begun("甲测试", key="same-key-1")
    assert world.begun("甲测试", key="same-key-1").id == first.id
    with pytest.raises(KeyUsed):
        world.begun("甲测试", rules=procedure("temporary_relief"), key="same-key-1")


def test_fifty_taps_at_once_begin_and_submit_one_case(world: CaseWorld) -> None:
    with ThreadPoolExecutor(8) as many:
        begun = {one.id for one in many.map(
            lambda _: world.begun("甲测试", key="tapped-key"), range(50)
        )}  # fmt: skip
        assert len(begun) == 1
        (case,) = begun
        for field, value in (
            ("category", "illness_impoverished"),
            ("income", "1"),
            ("people", "3"),
        ):
            world.answer("甲测试", case, field, value)
        codes = {one.code for one in many.map(lambda _: world.submit("甲测试", case), range(50))}
    assert len(codes) == 1
    with world.owner.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM application_step")).scalar_one() == 1


def test_the_same_thing_is_applied_for_once_at_a_time(world: CaseWorld) -> None:
    first = world.submitted("甲测试")
    second = world.filled("甲测试")
    with pytest.raises(AlreadyApplied):
        world.submit("甲测试", second)
    with world.acting("甲测试") as (session, actor):
        withdraw(session, first, world.given(actor))
    assert world.submit("甲测试", second).case.state == "submitted"


def test_what_may_be_revoked_hinders_no_new_application_and_is_kept_after_it(
    world: CaseWorld,
) -> None:
    first = world.submitted("甲测试")
    world.does("镇甲", first, "accept")
    world.does("镇甲", first, "review")
    world.does("县甲", first, "approve")
    world.does("镇甲", first, "propose", reason="false_promise")
    second = world.submitted("甲测试")
    with pytest.raises(AnotherGoing) as refusal:
        world.does("县乙", first, "keep")
    assert "另有一件申请在办" in refusal.value.faults[0].detail
    with world.acting("甲测试") as (session, actor):
        withdraw(session, second, world.given(actor))
    assert world.does("县乙", first, "keep").state == "granted"


def test_a_closed_case_is_revoked_while_another_is_going(world: CaseWorld) -> None:
    first = world.submitted("甲测试")
    world.does("镇甲", first, "accept")
    world.does("镇甲", first, "review")
    world.does("县甲", first, "approve")
    world.by_itself(first, "close")
    world.submitted("甲测试")
    world.does("镇甲", first, "propose", reason="false_promise")
    assert world.does("县乙", first, "revoke", reason="false_promise").state == "revoked"


def test_what_is_missing_is_named_field_by_field(world: CaseWorld) -> None:
    case = world.begun("甲测试").id
    with pytest.raises(NotComplete) as refusal:
        world.submit("甲测试", case)
    assert [one.pointer for one in refusal.value.faults] == [
        "/answers/category", "/answers/income", "/answers/people",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("income", "很多"), ("income", "-1"), ("income", "1.234"), ("people", "三"),
        ("since", "2026-02-30"), ("category", "extreme_poverty"), ("alone", "也许"),
        ("spent", "1,2"), ("spent", "x"), ("words", "   "),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_what_to_write(
    world: CaseWorld, field: str, value: str
) -> None:
    case = world.begun("甲测试").id
    with pytest.raises(AnswerWrong) as refusal:
        world.answer("甲测试", case, field, value)
    assert "请" in refusal.value.faults[0].detail


def test_two_devices_never_overwrite_each_other(world: CaseWorld) -> None:
    case = world.begun("甲测试").id
    world.answer("甲测试", case, "income", "100")
    with pytest.raises(AnswerChanged):
        world.answer("甲测试", case, "income", "200")
    world.answer("甲测试", case, "income", "300.5", version=1)
    with pytest.raises(AnswerChanged):
        world.answer("甲测试", case, "income", "400", version=1)
    with world.owner.connect() as connection:
        assert connection.execute(text("SELECT version FROM application_answer")).scalar_one() == 2


def test_what_was_submitted_is_not_changed(world: CaseWorld) -> None:
    case = world.submitted("甲测试")
    with pytest.raises(DeedImpossible):
        world.answer("甲测试", case, "income", "200", version=1)


def test_review_and_approval_are_two_people(world: CaseWorld) -> None:
    case = world.submitted("甲测试")
    world.does("镇甲", case, "accept")
    world.does("镇甲", case, "review")
    reviewer = world.staff_ids["镇甲"]
    world.tokens["镇甲在县里"] = world.town.accounts.sign_in(
        world.town.accounts.duty(reviewer, "county_officer", "320282")
    )
    world.town.accounts.change(
        "UPDATE duty SET area_from = 320281000000, area_to = 320281999999"
        " WHERE staff_id = :staff AND role = 'county_officer'",
        staff=reviewer,
    )
    with pytest.raises(AnotherPersonNeeded):
        world.does("镇甲在县里", case, "approve")
    with pytest.raises(AnotherPersonNeeded):
        world.does("镇甲在县里", case, "refuse")
    assert world.does("县甲", case, "approve").state == "granted"


@pytest.mark.parametrize("relation", ["self", "household", "guardian", "authority"])
def test_who_is_related_to_the_applicant_decides_nothing(world: CaseWorld, relation: str) -> None:
    own = world.resident("镇甲本人")
    applicant = world.people["甲测试"]
    change = world.town.accounts.change
    change(
        "INSERT INTO staff_person (staff_id, person_id, recorded_by) VALUES (:staff, :person, '测试')",
        staff=world.staff_ids["镇甲"], person=applicant.id if relation == "self" else own.id,
    )  # fmt: skip
    if relation == "household":
        change("UPDATE person SET household_id = 77 WHERE id IN (:a, :b)", a=own.id, b=applicant.id)
    if relation == "guardian":
        change("UPDATE person SET guardian_id = :a WHERE id = :b", a=own.id, b=applicant.id)
    if relation == "authority":
        change(
            "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis,"
            " recorded_by) SELECT nextval('row_id'), r.id, :b, 'other', 'written', '测试'"
            " FROM resident AS r WHERE r.person_id = :a".replace("recorded_by)", "recorded_by, from_on)")
            .replace("'测试'", "'测试', DATE '2020-01-01'"),
            a=own.id, b=applicant.id,
        )  # fmt: skip
    case = world.submitted("甲测试")
    with pytest.raises(AnotherPersonNeeded):
        world.does("镇甲", case, "accept")
    assert world.does("镇乙", case, "accept").state == "accepted"


def test_who_recuses_themselves_decides_nothing_more(world: CaseWorld) -> None:
    case = world.submitted("甲测试")
    with world.acting("镇甲") as (session, actor):
        claim_case(session, actor, case)
        recuse(session, actor, case)
        recuse(session, actor, case)
    with pytest.raises(AnotherPersonNeeded):
        world.does("镇甲", case, "accept")
    assert world.does("镇乙", case, "accept").state == "accepted"


def test_a_case_lies_on_exactly_one_desk(world: CaseWorld) -> None:
    case = world.submitted("甲测试")
    desks = ("镇甲", "县甲", "市甲", "邻县")
    assert [name for name in desks if case in listed(world, name)] == ["镇甲"]
    world.does("镇甲", case, "accept")
    world.does("镇甲", case, "review")
    assert [name for name in desks if case in listed(world, name)] == ["县甲"]
    world.by_itself(case, "escalate")
    assert [name for name in desks if case in listed(world, name)] == ["市甲"]
    with pytest.raises(NotYourDesk):
        world.does("县甲", case, "approve")
    assert world.does("市甲", case, "approve").state == "granted"


def test_where_nobody_is_on_duty_the_desk_above_has_the_case(world: CaseWorld) -> None:
    world.town.accounts.change(
        "UPDATE duty SET revoked_at = now() WHERE role = 'township_reviewer'"
    )
    case = world.submitted("甲测试")
    assert case in listed(world, "县甲")
    assert world.does("县甲", case, "accept").state == "accepted"


def test_a_claimed_case_is_decided_by_its_claimant(world: CaseWorld) -> None:
    case = world.submitted("甲测试")
    with world.acting("镇甲") as (session, actor):
        claim_case(session, actor, case)
        claim_case(session, actor, case)
    with world.acting("镇乙") as (session, actor), pytest.raises(CaseTaken):
        claim_case(session, actor, case)
    with pytest.raises(NotYourDesk):
        world.does("镇乙", case, "accept")
    with world.acting("镇乙") as (session, actor), pytest.raises(NotTaken):
        release_case(session, actor, case)
    with world.acting("镇甲") as (session, actor):
        hand_over(session, actor, case, "镇乙")
    assert world.does("镇乙", case, "accept").state == "accepted"


def test_a_case_is_handed_on_within_the_desk_alone(world: CaseWorld) -> None:
    case = world.submitted("甲测试")
    with world.acting("镇甲") as (session, actor):
        claim_case(session, actor, case)
    for number in ("县甲", "邻县", "没有这个人", "镇甲"):
        with world.acting("镇甲") as (session, actor), pytest.raises(SuccessorUnfit):
            hand_over(session, actor, case, number)
    with world.acting("镇甲") as (session, actor):
        release_case(session, actor, case)
    assert world.does("镇乙", case, "accept").state == "accepted"


def test_asking_for_more_stops_the_clock(world: CaseWorld) -> None:
    case = world.submitted("甲测试")
    with world.acting("镇甲") as (session, _):
        (before,) = running(session, case)
    world.today = world.today.replace(day=25)
    world.does("镇甲", case, "ask")
    with world.acting("甲测试") as (session, _):
        standing = {one.clock: one for one in running(session, case)}
    assert standing["first_review"].stopped_on == world.today
    assert "supplement" in standing
    world.today = world.today.replace(day=27)
    with pytest.raises(NotComplete) as refusal:
        world.supplies("甲测试", case)
    assert "要补的还没有补" in refusal.value.faults[0].detail
    assert "请在“其他情况”里写明原因" in refusal.value.faults[0].detail
    world.answer("甲测试", case, "words", "补充说明")
    world.supplies("甲测试", case)
    with world.acting("镇甲") as (session, _):
        after = {one.clock: one for one in running(session, case)}
    assert before.due_on.isoformat() == "2026-12-02"  # 7 working days after 23 November
    assert after["first_review"].due_on.isoformat() == "2026-12-04"  # two working days stood still
    assert "supplement" not in after


def test_a_refusal_needs_a_reason_and_can_be_appealed_once(world: CaseWorld) -> None:
    case = world.submitted("甲测试")
    world.does("镇甲", case, "accept")
    world.does("镇甲", case, "review", proposal="refuse")
    with pytest.raises(ReasonMissing):
        world.does("县甲", case, "refuse", reason="")
    world.does("县甲", case, "refuse")
    for _ in range(2):
        with world.acting("甲测试") as (session, actor):
            assert appeal(session, case, "收入算错了", world.given(actor)).state == "appealed"
    for name in ("县甲",):
        with pytest.raises(AnotherPersonNeeded):
            world.does(name, case, "overturn")
    assert world.does("县乙", case, "overturn").state == "accepted"
    world.does("镇乙", case, "review")
    with pytest.raises(AnotherPersonNeeded):
        world.does("县甲", case, "approve")
    assert world.does("县乙", case, "approve").state == "granted"


def test_in_an_emergency_help_comes_before_the_papers(world: CaseWorld) -> None:
    case = world.filled("甲测试")
    world.town.accounts.change(
        "UPDATE application SET fast_lane = true WHERE id = :case", case=case
    )
    with pytest.raises(NotComplete):
        world.submit("甲测试", case)
    plain = procedure(papers={})
    world.submit("甲测试", case, plain)
    world.does("镇甲", case, "accept", plain)
    with pytest.raises(NotYourDesk):
        world.does("镇乙", case, "help", plain)
    assert case in listed(world, "县甲")
    world.does("县甲", case, "help", plain)
    with world.acting("镇甲") as (session, _):
        assert [one.clock for one in running(session, case)][:1] == ["papers_owed"]
    world.does("镇乙", case, "review", plain)
    assert world.does("县乙", case, "approve", plain).state == "granted"


def test_revoking_takes_two_people_and_can_be_dropped(world: CaseWorld) -> None:
    case = granted(world)
    world.does("镇乙", case, "propose")
    assert world.does("县乙", case, "keep").state == "granted"
    world.does("县甲", case, "propose")
    with pytest.raises(AnotherPersonNeeded):
        world.does("县甲", case, "revoke")
    assert world.does("县乙", case, "revoke").state == "revoked"


def test_who_saw_an_older_state_decides_nothing(world: CaseWorld) -> None:
    case = world.submitted("甲测试")
    with world.acting("镇甲") as (session, _):
        seen = case_of(session, case)
    world.does("镇乙", case, "accept")
    with world.acting("镇甲") as (session, actor), pytest.raises((CaseMoved, NotYourDesk)):
        take_step(session, seen, Step("accept"), world.given(actor))


def test_every_step_is_told_and_written_down(world: CaseWorld) -> None:
    case = granted(world)
    with world.owner.connect() as connection:
        told = connection.execute(
            text("SELECT kind, cause FROM notice_due WHERE kind LIKE 'application%' ORDER BY id")
        )
        assert [tuple(one) for one in told] == [
            ("application_submitted", f"application:{case}:1"),
            ("application_accepted", f"application:{case}:2"),
            ("application_reviewed", f"application:{case}:3"),
            ("application_granted", f"application:{case}:4"),
        ]
        deeds = connection.execute(
            text("SELECT actor, action FROM audit_event WHERE subject_kind = 'application'"
                 " AND action NOT IN ('application.begin', 'application.answer') ORDER BY id")
        )  # fmt: skip
        assert [one.action for one in deeds] == [
            "application.submit", "application.accept", "application.review", "application.approve",
        ]  # fmt: skip


def test_nothing_of_what_was_answered_stands_in_the_open(world: CaseWorld) -> None:
    case = world.begun("甲测试").id
    world.answer("甲测试", case, "words", "不能让人看见的话")
    with world.owner.connect() as connection:
        value = connection.execute(text("SELECT value FROM application_answer")).scalar_one()
    assert "不能".encode() not in bytes(value)
