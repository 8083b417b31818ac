"""Who is asked to give money back: the person at most for what we paid to them."""

from __future__ import annotations

from typing import Final

import pytest

from backend.kernel.database import transaction
from backend.payments import decisions
from backend.payments.decisions import close, refunded
from tests.payments.conftest import Office
from tests.support.ledger import LAYER, Ledger

ELSEWHERE: Final = [("refund_elsewhere", "payment_item")]


@pytest.fixture
def bill(ledger: Ledger) -> int:
    """甲某's, granted 100 yuan, in a released run; 丁某 is there too."""
    for name in ("甲某", "丁某"):
        ledger.person(name)
    found = ledger.bill("甲某", "B1")
    ledger.entry(found, 10_000, ledger.run())
    return found


def settle(ledger: Ledger, bill: int, yuan: str = "100.00") -> None:
    """The hospital paid it at once, as a later file says."""
    ledger.bill("甲某", "B1", paid={LAYER: yuan})
    ledger.entry(bill, 0, ledger.run())


def take_back(ledger: Ledger, bill: int) -> None:
    """The bill is taken back, and what was granted on it."""
    ledger.entry(bill, -10_000, ledger.run())
    ledger.execute("DELETE FROM bill WHERE id = :bill", bill=bill)


def lower(ledger: Ledger, bill: int, fen: int) -> None:
    ledger.entry(bill, -fen, ledger.run())


def reason(ledger: Ledger) -> str:
    [(found,)] = ledger.rows("SELECT reason FROM work_item WHERE state <> 'done'")
    return str(found)


def test_what_the_hospital_settled_and_is_lowered_is_not_asked_of_the_person(
    ledger: Ledger, office: Office, bill: int
) -> None:
    settle(ledger, bill)
    office.make()
    lower(ledger, bill, 3_000)
    office.make()
    assert ledger.states() == [("settled", 10_000), ("refund_elsewhere", -3_000)]
    assert ledger.work() == ELSEWHERE
    assert "多付 30.00 元：由医院或他处支付" in reason(ledger)


def test_a_settled_grant_whose_bill_is_taken_back_is_not_asked_of_the_person(
    ledger: Ledger, office: Office, bill: int
) -> None:
    settle(ledger, bill)
    office.make()
    take_back(ledger, bill)
    office.make()
    assert ledger.states() == [("settled", 10_000), ("refund_elsewhere", -10_000)]
    assert ledger.work() == ELSEWHERE


def test_a_settled_grant_that_moves_to_another_person_is_not_asked_of_the_first(
    ledger: Ledger, office: Office, bill: int
) -> None:
    settle(ledger, bill)
    office.make()
    run = ledger.run()
    ledger.entry(bill, -10_000, run)
    ledger.bill("丁某", "B1", paid={LAYER: "100.00"})
    office.make()
    assert ledger.states() == [("settled", 10_000), ("refund_elsewhere", -10_000)]
    first = ledger.register.ids["甲某"]
    assert ledger.rows("SELECT kind, person_id FROM work_item WHERE state <> 'done'") == [
        ("refund_elsewhere", first)
    ]


def test_what_was_paid_elsewhere_and_is_lowered_is_not_asked_of_the_person(
    ledger: Ledger, office: Office, bill: int
) -> None:
    ledger.died("甲某")
    office.make()
    with transaction() as session:
        close(session, 1, "乙", "paid_elsewhere")
    lower(ledger, bill, 3_000)
    office.make()
    assert ledger.states() == [("closed", 10_000), ("refund_elsewhere", -3_000)]
    assert ledger.work() == ELSEWHERE


def test_the_person_is_asked_as_far_as_we_paid_where_the_hospital_paid_the_rest(
    ledger: Ledger, office: Office, bill: int
) -> None:
    office.pay()
    ledger.entry(bill, 5_000, ledger.run())
    settle(ledger, bill, "150.00")
    office.make()
    lower(ledger, bill, 10_000)
    office.make()
    assert ledger.states()[-1] == ("refund_due", -10_000)
    lower(ledger, bill, 1_000)
    office.make()
    assert ledger.states() == [
        ("paid", 10_000), ("settled", 5_000), ("refund_elsewhere", -11_000)
    ]  # fmt: skip
    assert [kind for kind, _ in ledger.work()] == ["paid_twice", "refund_elsewhere"]
    [(told,)] = ledger.rows("SELECT reason FROM work_item WHERE kind = 'refund_elsewhere'")
    assert "多付 110.00 元：其中本系统付给本人的 100.00 元，请与本人联系退回；其余由医院" in told


def test_what_was_given_back_is_not_asked_of_the_person_again(
    ledger: Ledger, office: Office, bill: int
) -> None:
    office.pay()
    lower(ledger, bill, 6_000)
    office.make()
    with transaction() as session:
        refunded(session, 2, "乙")
    ledger.entry(bill, 5_000, ledger.run())
    settle(ledger, bill, "90.00")
    office.make()
    for fen, state in ((4_000, "refund_due"), (1, "refund_elsewhere")):
        lower(ledger, bill, fen)
        office.make()
        assert ledger.states()[2:] == [("settled", 5_000), (state, -4_000 - fen % 2)]


@pytest.mark.parametrize("decided", ["refunded", "close"])
def test_it_is_cleared_by_a_decision_and_says_nothing_of_what_we_pay_later(
    ledger: Ledger, office: Office, bill: int, decided: str
) -> None:
    settle(ledger, bill)
    office.make()
    lower(ledger, bill, 3_000)
    office.make()
    with transaction() as session:
        if decided == "refunded":
            refunded(session, 2, "乙")
        else:
            close(session, 2, "乙", "not_recoverable")
    assert ledger.states()[-1] == ("cleared_elsewhere", -3_000)
    assert ledger.work() == []
    ledger.entry(bill, 2_000, ledger.run())
    office.make()
    with transaction() as session:
        decisions.release(session, 3, "乙")
    office.pay()
    lower(ledger, bill, 2_000)
    office.make()
    assert ledger.states()[-2:] == [("paid", 2_000), ("refund_due", -2_000)]


def test_what_was_cleared_of_our_own_payment_is_not_asked_again(
    ledger: Ledger, office: Office, bill: int
) -> None:
    office.pay()
    ledger.entry(bill, 5_000, ledger.run())
    settle(ledger, bill, "150.00")
    office.make()
    lower(ledger, bill, 11_000)
    office.make()
    with transaction() as session:
        refunded(session, 3, "乙")
    lower(ledger, bill, 3_000)
    office.make()
    assert ledger.states()[2:] == [("cleared_elsewhere", -11_000), ("refund_elsewhere", -3_000)]


def test_later_entries_lower_and_raise_it_and_what_is_due_again_waits_for_a_person(
    ledger: Ledger, office: Office, bill: int
) -> None:
    settle(ledger, bill)
    office.make()
    for fen, state in (
        (-3_000, ("refund_elsewhere", -3_000)),
        (-1_000, ("refund_elsewhere", -4_000)),
        (1_500, ("refund_elsewhere", -2_500)),
        (4_000, ("held", 1_500)),
    ):
        ledger.entry(bill, fen, ledger.run())
        assert office.make().serial is None
        assert ledger.states() == [("settled", 10_000), state]
    assert ledger.work() == [("payment_held", "payment_item")]


def test_a_settlement_taken_back_with_a_lower_grant_leaves_what_is_due_for_a_person(
    ledger: Ledger, office: Office, bill: int
) -> None:
    settle(ledger, bill)
    office.make()
    ledger.bill("甲某", "B1")
    lower(ledger, bill, 3_000)
    office.make()
    assert ledger.rows("SELECT state, hold, amount FROM payment_item") == [
        ("held", "unsettled", 7_000)
    ]


def test_a_settlement_that_was_cleared_is_not_held_to_be_paid(
    ledger: Ledger, office: Office, bill: int
) -> None:
    settle(ledger, bill)
    office.make()
    ledger.entry(bill, -10_000, ledger.run())
    office.make()
    with transaction() as session:
        refunded(session, 2, "乙")
    ledger.bill("甲某", "B1")
    office.make()
    assert ledger.states() == [("settled", 10_000), ("cleared_elsewhere", -10_000)]


def test_what_we_paid_is_asked_of_the_person(ledger: Ledger, office: Office, bill: int) -> None:
    office.pay()
    take_back(ledger, bill)
    office.make()
    assert ledger.states() == [("paid", 10_000), ("refund_due", -10_000)]
    assert ledger.work() == [("refund_due", "payment_item")]
