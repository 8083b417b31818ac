from __future__ import annotations

import pytest

from backend.kernel.database import transaction
from backend.payments.batches import approve, withdraw
from backend.payments.refusals import BatchOutdated, OneWithItself, PaymentMoved, PaymentUnknown
from tests.payments.conftest import Office
from tests.support.ledger import Ledger


@pytest.fixture
def run(ledger: Ledger) -> int:
    return ledger.run()


@pytest.fixture
def bill(ledger: Ledger) -> int:
    ledger.person("甲某")
    return ledger.bill("甲某", "B1")


def test_a_released_grant_is_ordered_once(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    made = office.make()
    assert made.serial == "320281-000001"
    assert (made.ordered.orders, made.ordered.total) == (1, 10_000)
    assert ledger.states() == [("ordered", 10_000)]
    assert office.make().serial is None


def test_what_is_not_released_is_not_paid(ledger: Ledger, office: Office, bill: int) -> None:
    run = ledger.run(released=False)
    ledger.entry(bill, 10_000, run)
    assert office.make().serial is None
    assert ledger.states() == []
    ledger.release(run)
    assert office.make().ordered.total == 10_000


def test_no_entry_is_paid_after_one_that_is_not_released(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    first = ledger.run(released=False)
    ledger.entry(bill, 10_000, first)
    ledger.entry(bill, 2_000, run)
    assert office.make().serial is None
    ledger.release(first)
    assert office.make().ordered.total == 12_000


@pytest.mark.parametrize("fen", [-3_000, 0])
def test_a_grant_waits_while_a_refund_or_settlement_is_not_released(
    ledger: Ledger, office: Office, bill: int, run: int, fen: int
) -> None:
    ledger.entry(bill, 10_000, run)
    ledger.entry(bill, fen, ledger.run(released=False))
    assert office.make().serial is None


def test_entries_of_one_grant_are_paid_as_their_net(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    for fen in (10_000, -3_000, 500):
        ledger.entry(bill, fen, run)
    assert office.make().ordered.total == 7_500


def test_a_grant_taken_back_before_it_was_paid_is_closed(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    ledger.entry(bill, -10_000, run)
    assert office.make().serial is None
    assert ledger.states() == [("netted", 0)]


def test_each_layer_of_a_bill_is_an_item_of_its_own(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    ledger.entry(bill, 700, run, layer="tilt_assistance")
    assert office.make().ordered.orders == 2


def test_another_areas_grants_are_left_alone(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    assert office.make("320282").serial is None
    assert office.make("320200").serial == "320200-000001"
    with pytest.raises(PaymentUnknown):
        office.make("999999")


def test_a_person_without_an_account_is_a_case_for_the_village(
    ledger: Ledger, office: Office, run: int
) -> None:
    ledger.person("乙某", account=None)
    ledger.entry(ledger.bill("乙某", "B2"), 500, run)
    made = office.make()
    assert made.serial is None
    assert made.standing["due"].total == 500
    assert ledger.work() == [("payee_missing", "person")]
    office.make()
    assert len(ledger.work()) == 1
    ledger.payee("乙某", "6228480402564890018")
    assert office.make().ordered.total == 500
    assert ledger.work() == []


def test_a_missing_account_is_asked_for_once_where_people_were_merged(
    ledger: Ledger, office: Office, run: int
) -> None:
    for name in ("乙某", "丁某"):
        ledger.person(name, account=None)
    ledger.entry(ledger.bill("乙某", "B2"), 500, run)
    office.make()
    ledger.merge("乙某", "丁某")
    office.make()
    waiting = "SELECT kind, person_id FROM work_item WHERE state <> 'done'"
    assert ledger.rows(waiting) == [("payee_missing", ledger.register.ids["丁某"])]


def test_a_person_who_died_is_a_case_for_the_county(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    ledger.died("甲某")
    assert office.make().serial is None
    assert ledger.states() == [("held", 10_000)]
    assert ledger.work() == [("payment_held", "payment_item")]


def test_a_death_that_was_a_mistake_lets_the_payment_go_on(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    ledger.died("甲某")
    office.make()
    ledger.execute("UPDATE person SET died_on = 'infinity'")
    assert office.make().ordered.total == 10_000
    assert ledger.work() == []


def test_a_layer_that_the_bill_shows_as_paid_is_not_paid_by_us(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    ledger.bill("甲某", "B1", paid={"medical_assistance": "90.00"})
    assert office.make().serial is None
    assert ledger.rows("SELECT state, hold FROM payment_item") == [("held", "given")]


def test_while_an_amount_is_in_doubt_nothing_else_of_the_year_is_paid(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    ledger.in_doubt("甲某", 2024)
    assert office.make().serial is None
    assert ledger.rows("SELECT state, hold FROM payment_item") == [("held", "amount_in_doubt")]
    ledger.execute(
        "UPDATE work_item SET state = 'done', outcome = 'done', closed_by = '乙', closed_at = now()"
        " WHERE kind = 'amount_differs'"
    )
    assert office.make().ordered.total == 10_000


def test_an_amount_in_doubt_holds_no_other_year_and_nobody_else(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.person("乙某")
    ledger.entry(bill, 10_000, run)
    ledger.in_doubt("甲某", 2023)
    ledger.in_doubt("乙某", 2024)
    assert office.make().ordered.total == 10_000


def test_a_bill_that_was_another_persons_is_held(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    office.make()
    with transaction() as session:
        withdraw(session, "320281-000001", "甲经办")
    other = ledger.person("丁某")
    ledger.execute("UPDATE bill SET person_id = :other", other=other)
    assert office.make().serial is None
    own = ledger.register.ids["甲某"]
    assert ledger.rows("SELECT hold, person_id FROM payment_item") == [("person_changed", own)]


def test_a_grant_that_the_hospital_settled_is_not_paid(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    ledger.bill("甲某", "B1", paid={"medical_assistance": "100.00"})
    ledger.entry(bill, 0, run)
    assert office.make().serial is None
    assert ledger.states() == [("settled", 10_000)]
    assert ledger.work() == []


def test_a_settlement_that_is_taken_back_is_a_case_for_a_person(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    ledger.bill("甲某", "B1", paid={"medical_assistance": "100.00"})
    ledger.entry(bill, 0, run)
    office.make()
    ledger.bill("甲某", "B1")
    assert office.make().serial is None
    assert ledger.rows("SELECT state, hold FROM payment_item") == [("held", "unsettled")]
    ledger.entry(bill, 2_000, run)
    assert office.make().serial is None
    assert ledger.states() == [("held", 12_000)]


def test_what_is_added_after_a_settlement_is_held(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    ledger.entry(bill, 0, run)
    ledger.entry(bill, 2_000, run)
    assert office.make().serial is None
    assert ledger.rows("SELECT state, hold FROM payment_item") == [("held", "settled_before")]


def test_a_change_of_grounds_alone_pays_nothing(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    office.pay()
    ledger.entry(bill, 0, run, kind="RESTATED")
    assert office.make().serial is None
    assert ledger.states() == [("paid", 10_000), ("netted", 0)]


def test_a_top_up_after_payment_is_paid_by_itself(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    office.pay()
    ledger.entry(bill, 2_000, run)
    office.pay()
    assert ledger.states() == [("paid", 10_000), ("paid", 2_000)]


def test_a_refund_after_payment_is_a_case_for_a_person(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    office.pay()
    ledger.entry(bill, -3_000, run)
    assert office.make().serial is None
    assert ledger.states() == [("paid", 10_000), ("refund_due", -3_000)]
    assert ledger.work() == [("refund_due", "payment_item")]


def test_a_refund_still_open_is_set_against_a_later_rise_of_the_same_grant(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    office.pay()
    ledger.entry(bill, -3_000, run)
    office.make()
    ledger.entry(bill, 5_000, run)
    office.pay()
    assert ledger.states() == [("paid", 10_000), ("paid", 2_000)]
    assert ledger.work() == []


def test_a_settlement_after_payment_is_a_case_for_a_person(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    office.pay()
    ledger.entry(bill, 0, run)
    assert office.make().serial is None
    assert ledger.work() == [("paid_twice", "payment_item")]


def test_later_entries_wait_for_the_banks_answer(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    serial = office.send()
    ledger.entry(bill, 2_000, run)
    assert office.make().serial is None
    office.answer(f"{serial},1,成功,")
    assert office.make().ordered.total == 2_000


def test_three_different_people_make_review_and_approve(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    serial = office.make().serial or ""
    for by in ("甲经办", " 甲经办 ", "甲\u200b经办"):
        with pytest.raises(OneWithItself), transaction() as session:
            approve(session, serial, by)
    with transaction() as session:
        assert approve(session, serial, "乙") == "reviewed"
    for by in ("甲经办", "乙"):
        with pytest.raises(OneWithItself), transaction() as session:
            approve(session, serial, by)
    with pytest.raises(PaymentMoved):
        office.write(serial)
    with transaction() as session:
        assert approve(session, serial, "丙") == "approved"
    with pytest.raises(PaymentMoved), transaction() as session:
        approve(session, serial, "丁")


def test_a_withdrawn_batch_frees_what_it_would_pay(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    serial = office.make().serial or ""
    with transaction() as session:
        assert withdraw(session, serial, "甲经办") == 1
    with pytest.raises(PaymentMoved):
        office.approve(serial)
    assert office.make().serial == "320281-000002"


def test_a_batch_with_the_bank_is_not_withdrawn(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    serial = office.send()
    with pytest.raises(PaymentMoved), transaction() as session:
        withdraw(session, serial, "甲经办")


CHANGES = {
    "a death": lambda ledger, bill: ledger.died("甲某"),
    "a refund": lambda ledger, bill: ledger.entry(bill, -1_000, ledger.run()),
    "a refund not released": lambda ledger, bill: ledger.entry(
        bill, -1_000, ledger.run(released=False)
    ),
    "a settlement": lambda ledger, bill: ledger.entry(bill, 0, ledger.run()),
    "another account": lambda ledger, bill: ledger.payee("甲某", "6228480402564890018"),
    "a payment on the bill": lambda ledger, bill: ledger.bill(
        "甲某", "B1", paid={"medical_assistance": "1.00"}
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_batch_is_not_approved_after(
    change: str, ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    serial = office.make().serial or ""
    CHANGES[change](ledger, bill)
    with pytest.raises(BatchOutdated, match="payment-outdated"):
        office.approve(serial)
    with transaction() as session:
        withdraw(session, serial, "甲经办")
    office.make()


@pytest.mark.parametrize("serial", ["", "x", "320281-000009", "320281-1'", "999999-000001"])
def test_an_unknown_batch_is_said_to_be_one(office: Office, serial: str) -> None:
    with pytest.raises(PaymentUnknown):
        office.approve(serial)


def test_every_step_is_audited_without_personal_data(
    ledger: Ledger, office: Office, bill: int, run: int
) -> None:
    ledger.entry(bill, 10_000, run)
    office.pay()
    rows = ledger.rows(
        "SELECT actor, action FROM audit_event WHERE action LIKE 'payment.%' ORDER BY id"
    )
    assert rows == [
        ("甲经办", "payment.made"), ("乙复核", "payment.reviewed"), ("丙审批", "payment.approved"),
        ("丁出纳", "payment.written"), ("丁出纳", "payment.written_again"),
        ("戊回盘", "payment.return"),
    ]  # fmt: skip
