"""Pages as of one day, so that what is in force does not depend on when the tests run."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from backend.kernel.settings import Settings
from miniprogram_api.app import create_app


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel("2026-06-15T04:00:00Z", tick=False):
        yield


@pytest.fixture(scope="module")
def log_lines() -> io.BytesIO:
    return io.BytesIO()


@pytest.fixture(scope="module")
def app(log_lines: io.BytesIO) -> Flask:
    """Pages change nothing, so one application serves all tests of a module."""
    return create_app(Settings(), log_stream=log_lines)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
