"""`shukun audit`, and the worker that seals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.kernel.audit import Operator, read_person
from backend.kernel.database import transaction
from backend.kernel.settings import PROJECT
from miniprogram_api import audit_sealer
from miniprogram_api.audit_sealer import AuditSealer
from miniprogram_api.cli import run, work
from tests.support.audit_log import AuditLog
from tests.support.audited import audited

pytestmark = pytest.mark.postgres
Output = pytest.CaptureFixture[str]


@pytest.fixture
def log(
    database: Engine, worker_database: Engine, database_url: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AuditLog:  # fmt: skip
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SHUKUN_DATA", str(tmp_path))
    return AuditLog.of(database, tmp_path)


def verify(*options: str) -> int:
    return run(["audit", "verify", "--by", "查账", *options])


def test_a_whole_chain_is_called_whole_and_the_look_is_written_down(
    log: AuditLog, capsys: Output
) -> None:
    log.write(3)
    log.seal()
    assert verify() == 0
    shown = capsys.readouterr().out
    assert "已核对 3 位、3 条记录" in shown
    assert "库外锚点 1 个，对上 1 个" in shown
    assert "全部记录都已封存。" in shown
    assert "没有发现改动。" in shown
    assert audited("查账") == [("audit.verify", "chain")]


def test_what_is_not_sealed_yet_is_said(log: AuditLog, capsys: Output) -> None:
    log.write(2)
    assert verify() == 0
    assert re.search(r"尚未封存 2 条，最早的一条写于 \d 秒前", capsys.readouterr().out)


def test_a_tampered_chain_ends_with_status_1_and_says_where(log: AuditLog, capsys: Output) -> None:
    log.write(60)
    log.seal()
    log.touch(["UPDATE audit_event SET actor = '别人' WHERE id = 7"])
    assert verify() == 1
    shown = capsys.readouterr().out
    assert "发现：第 7 位：事件 7 的内容、次序或校验值被改动。" in shown
    assert "请保留现场" in shown
    log.touch(["UPDATE audit_event SET actor = '别人'"])
    assert verify() == 1
    assert "另有 10 处，未列出。" in capsys.readouterr().out


def test_without_anchors_it_says_what_it_could_not_find(log: AuditLog, capsys: Output) -> None:
    log.write(2)
    log.seal()
    log.anchors.path.unlink()
    assert verify() == 1
    assert "没有可用的库外锚点" in capsys.readouterr().out


def passes(log: AuditLog, count: int) -> None:
    for _ in range(count):
        log.write(1)
        log.seal()


def test_anchors_that_were_taken_away_are_named_also_after_new_ones(
    log: AuditLog, capsys: Output
) -> None:
    passes(log, 3)
    (file,) = log.ask("SELECT file FROM audit_written")[0]
    away = log.anchors.path.rename(log.anchors.path.with_suffix(".away"))
    for _ in range(2):
        assert verify() == 1
        said = capsys.readouterr().out
        assert f"锚点文件 {file} 不见了：它写过 3 个锚点，最后一个到链的第 3 位。" in said
        passes(log, 1)
    assert verify("--anchors", str(away), "--anchors", str(log.anchors.path)) == 0


@pytest.mark.parametrize(
    ("kept", "missing"),
    [((1, 2, 3, 4), "1"), ((0, 1, 4), "3 至 4"), ((0, 1, 2, 3), "5"), ((2,), "1 至 2、4 至 5")],
)
def test_anchors_cut_out_or_cut_off_are_named_also_after_new_ones(
    kept: tuple[int, ...], missing: str, log: AuditLog, capsys: Output
) -> None:
    passes(log, 5)
    lines = log.anchors.path.read_bytes().splitlines(keepends=True)
    log.anchors.path.write_bytes(b"".join(lines[one] for one in kept))
    for _ in range(2):
        assert verify() == 1
        said = capsys.readouterr().out
        assert f"缺了第 {missing} 号锚点：被删去或截短了" in said
        passes(log, 1)


def test_a_new_installation_and_a_sealer_killed_before_its_note_are_no_false_alarm(
    log: AuditLog,
) -> None:
    assert verify() == 0
    passes(log, 1)
    assert verify() == 0
    log.touch(["DELETE FROM audit_written"])
    assert verify() == 0
    passes(log, 2)
    log.touch(["UPDATE audit_written SET number = 2"])
    passes(log, 1)
    assert verify() == 0
    assert log.ask("SELECT number FROM audit_written") == [(4,)]


def test_anchors_known_to_be_lost_are_written_off_and_told_each_time(
    log: AuditLog, capsys: Output
) -> None:
    passes(log, 2)
    (file,) = log.ask("SELECT file FROM audit_written")[0]
    log.anchors.path.unlink()
    passes(log, 1)
    assert run(["audit", "lost", "nowhere", "--why", "磁盘坏了", "--by", "查账"]) == 2
    assert verify() == 1
    capsys.readouterr()
    assert run(["audit", "lost", file, "--why", "磁盘坏了", "--by", "查账"]) == 0
    assert verify() == 0
    assert f"锚点文件 {file} 已由查账登记遗失：磁盘坏了。" in capsys.readouterr().out
    assert ("audit.anchors_lost", file) in audited("查账")


def test_without_keys_the_anchors_cannot_be_checked(log: AuditLog, capsys: Output) -> None:
    log.write(2)
    log.seal()
    log.anchors.keyring.path.unlink()
    assert verify() == 1
    said = capsys.readouterr()
    assert "无法核对锚点" in said.err
    assert "没有可用的库外锚点" in said.out


def test_anchors_of_several_machines_are_checked_together(
    log: AuditLog, tmp_path: Path, capsys: Output
) -> None:
    log.write(2)
    log.seal()
    other = log.anchors.path.rename(tmp_path / "other.jsonl")
    log.write(2)
    log.seal()
    assert verify("--anchors", str(other), "--anchors", str(log.anchors.path)) == 0
    assert "库外锚点 2 个，对上 2 个" in capsys.readouterr().out
    assert verify("--anchors", str(tmp_path / "nowhere.jsonl")) == 2


def test_the_audit_is_listed_newest_first_and_looking_is_written_down(
    log: AuditLog, capsys: Output
) -> None:
    log.write(2)
    with transaction() as session:
        read_person(session, Operator("甲"), 17, "review", ["bills"])
    assert run(["audit", "show", "--person", "17", "--by", "查账"]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert '甲（系统运行人员）  person.read  person/17  审核救助  {"fields":["bills"]}' in first
    assert last == "共 1 条。"
    assert run(["audit", "show", "--actor", "staff:S000", "--since", "2020-01-01"]) == 0
    assert "test  person/1000" in capsys.readouterr().out
    assert run(["audit", "show", "--since", "2999-01-01"]) == 0
    assert "没有这样的记录。" in capsys.readouterr().out
    assert audited("查账") == [("audit.shown", "events")]


# -- who seals -------------------------------------------------------------------------------


def test_a_worker_seals_what_is_written_within_seconds(log: AuditLog) -> None:
    log.write(3)
    process = subprocess.Popen(
        [sys.executable, "-m", "miniprogram_api", "worker"],
        cwd=PROJECT, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while log.verify().waiting or not log.anchors.path.exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in {0, -signal.SIGTERM}
    assert log.verify().whole


def test_a_dropped_key_leaves_the_end_of_the_chain_anchored_by_the_new_one(
    log: AuditLog, capsys: Output
) -> None:
    log.write(3)
    for deed in (["add"], ["rotate"], ["drop", "1"]):
        log.seal()
        assert run(["keys", *deed]) == 0
    capsys.readouterr()
    assert verify() == 0
    assert "另有 2 行锚点不完整，或所用密钥已废除，没有核对。" in capsys.readouterr().out


def test_before_there_are_keys_the_chain_grows_without_anchors(log: AuditLog) -> None:
    hidden = log.anchors.keyring.path.rename(log.anchors.keyring.path.with_suffix(".away"))
    sealer = AuditSealer(work.settings())
    log.write(1)
    sealer()
    assert not log.anchors.path.exists()
    hidden.rename(log.anchors.keyring.path)
    sealer()
    assert log.verify().whole


def test_anchors_that_cannot_be_written_hold_up_no_seal_and_are_logged(
    log: AuditLog, caplog: pytest.LogCaptureFixture
) -> None:
    log.anchors.path.mkdir()
    log.write(1)
    AuditSealer(work.settings())()
    assert log.ask("SELECT count(*) FROM audit_chain") == [(1,)]
    assert [(one.message, one.name) for one in caplog.records] == [
        ("audit not anchored", audit_sealer.__name__)
    ]
