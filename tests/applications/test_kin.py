"""Who a member of staff is in the register."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from backend.accounts.residents import UnknownPerson
from backend.accounts.staff_admin import UnknownStaff
from backend.applications.kin import record_staff_person
from backend.applications.steps import AnotherPersonNeeded
from backend.kernel.database import transaction
from tests.support.case_world import CaseWorld


def test_who_was_written_down_decides_nothing_for_the_own_household(world: CaseWorld) -> None:
    own = world.resident("镇甲本人")
    with transaction() as session:
        record_staff_person(session, world.keyring, "镇甲", own.number, "测试")
        record_staff_person(session, world.keyring, "镇甲", own.number, "测试")
    world.town.accounts.change(
        "UPDATE person SET household_id = 5 WHERE id IN (:a, :b)",
        a=own.id, b=world.people["甲测试"].id,
    )  # fmt: skip
    case = world.submitted("甲测试")
    with pytest.raises(AnotherPersonNeeded):
        world.does("镇甲", case, "accept")
    with world.owner.connect() as connection:
        said = text("SELECT detail::text FROM audit_event WHERE action = 'staff.person'")
        assert own.number not in "".join(connection.execute(said).scalars())


def test_an_unknown_number_or_colleague_is_refused(world: CaseWorld) -> None:
    with transaction() as session, pytest.raises(UnknownPerson):
        record_staff_person(session, world.keyring, "镇甲", "320281199001010000", "测试")
    with transaction() as session, pytest.raises(UnknownStaff):
        record_staff_person(session, world.keyring, "没有", "320281199001010000", "测试")
