"""出盘 (the bank's file): an approved batch as CSV, the same bytes whenever it is written again.

It holds names and account numbers in plain and no word of illness. Nothing of it stays in the
database but count, total and digest.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Row, func, text
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.audit import Operator, Subject, person
from backend.kernel.crypto import Keyring, Place
from backend.kernel.errors import Fault
from backend.kernel.money import format_yuan
from backend.payments.batches import check_current, check_sums, find_batch, move, serial_of
from backend.payments.listing import concerned
from backend.payments.refusals import BatchOutdated, PaymentMoved
from backend.payments.states import BATCH_NAMES

COLUMNS: Final = ("serial", "item", "account", "holder", "bank", "amount", "purpose")
PURPOSE: Final = "医疗救助金"
TO_HOSPITAL: Final = "医疗救助垫付款"

_ORDERS: Final = text(
    """
    SELECT o.item_id, o.amount, y.id, y.person_id, y.guardian_id, p.data_key, y.bank,
        y.holder, y.account, a.bank AS hospital_bank, a.holder AS hospital, a.account AS its_account
    FROM payment_order o LEFT JOIN payee y ON y.id = o.payee_id
        LEFT JOIN person p ON p.id = y.person_id
        LEFT JOIN hospital_account a ON a.id = o.hospital_account_id
    WHERE o.batch_id = :batch ORDER BY o.item_id
    """
)


@dataclass(frozen=True, slots=True)
class BankFile:
    """A batch as the bank gets it. `total`: fen; `again`: it was written before, just so."""

    serial: str
    orders: int
    total: int
    again: bool
    content: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """The digest, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def bank_file(session: Session, keyring: Keyring, serial: str, by: str) -> BankFile:
    """The file of an approved batch, which is written from now on and cannot be withdrawn.

    To be saved after the transaction: a file never exists of a batch that may still be changed.
    Raises `PaymentUnknown`, `PaymentMoved`, `BatchOutdated`.
    """
    batch, by = find_batch(session, serial), person(by)
    if batch.state not in ("approved", "written"):
        detail = f"批次 {serial_of(batch)} 现为“{BATCH_NAMES[batch.state]}”，还不能出盘。"
        raise PaymentMoved(Fault("/serial", detail))
    first = batch.state == "approved"
    (check_current if first else check_sums)(session, batch)
    rows = session.execute(_ORDERS, {"batch": batch.id}).all()
    content = _content(serial_of(batch), keyring, rows)
    made = BankFile(serial_of(batch), batch.orders, batch.total, not first, content)
    digest = bytes.fromhex(made.sha256)
    if first:
        written = {"sha256": digest, "written_by": by, "written_at": func.now()}
        move(session, batch, "written", written)
    elif digest != bytes(batch.sha256):
        detail = f"批次 {made.serial} 与首次出盘的内容不一致，已停止：请联系维护人员核查。"
        raise BatchOutdated(Fault("/serial", detail))
    audit.read_people(session, Operator(by), concerned(rows), "pay", ("basic", "account"))
    _audit(session, made, by)
    return made


def _content(serial: str, keyring: Keyring, rows: Iterable[Row[Any]]) -> bytes:
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(COLUMNS)
    for row in rows:
        account, holder, bank = _payee(keyring, row)
        amount = format_yuan(row.amount)
        purpose = PURPOSE if row.hospital is None else TO_HOSPITAL
        lines.writerow((serial, row.item_id, account, holder, bank, amount, purpose))
    return written.getvalue().encode()


def _payee(keyring: Keyring, row: Row[Any]) -> tuple[str, str, str]:
    if row.hospital is not None:
        return row.its_account, row.hospital, row.hospital_bank
    cipher = keyring.person(row.person_id, bytes(row.data_key))
    account, holder, bank = (
        cipher.open(Place("payee", name, row.id), bytes(row._mapping[name]))
        for name in ("account", "holder", "bank")
    )
    return account, holder, bank


def _audit(session: Session, made: BankFile, by: str) -> None:
    detail = {"orders": made.orders, "total": made.total, "sha256": made.sha256}
    action = "payment.written_again" if made.again else "payment.written"
    subject = Subject("payment_batch", made.serial)
    audit.record(session, actor=by, action=action, subject=subject, detail=detail)
