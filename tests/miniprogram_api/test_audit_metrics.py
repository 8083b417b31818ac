from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine

from backend.kernel import database as kernel_database
from miniprogram_api import audit_metrics
from tests.support.audit_log import AuditLog

pytestmark = pytest.mark.postgres


def test_how_much_waits_for_its_seal_and_how_long_is_told_to_the_site(
    app: Flask, database: Engine, app_database: Engine, tmp_path: Path
) -> None:
    log = AuditLog.of(database, tmp_path)
    log.write(3)
    log.touch(["UPDATE audit_event SET at = at - interval '90 seconds' WHERE id = 1"])
    with kernel_database.bound(app_database):
        shown = app.test_client().get("/metrics").text
    assert "shukun_audit_unsealed 3.0" in shown
    found = re.search(r"^shukun_audit_oldest_unsealed_seconds (\S+)$", shown, re.M)
    assert found is not None
    assert 90 <= float(found[1]) < 120
    log.seal()
    shown = app.test_client().get("/metrics").text
    assert "shukun_audit_unsealed 0.0" in shown
    assert "shukun_audit_oldest_unsealed_seconds 0.0" in shown


def test_without_a_database_nothing_is_told_of_it() -> None:
    assert audit_metrics.exposition(None) == b""
    gone = kernel_database.engine_for("postgresql://nobody@127.0.0.1:9/none")
    assert audit_metrics.exposition(gone) == b""
