"""The application without a database, with trial routes, its log lines kept."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.kernel import database as kernel_database
from backend.kernel.settings import Settings
from miniprogram_api import app as application
from miniprogram_api import problems
from miniprogram_api.access import access
from tests.miniprogram_api import trial


@dataclass
class Log:
    """The lines that the application wrote."""

    stream: io.BytesIO

    @property
    def text(self) -> str:
        return self.stream.getvalue().decode()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def log() -> Log:
    return Log(io.BytesIO())


@pytest.fixture
def app(log: Log, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setattr(kernel_database, "_bound", [])
    monkeypatch.setattr(problems, "DOMAIN", {**problems.DOMAIN, "item-lost": trial.PROBLEM})
    monkeypatch.setattr("miniprogram_api.openapi.DOMAIN", problems.DOMAIN)
    routes = (*application.API_BLUEPRINTS, trial.blueprint())
    monkeypatch.setattr(application, "API_BLUEPRINTS", routes)
    settings = Settings(max_body_bytes=20_000, max_batch_body_bytes=40_000)
    app = application.create_app(settings, log_stream=log.stream)
    app.add_url_rule("/api/v1/crash", view_func=access("public")(trial.crash))
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
