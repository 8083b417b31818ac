from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.payments.bank_file import bank_file
from backend.payments.batches import Made, approve, make_batch
from backend.payments.returns import ReturnTaken, take_return
from tests.support.ledger import Ledger

TODAY = date(2024, 6, 3)


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.open_or_create(tmp_path / "keys.json")


@pytest.fixture
def ledger(worker_database: Engine, keyring: Keyring) -> Ledger:
    return Ledger(worker_database, keyring)


class Office:
    """The people who pay, step by step."""

    def __init__(self, keyring: Keyring, folder: Path) -> None:
        self.keyring, self.folder = keyring, folder
        self.returns = 0

    def make(self, area: str = "320281") -> Made:
        with transaction() as session:
            return make_batch(session, area, "甲经办", TODAY)

    def approve(self, serial: str | None) -> None:
        for by in ("乙复核", "丙审批"):
            with transaction() as session:
                approve(session, serial or "", by)

    def write(self, serial: str | None) -> bytes:
        with transaction() as session:
            return bank_file(session, self.keyring, serial or "", "丁出纳").content

    def answer(self, *rows: str) -> ReturnTaken:
        self.returns += 1
        path = self.folder / f"return{self.returns}.csv"
        path.write_text("serial,item,result,reason\n" + "".join(f"{row}\n" for row in rows))
        with transaction() as session:
            return take_return(session, path, "戊回盘")

    def send(self) -> str:
        """A batch with the bank; its serial."""
        serial = self.make().serial
        assert serial is not None
        self.approve(serial)
        self.write(serial)
        return serial

    def pay(self) -> str:
        """A batch that the bank has paid in full; its serial."""
        serial = self.send()
        lines = self.write(serial).decode().splitlines()[1:]
        self.answer(*(f"{serial},{line.split(',')[1]},成功," for line in lines))
        return serial


@pytest.fixture
def office(ledger: Ledger, keyring: Keyring, tmp_path: Path) -> Office:
    return Office(keyring, tmp_path)
