from __future__ import annotations

from dataclasses import replace
from datetime import date

import msgspec
import pytest

from backend.policies.book import PolicyBook
from backend.policies.catalogue import load_catalogue
from backend.policies.policy import DatedValue, Policy
from backend.policies.shapes import EnrolmentShape
from tests.support.in_kind import Found, Identity, Someone, asked_of, holder, match

YEAR = 2024
NEW_YEAR, YEAR_END = date(YEAR, 1, 1), date(YEAR, 12, 31)
WUXI, YUEQING, ZHANGJIAGANG = "wuxi-2022-98", "yueqing-2022-41", "zhangjiagang-2024"


@pytest.fixture(scope="session")
def book() -> PolicyBook:
    return load_catalogue()


def d(text: str) -> date:
    return date.fromisoformat(text)


def aid(found: Found, person: int = 0) -> list[tuple[str, str, str]]:
    """The person's premium aids: entitlement, from, to."""
    due = found.due
    return [
        (found.entitlements[place][1], *(f"{date.fromordinal(day):%m-%d}" for day in days))
        for owner, place, *days in zip(
            due.person.tolist(), due.entitlement.tolist(), due.from_.tolist(), due.to.tolist(),
            strict=True,
        )
        if owner == person and found.entitlements[place][1].startswith("premium_aid")
    ]  # fmt: skip


def in_year(book: PolicyBook, policy: Policy | str, *persons: Someone, year: int = YEAR) -> Found:
    named = book.policies[policy] if isinstance(policy, str) else policy
    return match(book, [(named, date(year, 1, 1), date(year, 12, 31))], persons, year)


CASES = {
    "held before the year: from New Year": (WUXI, "2020-05-05", None, ("01-01", "12-31")),
    "Wuxi: recognised in the year, no waiting": (WUXI, "2024-05-05", None, ("05-05", "12-31")),
    "Zhangjiagang: read likewise": (ZHANGJIAGANG, "2024-05-05", None, ("05-05", "12-31")),
    "Yueqing: covered from the next month": (YUEQING, "2024-05-05", None, ("06-01", "12-31")),
    "Yueqing: recognised on the first": (YUEQING, "2024-05-01", None, ("06-01", "12-31")),
    "Yueqing: recognised on the last": (YUEQING, "2024-01-31", None, ("02-01", "12-31")),
    "Yueqing: recognised in December before": (YUEQING, "2023-12-20", None, ("01-01", "12-31")),
    "Yueqing: recognised in December": (YUEQING, "2024-12-02", None, None),
    "Wuxi: recognised on the last day": (WUXI, "2024-12-31", None, ("12-31", "12-31")),
    "lost in the year: covered to its end": (
        YUEQING,
        "2020-05-05",
        "2024-01-01",
        ("01-01", "12-31"),
    ),
    "lost in the year before: not paid for": (YUEQING, "2020-05-05", "2023-12-31", None),
    "gained and lost in one month": (YUEQING, "2024-05-05", "2024-05-20", ("06-01", "12-31")),
    "gained after the year": (WUXI, "2025-01-01", None, None),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_cover_runs_from_recognition_to_the_end_of_the_year(
    book: PolicyBook, case: tuple[str, str, str | None, tuple[str, str] | None]
) -> None:
    policy, from_, to, cover = case
    who = holder("subsistence_allowance", d(from_), d(to) if to else None)
    days = [row[1:] for row in aid(in_year(book, policy, who))]
    assert days == ([cover] if cover else [])


@pytest.mark.parametrize(
    ("policy", "category", "taper_until", "paid"),
    [
        (YUEQING, "subsistence_allowance", "2024-03-31", True),
        (YUEQING, "subsistence_allowance", "2024-01-01", True),
        (YUEQING, "subsistence_marginal", "2025-06-30", True),
        (YUEQING, "subsistence_allowance", "2023-12-31", False),
        (YUEQING, "extreme_poverty", "2024-03-31", False),
        (WUXI, "subsistence_allowance", "2024-03-31", False),
    ],
)
def test_who_is_in_the_taper_period_of_the_two_allowances_stays_paid_for_in_yueqing(
    book: PolicyBook, policy: str, category: str, taper_until: str, paid: bool
) -> None:
    who = Someone((Identity(category, d("2020-01-01"), d("2023-09-30"), d(taper_until)),))
    days = [row[1:] for row in aid(in_year(book, policy, who))]
    assert days == ([("01-01", "12-31")] if paid else [])


@pytest.mark.parametrize(
    ("insurance", "paid"),
    [("resident", True), ("none", True), ("employee", False), ("elsewhere", False)],
)
@pytest.mark.parametrize("policy", [WUXI, YUEQING, ZHANGJIAGANG])
def test_only_residents_insurance_is_paid_for_and_who_has_none_is_enrolled(
    book: PolicyBook, policy: str, insurance: str, paid: bool
) -> None:
    who = holder("orphan", d("2020-01-01"), insurance=insurance)
    assert bool(aid(in_year(book, policy, who))) is paid


def test_whose_insurance_is_not_known_is_asked_once(book: PolicyBook) -> None:
    who = Someone(
        (Identity("orphan", d("2020-01-01")), Identity("severely_disabled", d("2020-01-01"))),
        insurance="unknown",
    )
    found = in_year(book, WUXI, who)
    assert aid(found) == []
    aids = [asked for asked in asked_of(found) if "premium_aid" in asked[2]]
    assert aids == [(0, WUXI, "premium_aid_full")]


def test_who_takes_up_work_is_covered_until_the_day_before(book: PolicyBook) -> None:
    who = holder("orphan", d("2020-01-01"), changes=((d("2024-07-01"), "employee"),))
    assert aid(in_year(book, ZHANGJIAGANG, who)) == [("premium_aid", "01-01", "06-30")]


def test_who_loses_work_is_enrolled_from_that_day(book: PolicyBook) -> None:
    changes = ((d("2024-07-01"), "none"), (d("2024-07-20"), "resident"))
    who = holder("orphan", d("2020-01-01"), insurance="employee", changes=changes)
    assert aid(in_year(book, ZHANGJIAGANG, who)) == [("premium_aid", "07-01", "12-31")]


@pytest.mark.parametrize(
    ("category", "code"),
    [
        ("extreme_poverty", "premium_aid_full"),
        ("entitled_veteran", "premium_aid_full"),
        ("subsistence_marginal", "premium_aid_fixed"),
        ("other_hardship", "premium_aid_fixed"),
        ("destitute_worker", None),
    ],
)
def test_wuxi_pays_in_full_or_a_fixed_sum_by_category(
    book: PolicyBook, category: str, code: str | None
) -> None:
    found = in_year(book, WUXI, holder(category, d("2020-01-01")))
    assert [row[0] for row in aid(found)] == ([code] if code else [])


def test_who_could_have_both_aids_is_paid_for_in_full_and_once(book: PolicyBook) -> None:
    at = d("2020-01-01")
    who = Someone((Identity("severely_disabled", at), Identity("subsistence_allowance", at)))
    assert aid(in_year(book, WUXI, who)) == [("premium_aid_full", "01-01", "12-31")]


def test_an_identity_gained_later_pays_no_second_time_that_year(book: PolicyBook) -> None:
    who = Someone(
        (
            Identity("severely_disabled", d("2020-01-01")),
            Identity("subsistence_allowance", d("2024-06-01")),
        )
    )
    assert aid(in_year(book, WUXI, who)) == [("premium_aid_fixed", "01-01", "12-31")]
    assert aid(in_year(book, WUXI, who, year=2025)) == [("premium_aid_full", "01-01", "12-31")]


def test_the_greater_share_goes_before_the_earlier_cover(book: PolicyBook) -> None:
    policy = with_figure(book.policies[WUXI], "premium_aid.fixed.share", 5_000)
    who = Someone(
        (
            Identity("severely_disabled", d("2020-01-01")),
            Identity("subsistence_allowance", d("2024-06-01")),
        )
    )
    assert aid(in_year(book, policy, who)) == [("premium_aid_full", "01-01", "12-31")]


def test_several_spells_in_a_year_are_one_cover(book: PolicyBook) -> None:
    who = Someone(
        (
            Identity("subsistence_allowance", d("2020-01-01"), d("2024-01-15")),
            Identity("orphan", d("2024-09-09")),
        )
    )
    assert aid(in_year(book, YUEQING, who)) == [("premium_aid", "01-01", "12-31")]


def test_death_ends_the_cover(book: PolicyBook) -> None:
    who = holder("orphan", d("2024-05-05"), died_on=d("2024-08-08"))
    assert aid(in_year(book, YUEQING, who)) == [("premium_aid", "06-01", "08-08")]


def test_who_dies_before_the_cover_begins_has_none(book: PolicyBook) -> None:
    who = holder("orphan", d("2024-05-05"), died_on=d("2024-05-31"))
    assert aid(in_year(book, YUEQING, who)) == []


def test_who_moves_away_is_covered_here_until_the_day_before(book: PolicyBook) -> None:
    who = holder("orphan", d("2020-01-01"), left_on=d("2024-08-08"))
    assert aid(in_year(book, YUEQING, who)) == [("premium_aid", "01-01", "08-07")]


def test_under_a_policy_that_begins_in_the_year_cover_begins_with_it(book: PolicyBook) -> None:
    who = [holder("orphan", d("2020-01-01")), holder("orphan", d("2020-01-01"), d("2024-06-30"))]
    found = match(book, [(book.policies[YUEQING], d("2024-07-01"), YEAR_END)], who, YEAR)
    assert aid(found, 0) == [("premium_aid", "07-01", "12-31")]
    assert aid(found, 1) == []


def test_what_was_paid_for_the_year_lasts_when_the_policy_ends(book: PolicyBook) -> None:
    who = [holder("orphan", d("2020-01-01")), holder("orphan", d("2024-07-02"))]
    found = match(book, [(book.policies[WUXI], NEW_YEAR, d("2024-06-30"))], who, YEAR)
    assert aid(found, 0) == [("premium_aid_full", "01-01", "12-31")]
    assert aid(found, 1) == []


def test_two_policies_of_one_year_pay_once(book: PolicyBook) -> None:
    spans = [
        (book.policies[ZHANGJIAGANG], NEW_YEAR, d("2024-06-30")),
        (book.policies[WUXI], d("2024-07-01"), YEAR_END),
    ]
    found = match(book, spans, [holder("orphan", d("2020-01-01"))], YEAR)
    assert aid(found) == [("premium_aid", "01-01", "12-31")]


def with_figure(policy: Policy, code: str, *values: int) -> Policy:
    """The policy with another figure, and another from July on."""
    dated = tuple(
        DatedValue(date(YEAR, 7, 1) if place else None, None, value, None)
        for place, value in enumerate(values)
    )
    changed = replace(policy.parameters[code], values=dated)
    return replace(policy, parameters={**policy.parameters, code: changed})


def with_rule(policy: Policy, rule: EnrolmentShape) -> Policy:
    """The policy with another rule for its premium aid."""
    entitlements = tuple(
        msgspec.structs.replace(one, enrolment=rule) if one.kind == "premium_aid" else one
        for one in policy.entitlements
    )
    return replace(policy, entitlements=entitlements)


@pytest.mark.parametrize(
    ("recognised", "begins"),
    [("2024-06-20", "06-30"), ("2024-07-01", "07-31")],
)
def test_the_waiting_time_is_that_of_the_day_of_recognition(
    book: PolicyBook, recognised: str, begins: str
) -> None:
    policy = with_figure(book.policies[WUXI], "premium_aid.waiting.days", 10, 30)
    assert aid(in_year(book, policy, holder("orphan", d(recognised)))) == [
        ("premium_aid_full", begins, "12-31")
    ]


@pytest.mark.parametrize(("months", "begins"), [(0, "05-05"), (1, "06-01"), (3, "08-01")])
def test_months_are_counted_to_the_first_of_a_month(
    book: PolicyBook, months: int, begins: str
) -> None:
    policy = with_figure(book.policies[YUEQING], "premium_aid.effective.months", months)
    found = in_year(book, policy, holder("orphan", d("2024-05-05")))
    assert aid(found) == [("premium_aid", begins, "12-31")]


def test_a_place_may_read_that_cover_ends_with_the_month_of_the_loss(book: PolicyBook) -> None:
    policy = with_rule(book.policies[ZHANGJIAGANG], EnrolmentShape(lost_covers_to="end_of_month"))
    who = [holder("orphan", d("2020-01-01"), d("2024-02-10")), holder("orphan", d("2020-01-01"))]
    found = in_year(book, policy, *who)
    assert aid(found, 0) == [("premium_aid", "01-01", "02-29")]
    assert aid(found, 1) == [("premium_aid", "01-01", "12-31")]
