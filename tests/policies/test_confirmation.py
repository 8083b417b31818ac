from datetime import date

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from backend.kernel.audit import AuditEvent
from backend.kernel.database import transaction
from backend.kernel.errors import DomainError
from backend.policies.book import PolicyBook, UnknownPolicy
from backend.policies.catalogue import load_catalogue
from backend.policies.confirmation import (
    ConfirmDates,
    DatesNotConfirmable,
    DatesReversed,
    PolicyConfirmation,
    confirm_dates,
    confirmed_dates,
)

FIRST, LAST = date(2022, 3, 1), date(2024, 2, 29)


@pytest.fixture(scope="module")
def book() -> PolicyBook:
    return load_catalogue()


def confirm(book: PolicyBook, policy_id: str, from_: date, to: date | None = None) -> None:
    with transaction() as session:
        confirm_dates(session, book, ConfirmDates(policy_id, from_, to, confirmed_by="李工"))


def test_dates_that_the_document_does_not_state_are_confirmed(
    database: Engine, book: PolicyBook
) -> None:
    confirm(book, "tinghu-trial", FIRST, LAST)
    with transaction() as session:
        dates = confirmed_dates(session)
    assert dates == {"tinghu-trial": (FIRST, LAST)}
    policy = book.with_confirmed(dates).policy("tinghu-trial")
    assert policy.state_on(FIRST) == policy.state_on(LAST) == "in_force"
    assert policy.state_on(date(2024, 3, 1)) == "expired"


def test_who_confirmed_what_is_in_the_audit_with_what_held_before(
    database: Engine, book: PolicyBook
) -> None:
    confirm(book, "tinghu-trial", FIRST)
    confirm(book, "tinghu-trial", FIRST, LAST)
    with transaction() as session:
        events = session.query(AuditEvent).order_by(AuditEvent.id).all()
    assert [event.actor for event in events] == ["李工", "李工"]
    assert {event.subject_id for event in events} == {"tinghu-trial"}
    assert [event.detail for event in events] == [
        {"before": None, "after": {"from": "2022-03-01", "to": None}},
        {
            "before": {"from": "2022-03-01", "to": None},
            "after": {"from": "2022-03-01", "to": "2024-02-29"},
        },
    ]


def test_the_newest_confirmation_counts_and_the_earlier_ones_stay(
    database: Engine, book: PolicyBook
) -> None:
    confirm(book, "tinghu-trial", FIRST, LAST)
    confirm(book, "tinghu-trial", FIRST)
    with transaction() as session:
        assert confirmed_dates(session) == {"tinghu-trial": (FIRST, None)}
        assert session.query(PolicyConfirmation).count() == 2


def test_an_end_that_is_not_stated_may_be_confirmed_from_the_stated_beginning(
    database: Engine, book: PolicyBook
) -> None:
    confirm(book, "wuxi-2022-98", date(2023, 1, 1), date(2027, 12, 31))
    with pytest.raises(DatesNotConfirmable, match="dates-not-confirmable"):
        confirm(book, "wuxi-2022-98", date(2023, 2, 1), date(2027, 12, 31))


def test_days_that_were_only_read_may_be_confirmed(database: Engine, book: PolicyBook) -> None:
    confirm(book, "plan-2026", date(2026, 3, 1), date(2026, 12, 31))
    with transaction() as session:
        confirmed = book.with_confirmed(confirmed_dates(session)).policy("plan-2026")
    assert confirmed.state_on(date(2026, 2, 28)) == "not_yet"


def test_confirming_an_end_keeps_the_months_applied_before_the_beginning(book: PolicyBook) -> None:
    yueqing = book.policy("yueqing-2022-41")
    ended = yueqing.confirm(date(2022, 9, 16), date(2024, 12, 31))
    assert ended.first_day == yueqing.first_day == date(2022, 1, 1)
    assert ended.state_on(date(2025, 1, 1)) == "expired"


@pytest.mark.parametrize(
    ("policy_id", "from_", "to", "refusal"),
    [
        ("yueqing-2022-41", date(2022, 9, 16), None, DatesNotConfirmable),
        ("tinghu-trial", LAST, FIRST, DatesReversed),
        ("nowhere-2020", FIRST, LAST, UnknownPolicy),
    ],
)
def test_a_refusal_says_what_to_do_and_leaves_nothing(
    database: Engine,
    book: PolicyBook,
    policy_id: str,
    from_: date,
    to: date | None,
    refusal: type[DomainError],
) -> None:
    with pytest.raises(refusal) as caught:
        confirm(book, policy_id, from_, to)
    assert all(fault.detail.endswith("。") for fault in caught.value.faults)
    with transaction() as session:
        assert confirmed_dates(session) == {}
        assert session.query(AuditEvent).count() == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE policy_confirmation SET note = 'x'",
        "DELETE FROM policy_confirmation",
        "TRUNCATE policy_confirmation",
    ],
)
def test_the_database_refuses_to_change_confirmations(
    database: Engine, book: PolicyBook, statement: str
) -> None:
    confirm(book, "tinghu-trial", FIRST, LAST)
    with pytest.raises(IntegrityError, match="are a record"), transaction() as session:
        session.execute(text(statement))


def test_the_database_refuses_days_in_the_wrong_order(database: Engine) -> None:
    row = PolicyConfirmation(
        policy_id="tinghu-trial", in_force_from=LAST, in_force_to=FIRST, confirmed_by="李工"
    )
    with pytest.raises(IntegrityError, match="days_in_order"), transaction() as session:
        session.add(row)


def test_days_for_which_there_are_no_figures_are_refused(
    database: Engine, book: PolicyBook
) -> None:
    with pytest.raises(DatesNotConfirmable) as caught:
        confirm(book, "zhangjiagang-2024", date(2023, 6, 1))
    [fault] = caught.value.faults
    assert fault.pointer == "/from"
    assert "特困人员和困境儿童的救助比例" in fault.detail
    assert "或者从 2024-01-01 起确认" in fault.detail
