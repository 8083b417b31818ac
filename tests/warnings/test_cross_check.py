from __future__ import annotations

from dataclasses import replace
from datetime import date

import msgspec
import pytest
from sqlalchemy import text

from backend.kernel.database import transaction
from backend.matching.runs import StartRun, compute_part, start_run
from backend.policies.book import PolicyBook
from backend.policies.shared_shapes import WarningThresholdShape
from backend.warnings.cross_check import CrossCheck, Found, cross_check, watch
from tests.support.households import Households
from tests.support.register import YUEQING

DAY = date(2024, 9, 2)
BASIC = {"basic": "0.00", "serious_illness": "0.00", "medical_assistance": "0.00"}


def check(
    book: PolicyBook, county: str = "320281", as_of: date = DAY, year: int | None = None
) -> Found:
    with transaction() as session:
        return cross_check(session, CrossCheck(county, year or as_of.year, as_of), book)


def warnings(homes: Households) -> list[tuple[object, ...]]:
    return homes.rows("SELECT kind, state, burden, line, round FROM warning ORDER BY id")


def work(homes: Households) -> list[tuple[object, ...]]:
    return homes.rows("SELECT role, list_area, due_on, state FROM work_item ORDER BY id")


@pytest.mark.parametrize(("spent", "warned"), [("40000.00", 0), ("40000.01", 1)])
def test_only_what_exceeds_forty_percent_is_warned_of(
    homes: Households, book: PolicyBook, spent: str, warned: int
) -> None:
    homes.family("周家", "甲", incomes={2023: "100000.00"})
    homes.register.bill("甲", "B1", "2024-03-01", spent)
    found = check(book)
    assert (found.exceeding, found.opened["falling_into"]) == (warned, warned)


def test_a_warning_sends_the_village_to_visit_within_five_working_days(
    homes: Households, book: PolicyBook
) -> None:
    homes.family("周家", "甲", "乙", incomes={2023: "100000.00"})
    homes.register.bill("甲", "B1", "2024-03-01", "30000.00")
    homes.register.bill("乙", "B2", "2024-08-01", "20000.00")
    check(book)
    assert warnings(homes) == [("falling_into", "open", 5_000_000, 4_000_000, 0)]
    assert work(homes) == [("village_coordinator", 320281101001, date(2024, 9, 9), "open")]
    told = homes.rows("SELECT reason, person_id FROM work_item")
    assert told == [
        (
            "因病致贫预警：一户今年自己负担的医疗费超过家庭年可支配收入的 40%，请入户核查。",
            homes.register.ids["甲"],
        )
    ]
    assert homes.rows("SELECT policy, clause, income, income_year FROM warning") == [
        ("plan-2026", "一", 10_000_000, 2023)
    ]


def test_a_second_check_opens_nothing(homes: Households, book: PolicyBook) -> None:
    homes.family("周家", "甲", incomes={2023: "100000.00"})
    homes.register.bill("甲", "B1", "2024-03-01", "50000.00")
    check(book)
    again = check(book, as_of=date(2024, 10, 2))
    assert (again.exceeding, sum(again.opened.values()), again.gone) == (1, 0, 0)


def test_payments_on_the_bill_and_our_open_grants_lower_the_burden_once(
    homes: Households, book: PolicyBook
) -> None:
    homes.family("周家", "甲", incomes={2023: "100000.00"})
    homes.register.identity("甲", "subsistence_allowance", "2023-01-01")
    paid = {"basic": "40000.00"}
    homes.register.bill("甲", "B1", "2024-03-01", "90000.00", paid=paid)
    assert check(book).exceeding == 1
    run_matching()
    assert check(book).exceeding == 0
    settled = {"basic": "40000.00", "medical_assistance": "42500.00"}
    homes.register.bill("甲", "B1", "2024-03-01", "90000.00", paid=settled)
    run_matching()
    homes.register.bill(
        "甲", "B2", "2024-04-01", "40000.00", paid={**BASIC, "tilt_assistance": "0.00"}
    )
    check(book)
    assert homes.rows("SELECT burden FROM warning WHERE state = 'open'") == [(4_750_000,)]


def run_matching() -> None:
    with transaction() as session:
        begun = start_run(session, StartRun("320281", 2024, date(2024, 12, 31), "测试"))
    for number in begun.parts:
        with transaction() as session:
            compute_part(session, begun.run_id, number)
    with transaction() as session:
        session.execute(text("UPDATE match_run SET state = 'computed'"))


def test_a_warning_whose_burden_fell_again_is_withdrawn_with_its_visit(
    homes: Households, book: PolicyBook
) -> None:
    homes.family("周家", "甲", incomes={2023: "100000.00"})
    homes.register.bill("甲", "B1", "2024-03-01", "50000.00")
    check(book)
    homes.register.bill("甲", "B1", "2024-03-01", "5000.00")
    assert check(book).gone == 1
    assert warnings(homes) == [("falling_into", "superseded", 5_000_000, 4_000_000, 0)]
    assert [row[3] for row in work(homes)] == ["done"]
    homes.register.bill("甲", "B1", "2024-03-01", "60000.00")
    assert check(book).opened == {"falling_into": 1, "falling_back": 0}


@pytest.mark.parametrize(
    ("category", "from_", "to", "kind"),
    [
        ("subsistence_allowance", "2024-01-01", "2024-12-31", "falling_back"),
        ("subsistence_allowance", "2020-01-01", "2021-12-31", "falling_back"),
        ("subsistence_allowance", "2024-12-01", "2024-12-31", "falling_into"),
        ("illness_impoverished", "2024-01-01", "2024-12-31", "falling_into"),
    ],
)
def test_who_was_ever_covered_by_the_places_policy_falls_back(
    homes: Households, book: PolicyBook, category: str, from_: str, to: str, kind: str
) -> None:
    """Any member counts; a category that the place's policy does not name does not."""
    homes.family("周家", "甲", "乙", incomes={2023: "100000.00"})
    homes.register.identity("乙", category, from_, to)
    homes.register.bill("甲", "B1", "2024-03-01", "50000.00", paid=BASIC)
    assert check(book).opened[kind] == 1


def test_the_latest_known_income_up_to_the_year_is_compared(
    homes: Households, book: PolicyBook
) -> None:
    homes.family("周家", "甲", incomes={2020: "10000.00", 2023: "90000.00", 2025: "100.00"})
    homes.register.bill("甲", "B1", "2024-03-01", "36000.00")
    assert check(book).exceeding == 0


def test_an_income_of_zero_is_exceeded_by_any_burden_and_an_unknown_one_is_counted(
    homes: Households, book: PolicyBook
) -> None:
    homes.family("周家", "甲", incomes={2023: "0.00"})
    homes.family("吴家", "乙")
    homes.family("郑家", "丙", incomes={2023: "0.00"})
    for name, total in (("甲", "0.01"), ("乙", "99999.00")):
        homes.register.bill(name, f"B{name}", "2024-03-01", total)
    homes.register.bill("丙", "B丙", "2024-03-01", "10.00", paid={"basic": "10.00"})
    found = check(book)
    assert (found.exceeding, found.without_income) == (1, 1)


def test_the_dead_are_not_visited_but_their_bills_burden_the_household(
    homes: Households, book: PolicyBook
) -> None:
    homes.family("周家", "甲", "乙", incomes={2023: "100000.00"})
    homes.family("吴家", "丙", incomes={2023: "100000.00"})
    for name in "甲丙":
        homes.register.bill(name, f"B{name}", "2024-03-01", "50000.00")
        homes.dies(name, "2024-03-02")
    check(book)
    assert homes.rows("SELECT person_id FROM work_item") == [(homes.register.ids["乙"],)]


def test_bills_after_moving_away_and_of_other_years_do_not_count(
    homes: Households, book: PolicyBook
) -> None:
    homes.family("周家", "甲", "乙", incomes={2023: "100000.00"})
    homes.moves("甲", "2024-02-01")
    homes.register.bill("甲", "B1", "2024-02-01", "50000.00")
    homes.register.bill("乙", "B2", "2023-12-31", "50000.00")
    homes.register.bill("乙", "B3", "2024-09-03", "50000.00")
    assert check(book).exceeding == 0
    assert check(book, as_of=date(2025, 1, 5), year=2024).exceeding == 1


def test_a_household_over_two_counties_is_warned_of_once(
    homes: Households, book: PolicyBook
) -> None:
    own = homes.family("周家", "甲", incomes={2023: "100000.00"})
    homes.member("乙", household_id=own, area=YUEQING)
    homes.register.bill("乙", "B1", "2024-03-01", "50000.00")
    assert check(book, county="330382").exceeding == 0
    assert check(book, county="320281").exceeding == 1


def test_who_lives_elsewhere_in_the_county_is_visited_there(
    homes: Households, book: PolicyBook
) -> None:
    homes.family("周家", "甲", incomes={2023: "100000.00"})
    homes.register.change_person("甲", lives_in=320281105003)
    homes.register.bill("甲", "B1", "2024-03-01", "50000.00")
    check(book)
    assert work(homes)[0][:2] == ("village_coordinator", 320281105003)


# -- Wuxi's watched people ---------------------------------------------------------------------


@pytest.fixture
def watching(book: PolicyBook) -> PolicyBook:
    lines = [
        WarningThresholdShape(
            "320200", date(2024, 1, 1), None, [category], yuan, "锡医保发〔2024〕0号"
        )
        for category, yuan in (
            ("subsistence_marginal", "20000.00"),
            ("expenditure_poor", "10000.00"),
        )
    ]
    localities = msgspec.structs.replace(book.localities, warning_thresholds=lines)
    return replace(book, localities=localities)


def watched(book: PolicyBook, county: str = "320281") -> Found | None:
    with transaction() as session:
        return watch(session, CrossCheck(county, DAY.year, DAY), book)


def test_nobody_is_watched_where_the_place_set_no_line(homes: Households, book: PolicyBook) -> None:
    assert watched(book) is None


def test_watched_people_are_those_above_the_line_after_insurance(
    homes: Households, watching: PolicyBook
) -> None:
    for name in "甲乙丙丁":
        homes.member(name)
        category = "subsistence_allowance" if name == "丁" else "subsistence_marginal"
        homes.register.identity(name, category, "2023-01-01")
    homes.register.identity("丙", "expenditure_poor", "2023-01-01")
    paid = {"basic": "30000.00", "serious_illness": "10000.00", "medical_assistance": "5000.00"}
    homes.register.bill("甲", "B甲", "2024-03-01", "60000.01", paid=paid)
    homes.register.bill("乙", "B乙", "2024-03-01", "60000.00", paid=paid)
    homes.register.bill("丙", "B丙", "2024-03-01", "50000.01", paid=paid)
    homes.register.bill("丁", "B丁", "2024-03-01", "99999.00", paid=paid)
    homes.register.bill("乙", "B未结", "2024-03-02", "99999.00")
    found = watched(watching)
    assert found is not None
    assert found.opened == {"falling_into": 0, "falling_back": 2}
    assert homes.rows("SELECT person_id, burden, line, clause FROM warning ORDER BY line DESC") == [
        (homes.register.ids["甲"], 2_000_001, 2_000_000, "锡医保发〔2024〕0号"),
        (homes.register.ids["丙"], 1_000_001, 1_000_000, "锡医保发〔2024〕0号"),
    ]
    assert watched(watching) == replace(found, opened={"falling_into": 0, "falling_back": 0})


def test_who_holds_a_watched_category_no_more_is_not_watched(
    homes: Households, watching: PolicyBook
) -> None:
    homes.member("甲")
    homes.register.identity("甲", "subsistence_marginal", "2023-01-01", "2024-09-01")
    homes.register.bill("甲", "B甲", "2024-03-01", "60000.00", paid=BASIC)
    found = watched(watching)
    assert found is not None
    assert found.exceeding == 0
