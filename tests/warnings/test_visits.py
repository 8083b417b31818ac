from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.policies.book import PolicyBook
from backend.warnings.cross_check import CrossCheck, Found, cross_check
from backend.warnings.visits import (
    Outcome,
    ReasonMissing,
    UnknownWarning,
    Visit,
    VisitDayImpossible,
    WarningDecided,
    notes_of,
    record_visit,
)
from tests.support.audited import CLERK
from tests.support.households import Households

DAY = date(2024, 9, 2)
TODAY = date(2024, 9, 5)


@pytest.fixture
def warning(homes: Households, book: PolicyBook) -> int:
    """An open warning of a household."""
    homes.family("周家", "甲", incomes={2023: "100000.00"})
    homes.register.bill("甲", "B1", "2024-03-01", "50000.00")
    check(book)
    ((found,),) = homes.rows("SELECT id FROM warning")
    return int(found)


def check(book: PolicyBook, as_of: date = DAY) -> Found:
    with transaction() as session:
        return cross_check(session, CrossCheck("320281", as_of.year, as_of), book)


def visit(keyring: Keyring, warning: int, outcome: Outcome, note: str = "", on: date = DAY) -> None:
    with transaction() as session:
        record_visit(session, Visit(warning, outcome, on, "王协管", note), keyring, TODAY)


def test_a_confirmed_warning_asks_for_a_draft_application_and_ends_the_work(
    homes: Households, keyring: Keyring, warning: int
) -> None:
    visit(keyring, warning, "confirmed", "两人住院，欠债三万")
    wanted = homes.rows(
        "SELECT warning_id, person_id, household_id, area, taken_at FROM draft_application_wanted"
    )
    assert wanted == [(warning, homes.register.ids["甲"], homes.ids["周家"], 320281101001, None)]
    assert homes.rows("SELECT state FROM warning") == [("confirmed",)]
    assert homes.rows("SELECT state, outcome, closed_by FROM work_item") == [
        ("done", "confirmed", "王协管")
    ]
    actions = homes.rows("SELECT action FROM audit_event ORDER BY id")
    assert actions == [("work_item.close",), ("warning.visit",)]


def test_the_application_is_of_the_person_whom_a_merged_person_is_now(
    homes: Households, keyring: Keyring, warning: int
) -> None:
    homes.member("乙")
    homes.register.merge("甲", "乙")
    visit(keyring, warning, "confirmed", "两个号码是同一人")
    wanted = homes.rows("SELECT person_id FROM draft_application_wanted")
    assert wanted == [(homes.register.ids["乙"],)]
    with transaction() as session:
        assert notes_of(session, keyring, CLERK, warning) == ["两个号码是同一人"]


def test_an_untrue_warning_is_closed_with_its_reason(
    homes: Households, keyring: Keyring, warning: int
) -> None:
    with pytest.raises(ReasonMissing):
        visit(keyring, warning, "not_confirmed", " ")
    visit(keyring, warning, "not_confirmed", "商业保险已赔付")
    assert homes.rows("SELECT state, outcome FROM work_item") == [("done", "not_confirmed")]
    assert homes.rows("SELECT count(*) FROM draft_application_wanted") == [(0,)]


def test_where_nobody_answers_the_work_goes_to_the_level_above_and_stays_open(
    homes: Households, keyring: Keyring, warning: int
) -> None:
    visit(keyring, warning, "no_answer")
    assert homes.rows("SELECT role, list_area, state, due_on FROM work_item") == [
        ("township_reviewer", 320281101000, "escalated", date(2024, 9, 9))
    ]
    visit(keyring, warning, "confirmed", on=date(2024, 9, 4))
    assert homes.rows("SELECT outcome, on_day FROM warning_visit ORDER BY id") == [
        ("no_answer", DAY),
        ("confirmed", date(2024, 9, 4)),
    ]


def test_a_warning_is_decided_once(keyring: Keyring, warning: int) -> None:
    visit(keyring, warning, "confirmed")
    for outcome in ("not_confirmed", "no_answer"):
        with pytest.raises(WarningDecided):
            visit(keyring, warning, outcome, "再来一次")  # type: ignore[arg-type]
    with pytest.raises(UnknownWarning):
        visit(keyring, warning + 1, "confirmed")


@pytest.mark.parametrize("on", [date(2024, 9, 1), date(2024, 9, 6), date(1924, 9, 2)])
def test_a_visit_is_made_between_its_warning_and_today(
    homes: Households, keyring: Keyring, warning: int, on: date
) -> None:
    with pytest.raises(VisitDayImpossible) as refused:
        visit(keyring, warning, "confirmed", on=on)
    assert "2024-09-02" in refused.value.faults[0].detail
    assert homes.rows("SELECT state FROM warning") == [("open",)]
    visit(keyring, warning, "no_answer", on=DAY)
    visit(keyring, warning, "confirmed", on=TODAY)


def test_notes_are_sealed_and_can_be_read_with_the_key(
    homes: Households, keyring: Keyring, warning: int
) -> None:
    visit(keyring, warning, "no_answer", "锁着门")
    visit(keyring, warning, "confirmed", "欠债三万")
    kept = b"".join(bytes(row[0]) for row in homes.rows("SELECT note FROM warning_visit"))
    assert "欠债".encode() not in kept
    with transaction() as session:
        assert notes_of(session, keyring, CLERK, warning) == ["锁着门", "欠债三万"]


def test_a_visit_is_a_record(warning: int, keyring: Keyring) -> None:
    visit(keyring, warning, "confirmed")
    for change in (
        "UPDATE warning_visit SET outcome = 'no_answer'",
        "DELETE FROM warning_visit",
        "UPDATE warning SET state = 'open'",
    ):
        with pytest.raises(DBAPIError, match="are a record"), transaction() as session:
            session.execute(text(change))


def test_an_untrue_warning_comes_back_only_with_a_burden_grown_by_another_whole_line(
    homes: Households, keyring: Keyring, book: PolicyBook, warning: int
) -> None:
    visit(keyring, warning, "not_confirmed", "商业保险已赔付")
    homes.register.bill("甲", "B2", "2024-09-05", "40000.00")
    assert check(book, date(2024, 10, 2)).opened["falling_into"] == 0
    homes.register.bill("甲", "B3", "2024-09-06", "0.01")
    assert check(book, date(2024, 11, 2)).opened["falling_into"] == 1
    assert homes.rows("SELECT round, state FROM warning ORDER BY round") == [
        (0, "not_confirmed"),
        (1, "open"),
    ]


def test_a_confirmed_warning_does_not_come_back_in_the_year(
    homes: Households, keyring: Keyring, book: PolicyBook, warning: int
) -> None:
    visit(keyring, warning, "confirmed")
    homes.register.bill("甲", "B2", "2024-09-05", "900000.00")
    assert sum(check(book, date(2024, 10, 2)).opened.values()) == 0
