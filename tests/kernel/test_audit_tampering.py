"""A superuser of the database touches the audit in every way we know: each time it is found."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.kernel import audit_checks, audit_verify
from backend.kernel.audit import Subject, record
from backend.kernel.audit_chain import Link
from backend.kernel.audit_checks import Walk
from backend.kernel.database import transaction
from tests.support.audit_log import AuditLog
from tests.support.tampering import TAMPERINGS, Place

pytestmark = pytest.mark.postgres

TAMPERED = int(os.environ.get("SHUKUN_AUDIT_TAMPERINGS", "100"))
LEAST = len(TAMPERINGS)


class RolledBack(Exception):
    """The transaction that wrote fails."""


@pytest.fixture
def log(database: Engine, worker_database: Engine, tmp_path: Path) -> AuditLog:
    """Some dozens of links of several passes, with ids that were drawn for nothing."""
    log = AuditLog.of(database, tmp_path)
    dice = random.Random(4)
    for _ in range(12):
        log.write(dice.randint(1, 9))
        with pytest.raises(RolledBack):
            draw_an_id_for_nothing()
        log.seal()
    log.write(3)
    log.seal()
    log.keep()
    assert log.verify().findings == []
    return log


def draw_an_id_for_nothing() -> None:
    with transaction() as session:
        record(session, actor="甲", action="test", subject=Subject("test", "1"))
        raise RolledBack


def tampered(log: AuditLog, name: str, seed: int) -> Iterator[None]:
    TAMPERINGS[name](Place.of(log, random.Random(seed)))
    yield
    log.restore()


def test_every_tampering_is_found(log: AuditLog) -> None:
    names = list(TAMPERINGS)
    missed = []
    for number in range(max(TAMPERED, LEAST)):
        name = names[number % LEAST]
        for _ in tampered(log, name, number):
            if log.verify().whole:
                missed.append((name, number))
    assert missed == []
    assert log.verify().findings == []


@pytest.mark.parametrize(
    "check", ["present", "unchanged", "in_time", "of_its_time", "anchored", "_after_the_end",
              "_not_in_chain", "_not_in_files"],
)  # fmt: skip
def test_a_verifier_without_one_of_its_checks_misses_some(
    check: str, log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotage control of the test above; the other two checks only name a fault better."""
    if check.startswith("_"):
        monkeypatch.setattr(audit_verify, check, lambda *_: None)
    else:
        others = tuple(one for one in audit_checks.CHECKS if one.__name__ != check)
        assert len(others) == len(audit_checks.CHECKS) - 1
        blind = (anchors_passed_by,) if check == "anchored" else ()
        monkeypatch.setattr(audit_checks, "CHECKS", (*others, *blind))
    missed = 0
    for number, name in enumerate([*TAMPERINGS] * 2):
        for _ in tampered(log, name, number):
            missed += log.verify().whole
        if missed:
            return
    raise AssertionError(f"nothing is missed without {check}")


def anchors_passed_by(walk: Walk, link: Link) -> None:
    """Reads the anchors of a position and holds nothing against them."""
    for of_file in walk.anchors:
        list(of_file.at(link.position))


def test_without_the_anchors_the_chain_cannot_tell_and_says_so(log: AuditLog) -> None:
    for name in ("edit_and_compute_anew", "cut_the_tail"):
        for _ in tampered(log, name, 1):
            report = log.verify(anchored=False)
            assert [one.kind for one in report.findings] == ["no_anchors"]
            assert not report.whole


def test_a_fault_is_named_where_it_is(log: AuditLog) -> None:
    position = 20
    number = log.ask("SELECT event_id FROM audit_chain WHERE position = 20")[0][0]
    log.touch([f"UPDATE audit_event SET actor = '别人' WHERE id = {number}"])
    (finding,) = log.verify().findings
    assert (finding.kind, finding.position) == ("changed", position)
    assert finding.says == f"第 20 位：事件 {number} 的内容、次序或校验值被改动。"


def test_many_faults_are_counted_and_the_first_are_listed(
    log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_verify, "MOST_LISTED", 5)
    log.touch(["UPDATE audit_event SET actor = '别人'"])
    report = log.verify()
    assert len(report.findings) == 5
    assert report.count == report.events
