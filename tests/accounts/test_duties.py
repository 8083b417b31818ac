"""Duties are dated, kept apart, deputised and handed over; the database refuses the rest."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.accounts.consent_texts import consent_texts
from backend.accounts.duties import (
    DIGITS,
    DutiesNotApart,
    DutyAreaWrong,
    DutyDaysWrong,
    NewDeputy,
    NewDuty,
    UnknownDuty,
    appoint_deputy,
    area_code,
    duties_of,
    grant_duty,
    revoke_duty,
)
from backend.accounts.handovers import SuccessorUnfit, hand_over
from backend.accounts.scope import act_as
from backend.accounts.staff_admin import (
    StaffNumberTaken,
    StaffNumberWrong,
    UnknownStaff,
    add_staff,
    disable_staff,
    enable_staff,
    list_staff,
    reset_password,
)
from backend.kernel.clock import today
from backend.kernel.crypto import Keyring
from backend.kernel.database import acting, transaction
from tests.support.accounts import Accounts
from tests.support.register import JIANGYIN, Register

DAY = timedelta(days=1)
JUNE = date(2026, 6, 1)
NAMING_SUCCESSORS = consent_texts().purposes["delegation"].naming_successors[0]
AREA = "320281101001"


def grant(staff: int, role: str, from_on: date = JUNE, to_on: date | None = None) -> int:
    area = AREA[: DIGITS.get(role, (6,))[-1]]
    with transaction() as session:
        return grant_duty(session, NewDuty(staff, role, area, from_on, to_on), "测试")


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("county_officer", "auditor"), ("county_officer", "system_admin"),
        ("auditor", "system_admin"), ("township_reviewer", "auditor"),
        ("city_officer", "system_admin"),
    ],
)  # fmt: skip
def test_deciding_auditing_and_administering_are_never_one_persons(
    accounts: Accounts, one: str, other: str
) -> None:
    for first, second in ((one, other), (other, one)):
        staff = accounts.staff()
        duty = grant(staff, first, JUNE, JUNE + 9 * DAY)
        with pytest.raises(DutiesNotApart):
            grant(staff, second, JUNE + 9 * DAY)
        grant(staff, second, JUNE + 10 * DAY, JUNE + 20 * DAY)
        with transaction() as session:
            revoke_duty(session, duty, "测试")
        grant(staff, second, JUNE, JUNE + 9 * DAY)


@pytest.mark.usefixtures("database")
def test_other_duties_may_be_held_together(accounts: Accounts) -> None:
    staff = accounts.staff()
    for role in ("township_reviewer", "county_officer", "village_coordinator", "family_doctor"):
        grant(staff, role)
    with transaction() as session:
        assert len(duties_of(session, staff, JUNE)) == 4
        assert duties_of(session, staff, JUNE - DAY) == ()


def test_the_database_itself_keeps_them_apart(accounts: Accounts) -> None:
    staff = accounts.staff()
    accounts.duty(staff, "auditor", "320281")
    with pytest.raises(IntegrityError, match="ex_duty_apart"):
        accounts.duty(staff, "system_admin", "320281")


@pytest.mark.usefixtures("database")
def test_days_in_the_wrong_order_are_refused(accounts: Accounts) -> None:
    with pytest.raises(DutyDaysWrong):
        grant(accounts.staff(), "auditor", JUNE, JUNE - DAY)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("role", "area"),
    [
        ("village_coordinator", "320281"), ("village_coordinator", "320281101"),
        ("family_doctor", "320281"), ("township_reviewer", "320281"),
        ("township_reviewer", AREA), ("county_officer", "320281101"), ("city_officer", AREA),
    ],
)  # fmt: skip
def test_nobody_is_given_more_or_less_than_the_role_is_for(
    accounts: Accounts, role: str, area: str
) -> None:
    new = NewDuty(accounts.staff(), role, area, JUNE)
    with pytest.raises(DutyAreaWrong), transaction() as session:
        grant_duty(session, new, "测试")


@pytest.mark.usefixtures("database")
def test_a_duty_is_revoked_once(accounts: Accounts) -> None:
    duty = grant(accounts.staff(), "auditor")
    with transaction() as session:
        revoke_duty(session, duty, "测试")
    for gone in (duty, 4711):
        with pytest.raises(UnknownDuty), transaction() as session:
            revoke_duty(session, gone, "测试")


@pytest.mark.usefixtures("database")
def test_a_deputy_acts_in_the_absent_ones_duty_under_the_own_name_for_some_days(
    accounts: Accounts, app_database: Engine, register: Register
) -> None:
    register.person("甲", JIANGYIN)
    absent, deputy = accounts.staff("S1"), accounts.staff("S2")
    duty = accounts.duty(absent, "township_reviewer", "320281101")
    stands_in = _deputise(duty, deputy, today(), today() + DAY)
    token = accounts.sign_in(stands_in)
    with Session(app_database) as session:
        actor = act_as(session, token)
        assert actor is not None
        assert (actor.label, actor.holder_no, actor.deputising) == ("staff:S2", "S1", True)
        assert session.execute(text("SELECT count(*) FROM person")).scalar_one() == 1
    with transaction() as session:
        held = duties_of(session, deputy, today())
        assert [(one.role, one.area, one.deputises) for one in held] == [
            ("township_reviewer", "320281101", True)
        ]
        assert duties_of(session, deputy, today() + 2 * DAY) == ()
        assert list_staff(session, today())[1].duties == held
    over = "UPDATE duty SET from_on = :day, to_on = :day WHERE id = :id"
    accounts.change(over, day=today() - DAY, id=stands_in)
    with Session(app_database) as session:
        assert act_as(session, token) is None


@pytest.mark.usefixtures("database")
def test_who_may_be_no_deputy(accounts: Accounts) -> None:
    absent, auditor = accounts.staff(), accounts.staff()
    duty = accounts.duty(absent, "county_officer", "320281")
    accounts.duty(auditor, "auditor", "320281")
    with pytest.raises(DutiesNotApart):
        _deputise(duty, auditor, today(), today())
    with pytest.raises(UnknownDuty):
        _deputise(duty, absent, today(), today())
    other = accounts.staff()
    with pytest.raises(DutyDaysWrong):
        _deputise(duty, other, today() - 3 * DAY, today() - DAY)
    deputised = _deputise(duty, other, today(), today())
    with pytest.raises(UnknownDuty):  # a deputy has no deputy
        _deputise(deputised, accounts.staff(), today(), today())
    with transaction() as session:
        revoke_duty(session, duty, "测试")
        assert duties_of(session, other, today()) == ()


def test_a_deputy_cannot_be_given_more_than_the_absent_one_has(accounts: Accounts) -> None:
    duty = accounts.duty(accounts.staff(), "township_reviewer", "320281101")
    for role, area in (("county_officer", "320281101"), ("township_reviewer", "320281")):
        with pytest.raises(IntegrityError, match="fk_duty_deputy_for"):
            accounts.duty(
                accounts.staff(), role, area, deputy_for=duty, to_on=today(), from_on=today()
            )


@pytest.fixture
def leaver(accounts: Accounts, register: Register) -> int:
    """A coordinator who looks after 甲 and 乙, and acts for 甲; with an open item in the list."""
    staff = accounts.staff("S1")
    accounts.duty(staff, "village_coordinator", AREA)
    accounts.duty(staff, "cadre", "320281")
    for name, from_on in (("甲", JUNE - 400 * DAY), ("乙", today() + 5 * DAY)):
        person = register.person(name, 320282_101_001)
        accounts.change(
            "INSERT INTO assignment (id, person_id, area, role, staff_no, from_on, file_id,"
            " revision) VALUES (nextval('row_id'), :person, 320282101001, 'cadre', 'S1', :day,"
            " 1, 1)",
            person=person, day=from_on,
        )  # fmt: skip
    accounts.change(
        "WITH given AS (INSERT INTO consent (id, person_id, purpose, text_id, version,"
        " text_sha256, channel, by) VALUES (nextval('row_id'), :person, 'delegation', 'x', 1, :text,"
        " 'bedside', '测试') RETURNING id)"
        " INSERT INTO delegation (id, person_id, staff_id, scope, from_on, to_on, consent_id,"
        " channel, recorded_by) SELECT nextval('row_id'), :person, :staff, '{see}',"
        " DATE '2020-01-01', DATE '2099-01-01', id, 'bedside', '测试' FROM given",
        person=register.ids["甲"], staff=staff, text=NAMING_SUCCESSORS,
    )  # fmt: skip
    accounts.change(
        "INSERT INTO work_item (kind, subject_kind, subject_id, area, role, list_area, reason,"
        " due_on, due_provisional, opened_by) VALUES ('home_visit', 'x', '1', 320281101001,"
        " 'village_coordinator', 320281101001, '看看', now(), false, 'x')"
    )
    return staff


@pytest.mark.usefixtures("worker_database")
def test_a_leaver_hands_everything_over_at_once(
    leaver: int, accounts: Accounts, app_database: Engine, register: Register
) -> None:
    token = accounts.sign_in(1)
    successor = accounts.staff("S2")
    with transaction() as session:
        counts = hand_over(session, "S1", "S2", today(), "测试")
    assert counts == {"duties": 2, "work_items": 1, "assignments": 2, "delegations": 1}
    with Session(app_database) as session:
        assert act_as(session, token) is None
    with transaction() as session:
        duties = duties_of(session, successor, today())
        assert duties_of(session, leaver, today()) == ()
    assert {(one.role, one.area) for one in duties} == {
        ("village_coordinator", AREA), ("cadre", "320281"),
    }  # fmt: skip
    cadre = next(one for one in duties if one.role == "cadre")
    with Session(app_database) as session:
        acting(session, accounts.sign_in(cadre.id))
        seen = session.execute(text("SELECT id FROM person")).scalars().all()
        assert seen == [register.ids["甲"]]  # 乙's assignment begins later
        assert session.execute(text("SELECT count(*) FROM delegation")).scalar_one() == 2
    with transaction() as session:
        rows = session.execute(
            text("SELECT staff_no, from_on < :today, to_on < :today FROM assignment ORDER BY id"),
            {"today": today()},
        ).all()
        assert [tuple(row) for row in rows] == [
            ("S1", True, True), ("S2", False, False), ("S2", False, False),
        ]  # fmt: skip
        kept = session.execute(text("SELECT count(*) FROM assignment_history")).scalar_one()
        assert kept == 2
        recorded = session.execute(text("SELECT counts FROM handover")).scalar_one()
        assert recorded == counts


@pytest.mark.usefixtures("worker_database")
def test_a_handover_is_whole_or_not_at_all(
    leaver: int, accounts: Accounts, register: Register
) -> None:
    """The successor is an auditor: the last duty cannot go over, so nothing does."""
    accounts.duty(leaver, "county_officer", "320281")
    auditor = accounts.staff("S2")
    accounts.duty(auditor, "auditor", "320281")
    with pytest.raises(DutiesNotApart), transaction() as session:
        hand_over(session, "S1", "S2", today(), "测试")
    with transaction() as session:
        assert len(duties_of(session, leaver, today())) == 3
        unchanged = "SELECT count(*) FROM assignment WHERE staff_no = 'S1'"
        assert session.execute(text(unchanged)).scalar_one() == 2


@pytest.mark.usefixtures("worker_database", "leaver")
def test_who_cannot_take_over(accounts: Accounts) -> None:
    accounts.staff("S3", state="disabled")
    for successor in ("S1", "S3"):
        with pytest.raises(SuccessorUnfit), transaction() as session:
            hand_over(session, "S1", successor, today(), "测试")
    with pytest.raises(UnknownStaff), transaction() as session:
        hand_over(session, "S1", "S9", today(), "测试")


@pytest.mark.usefixtures("worker_database")
def test_accounts_are_made_disabled_and_given_new_first_passwords(keyring: Keyring) -> None:
    with transaction() as session:
        first = add_staff(session, keyring, "S1", "测试甲", "测试")
        again = reset_password(session, keyring, "S1", "测试")
        assert first.password != again.password
        assert first.enrolment != again.enrolment
        disable_staff(session, "S1", "测试")
        assert list_staff(session, today())[0].state == "disabled"
        enable_staff(session, "S1", "测试")
        assert list_staff(session, today())[0].state == "active"
        with pytest.raises(StaffNumberTaken):
            add_staff(session, keyring, "S1", "测试乙", "测试")
        for wrong in ("", "S", "S 1", "工号", "-S1", "S" * 33, "S1\n"):
            with pytest.raises(StaffNumberWrong):
                add_staff(session, keyring, wrong, "测试乙", "测试")


@pytest.mark.parametrize(
    ("low", "high", "code"),
    [
        (320281_000_000, 320281_999_999, "320281"), (320281_101_000, 320281_101_999, "320281101"),
        (320281_101_001, 320281_101_001, "320281101001"),
        (320200_000_000, 320299_999_999, "320200"), (320000_000_000, 329999_999_999, "320000"),
    ],
)  # fmt: skip
def test_a_range_has_the_code_that_it_came_from(low: int, high: int, code: str) -> None:
    assert area_code(low, high) == code


def _deputise(duty: int, staff: int, from_on: date, to_on: date) -> int:
    with transaction() as session:
        new = NewDeputy(duty, staff, from_on, to_on, "休假")
        return appoint_deputy(session, new, today(), "测试")
