from __future__ import annotations

import pytest

from backend.kernel.database import transaction
from backend.payments import decisions
from backend.payments.refusals import PaymentMoved, PaymentUnknown
from tests.payments.conftest import Office
from tests.support.ledger import Ledger


@pytest.fixture
def bill(ledger: Ledger) -> int:
    ledger.person("甲某")
    found = ledger.bill("甲某", "B1")
    ledger.entry(found, 10_000, ledger.run())
    return found


def test_a_held_payment_goes_on_when_a_person_releases_it(
    ledger: Ledger, office: Office, bill: int
) -> None:
    ledger.died("甲某")
    office.make()
    with transaction() as session:
        decisions.release(session, 1, "乙")
    assert ledger.work() == []
    office.pay()
    assert ledger.states() == [("paid", 10_000)]


def test_a_release_holds_for_its_cause_alone(ledger: Ledger, office: Office, bill: int) -> None:
    ledger.died("甲某")
    office.make()
    with transaction() as session:
        decisions.release(session, 1, "乙")
    ledger.bill("甲某", "B1", paid={"medical_assistance": "50.00"})
    assert office.make().serial is None
    assert ledger.rows("SELECT hold FROM payment_item") == [("given",)]


def test_a_hold_that_a_person_released_does_not_come_back_after_another(
    ledger: Ledger, office: Office, bill: int
) -> None:
    for cause in (
        lambda: ledger.died("甲某"),
        lambda: ledger.bill("甲某", "B1", paid={"medical_assistance": "50.00"}),
    ):
        cause()
        assert office.make().serial is None
        with transaction() as session:
            decisions.release(session, 1, "乙")
    ledger.bill("甲某", "B1")
    assert office.make().ordered.total == 10_000


def test_a_case_that_a_person_decided_is_closed_with_a_persons_outcome(
    ledger: Ledger, office: Office, bill: int
) -> None:
    ledger.died("甲某")
    office.make()
    with transaction() as session:
        decisions.release(session, 1, "乙")
    closed = "SELECT kind, outcome, closed_by FROM work_item"
    assert ledger.rows(closed) == [("payment_held", "done", "乙")]


def test_a_refund_that_came_back_is_recorded(ledger: Ledger, office: Office, bill: int) -> None:
    office.pay()
    ledger.entry(bill, -4_000, ledger.run())
    office.make()
    with transaction() as session:
        decisions.refunded(session, 2, "乙")
    assert ledger.states() == [("paid", 10_000), ("refunded", -4_000)]
    assert ledger.work() == []
    ledger.entry(bill, 1_000, ledger.run())
    assert office.make().ordered.total == 1_000


def test_a_second_refund_of_one_grant_is_a_case_of_its_own(
    ledger: Ledger, office: Office, bill: int
) -> None:
    office.pay()
    ledger.entry(bill, -4_000, ledger.run())
    office.make()
    with transaction() as session:
        decisions.refunded(session, 2, "乙")
    ledger.entry(bill, -1_000, ledger.run())
    office.make()
    assert ledger.states()[-1] == ("refund_due", -1_000)
    assert len(ledger.work()) == 1


def test_a_payment_that_nobody_can_receive_is_closed_with_its_reason(
    ledger: Ledger, office: Office, bill: int
) -> None:
    ledger.died("甲某")
    office.make()
    with transaction() as session:
        decisions.close(session, 1, "乙", "nobody_to_pay")
    assert office.make().serial is None
    assert ledger.states() == [("closed", 10_000)]
    assert ledger.rows(
        "SELECT actor, detail->>'reason', detail->>'from' FROM audit_event"
        " WHERE action = 'payment.close'"
    ) == [("乙", "nobody_to_pay", "held")]


@pytest.mark.parametrize("deed", [decisions.retry, decisions.release, decisions.refunded])
def test_a_decision_that_does_not_fit_the_state_is_refused(
    deed: object, office: Office, bill: int
) -> None:
    office.make()
    with pytest.raises(PaymentMoved), transaction() as session:
        deed(session, 1, "乙")  # type: ignore[operator]
    with pytest.raises(PaymentUnknown), transaction() as session:
        deed(session, 9, "乙")  # type: ignore[operator]


def test_what_is_with_the_bank_is_not_closed(office: Office, bill: int) -> None:
    office.send()
    with pytest.raises(PaymentMoved), transaction() as session:
        decisions.close(session, 1, "乙", "by_mistake")
