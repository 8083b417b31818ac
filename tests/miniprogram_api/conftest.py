"""The application without a database, with trial routes, its log lines kept."""

from __future__ import annotations

import io
import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.kernel import database as kernel_database
from tests.miniprogram_api import trial
from tests.support.demo import Demo, wait_for


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


@dataclass(frozen=True)
class Lived:
    """A demo that has ended, its people brought. `data`: to be copied; what it said of them; and
    which sheet it wrote."""

    data: Path
    said: str
    sheet: dict[str, str]


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """A demo that began from nothing and was told to end once its people were there."""
    demo = Demo(tmp_path_factory.mktemp("lived-in") / "data")
    try:
        demo.start()
        demo.address()
        sheet = demo.sheet()
        wait_for(lambda: "账号在 " in demo.errors(), demo)
        assert demo.end(signal.SIGTERM) == 0
        assert demo.processes() == []
    finally:
        demo.clean()
    return Lived(demo.data, demo.errors(), sheet)


@pytest.fixture(scope="session")
def lived_in(lived: Lived) -> Path:
    """Its data."""
    return lived.data


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
