"""What a hospital advanced is paid to the hospital; the rest, and all that comes later, as before."""

from __future__ import annotations

import pytest

from backend.kernel.database import transaction
from backend.payments.batches import withdraw
from backend.payments.hospital_accounts import HospitalAccount, register_account
from backend.payments.refusals import AccountWrong, PaymentUnknown
from tests.payments.conftest import Office
from tests.support.ledger import Ledger, card

CAP = 30_000


@pytest.fixture(autouse=True)
def hospital(ledger: Ledger) -> None:
    ledger.execute(
        "INSERT INTO hospital (id, code, name, tier, area, designated, registered, file_id,"
        " revision) VALUES (7, 'H7', '测试医院', 2, 320281000000, true, true, 1, 1)"
    )


def account(serial: int = 99) -> bool:
    with transaction() as session:
        given = HospitalAccount("H7", "测试医院", card(serial), "农业银行")
        return register_account(session, given, "经办")


def granted(ledger: Ledger, fen: int, *, advanced: int | None = CAP) -> int:
    """A bill of 甲 with a grant, and a granted case that assigned it; the bill."""
    ledger.person("甲")
    bill = ledger.bill("甲", "B1")
    ledger.entry(bill, fen, ledger.run())
    ledger.as_owner(
        "SET LOCAL session_replication_role = replica",
        "INSERT INTO bill_claim (application_id, bill_id, layer, person_id, state, granted_version)"
        f" SELECT 1, id, {ledger.layers['medical_assistance']}, person_id, 'granted', 1 FROM bill",
        "INSERT INTO claim_assignment (application_id, hospital_id, cap, letter_id, made_on,"
        " bill_id, advanced, noted_by, noted_on)"
        f" SELECT 1, 7, {CAP}, 1, '2024-05-01', id, {advanced or 'NULL'},"
        f" {'$$测试$$' if advanced else '$$$$'}, {'DATE $$2024-05-01$$' if advanced else 'NULL'}"
        " FROM bill",
    )
    return bill


def items(ledger: Ledger) -> list[tuple[str, int, bool]]:
    """State, amount, whether it is the hospital's."""
    return ledger.rows(
        "SELECT state, amount, hospital_id IS NOT NULL FROM payment_item ORDER BY id"
    )


def test_up_to_what_was_advanced_the_hospital_is_paid_and_the_rest_to_the_person(
    ledger: Ledger, office: Office
) -> None:
    granted(ledger, 50_000)
    account()
    serial = office.send()
    lines = [one.split(",") for one in office.write(serial).decode().splitlines()[1:]]
    assert [(one[3], one[5], one[6]) for one in lines] == [
        ("甲", "200.00", "医疗救助金"), ("测试医院", "300.00", "医疗救助垫付款"),
    ]  # fmt: skip
    office.answer(*(f"{serial},{line[1]},成功," for line in lines))
    assert items(ledger) == [("paid", 20_000, False), ("paid", 30_000, True)]


def test_a_grant_below_it_is_all_the_hospital_s(ledger: Ledger, office: Office) -> None:
    granted(ledger, 25_000)
    account()
    office.pay()
    assert items(ledger) == [("paid", 25_000, True)]


def test_what_was_not_recorded_as_advanced_is_the_person_s(ledger: Ledger, office: Office) -> None:
    granted(ledger, 50_000, advanced=None)
    account()
    office.pay()
    assert items(ledger) == [("paid", 50_000, False)]


def test_without_an_account_of_the_hospital_its_part_waits_and_is_work(
    ledger: Ledger, office: Office
) -> None:
    granted(ledger, 50_000)
    office.pay()
    assert items(ledger) == [("paid", 20_000, False), ("due", 30_000, True)]
    assert ledger.work() == [("payee_missing", "hospital")]
    account()
    office.pay()
    assert items(ledger)[1] == ("paid", 30_000, True)
    assert ledger.work() == []


def test_what_comes_later_goes_to_the_hospital_first_while_something_is_open_to_it(
    ledger: Ledger, office: Office
) -> None:
    bill = granted(ledger, 25_000)
    account()
    office.pay()
    ledger.entry(bill, 10_000, ledger.run())
    office.pay()
    paid = ledger.rows(
        "SELECT hospital_id IS NOT NULL, sum(amount)::bigint FROM payment_item"
        " WHERE state = 'paid' GROUP BY 1 ORDER BY 1"
    )
    assert paid == [(False, 5_000), (True, 30_000)]


def test_what_waits_for_the_hospital_shrinks_with_the_grant(ledger: Ledger, office: Office) -> None:
    bill = granted(ledger, 50_000)
    office.pay()  # the person's part; the hospital's waits for an account
    assert items(ledger) == [("paid", 20_000, False), ("due", 30_000, True)]
    ledger.entry(bill, -40_000, ledger.run())
    office.make()
    assert items(ledger) == [("paid", 20_000, False), ("refund_due", -10_000, False)]


def test_taken_back_before_any_of_it_is_paid_nothing_is_owed(
    ledger: Ledger, office: Office
) -> None:
    bill = granted(ledger, 50_000)
    account()
    serial = office.make().serial
    ledger.entry(bill, -50_000, ledger.run())
    with transaction() as session:
        assert withdraw(session, serial or "", "甲经办") == 2
    assert office.make().serial is None
    assert [one[0] for one in items(ledger)] == ["netted", "netted"]


def test_taken_back_afterwards_the_hospital_s_part_is_cleared_with_the_hospital(
    ledger: Ledger, office: Office
) -> None:
    bill = granted(ledger, 50_000)
    account()
    office.pay()
    ledger.entry(bill, -50_000, ledger.run())
    office.make()
    assert items(ledger)[2] == ("refund_elsewhere", -50_000, False)
    (reason,) = ledger.rows("SELECT reason FROM work_item WHERE kind = 'refund_elsewhere'")[0]
    assert "其中本系统付给本人的 200.00 元，请与本人联系退回" in reason
    assert "其余由医院或他处支付" in reason


def test_a_bill_that_is_another_person_s_after_all_stops_nobody_while_the_bank_has_a_part(
    ledger: Ledger, office: Office
) -> None:
    bill = granted(ledger, 50_000)
    first = office.send()  # 甲's part is with the bank; the hospital's waits for an account
    ledger.person("乙")
    run = ledger.run()
    ledger.entry(bill, -50_000, run)
    ledger.as_owner(
        "SET LOCAL session_replication_role = replica",
        f"UPDATE bill SET person_id = {ledger.register.ids['乙']} WHERE id = {bill}",
    )
    ledger.entry(bill, 50_000, run)
    account()
    second = office.send()
    assert items(ledger) == [
        ("ordered", 20_000, False),
        ("held", 30_000, True),
        ("ordered", 50_000, False),
    ]
    for serial in (first, second):
        (line,) = office.write(serial).decode().splitlines()[1:]
        office.answer(f"{serial},{line.split(',')[1]},成功,")
    office.make()
    assert items(ledger) == [
        ("paid", 20_000, False),
        ("refund_due", -20_000, False),
        ("paid", 50_000, False),
    ]


def test_what_the_bank_sends_back_is_paid_again_to_a_new_account_of_the_hospital(
    ledger: Ledger, office: Office
) -> None:
    granted(ledger, 25_000)
    account()
    serial = office.send()
    (line,) = office.write(serial).decode().splitlines()[1:]
    office.answer(f"{serial},{line.split(',')[1]},失败,账号有误")
    assert office.make().serial is None
    assert [account(98), account(98)] == [True, False]
    office.pay()
    assert items(ledger) == [("paid", 25_000, True)]


def test_an_account_of_no_hospital_or_that_can_be_none_is_refused(ledger: Ledger) -> None:
    with transaction() as session, pytest.raises(PaymentUnknown):
        register_account(session, HospitalAccount("none", "某", card(98), "某"), "经办")
    with transaction() as session, pytest.raises(AccountWrong):
        register_account(session, HospitalAccount("H7", "某", "12", "某"), "经办")
