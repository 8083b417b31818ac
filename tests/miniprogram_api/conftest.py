"""The application without a database, with trial routes, its log lines kept."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.kernel import database as kernel_database
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
def app(log: Log, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr(kernel_database, "_bound", [])
    return trial.application(monkeypatch, log.stream)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
