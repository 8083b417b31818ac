from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from backend.kernel import database as kernel_database
from backend.kernel import migrations
from backend.kernel.settings import Settings
from miniprogram_api.app import create_app


def test_a_process_without_a_database_is_alive_and_not_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert "数据库连接不上" in answer.get_json(force=True)["detail"]


def test_a_database_that_is_gone_is_said_to_be_gone(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = kernel_database.engine_for("postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.setattr(kernel_database, "_bound", [gone])
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert "数据库连接不上" in answer.get_json(force=True)["detail"]


def test_a_migrated_database_is_ready(app: Flask, database: Engine) -> None:
    assert app.test_client().get("/readyz").get_json() == {"status": "ok"}


def test_a_database_behind_the_migrations_is_not_ready(app: Flask, database: Engine) -> None:
    migrations.downgrade(database, "base")
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert "迁移" in answer.get_json(force=True)["detail"]


def test_a_queue_that_takes_no_jobs_is_not_ready(app: Flask, database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE procrastinate_jobs RENAME TO elsewhere"))
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert "队列不可用" in answer.get_json(force=True)["detail"]


def test_the_settings_name_the_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_database, "_bound", [])
    client = create_app(Settings(database_url=database_url)).test_client()
    assert client.get("/readyz").status_code == 200
    kernel_database.engine().dispose()
