"""One sealer chains what many write; ids come out of order, transactions fail, clocks go back."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from backend.kernel import audit_seal
from backend.kernel.audit import Subject, record
from backend.kernel.audit_chain import START
from backend.kernel.database import engine, transaction
from tests.support.audit_log import AuditLog

pytestmark = pytest.mark.postgres


@pytest.fixture
def log(database: Engine, worker_database: Engine, tmp_path: Path) -> AuditLog:
    return AuditLog.of(database, tmp_path)


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_seal, "PATIENCE_S", 0.1)


class Slow:
    """A transaction that has written one event and is not committed yet."""

    def __init__(self) -> None:
        self.session = Session(engine())
        record(self.session, actor="慢", action="slow", subject=Subject("test", "1"))

    def commit(self) -> None:
        self.session.commit()
        self.session.close()

    def roll_back(self) -> None:
        self.session.rollback()
        self.session.close()


def sealed_actions(log: AuditLog) -> list[str]:
    rows = log.ask(
        "SELECT action FROM audit_chain JOIN audit_event ON id = event_id ORDER BY position"
    )
    return [action for (action,) in rows]


def test_every_event_is_chained_once_and_the_chain_is_whole(log: AuditLog) -> None:
    log.write(3)
    assert log.seal() == 3
    assert log.seal() == 0
    log.write(2)
    assert log.seal() == 2
    report = log.verify()
    assert report.whole
    assert (report.positions, report.events, report.waiting) == (5, 5, 0)
    assert report.met == 2


def test_an_empty_log_is_whole(log: AuditLog) -> None:
    assert log.seal() == 0
    assert log.verify().whole
    assert not log.anchors.path.exists()


def test_the_hash_goes_from_link_to_link(log: AuditLog) -> None:
    log.write(3)
    log.seal()
    hashes = [row[0] for row in log.ask("SELECT hash FROM audit_chain ORDER BY position")]
    assert len({bytes(one) for one in hashes} - {START}) == 3


def test_more_than_one_step_is_sealed_in_one_pass_and_anchored_step_by_step(
    log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_seal, "ROWS_AT_ONCE", 10)
    log.write(25)
    assert log.seal() == 25
    report = log.verify()
    assert report.whole
    assert report.met == 3


def test_a_look_that_has_grown_old_is_taken_anew(
    log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_seal, "ROWS_AT_ONCE", 10)
    looks = iter([0.0, *([audit_seal.FRESH_S] * 100)])
    real = audit_seal._look

    def old_at_first() -> audit_seal.Look:
        look = real()
        return audit_seal.Look(look.at, look.last, look.settled, 0.0) if next(looks) == 0 else look

    monkeypatch.setattr(audit_seal, "_look", old_at_first)
    log.write(25)
    assert log.seal() == 25
    assert log.verify().whole


# -- ids out of order ------------------------------------------------------------------------


def test_what_appears_late_under_a_lower_id_is_sealed_then(log: AuditLog) -> None:
    slow = Slow()
    log.write(2)
    assert log.seal() == 2
    slow.commit()
    assert log.verify().waiting == 1
    assert log.verify().whole
    assert log.seal() == 1
    assert sealed_actions(log) == ["test", "test", "slow"]
    assert log.verify().whole


def test_an_id_is_not_called_settled_while_it_may_still_appear(log: AuditLog) -> None:
    slow = Slow()
    log.write(2)
    log.seal()
    assert log.ask("SELECT max(closed) FROM audit_chain") == [(0,)]
    slow.roll_back()
    assert log.seal() == 0
    # A link without an event: all ids up to the third are settled, and the first never comes.
    assert log.ask("SELECT event_id, closed FROM audit_chain WHERE position = 3") == [(None, 3)]
    assert log.seal() == 0
    assert log.verify().whole


def test_a_sealer_that_waits_for_nobody_loses_what_comes_late(
    log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotage control of the two tests above."""
    monkeypatch.setattr(audit_seal, "_settled", lambda _writing: True)
    slow = Slow()
    log.write(2)
    log.seal()
    slow.commit()
    assert log.seal() == 0
    assert "inserted" in log.found()


def test_what_was_only_just_written_is_waited_for(
    log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_seal, "PATIENCE_S", 10.0)
    slow = Slow()
    log.write(1)
    timer = threading.Timer(0.3, slow.commit)
    timer.start()
    assert log.seal() == 2
    timer.join()
    assert sealed_actions(log) == ["slow", "test"]
    assert log.ask("SELECT max(closed) FROM audit_chain") == [(2,)]


# -- many at once ----------------------------------------------------------------------------


def writers(stop: threading.Event, number: int) -> list[threading.Thread]:
    def write(seed: int) -> None:
        dice = random.Random(seed)
        while not stop.is_set():
            with Session(engine()) as session:
                for _ in range(dice.randint(1, 4)):
                    record(session, actor=f"甲{seed}", action="busy", subject=Subject("test", "1"))
                    time.sleep(dice.random() * 0.005)
                if dice.random() < 0.2:
                    session.rollback()
                session.commit()

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(number)]
    for thread in threads:
        thread.start()
    return threads


def sealers(log: AuditLog, stop: threading.Event, number: int) -> list[threading.Thread]:
    def work() -> None:
        while not stop.is_set():
            log.seal()

    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    return threads


@pytest.fixture
def busy(log: AuditLog) -> Iterator[Callable[[], None]]:
    """Four write and two seal for a second or so; then all end."""
    done, ended = threading.Event(), threading.Event()

    def run() -> None:
        seal_threads = sealers(log, ended, 2)
        write_threads = writers(done, 4)
        time.sleep(2)
        done.set()
        for thread in write_threads:
            thread.join()
        ended.set()
        for thread in seal_threads:
            thread.join()

    yield run
    done.set()
    ended.set()


def test_two_sealers_beside_many_writers_lose_nothing_and_find_nothing(
    log: AuditLog, busy: Callable[[], None]
) -> None:
    busy()
    log.seal()
    report = log.verify()
    assert report.findings == []
    written = log.ask("SELECT count(*) FROM audit_event")[0][0]
    assert (report.events, report.waiting) == (written, 0)
    assert written > 100
    gone = log.ask("SELECT last_value FROM audit_event_id_seq")[0][0] - written
    assert gone > 0  # transactions failed, too


def test_two_who_look_at_the_same_do_not_chain_it_twice(log: AuditLog) -> None:
    log.write(3)
    look = audit_seal._look()
    for _ in range(2):
        with transaction() as session:
            audit_seal._seal_next(session, look, 0)
    assert log.verify().positions == 3


def test_while_one_seals_the_other_does_nothing(log: AuditLog) -> None:
    log.write(3)
    look = audit_seal._look()
    with Session(engine()) as first, first.begin():
        audit_seal._seal_next(first, look, 0)
        assert log.seal() == 0
    assert log.verify().positions == 3


def test_a_sealer_does_not_hold_up_those_who_write(log: AuditLog) -> None:
    log.write(3)
    with Session(engine()) as sealer, sealer.begin():
        audit_seal._seal_next(sealer, audit_seal._look(), 0)
        start = time.monotonic()
        log.write(1)
        assert time.monotonic() - start < 1


# -- anchors ---------------------------------------------------------------------------------


def test_a_chain_that_was_written_but_not_anchored_is_anchored_next_time(log: AuditLog) -> None:
    log.write(3)
    log.seal(anchored=False)
    assert log.found() == {"no_anchors"}
    assert log.seal() == 0
    assert log.verify().whole
    assert log.verify().met == 1


def test_the_sealer_says_when_the_chain_is_not_what_its_anchor_says(
    log: AuditLog, caplog: pytest.LogCaptureFixture
) -> None:
    log.write(3)
    log.seal()
    log.touch(["DELETE FROM audit_chain WHERE position = 3"])
    log.seal()
    assert [one.message for one in caplog.records] == ["audit chain differs from its anchor"]
