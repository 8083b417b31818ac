"""Questions to the lookup routes, answered as JSON; one application for all these tests."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.kernel.settings import Settings
from miniprogram_api.app import create_app

Ask = Callable[..., Any]


@pytest.fixture(scope="session")
def app() -> Flask:
    return create_app(Settings(), log_stream=io.BytesIO())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def ask(client: FlaskClient) -> Ask:
    """GET a path under /api/v1; the answer's JSON, whose status must be `status`."""

    def get(path: str, *, status: int = 200, **query: str) -> Any:
        names = {name.removesuffix("_"): value for name, value in query.items()}
        answer = client.get(f"/api/v1{path}", query_string=names)
        assert answer.status_code == status, answer.text
        return answer.json

    return get
