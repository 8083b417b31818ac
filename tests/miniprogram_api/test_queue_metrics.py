from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import Engine, text

from backend.kernel import database as kernel_database
from miniprogram_api import queue_metrics

pytestmark = pytest.mark.postgres


def put(database: Engine, queue: str, status: str, seconds: int) -> None:
    with database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, status, scheduled_at) VALUES"
                " (:queue, 'trial', CAST(:status AS procrastinate_job_status),"
                " now() - make_interval(secs => :seconds))"
            ),
            {"queue": queue, "status": status, "seconds": seconds},
        )


def test_what_waits_and_for_how_long_is_told_by_queue(app: Flask, database: Engine) -> None:
    put(database, "matching", "todo", 90)
    put(database, "matching", "todo", 10)
    put(database, "matching", "todo", -3600)
    put(database, "matching", "doing", 5)
    put(database, "messages", "failed", 5)
    shown = app.test_client().get("/metrics").text
    assert 'shukun_jobs{queue="matching",state="waiting"} 2.0' in shown
    assert 'shukun_jobs{queue="matching",state="later"} 1.0' in shown
    assert 'shukun_jobs{queue="matching",state="running"} 1.0' in shown
    assert 'shukun_jobs{queue="messages",state="failed"} 1.0' in shown
    (line,) = [one for one in shown.splitlines() if one.startswith("shukun_jobs_oldest")
               and "matching" in one]  # fmt: skip
    assert 90 <= float(line.split()[-1]) < 120
    assert "shukun_build_info" in shown


def test_without_a_database_the_other_metrics_are_still_told(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert queue_metrics.exposition(None) == b""
    gone = kernel_database.engine_for("postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.setattr(kernel_database, "_bound", [gone])
    shown = app.test_client().get("/metrics")
    assert shown.status_code == 200
    assert "shukun_jobs{" not in shown.text
    assert "shukun_build_info" in shown.text
