from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy.exc import IntegrityError

from backend.kernel.crypto import SealedBroken
from backend.kernel.database import transaction
from backend.payments import listing
from backend.payments.refusals import BatchOutdated
from tests.payments.conftest import Office
from tests.support.ledger import Ledger, card


@pytest.fixture
def serial(ledger: Ledger, office: Office) -> str:
    run = ledger.run()
    for at, name in enumerate(("测甲", "测乙")):
        ledger.person(name, account=card(at))
        bill = ledger.bill(name, f"B{at}", disease_group="general")
        ledger.entry(bill, 10_000 + at, run)
    serial = office.make().serial or ""
    office.approve(serial)
    return serial


def test_the_file_tells_the_bank_what_it_needs_and_no_illness(office: Office, serial: str) -> None:
    rows = list(csv.DictReader(io.StringIO(office.write(serial).decode())))
    assert rows[0] == {
        "serial": serial, "item": "1", "account": card(0), "holder": "测甲", "bank": "农业银行",
        "amount": "100.00", "purpose": "医疗救助金",
    }  # fmt: skip
    assert [row["amount"] for row in rows] == ["100.00", "100.01"]


def test_the_file_is_written_again_byte_by_byte(
    ledger: Ledger, office: Office, serial: str
) -> None:
    first = office.write(serial)
    ledger.payee("测甲", card(99))
    ledger.died("测乙")
    assert office.write(serial) == first
    assert ledger.rows("SELECT orders, total, encode(sha256, 'hex') <> '' FROM payment_batch") == [
        (2, 20_001, True)
    ]


def test_a_file_that_would_differ_from_the_first_is_not_written(
    ledger: Ledger, office: Office, serial: str
) -> None:
    office.write(serial)
    ledger.as_owner(
        "ALTER TABLE payment_batch DISABLE TRIGGER payment_batch_moves",
        "UPDATE payment_batch SET sha256 = '\\x00'",
    )
    with pytest.raises(BatchOutdated):
        office.write(serial)


def test_a_batch_that_disagrees_with_the_ledger_is_not_written(
    ledger: Ledger, office: Office, serial: str
) -> None:
    ledger.as_owner(
        "ALTER TABLE payment_order DISABLE TRIGGER payment_order_moves",
        "UPDATE payment_order SET amount = amount + 1 WHERE item_id = 1",
    )
    with pytest.raises(BatchOutdated):
        office.write(serial)


def test_accounts_exchanged_between_two_people_do_not_open(
    ledger: Ledger, office: Office, serial: str
) -> None:
    """Whoever can write to the database cannot lead money to another account."""
    ledger.as_owner(
        "ALTER TABLE payee DISABLE TRIGGER payee_moves",
        "UPDATE payee y SET account = other.account FROM payee other WHERE other.id <> y.id",
    )
    with pytest.raises(SealedBroken):
        office.write(serial)


def test_the_owner_cannot_switch_off_the_second_approval(
    ledger: Ledger, office: Office, serial: str
) -> None:
    with pytest.raises(IntegrityError):
        ledger.as_owner(
            "ALTER TABLE payment_batch DISABLE TRIGGER payment_batch_moves",
            "UPDATE payment_batch SET approved_by = NULL",
        )


def test_staff_see_masked_accounts(office: Office, serial: str) -> None:
    with transaction() as session:
        shown = listing.orders(session, office.keyring, serial, 10, "甲")
    assert [(one.holder, one.account) for one in shown] == [
        ("测*", f"****{card(0)[-4:]}"), ("测*", f"****{card(1)[-4:]}"),
    ]  # fmt: skip
