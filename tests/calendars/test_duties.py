from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from backend.calendars.duties import Duty, duties_on
from backend.policies.book import PolicyBook
from backend.policies.catalogue import load_catalogue
from backend.policies.policy import DatedValue

TINGHU = ("tinghu-trial", "special_assistance", "320902")


def due(book: PolicyBook, day: str) -> list[tuple[str, str, str]]:
    return [
        (duty.kind, duty.period, duty.through.isoformat())
        for duty in duties_on(book, date.fromisoformat(day))
        if duty.policy == "tinghu-trial"
    ]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2023-12-09", [("month", "2023-11", "2023-11-30")]),
        ("2023-12-10", [("month", "2023-11", "2023-11-30"), ("year", "2023", "2023-12-10")]),
        (
            "2024-01-01",
            [
                ("review", "2023", "2023-12-31"),
                ("month", "2023-12", "2023-12-31"),
                ("year", "2023", "2023-12-10"),
            ],
        ),
        ("2024-02-01", [("month", "2024-01", "2024-01-31")]),
        (
            "2025-01-31",
            [
                ("review", "2024", "2024-12-31"),
                ("month", "2024-12", "2024-12-31"),
                ("year", "2024", "2024-12-10"),
            ],
        ),
        ("2025-02-01", []),
        ("2026-01-15", []),
        ("2022-01-15", []),
    ],
)
def test_what_tinghus_calendar_asks_for(
    book: PolicyBook, day: str, expected: list[tuple[str, str, str]]
) -> None:
    """Confirmed from March 2022 to February 2024: the years in which it held."""
    assert due(book, day) == expected


def with_figure(book: PolicyBook, code: str, since: str, value: int) -> PolicyBook:
    """The book, with a figure of Tinghu's that is another from a day on."""
    tinghu = book.policy("tinghu-trial")
    known = tinghu.parameters[code]
    later = DatedValue(date.fromisoformat(since), None, value, None)
    parameter = replace(known, values=(*known.values, later))
    changed = replace(tinghu, parameters={**tinghu.parameters, code: parameter})
    return replace(book, policies={**book.policies, tinghu.id: changed})


def test_a_summary_goes_by_the_interval_of_its_month_not_of_the_day_it_is_made(
    book: PolicyBook,
) -> None:
    changed = with_figure(book, "special_assistance.summary.months", "2023-05-01", 12)
    assert due(changed, "2023-05-01") == [("month", "2023-04", "2023-04-30")]
    assert due(changed, "2023-06-01") == []


def test_a_settlement_goes_by_the_day_of_its_year_not_of_the_day_it_is_made(
    book: PolicyBook,
) -> None:
    changed = with_figure(book, "special_assistance.settlement.day", "2024-01-01", 20)
    assert ("year", "2023", "2023-12-10") in due(changed, "2024-01-05")
    assert ("year", "2024", "2024-12-20") in due(changed, "2024-12-20")


def test_every_period_of_a_year_comes_up_and_whatever_is_due_again_is_the_same(
    book: PolicyBook,
) -> None:
    seen: set[Duty] = set()
    for n in range(365):
        seen |= set(duties_on(book, date(2023, 2, 1) + timedelta(days=n)))
    assert {(duty.policy, duty.layer, duty.area) for duty in seen} == {TINGHU}
    months = [("month", f"2023-{month:02d}") for month in range(1, 13)]
    kinds = sorted((duty.kind, duty.period) for duty in seen)
    assert kinds == [*months, ("review", "2023"), ("year", "2023")]


def test_a_policy_whose_days_are_unconfirmed_asks_for_nothing(book: PolicyBook) -> None:
    assert list(duties_on(load_catalogue(), date(2024, 1, 15))) == []
