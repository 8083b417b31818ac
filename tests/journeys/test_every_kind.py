"""Every kind in every policy that offers it, from the draft to its end, over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Engine

from backend.policies.procedures import Procedure
from tests.support.accounts import Accounts
from tests.support.case_http import BOOK, Applying, County, Office, county

AREAS: Final = {
    "wuxi-2022-98": "320281", "yueqing-2022-41": "330382", "zhangjiagang-2024": "320582",
    "tinghu-trial": "320902", "plan-2026": "110105",
}  # fmt: skip
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
