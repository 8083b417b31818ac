"""Bills that turn out to be another person's: the one owes, the other is paid, each once."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from backend.kernel.database import transaction
from backend.payments.batches import approve, withdraw
from backend.payments.refusals import BatchOutdated
from tests.payments.conftest import Office
from tests.support.ledger import Ledger


@pytest.fixture
def bill(ledger: Ledger) -> int:
    """Granted to 甲某, who has an account, as 丁某 has."""
    for name in ("甲某", "丁某"):
        ledger.person(name)
    found = ledger.bill("甲某", "B1")
    ledger.entry(found, 51_000, ledger.run())
    return found


def move(ledger: Ledger, bill: int, *, released: bool = True) -> None:
    """The bill is 丁某's, and a run said so."""
    run = ledger.run(released=released)
    ledger.entry(bill, -51_000, run)
    ledger.bill("丁某", "B1")
    ledger.entry(bill, 51_000, run)


def owed(ledger: Ledger) -> list[tuple[str, str, int]]:
    """Whose item it is, its state and amount."""
    names = {own: name for name, own in ledger.register.ids.items()}
    rows = ledger.rows("SELECT person_id, state, amount FROM payment_item ORDER BY id")
    return [(names[own], state, amount) for own, state, amount in rows]


def test_what_was_paid_to_the_wrong_person_is_recovered_and_the_right_one_is_paid(
    ledger: Ledger, office: Office, bill: int
) -> None:
    office.pay()
    move(ledger, bill)
    office.pay()
    wanted = [("甲某", "paid", 51_000), ("甲某", "refund_due", -51_000), ("丁某", "paid", 51_000)]
    assert owed(ledger) == wanted
    assert ledger.rows("SELECT kind, person_id FROM work_item WHERE state <> 'done'") == [
        ("refund_due", ledger.register.ids["甲某"])
    ]
    assert office.make().serial is None
    assert owed(ledger) == wanted


def test_what_was_not_paid_yet_is_paid_to_the_right_person_alone(
    ledger: Ledger, office: Office, bill: int
) -> None:
    move(ledger, bill)
    office.pay()
    assert owed(ledger) == [("甲某", "netted", 0), ("丁某", "paid", 51_000)]
    assert ledger.work() == []


def test_nobody_is_paid_until_the_run_that_says_whose_bill_it_is_is_released(
    ledger: Ledger, office: Office, bill: int
) -> None:
    move(ledger, bill, released=False)
    assert office.make().serial is None
    assert owed(ledger) == []


def test_a_batch_for_the_wrong_person_is_withdrawn_and_made_for_the_right_one(
    ledger: Ledger, office: Office, bill: int
) -> None:
    serial = office.make().serial or ""
    move(ledger, bill)
    with pytest.raises(BatchOutdated), transaction() as session:
        approve(session, serial, "乙")
    with transaction() as session:
        withdraw(session, serial, "甲经办")
    office.pay()
    assert owed(ledger) == [("甲某", "netted", 0), ("丁某", "paid", 51_000)]
    assert ledger.work() == []


def test_the_right_person_does_not_wait_for_the_banks_answer_about_the_wrong_one(
    ledger: Ledger, office: Office, bill: int
) -> None:
    first = office.send()
    move(ledger, bill)
    office.pay()
    assert owed(ledger) == [("甲某", "ordered", 51_000), ("丁某", "paid", 51_000)]
    office.answer(f"{first},1,失败,")
    office.make()
    assert owed(ledger) == [("甲某", "netted", 0), ("丁某", "paid", 51_000)]


def test_people_who_were_merged_are_one_person(ledger: Ledger, office: Office, bill: int) -> None:
    office.pay()
    ledger.merge("甲某", "丁某")
    ledger.entry(bill, -1_000, ledger.run())
    office.make()
    assert owed(ledger)[-1] == ("丁某", "refund_due", -1_000)
    ledger.entry(bill, 3_000, ledger.run())
    office.pay()
    assert [one[1:] for one in owed(ledger)] == [("paid", 51_000), ("paid", 2_000)]
    assert ledger.work() == []


def test_a_merge_alone_holds_no_payment_and_it_goes_to_the_account_of_the_one_who_stays(
    ledger: Ledger, office: Office, bill: int
) -> None:
    serial = office.make().serial or ""
    with transaction() as session:
        withdraw(session, serial, "甲经办")
    ledger.merge("甲某", "丁某")
    office.pay()
    stays = ledger.register.ids["丁某"]
    assert ledger.rows(
        "SELECT y.person_id, o.state FROM payment_order o JOIN payee y ON y.id = o.payee_id"
        " WHERE o.state <> 'withdrawn'"
    ) == [(stays, "paid")]


def test_a_person_has_one_open_item_of_a_grant(ledger: Ledger, office: Office, bill: int) -> None:
    office.make()
    again = (
        "INSERT INTO payment_item (bill_id, layer, person_id, area, year, amount, state)"
        " SELECT bill_id, layer, person_id, area, year, amount, 'due' FROM payment_item"
    )
    with pytest.raises(IntegrityError, match="person_id_open"):
        ledger.execute(again)
