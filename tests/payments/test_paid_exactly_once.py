"""Nobody is paid twice and nobody skipped, whatever is killed and however often it is run again.

The United Kingdom paid 112,000 people twice in January 2000 when a partial file was processed
again; Missouri printed 7,500 cheques twice in 2001 when a list was read twice.
"""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.kernel.money import parse_yuan
from backend.kernel.settings import PROJECT
from backend.payments.batches import make_batch
from backend.payments.collecting import Range, collect
from backend.payments.states import OPEN
from miniprogram_api.cli import run as shukun
from tests.payments.conftest import TODAY
from tests.support.ledger import Ledger

ROUNDS = int(os.environ.get("SHUKUN_PAYMENT_ROUNDS", "12"))
AGAIN = 3
JIANGYIN = Range(320281_000000, 320281_999999)
PEOPLE = 12

KILLED = (
    ("batch", "payment_item"), ("file", "payment_batch"), ("returns", "payment_order"),
    ("batch", "payment_order"), ("returns", "payment_item"), ("batch", "payment_entry"),
    ("file", "audit_event"), ("returns", "payment_return"), ("batch", "audit_event"),
    ("file", None),
)  # fmt: skip
"""Which command dies in every second round, and while writing to which table; None: just after
its transaction, when the file is being written."""


class Bank:
    """Pays the lines of a file once for each serial and item, and keeps book of its own."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.done: dict[tuple[str, str], str] = {}
        self.paid: Counter[str] = Counter()

    def take(self, path: Path) -> list[str]:
        """The rows of its return file."""
        rows = []
        for line in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
            key = (line["serial"], line["item"])
            if key not in self.done:
                returned = self.dice.random() < 0.2
                self.done[key] = "失败" if returned else "成功"
                if not returned:
                    self.paid[line["item"]] += parse_yuan(line["amount"])
            rows.append(f"{line['serial']},{line['item']},{self.done[key]},")
        return rows


class World:
    """A county over many rounds: the ledger grows, commands run, some are killed."""

    def __init__(self, ledger: Ledger, folder: Path, seed: int = 1) -> None:
        self.ledger, self.folder = ledger, folder
        self.dice = random.Random(seed)
        self.bank = Bank(self.dice)
        for at in range(PEOPLE):
            ledger.person(f"测{at:02d}")
        self.bills = [ledger.bill(f"测{at:02d}", f"B{at}") for at in range(PEOPLE)]

    def grow(self) -> None:
        """A released run: grants, top-ups, refunds; one bill is new, so that something is owed."""
        run = self.ledger.run()
        at = len(self.bills)
        new = self.ledger.bill(f"测{at % PEOPLE:02d}", f"B{at}")
        self.ledger.entry(new, self.dice.randrange(1, 50_000), run, layer="medical_assistance")
        for bill in self.dice.sample(self.bills, 6):
            layer = self.dice.choice(("medical_assistance", "tilt_assistance"))
            [(stands,)] = self.ledger.rows(
                "SELECT coalesce(sum(amount), 0) FROM grant_entry"
                " WHERE (bill_id, layer) = (:bill, :layer)",
                bill=bill, layer=self.ledger.layers[layer],
            )  # fmt: skip
            lower = stands > 2_000 and self.dice.random() < 0.3
            fen = -self.dice.randrange(1, int(stands)) if lower else self.dice.randrange(1, 50_000)
            self.ledger.entry(bill, fen, run, layer=layer)
        self.bills.append(new)

    def play(self, round_: int) -> None:
        """One batch from the ledger to the bank and back."""
        self.grow()
        command, table = KILLED[round_ // 2 % len(KILLED)] if round_ % 2 else ("", None)
        self.run(["batch", "--area", "320281"], table, killed=command == "batch")
        for serial in self.serials("made", "reviewed"):
            for by in ("乙复核", "丙审批"):
                shukun(["pay", "approve", serial, "--by", by])
        for serial in self.serials("approved"):
            out = self.folder / f"{serial}.csv"
            self.run(["file", serial, "--out", str(out)], table, killed=command == "file")
            answer = self.folder / f"return-{serial}.csv"
            rows = ["serial,item,result,reason", *self.bank.take(out)]
            answer.write_text("\n".join(rows) + "\n", encoding="utf-8")
            self.run(["returns", str(answer)], table, killed=command == "returns")
        for (item,) in self.ledger.rows("SELECT id FROM payment_item WHERE state = 'returned'"):
            shukun(["pay", "retry", str(item), "--by", "甲经办"])

    def serials(self, *states: str) -> list[str]:
        return [
            f"{area}-{number:06d}"
            for area, number, state in self.ledger.rows(
                "SELECT area, number, state FROM payment_batch ORDER BY number"
            )
            if state in states
        ]

    def run(self, arguments: list[str], table: str | None, *, killed: bool) -> None:
        """A command: killed once in the middle where asked, then run again and again."""
        command = ["pay", *arguments, "--by", "甲经办"]
        if killed:
            before = set(self.folder.glob("320281-*.csv"))
            self.kill(command, table)
            new = set(self.folder.glob("320281-*.csv")) - before
            assert table is None or not new, "a file of a batch that may still change"
        for _ in range(AGAIN):
            assert shukun(command) == 0

    def kill(self, command: list[str], table: str | None) -> None:
        """kill -9 of a real process: when it waits to write to the table, else just after."""
        engine = self.ledger.engine
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        with engine.connect() as locker:
            if table:
                locker.execute(text("SET LOCAL ROLE NONE"))
                locker.execute(text(f"LOCK TABLE {table} IN SHARE MODE"))
            started = [sys.executable, "-m", "miniprogram_api", *command]
            process = subprocess.Popen(
                started, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            self._await(process, table)
            process.send_signal(signal.SIGKILL)
            assert process.wait(10) in (-signal.SIGKILL, 0)

    def _await(self, process: subprocess.Popen[bytes], table: str | None) -> None:
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = CAST(:table AS regclass)"
        written = "SELECT 1 FROM payment_batch WHERE state = 'written' HAVING count(*) > :before"
        before = len(self.serials("written"))
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if table:
                found = self.ledger.rows(waits, table=table)
            else:
                found = self.ledger.rows(written, before=before)
            if found or process.poll() is not None:
                break
            time.sleep(0.005)
        assert table is None or process.poll() is None, "the command ended before it was killed"


def faults(ledger: Ledger, bank: Bank) -> list[str]:
    """What differs between the ledger, the items and what the bank has paid; empty: all is well."""
    keys = {
        str(item): (bill, layer)
        for item, bill, layer in ledger.rows("SELECT id, bill_id, layer FROM payment_item")
    }
    paid: Counter[tuple[int, int]] = Counter()
    for item, fen in bank.paid.items():
        paid[keys[item]] += fen
    owed = {
        (bill, layer): int(fen)
        for bill, layer, fen in ledger.rows(
            f"SELECT bill_id, layer, sum(amount) FROM payment_item WHERE state IN {OPEN}"
            " GROUP BY 1, 2"
        )
    }
    found = []
    for bill, layer, fen in ledger.rows(
        "SELECT bill_id, layer, sum(amount) FROM grant_entry GROUP BY 1, 2"
    ):
        has = paid[bill, layer] + owed.get((bill, layer), 0)
        if has != fen:
            found.append(f"bill {bill}: {has} paid or owed, {fen} in the ledger")
    return found


@pytest.fixture
def world(
    ledger: Ledger, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> World:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SHUKUN_DATA", str(tmp_path))
    return World(ledger, tmp_path)


def test_every_entry_is_paid_exactly_once_through_kills_and_repetitions(world: World) -> None:
    ledger = world.ledger
    for round_ in range(ROUNDS):
        world.play(round_)
        assert faults(ledger, world.bank) == []
    batches = ledger.rows("SELECT count(*) FROM payment_batch WHERE state = 'written'")
    assert batches[0][0] >= ROUNDS - 1
    not_once = ledger.rows(
        "SELECT * FROM (SELECT bill_id, layer, seq, count(p.item_id) AS times FROM grant_entry"
        " LEFT JOIN payment_entry p USING (bill_id, layer, seq) GROUP BY 1, 2, 3) t"
        " WHERE times <> 1"
    )
    assert not_once == []
    for path in world.folder.glob("320281-*.csv"):
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        [(orders, total)] = ledger.rows(
            "SELECT orders, total FROM payment_batch WHERE area || '-' || lpad(number::text, 6, '0')"
            " = :serial",
            serial=path.stem,
        )
        assert (len(rows), sum(parse_yuan(row["amount"]) for row in rows)) == (
            orders,
            total,
        )


def test_every_old_return_file_is_recognised_and_changes_nothing(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for round_ in (0, 2, 4):
        world.play(round_)
    states = world.ledger.rows("SELECT id, state, amount FROM payment_item ORDER BY id")
    files = sorted(world.folder.glob("return-*.csv"))
    capsys.readouterr()
    for path in files:
        assert shukun(["pay", "returns", str(path), "--by", "甲经办"]) == 0
        assert "已经处理过" in capsys.readouterr().out
    assert len(files) >= 3
    assert world.ledger.rows("SELECT id, state, amount FROM payment_item ORDER BY id") == states


def test_two_processes_at_once_order_everything_once(world: World) -> None:
    for _ in range(4):
        world.grow()
    command = [sys.executable, "-m", "miniprogram_api", "pay", "batch", "--area", "320281"]
    both = [
        subprocess.Popen(
            [*command, "--by", by], env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdout=subprocess.DEVNULL,
        )
        for by in ("甲经办", "己经办")
    ]  # fmt: skip
    assert [process.wait(60) for process in both] == [0, 0]
    assert faults(world.ledger, world.bank) == []
    assert len(world.serials("made")) == 1


def drop_the_keys(ledger: Ledger, database: Engine) -> None:
    with database.begin() as owner:
        owner.execute(text("ALTER TABLE payment_entry DROP CONSTRAINT pk_payment_entry"))
        owner.execute(text("DROP INDEX uq_payment_item_bill_id_layer_person_id_open"))


@pytest.mark.parametrize("sabotaged", [False, True], ids=["with the keys", "without the keys"])
def test_the_keys_alone_keep_two_processes_from_taking_the_same_entries(
    sabotaged: bool, ledger: Ledger, database: Engine
) -> None:
    """Both read before either has written: no turns are taken here. The control drops the keys."""
    ledger.person("测甲")
    ledger.entry(ledger.bill("测甲", "B1"), 10_000, ledger.run())
    if sabotaged:
        drop_the_keys(ledger, database)
    refused: list[bool] = []

    def second() -> None:
        try:
            with Session(ledger.engine) as session, session.begin():
                collect(session, JIANGYIN)
        except IntegrityError:
            refused.append(True)

    with Session(ledger.engine) as session, session.begin():
        collect(session, JIANGYIN)
        other = threading.Thread(target=second)
        other.start()
        other.join(0.5)
        assert other.is_alive() is not sabotaged, "the second waits for the first, by the key"
    other.join(10)
    with Session(ledger.engine) as session, session.begin():
        ordered = make_batch(session, "320281", "甲经办", TODAY).ordered.total
    assert (refused, ordered) == (([], 20_000) if sabotaged else ([True], 10_000))
    assert bool(faults(ledger, Bank(random.Random(1)))) is sabotaged
