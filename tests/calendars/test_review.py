from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from backend.calendars.carrying_out import Errand, carry_out, places_of
from backend.calendars.duties import Duty
from backend.calendars.review import Under, review_rows, under_deductible
from backend.citizens.codes import Codes
from backend.kernel.database import transaction
from backend.matching.editions import Edition, current_edition
from backend.policies.confirmation import PolicyConfirmation
from tests.support.households import Households

TINGHU = 320902001001
DUTY = Duty("review", "tinghu-trial", "special_assistance", "320902", date(2023, 12, 31))


@pytest.fixture
def edition(homes: Households) -> Edition:
    """Tinghu's days as confirmed."""
    with homes.session() as session, session.begin():
        session.add(
            PolicyConfirmation(
                policy_id="tinghu-trial",
                in_force_from=date(2022, 3, 1),
                in_force_to=date(2024, 2, 29),
                confirmed_by="测试",
            )
        )
        session.flush()
        return current_edition(session)


def resident(homes: Households, name: str, category: str = "extreme_poverty", **more: str) -> None:
    homes.member(name, area=TINGHU)
    homes.register.identity(
        name, category, more.get("from_", "2022-01-01"), more.get("to", "infinity")
    )


def bill(homes: Households, name: str, number: str, day: str, left: str, **more: object) -> None:
    """A bill on which so much is left before special assistance."""
    own = homes.register.bill(name, number, day, left, **more)
    group = more.get("disease_group", "general")
    with homes.session() as session, session.begin():
        found = Codes.numbers(session, "disease_group", [str(group)])[str(group)]
        session.execute(
            text("UPDATE bill SET disease_group = :group WHERE id = :id"),
            {"group": found, "id": own},
        )


def under(edition: Edition) -> dict[int, tuple[int, int, int]]:
    with transaction() as session:
        found = list(under_deductible(session, DUTY, "320902", edition))
    return {one.person_id: (one.bills, one.burden, one.deductible) for one in found}


@pytest.mark.parametrize(
    ("category", "left", "listed"),
    [
        ("extreme_poverty", "3000.00", True),
        ("extreme_poverty", "3000.01", False),
        ("disabled_living_allowance", "5000.00", True),
        ("disabled_living_allowance", "5000.01", False),
        ("other_hardship", "1000.00", False),
    ],
)
def test_who_stayed_at_or_under_the_deductible_is_listed(
    homes: Households, edition: Edition, category: str, left: str, listed: bool
) -> None:
    resident(homes, "甲", category)
    bill(homes, "甲", "B1", "2023-03-01", "1000.00")
    rest = f"{float(left) - 1000:.2f}"
    if rest != "0.00":
        bill(homes, "甲", "B2", "2023-06-01", rest)
    assert (homes.register.ids["甲"] in under(edition)) == listed


def test_the_burden_is_what_the_layers_before_leave_of_general_bills_of_the_year(
    homes: Households, edition: Edition
) -> None:
    resident(homes, "甲")
    bill(homes, "甲", "B1", "2023-03-01", "9000.00", in_scope="8000.00", paid={"basic": "6000.00"})
    bill(homes, "甲", "B2", "2023-04-01", "4000.00", disease_group="major")
    bill(homes, "甲", "B3", "2022-12-31", "2000.00")
    bill(homes, "甲", "B4", "2023-05-01", "500.00", paid={"charity": "100.00"})
    assert under(edition) == {homes.register.ids["甲"]: (2, 240_000, 300_000)}


def test_bills_without_a_counting_identity_and_people_not_insured_here_are_left_out(
    homes: Households, edition: Edition
) -> None:
    resident(homes, "甲", to="2023-02-10")
    bill(homes, "甲", "B1", "2023-02-20", "100.00")
    bill(homes, "甲", "B2", "2023-03-01", "9000.00")
    resident(homes, "乙")
    homes.register.change_person("乙", insurance=4)
    bill(homes, "乙", "B3", "2023-02-20", "100.00")
    resident(homes, "丙")
    assert under(edition) == {homes.register.ids["甲"]: (1, 10_000, 300_000)}


def test_who_was_paid_something_already_is_not_listed(homes: Households, edition: Edition) -> None:
    resident(homes, "甲")
    bill(homes, "甲", "B1", "2023-03-01", "900.00", paid={"special_assistance": "50.00"})
    assert under(edition) == {}


def test_the_list_is_made_once_with_the_work_of_dealing_with_it(
    homes: Households, edition: Edition
) -> None:
    resident(homes, "甲")
    bill(homes, "甲", "B1", "2023-03-01", "900.00")
    with transaction() as session:
        assert places_of(session, DUTY) == ["320902"]
        assert carry_out(session, Errand(DUTY, "320902", date(2024, 1, 1)), edition) == 1
    bill(homes, "甲", "B2", "2023-03-01", "90000.00")
    with transaction() as session:
        assert places_of(session, DUTY) == []
        assert carry_out(session, Errand(DUTY, "320902", date(2024, 1, 2)), edition) is None
        rows = review_rows(session, "320902", 2023)
        assert review_rows(session, "320902", 2022) is None
    assert rows == [Under(homes.register.ids["甲"], TINGHU, 1, 90_000, 300_000)]
    assert homes.rows("SELECT kind, role, list_area, period FROM work_item") == [
        ("year_end_review", "county_officer", 320902000000, "2023")
    ]
