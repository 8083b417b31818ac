from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from backend.policies.book import PolicyBook, UnknownArea
from backend.policies.changes import Changes, changes_in_area, changes_of
from backend.policies.policy import DatesReversed

OLD_YEAR, NEW_YEAR = date(2025, 12, 31), date(2026, 1, 1)


def everywhere(book: PolicyBook, from_: date, to: date) -> Changes:
    return changes_of(book.policies.values(), from_, to)


@pytest.mark.parametrize("day", [date(2021, 1, 1), OLD_YEAR, NEW_YEAR, date(2030, 1, 1)])
def test_between_a_day_and_itself_nothing_changes(book: PolicyBook, day: date) -> None:
    changes = everywhere(book, day, day)
    assert (changes.standings, changes.figures) == ((), ())


def test_the_plan_raised_what_it_says_it_raised(book: PolicyBook) -> None:
    changes = changes_of([book.policy("plan-2026")], OLD_YEAR, NEW_YEAR)
    raised = {
        one.parameter.code: (one.before.text, one.after.text)
        for one in changes.figures
        if one.before is not None and one.after is not None
    }
    assert raised == {
        "medical_assistance.rate.extreme_poverty": ("85%", "90%"),
        "medical_assistance.deductible.subsistence_allowance": ("2000.00 元", "1500.00 元"),
        "medical_assistance.rate.subsistence_allowance": ("70%", "75%"),
        "first_review.working_days": ("15 个工作日", "7 个工作日"),
    }
    assert {one.parameter.clause for one in changes.figures} == {"一", "二", "三", "四"}


def test_a_figure_that_did_not_exist_before_has_no_value_before(book: PolicyBook) -> None:
    changes = changes_of([book.policy("plan-2026")], OLD_YEAR, NEW_YEAR)
    new = {one.parameter.code: one for one in changes.figures if one.before is None}
    limit = new["medical_assistance.limit.shared"].after
    assert limit is not None
    assert limit.text == "150000.00 元"


def test_policies_that_begin_or_expire_are_told_with_both_days(book: PolicyBook) -> None:
    changes = everywhere(book, OLD_YEAR, NEW_YEAR)
    assert {
        one.before.policy.id: (one.before.state, one.after.state) for one in changes.standings
    } == {
        "plan-2026": ("not_yet", "in_force"),
        "yueqing-2022-41": ("in_force", "expired"),
    }


def test_an_area_is_told_who_decides_on_each_day(book: PolicyBook) -> None:
    changes = changes_in_area(book, "330382", OLD_YEAR, NEW_YEAR)
    assert [one.decides and one.decides.id for one in changes.decisions] == [
        "yueqing-2022-41",
        None,
    ]
    assert [one.after.state for one in changes.standings] == ["expired"]
    assert changes.figures == ()


def test_an_adoption_that_ends_is_a_change_in_its_area(
    with_localities: Callable[[str], PolicyBook],
) -> None:
    book = with_localities(
        'adoptions: [{area: "320900", policy: plan-2026, from: 2026-03-01, to: 2026-09-30}]\n'
        "serious_illness_bases: []\n"
    )
    changes = changes_in_area(book, "320900", date(2026, 9, 30), date(2026, 10, 1))
    assert [(one.before.state, one.after.state) for one in changes.standings] == [
        ("in_force", "expired")
    ]


def test_days_in_the_wrong_order_are_refused(book: PolicyBook) -> None:
    for ask in (everywhere, lambda book, *days: changes_in_area(book, "320281", *days)):
        with pytest.raises(DatesReversed) as caught:
            ask(book, NEW_YEAR, OLD_YEAR)
        assert caught.value.faults[0].pointer == "/to"


def test_an_area_that_does_not_exist_is_refused(book: PolicyBook) -> None:
    with pytest.raises(UnknownArea):
        changes_in_area(book, "999999", OLD_YEAR, NEW_YEAR)
