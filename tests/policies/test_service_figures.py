from __future__ import annotations

from dataclasses import replace
from datetime import date

import msgspec
import pytest

from backend.policies.book import PolicyBook
from backend.policies.service_figures import NoFigure, service_figure
from backend.policies.shared_shapes import AdoptionShape, WarningThresholdShape

JIANGYIN, WUXI, TINGHU = "320281", "320200", "320902"


@pytest.mark.parametrize("day", [date(2024, 5, 1), date(2026, 5, 1)])
def test_a_place_whose_own_policy_says_nothing_has_the_default(book: PolicyBook, day: date) -> None:
    share = service_figure(book, JIANGYIN, day, "warning.income_share")
    visit = service_figure(book, JIANGYIN, day, "home_visit.working_days")
    assert (share.value, share.policy.id, share.clause, share.default) == (
        4000,
        "plan-2026",
        "一",
        True,
    )
    assert (visit.value, visit.default) == (5, True)


def test_a_place_that_adopted_the_plan_has_it_as_its_own(book: PolicyBook) -> None:
    adopted = AdoptionShape("320900", "plan-2026", date(2026, 1, 1), date(2026, 12, 31))
    localities = msgspec.structs.replace(book.localities, adoptions=[adopted])
    found = service_figure(
        replace(book, localities=localities), TINGHU, date(2026, 5, 1), "warning.income_share"
    )
    assert (found.value, found.default) == (4000, False)


def test_a_figure_that_is_no_default_holds_only_in_its_own_place(book: PolicyBook) -> None:
    with pytest.raises(NoFigure):
        service_figure(book, JIANGYIN, date(2026, 5, 1), "special_assistance.settlement.month")


def test_the_line_for_watching_is_the_nearest_places(book: PolicyBook) -> None:
    def line(area: str, yuan: str, last: date | None = None) -> WarningThresholdShape:
        return WarningThresholdShape(area, date(2024, 1, 1), last, ["orphan"], yuan, "文号")

    own = line(JIANGYIN, "10000.00", date(2024, 12, 31))
    of_the_city = line(WUXI, "20000.00")
    localities = msgspec.structs.replace(book.localities, warning_thresholds=[of_the_city, own])
    here = replace(book, localities=localities)
    assert here.warning_thresholds(JIANGYIN, date(2024, 6, 1)) == (own,)
    assert here.warning_thresholds(JIANGYIN, date(2025, 6, 1)) == (of_the_city,)
    assert here.warning_thresholds(JIANGYIN, date(2023, 6, 1)) == ()
    assert book.warning_thresholds(JIANGYIN, date(2024, 6, 1)) == ()
