from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

from backend.citizens.tables import INSURANCE
from backend.matching.conditions import REASONS
from backend.matching.in_kind import Found
from backend.policies.book import PolicyBook
from backend.policies.catalogue import load_catalogue
from backend.policies.policy import DatedValue, Policy
from backend.policies.shapes import ConditionsShape, EntitlementShape
from tests.oracle.in_kind import in_kind
from tests.support.in_kind import (
    SEXES,
    Identity,
    Someone,
    asked_of,
    days_due,
    delivery_of,
    holder,
    match,
    rows_of,
)

YEAR = 2024
NEW_YEAR, YEAR_END = date(YEAR, 1, 1), date(YEAR, 12, 31)
WHOLE_YEAR = [("01-01", "12-31")]


@pytest.fixture(scope="session")
def book() -> PolicyBook:
    return load_catalogue()


def under(book: PolicyBook, policy: str, *persons: Someone) -> Found:
    return match(book, [(book.policies[policy], NEW_YEAR, YEAR_END)], persons, YEAR)


def d(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("from_", "to", "days"),
    [
        ("2020-01-01", None, WHOLE_YEAR),
        ("2024-03-15", None, [("03-15", "12-31")]),
        ("2020-01-01", "2024-03-15", [("01-01", "03-31")]),
        ("2020-01-01", "2024-02-29", [("01-01", "02-29")]),
        ("2020-01-01", "2024-02-01", [("01-01", "02-29")]),
        ("2020-01-01", "2023-12-31", []),
        ("2020-01-01", "2024-01-01", [("01-01", "01-31")]),
        ("2024-12-31", None, [("12-31", "12-31")]),
        ("2025-01-01", None, []),
        ("2024-05-05", "2024-05-05", [("05-05", "05-31")]),
    ],
    ids=[
        "held all along",
        "gained in the middle of a month",
        "lost in the middle of a month: to its end",
        "lost on a leap day",
        "lost on the first of February of a leap year",
        "lost at the end of the year before",
        "lost on the first day of the year",
        "gained on the last day of the year",
        "gained after the year",
        "held for one day",
    ],
)
def test_an_identity_counts_from_its_first_day_to_the_end_of_the_month_of_its_last(
    book: PolicyBook, from_: str, to: str | None, days: list[tuple[str, str]]
) -> None:
    who = holder("subsistence_allowance", d(from_), d(to) if to else None)
    assert days_due(under(book, "wuxi-2022-98", who), "one_stop_settlement") == days


def test_identities_of_several_departments_that_overlap_give_one_row(book: PolicyBook) -> None:
    who = Someone(
        (
            Identity("subsistence_allowance", d("2023-01-01"), d("2024-06-10")),
            Identity("severely_disabled", d("2024-05-01"), d("2024-08-20")),
        )
    )
    found = under(book, "wuxi-2022-98", who)
    assert days_due(found, "one_stop_settlement") == [("01-01", "08-31")]


def test_an_identity_gained_the_day_after_another_stopped_counting_makes_one_row(
    book: PolicyBook,
) -> None:
    who = Someone(
        (
            Identity("subsistence_allowance", d("2023-01-01"), d("2024-03-03")),
            Identity("subsistence_marginal", d("2024-04-01")),
        )
    )
    assert days_due(under(book, "wuxi-2022-98", who), "one_stop_settlement") == WHOLE_YEAR


def test_identities_apart_from_each_other_make_rows_apart(book: PolicyBook) -> None:
    who = Someone(
        (
            Identity("subsistence_allowance", d("2023-01-01"), d("2024-03-03")),
            Identity("subsistence_allowance", d("2024-04-02"), d("2024-07-07")),
        )
    )
    found = under(book, "wuxi-2022-98", who)
    assert days_due(found, "one_stop_settlement") == [("01-01", "03-31"), ("04-02", "07-31")]


def test_a_category_that_the_policy_does_not_cover_gives_nothing(book: PolicyBook) -> None:
    found = under(book, "wuxi-2022-98", holder("poverty_monitored", NEW_YEAR))
    assert len(found.due) == len(found.questions) == 0


def test_who_holds_no_identity_is_due_nothing(book: PolicyBook) -> None:
    found = under(book, "yueqing-2022-41", Someone())
    assert len(found.due) == len(found.questions) == 0


def test_a_category_covered_by_a_notice_only_gets_what_names_it(book: PolicyBook) -> None:
    policy = book.policies["wuxi-2022-98"]
    assert "poverty_monitored" not in policy.document.beneficiaries
    named = EntitlementShape(
        "tag", "treatment_tag", "标识", "附则", ["poverty_monitored"], "automatic", "甲", "乙"
    )
    policy = replace(policy, entitlements=(named,))
    who = [holder("poverty_monitored", NEW_YEAR)]
    assert days_due(match(book, [(policy, NEW_YEAR, YEAR_END)], who, YEAR), "tag") == WHOLE_YEAR


def test_the_day_of_death_is_the_last(book: PolicyBook) -> None:
    who = holder("orphan", d("2020-01-01"), died_on=d("2024-05-05"))
    assert days_due(under(book, "wuxi-2022-98", who), "one_stop_settlement") == [("01-01", "05-05")]


def test_who_died_before_the_year_is_due_nothing(book: PolicyBook) -> None:
    who = holder("orphan", d("2020-01-01"), died_on=d("2023-12-31"))
    assert len(under(book, "wuxi-2022-98", who).due) == 0


def test_who_moves_away_is_due_until_the_day_before(book: PolicyBook) -> None:
    who = holder("orphan", d("2020-01-01"), left_on=d("2024-05-05"))
    assert days_due(under(book, "wuxi-2022-98", who), "one_stop_settlement") == [("01-01", "05-04")]


def test_the_yearly_check_begins_on_the_sixty_fifth_birthday(book: PolicyBook) -> None:
    who = holder("subsistence_allowance", d("2020-01-01"), born_on=d("1959-07-20"))
    found = under(book, "yueqing-2022-41", who)
    assert days_due(found, "health_check_senior") == [("07-20", "12-31")]


def test_in_the_year_of_the_sixty_fifth_birthday_one_check_is_due_not_two(
    book: PolicyBook,
) -> None:
    at = d("2020-01-01")
    found = under(
        book,
        "yueqing-2022-41",
        holder("subsistence_allowance", at, born_on=d("1959-07-20")),
        holder("subsistence_allowance", at, d("2024-03-15"), born_on=d("1959-07-20")),
        holder("subsistence_allowance", d("2024-09-01"), born_on=d("1959-07-20")),
        holder("subsistence_allowance", at, born_on=d("1959-07-20"), died_on=d("2024-07-19")),
    )
    assert [days_due(found, "health_check", person) for person in range(4)] == [
        [], [("01-01", "03-31")], [], [("01-01", "07-19")],
    ]  # fmt: skip
    assert [days_due(found, "health_check_senior", person) for person in range(4)] == [
        [("07-20", "12-31")], [], [("09-01", "12-31")], [],
    ]  # fmt: skip


@pytest.mark.parametrize("born_on", ["1990-05-05", "2012-05-05"], ids=["grown up", "a child"])
@pytest.mark.parametrize(
    ("from_", "due_in"),
    [
        ("2022-08-08", {2022, 2024, 2026}),
        ("2023-12-31", {2023, 2025}),
        ("2021-01-01", {2023, 2025}),
    ],
)
def test_below_sixty_five_a_check_is_due_in_the_first_year_and_every_second_after(
    book: PolicyBook, from_: str, due_in: set[int], born_on: str
) -> None:
    who = [holder("orphan", d(from_), born_on=d(born_on))]
    assert {year for year in range(2022, 2027) if checked(book, who, year)} == due_in


def checked(book: PolicyBook, who: list[Someone], year: int) -> bool:
    span = (book.policies["yueqing-2022-41"], date(year, 1, 1), date(year, 12, 31))
    return bool(days_due(match(book, [span], who, year), "health_check"))


def test_the_years_between_two_checks_run_on_over_a_gap_and_another_identity(
    book: PolicyBook,
) -> None:
    who = [
        Someone(
            (
                Identity("extreme_poverty", d("2023-02-01"), d("2024-05-05")),
                Identity("subsistence_allowance", d("2019-01-01"), d("2020-03-03")),
                Identity("orphan", d("2025-06-01")),
            ),
            born_on=d("1990-05-05"),
        )
    ]
    assert [year for year in range(2022, 2027) if checked(book, who, year)] == [2023, 2025]


def test_an_identity_that_the_policy_does_not_cover_does_not_begin_the_years(
    book: PolicyBook,
) -> None:
    policy = book.policies["wuxi-2022-98"]
    assert "poverty_monitored" not in policy.document.beneficiaries
    years = replace(book.policies["yueqing-2022-41"].parameters["health_check.interval.others"])
    shape = EntitlementShape(
        "check", "health_check", "体检", "附则", "all", "invitation", "甲", "乙", every="years"
    )
    policy = replace(
        policy, entitlements=(shape,), parameters={**policy.parameters, "years": years}
    )
    who = Someone((Identity("poverty_monitored", d("2021-01-01")), Identity("orphan", NEW_YEAR)))
    found = match(book, [(policy, NEW_YEAR, YEAR_END)], [who], YEAR)
    assert days_due(found, "check") == WHOLE_YEAR


def test_a_yearly_check_is_due_in_every_year(book: PolicyBook) -> None:
    policy = book.policies["tinghu-trial"]
    who = [holder("orphan", d("2020-01-01"))]
    for year in (2024, 2025):
        span = (policy, date(year, 1, 1), date(year, 12, 31))
        assert days_due(match(book, [span], who, year), "health_check") == WHOLE_YEAR


def test_nobody_is_asked_about_a_check_out_of_turn(book: PolicyBook) -> None:
    who = holder("orphan", d("2023-01-01"), born_on=None)
    asked = [code for _, _, code in asked_of(under(book, "yueqing-2022-41", who))]
    assert "health_check_senior" in asked
    assert "health_check" not in asked


def test_years_that_get_fewer_within_the_year_hold_from_their_day(book: PolicyBook) -> None:
    policy = book.policies["yueqing-2022-41"]
    code = "health_check.interval.others"
    values = (DatedValue(None, None, 2, None), DatedValue(d("2024-07-01"), None, 1, None))
    years = replace(policy.parameters[code], values=values)
    policy = replace(policy, parameters={**policy.parameters, code: years})
    who = [holder("orphan", d("2023-01-01"), born_on=d("1990-05-05"))]
    found = match(book, [(policy, NEW_YEAR, YEAR_END)], who, YEAR)
    assert days_due(found, "health_check") == [("07-01", "12-31")]


@pytest.mark.parametrize(("year", "birthday"), [(2025, "02-28"), (2024, "02-29")])
def test_who_was_born_on_a_leap_day_is_a_year_older_at_the_end_of_february(
    book: PolicyBook, year: int, birthday: str
) -> None:
    who = holder("subsistence_allowance", d("2020-01-01"), born_on=d("1960-02-29"))
    policy = with_ages(book.policies["yueqing-2022-41"], year - 1960)
    span = (policy, date(year, 1, 1), date(year, 12, 31))
    found = match(book, [span], [who], year)
    assert days_due(found, "health_check_senior") == [(birthday, "12-31")]


def with_ages(policy: Policy, *ages: int, turn: date = date(YEAR, 7, 1)) -> Policy:
    """The policy with another age for the yearly check, and another from a day on."""
    parameters = dict(policy.parameters)
    for code, less in (("health_check.age.senior", 0), ("health_check.age.others_to", 1)):
        values = tuple(
            DatedValue(turn if place else None, None, age - less, None)
            for place, age in enumerate(ages)
        )
        parameters[code] = replace(parameters[code], values=values)
    return replace(policy, parameters=parameters)


def test_an_age_that_changes_within_the_year_holds_from_its_day(book: PolicyBook) -> None:
    policy = with_ages(book.policies["yueqing-2022-41"], 65, 60)
    who = [holder("subsistence_allowance", d("2020-01-01"), born_on=d("1962-02-02"))]
    found = match(book, [(policy, NEW_YEAR, YEAR_END)], who, YEAR)
    assert days_due(found, "health_check") == []
    assert days_due(found, "health_check_senior") == [("07-01", "12-31")]
    assert days_due(found, "pairing") == WHOLE_YEAR


def test_an_age_that_changes_on_the_last_day_holds_on_it(book: PolicyBook) -> None:
    policy = with_ages(book.policies["yueqing-2022-41"], 65, 60, turn=YEAR_END)
    who = [holder("subsistence_allowance", d("2020-01-01"), born_on=d("1962-02-02"))]
    found = match(book, [(policy, NEW_YEAR, YEAR_END)], who, YEAR)
    assert days_due(found, "health_check_senior") == [("12-31", "12-31")]


def test_screening_is_by_residence_and_sex(book: PolicyBook) -> None:
    at = d("2020-01-01")
    found = under(
        book,
        "yueqing-2022-41",
        holder("orphan", at, rural=True, sex="female"),
        holder("orphan", at, rural=True, sex="male"),
        holder("orphan", at, rural=False, sex="female"),
    )
    asked = [person for person, _, code in asked_of(found) if code == "screening_women"]
    epilepsy = [days_due(found, "screening_epilepsy", person) for person in range(3)]
    assert asked == [0]
    assert epilepsy == [WHOLE_YEAR, WHOLE_YEAR, []]


@pytest.mark.parametrize("code", ["screening_general", "screening_women"])
def test_whom_to_screen_is_for_the_county_to_say_where_no_age_is_stated(
    book: PolicyBook, code: str
) -> None:
    child = holder("orphan", d("2020-01-01"), born_on=d("2012-05-05"))
    found = under(book, "yueqing-2022-41", child)
    assert days_due(found, code) == []
    assert (0, "yueqing-2022-41", code) in asked_of(found)


@pytest.mark.parametrize(
    ("insurance", "diagnoses", "days"),
    [
        ("resident", ("I10.x00",), WHOLE_YEAR),
        ("employee", ("E11.900",), WHOLE_YEAR),
        ("resident", ("J18.900", "E11.200"), WHOLE_YEAR),
        ("resident", ("E10.900",), []),
        ("resident", (), []),
        ("none", ("I10.x00",), []),
        ("elsewhere", ("I10.x00",), []),
    ],
)
def test_free_drugs_are_for_the_insured_with_the_diagnosis(
    book: PolicyBook, insurance: str, diagnoses: tuple[str, ...], days: list[tuple[str, str]]
) -> None:
    who = holder("orphan", d("2020-01-01"), insurance=insurance, diagnoses=diagnoses)
    assert days_due(under(book, "yueqing-2022-41", who), "basic_drugs") == days


def test_a_change_of_insurance_holds_from_its_day(book: PolicyBook) -> None:
    changes = ((d("2024-03-01"), "elsewhere"), (d("2024-09-01"), "employee"))
    who = holder("orphan", d("2020-01-01"), diagnoses=("I10.x00",), changes=changes)
    found = under(book, "yueqing-2022-41", who)
    assert days_due(found, "basic_drugs") == [("01-01", "02-29"), ("09-01", "12-31")]


def test_of_two_changes_of_one_day_the_later_holds(book: PolicyBook) -> None:
    changes = ((d("2024-03-01"), "resident"), (d("2024-03-01"), "elsewhere"))
    who = holder(
        "orphan", d("2020-01-01"), insurance="unknown", diagnoses=("I10.x00",), changes=changes
    )
    found = under(book, "yueqing-2022-41", who)
    assert days_due(found, "basic_drugs") == []
    assert (0, "yueqing-2022-41", "basic_drugs") in asked_of(found)


def test_from_resident_to_employee_nothing_breaks_off(book: PolicyBook) -> None:
    changes = ((d("2024-03-01"), "employee"),)
    who = holder("orphan", d("2020-01-01"), diagnoses=("I10.x00",), changes=changes)
    assert days_due(under(book, "yueqing-2022-41", who), "basic_drugs") == WHOLE_YEAR


def test_conditions_of_a_visit_do_not_decide_who_is_entitled(book: PolicyBook) -> None:
    who = holder("orphan", d("2020-01-01"))
    assert days_due(under(book, "yueqing-2022-41", who), "deposit_waiver") == WHOLE_YEAR


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ("yueqing-2022-41", "deposit_waiver"),
        ("yueqing-2022-41", "one_stop_settlement"),
        ("wuxi-2022-98", "deposit_waiver"),
        ("wuxi-2022-98", "one_stop_settlement"),
        ("plan-2026", "one_stop_settlement"),
    ],
)
def test_what_comes_with_medical_assistance_is_for_the_insured_of_the_place(
    book: PolicyBook, policy: str, code: str
) -> None:
    persons = [
        holder("extreme_poverty", d("2020-01-01"), insurance=insurance)
        for insurance in ("resident", "employee", "none", "elsewhere", "unknown")
    ]
    found = under(book, policy, *persons)
    days = [days_due(found, code, person) for person in range(5)]
    assert days == [WHOLE_YEAR, WHOLE_YEAR, [], [], []]
    assert [person for person, _, one in asked_of(found) if one == code] == [4]


def test_what_the_document_leaves_open_is_asked_once_and_not_given(book: PolicyBook) -> None:
    who = Someone(
        (
            Identity("orphan", d("2020-01-01"), d("2024-02-02")),
            Identity("orphan", d("2024-05-05")),
        )
    )
    found = under(book, "yueqing-2022-41", who)
    assert days_due(found, "flu_vaccine") == []
    asked = [code for _, _, code in asked_of(found)]
    assert asked == [
        "screening_general", "screening_women", "screening_prepregnancy", "flu_vaccine",
    ]  # fmt: skip
    assert {REASONS[reason] for reason in found.questions.reason.tolist()} == {
        "文件没有写明具体给谁，请按说明判断是不是符合。"
    }


def test_what_a_code_cannot_tell_is_asked(book: PolicyBook) -> None:
    at = d("2020-01-01")
    found = under(
        book,
        "yueqing-2022-41",
        holder("orphan", at, diagnoses=("N18.500",)),
        holder("orphan", at, diagnoses=("N18.500", "Z99.200")),
        holder("orphan", at, diagnoses=("N18.300",)),
    )
    code = "chronic_outpatient_first_batch"
    assert [person for person, _, one in asked_of(found) if one == code] == [0]
    assert [days_due(found, code, person) for person in range(3)] == [[], WHOLE_YEAR, []]


@pytest.mark.parametrize(
    ("unknown", "code"),
    [
        ({"sex": ""}, "screening_women"),
        ({"insurance": "unknown"}, "one_stop_settlement"),
        ({"born_on": None}, "health_check_senior"),
        ({"born_on": None}, "health_check"),
        ({"insurance": "unknown", "diagnoses": ("I10.x00",)}, "basic_drugs"),
    ],
)
def test_what_is_not_known_of_a_person_is_asked_not_refused(
    book: PolicyBook, unknown: dict[str, object], code: str
) -> None:
    found = under(book, "yueqing-2022-41", holder("orphan", d("2020-01-01"), **unknown))
    assert days_due(found, code) == []
    assert (0, "yueqing-2022-41", code) in asked_of(found)


def test_nobody_is_asked_about_who_is_not_meant_anyway(book: PolicyBook) -> None:
    who = holder("orphan", d("2020-01-01"), sex="", rural=False)
    asked = [code for _, _, code in asked_of(under(book, "yueqing-2022-41", who))]
    assert "screening_women" not in asked


def test_policies_of_one_year_give_each_its_own_days(book: PolicyBook) -> None:
    policies = book.policies
    spans = [
        (policies["wuxi-2022-98"], NEW_YEAR, d("2024-06-30")),
        (policies["zhangjiagang-2024"], d("2024-07-01"), YEAR_END),
    ]
    found = match(book, spans, [holder("orphan", d("2020-01-01"))], YEAR)
    assert days_due(found, "one_stop_settlement") == [("01-01", "06-30")]
    assert days_due(found, "pairing") == [("07-01", "12-31")]


def test_a_policy_that_returns_within_the_year_gives_days_apart(book: PolicyBook) -> None:
    wuxi = book.policies["wuxi-2022-98"]
    spans = [(wuxi, NEW_YEAR, d("2024-03-31")), (wuxi, d("2024-10-01"), YEAR_END)]
    found = match(book, spans, [holder("orphan", d("2020-01-01"))], YEAR)
    days = [("01-01", "03-31"), ("10-01", "12-31")]
    assert days_due(found, "one_stop_settlement") == days


def test_how_it_reaches_the_person_comes_with_it(book: PolicyBook) -> None:
    found = under(book, "yueqing-2022-41", holder("orphan", d("2020-01-01")))
    assert delivery_of(found, "pairing") == {"automatic"}
    assert delivery_of(found, "health_check") == {"invitation"}
    assert delivery_of(found, "charity") == {"by_application"}
    assert delivery_of(found, "public_housing") == {"referral"}


def test_a_condition_for_people_registered_elsewhere_is_for_nobody_here(book: PolicyBook) -> None:
    policy = book.policies["wuxi-2022-98"]
    one = EntitlementShape(
        "guest", "charity", "甲", "附则", "all", "automatic", "甲", "乙",
        conditions=ConditionsShape(locally_registered=False),
    )  # fmt: skip
    policy = replace(policy, entitlements=(one,))
    found = match(book, [(policy, NEW_YEAR, YEAR_END)], [holder("orphan", NEW_YEAR)], YEAR)
    assert len(found.due) == len(found.questions) == 0


def test_no_people_and_no_policies_are_no_trouble(book: PolicyBook) -> None:
    assert len(under(book, "yueqing-2022-41").due) == 0
    found = match(book, [], [holder("orphan", NEW_YEAR)], YEAR)
    assert found.entitlements == ()
    assert len(found.due) == len(found.questions) == 0


@pytest.mark.parametrize(
    "policies",
    [["wuxi-2022-98"], ["yueqing-2022-41"], ["zhangjiagang-2024"], ["tinghu-trial", "wuxi-2022-98"],
     ["yueqing-2022-41", "zhangjiagang-2024", "yueqing-2022-41"]],
    ids="+".join,
)  # fmt: skip
def test_every_person_of_many_is_due_what_one_alone_is_due(
    book: PolicyBook, policies: list[str]
) -> None:
    chance = random.Random(f"{policies}")
    persons = [somebody(chance, list(book.vocabulary.categories)) for _ in range(1_500)]
    cuts = sorted(chance.sample(range(30, 330), len(policies) - 1))
    edges = [0, *cuts, 366]
    spans = [
        (book.policies[one], NEW_YEAR + timedelta(edges[n]), NEW_YEAR + timedelta(edges[n + 1] - 1))
        for n, one in enumerate(policies)
    ]
    found = match(book, spans, persons, YEAR)
    rows = rows_of(found)
    asked: dict[int, set[str]] = {}
    for person, _, code in asked_of(found):
        asked.setdefault(person, set()).add("premium_aid" if "premium" in code else code)
    for place, who in enumerate(persons):
        due, doubted = in_kind(spans, who, YEAR)
        assert (rows[place] if place < len(rows) else set()) == due, who
        assert asked.get(place, set()) == doubted, who
    assert sum(map(len, rows)) > 1_500


def somebody(chance: random.Random, categories: list[str]) -> Someone:
    def day(first: str, last: str) -> date:
        return date.fromordinal(chance.randint(d(first).toordinal(), d(last).toordinal()))

    def identity() -> Identity:
        from_ = day("2022-06-01", "2025-02-01")
        if chance.random() < 0.2:
            from_ = from_.replace(day=1)
        to = None if chance.random() < 0.4 else from_ + timedelta(chance.randint(0, 700))
        tapers = to is not None and chance.random() < 0.3
        taper = to + timedelta(chance.randint(1, 400)) if to and tapers else None
        return Identity(chance.choice(categories), from_, to, taper)

    ages = [("1958-06-01", "1961-12-31"), ("1940-01-01", "2020-12-31")]
    codes = ["I10.x00", "E11.900", "E10.900", "N18.500", "Z99.200", "F25.000", "F72.100", "J18.9"]
    return Someone(
        identities=tuple(identity() for _ in range(chance.choice([0, 1, 1, 2, 3, 5]))),
        born_on=None if chance.random() < 0.03 else day(*chance.choice(ages)),
        sex=chance.choices(SEXES, [1, 20, 20])[0],
        rural=chance.random() < 0.5,
        insurance=chance.choices(INSURANCE, [1, 20, 5, 3, 3])[0],
        died_on=day("2023-10-01", "2025-03-01") if chance.random() < 0.1 else None,
        left_on=day("2023-10-01", "2025-03-01") if chance.random() < 0.1 else None,
        diagnoses=tuple(chance.sample(codes, chance.choice([0, 0, 1, 2]))),
        changes=tuple(
            sorted((day("2023-06-01", "2025-02-01"), chance.choice(INSURANCE)) for _ in range(2))
            if chance.random() < 0.2
            else ()
        ),
    )
