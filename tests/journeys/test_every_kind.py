"""Every kind in every policy that offers it, from the draft to its end, over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Engine, text

from backend.applications.effect_tasks import finish_case
from backend.kernel.database import bound, transaction
from backend.kernel.jobs import defer
from backend.matching.release import release_run
from backend.policies.procedures import Procedure
from tests.support.accounts import Accounts
from tests.support.case_http import BOOK, TODAY, Applying, County, Office, county

AREAS: Final = {
    "wuxi-2022-98": "320281", "yueqing-2022-41": "330382", "zhangjiagang-2024": "320582",
    "tinghu-trial": "320902", "plan-2026": "110105",
}  # fmt: skip
AT_ONCE: Final = ("registration", "judgement", "entitlement", "hand_on")
"""What a grant brings in full by itself."""
CELLS: Final = [(policy, kind) for policy, kinds in BOOK.procedures.items() for kind in kinds]


@pytest.fixture
def place(
    request: pytest.FixtureRequest, database: Engine, app_database: Engine, accounts: Accounts,
    tmp_path: Path,
) -> Any:  # fmt: skip
    return county(database, app_database, tmp_path, accounts, AREAS[request.param])


def granted(place: County, procedure: Procedure, case: int) -> str:
    """The case is decided by those who must; its state then."""
    office = Office(place, case)
    office.step("镇甲", "accept")
    if procedure.filing:
        return str(office.step("镇甲", "file")["state"])
    office.step("镇甲", "review")
    if procedure.brings == "amount":
        place.call("县乙", "PUT", f"/cases/{case}/amount", json={"amount": "1500.00"})
    return str(office.step("县甲", "approve")["state"])


def bills(place: County, procedure: Procedure) -> str:
    """A bill of the applicant, for kinds that claim help with bills."""
    if procedure.brings != "claim":
        return ""
    made = place.town.register.bill(
        "测试甲", "B1", "2025-09-03", "200000.00", in_scope="180000.00", paid={"basic": "60000.00"}
    )
    return str(made)


@pytest.mark.parametrize(
    ("place", "kind"), CELLS, indirect=["place"], ids=[f"{a}-{b}" for a, b in CELLS]
)
def test_a_kind_goes_from_the_draft_to_its_grant(place: County, kind: str) -> None:
    (policy,) = {name for name, area in AREAS.items() if area == place.area}
    procedure = BOOK.procedure(policy, kind)
    applying = Applying(place, "测试甲", procedure, bills=bills(place, procedure))
    assert len(applying.apply()) == 10
    state = granted(place, procedure, applying.case)
    assert state == ("noticed" if procedure.notice else "granted")
    if procedure.brings in AT_ONCE:
        for _ in range(3):
            place.work()
        assert applying.state() == "closed"
    if procedure.brings == "identity":
        recognised_and_closed(place, applying)


def recognised_and_closed(place: County, applying: Applying) -> None:
    """The identity is there, the runs that it asks for are released by two, the case is closed."""
    place.work()
    with place.owner.connect() as connection:
        held = text("SELECT count(*) FROM identity WHERE person_id = :person")
        person = {"person": place.people["测试甲"].id}
        assert connection.execute(held, person).scalar_one() == 1
        runs = connection.execute(text("SELECT id FROM match_run ORDER BY id")).scalars().all()
    assert runs
    with bound(place.owner), transaction() as session:
        for run in runs:
            for officer in ("测试经办甲", "测试经办乙"):
                release_run(session, run, officer, TODAY)
    with bound(place.owner), transaction() as session:
        defer(session, finish_case, case=applying.case)
    place.work()
    assert applying.state() == "closed"
