"""What residents and staff read of a whole case, as the database and its row-level security let them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.applications.cases import UnknownCase
from backend.kernel.clock import now
from backend.kernel.database import bound, transaction
from backend.notifications.taking import take_notices
from backend.policies.catalogue import load_catalogue
from backend.progress.timeline import Look, Progress, StaffStep, progress_of
from tests.support.case_world import TODAY, CaseWorld
from tests.support.procedures import procedure

pytestmark = pytest.mark.postgres

BOOK = load_catalogue()
WHO = "甲测试"
NOTE = "请补交收入证明"


def seen(world: CaseWorld, name: str, case: int, today: date = TODAY) -> Progress:
    with world.acting(name) as (session, actor):
        look = Look(actor, world.keyring, BOOK, today)
        return progress_of(session, look, case)


def deeds(found: Progress) -> list[str]:
    return [step.deed for step in found.steps]


def decided(world: CaseWorld, case: int, deed: str, **more: Any) -> None:
    world.does("镇甲", case, "review", **more)
    world.does("县甲", case, deed, **more)


def test_a_whole_case_with_supplement_refusal_and_appeal_is_told_step_by_step(
    world: CaseWorld,
) -> None:
    case = world.submitted(WHO)
    assert seen(world, WHO, case).state_name == "已提交，等受理"
    world.does("镇甲", case, "accept")
    world.does("镇甲", case, "ask", note=NOTE)
    asked = seen(world, WHO, case)
    assert (asked.state, asked.who) == ("supplement", "您自己")
    assert asked.steps[-1].note == NOTE
    assert asked.until is not None
    assert asked.until.clock == "supplement"
    assert {one.clock for one in asked.periods if one.stopped} == {"first_review", "approval"}
    world.answer(WHO, case, "words", "补充说明")
    world.supplies(WHO, case)
    decided(world, case, "refuse")
    refused = seen(world, WHO, case)
    assert (refused.state, refused.who) == ("refused", "您自己（要不要申诉由您定）")
    assert refused.until is not None
    assert refused.until.clock == "appeal"
    last = refused.steps[-1]
    assert last.why
    assert last.remedy
    assert last.note == "测试说明"
    world.does(WHO, case, "appeal")
    world.does("县乙", case, "overturn")
    world.does("镇乙", case, "review")
    world.does("县丙", case, "approve")
    done = seen(world, WHO, case)
    assert deeds(done) == [
        "submit", "accept", "ask", "supply", "review", "refuse", "appeal", "overturn", "review",
        "approve",
    ]  # fmt: skip
    assert [step.seq for step in done.steps] == list(range(1, 11))
    assert done.steps[-1].text == "申请批准了"
    assert done.state == "granted"


def test_after_an_appeal_that_failed_the_court_is_named(world: CaseWorld) -> None:
    case = world.submitted(WHO)
    world.does("镇甲", case, "accept")
    decided(world, case, "refuse")
    world.does(WHO, case, "appeal")
    world.does("县乙", case, "uphold")
    found = seen(world, WHO, case)
    assert found.state == "closed"
    assert "行政复议或者提起行政诉讼" in found.todo


def test_the_fast_lane_tells_what_is_owed_until_when(world: CaseWorld) -> None:
    rules = procedure(papers={})
    case = world.filled(WHO, rules=rules)
    with world.acting(WHO) as (session, _):
        session.execute(
            text("UPDATE application SET fast_lane = true WHERE id = :case"), {"case": case}
        )
    world.submit(WHO, case, rules)
    world.does("镇甲", case, "accept", rules)
    world.does("县甲", case, "help", rules)
    found = seen(world, WHO, case)
    assert found.steps[-1].text == "情况急，先给您救助了，材料后补"
    assert "papers_owed" in {one.clock for one in found.periods}
    assert found.todo == "请在期限内补齐材料。"


def test_a_revocation_is_told_without_who_proposed_it(world: CaseWorld) -> None:
    case = world.submitted(WHO)
    world.does("镇甲", case, "accept")
    decided(world, case, "approve")
    world.does("镇乙", case, "propose")
    found = seen(world, WHO, case)
    assert found.steps[-1].text == "发现可能有问题，正在核查"
    assert not any(isinstance(step, StaffStep) for step in found.steps)
    world.does("县乙", case, "revoke")
    assert seen(world, WHO, case).state == "revoked"
    assert seen(world, WHO, case).until is None


def test_a_notice_is_told_until_its_last_day(world: CaseWorld) -> None:
    rules = procedure(notice=5)
    case = world.submitted(WHO, rules=rules)
    world.does("镇甲", case, "accept", rules)
    decided(world, case, "approve", rules=rules)
    found = seen(world, WHO, case)
    assert found.steps[-1].text == "审批通过，进入公示"
    assert found.until is not None
    assert found.until.text.startswith("公示到 ")


def test_inner_steps_are_for_staff_alone(world: CaseWorld) -> None:
    case = world.submitted(WHO)
    world.does("镇甲", case, "accept")
    world.does("镇甲", case, "review", proposal="refuse")
    world.does("县甲", case, "return", note="内部意见")
    world.by_itself(case, "escalate")
    own, staff = seen(world, WHO, case), seen(world, "县乙", case)
    assert deeds(own) == ["submit", "accept", "review"]
    assert deeds(staff) == ["submit", "accept", "review", "return", "escalate"]
    assert "内部意见" not in str(own)
    assert "refuse" not in str(own)
    inner = staff.steps[3]
    assert isinstance(inner, StaffStep)
    assert (inner.inner, inner.note, inner.role) == (True, "内部意见", "county_officer")
    review = staff.steps[2]
    assert isinstance(review, StaffStep)
    assert review.proposal == "refuse"
    assert own.who == "县（市、区）医保局"
    assert staff.wording == "staff"


def test_who_chose_elder_wording_reads_it(world: CaseWorld) -> None:
    case = world.submitted(WHO)
    world.town.accounts.change("UPDATE resident SET ui_mode = 'elder'")
    found = seen(world, WHO, case)
    assert (found.wording, found.state_name) == ("elder", "交上去了")
    assert found.steps[0].text == "申请交上去了"


def test_a_period_that_is_over_says_so(world: CaseWorld) -> None:
    case = world.submitted(WHO)
    later = seen(world, WHO, case, TODAY + timedelta(days=60)).until
    assert later is not None
    assert later.late
    assert "已经过了期限" in later.text
    now = seen(world, WHO, case).until
    assert now is not None
    assert not now.late


def test_days_are_those_of_china_and_of_the_calendar_that_may_still_change(
    world: CaseWorld,
) -> None:
    case = world.submitted(WHO)
    found = seen(world, WHO, case)
    with world.owner.connect() as connection:
        day, provisional = connection.execute(
            text(
                "SELECT (s.at AT TIME ZONE 'Asia/Shanghai')::date, c.provisional"
                " FROM application_step AS s JOIN application_clock AS c USING (application_id)"
                " WHERE s.application_id = :case"
            ),
            {"case": case},
        ).one()
    assert found.steps[0].day == day
    assert found.until is not None
    assert found.until.provisional is provisional
    world.town.accounts.change("UPDATE application_clock SET provisional = true")
    moved = seen(world, WHO, case).until
    assert moved is not None
    assert "可能变动" in moved.text


def test_a_step_carries_the_message_that_told_of_it(world: CaseWorld) -> None:
    case = world.submitted(WHO)
    world.does("镇甲", case, "accept")
    assert [step.message for step in seen(world, WHO, case).steps] == [None, None]
    with bound(world.owner), transaction() as session:
        session.execute(text("SET LOCAL ROLE shukun_worker"))
        take_notices(session, now())
        rows = session.execute(text("SELECT split_part(cause, ':', 3)::int, id FROM message"))
        told = {int(row[0]): int(row[1]) for row in rows}
    own, staff = seen(world, WHO, case), seen(world, "县甲", case)
    assert {step.seq: step.message for step in own.steps} == told
    assert {step.message for step in staff.steps} == {None}


def test_others_see_no_progress_and_every_look_is_written_down(
    world: CaseWorld, database: Engine
) -> None:
    case = world.submitted(WHO)
    world.resident("乙测试")
    for stranger in ("乙测试", "邻县", "医生"):
        with pytest.raises(UnknownCase):
            seen(world, stranger, case)
    world.delegate("医生", WHO)
    for reader, purpose in ((WHO, "own"), ("医生", "delegated"), ("县甲", "review")):
        seen(world, reader, case)
        with database.connect() as connection:
            last = connection.execute(
                text(
                    "SELECT subject_id, purpose, detail FROM audit_event"
                    " WHERE action = 'person.read' ORDER BY id DESC LIMIT 1"
                )
            ).one()
        assert (last.subject_id, last.purpose) == (str(world.people[WHO].id), purpose)
        assert last.detail["fields"] == ["applications"]


def test_a_draft_says_that_it_is_not_handed_in(world: CaseWorld) -> None:
    case = world.filled(WHO)
    found = seen(world, WHO, case)
    assert (found.state_name, found.steps, found.until) == ("还没有提交", [], None)
    with pytest.raises(UnknownCase):
        seen(world, "县甲", case)


def test_a_note_whose_key_was_destroyed_is_not_told_and_the_rest_is(world: CaseWorld) -> None:
    case = world.submitted(WHO)
    world.does("镇甲", case, "ask", note=NOTE)
    assert seen(world, WHO, case).steps[-1].note == NOTE
    world.town.accounts.change(
        "UPDATE person SET data_key = '' WHERE id = :id", id=world.people[WHO].id
    )
    found = seen(world, WHO, case)
    assert (found.state, found.steps[-1].note) == ("supplement", "")


def test_who_was_asked_to_apply_and_not_to_look_reads_the_progress_of_what_they_applied_for(
    world: CaseWorld,
) -> None:
    world.delegate("医生", WHO, "apply")
    case = world.submitted(WHO)
    world.does("镇甲", case, "ask", note=NOTE)
    assert seen(world, "医生", case).state == "supplement"
