"""The application with the project's catalogue, without a database; one for all these tests."""

from __future__ import annotations

import io
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.kernel.settings import Settings
from miniprogram_api.app import create_app
from miniprogram_api.estimation.routes import EXAMPLE

Json = dict[str, Any]


@pytest.fixture(scope="session")
def app() -> Flask:
    return create_app(Settings(), log_stream=io.BytesIO())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def estimate(client: FlaskClient) -> Callable[[Json], Json]:
    """The answer to a request that is taken."""

    def post(request: Json) -> Json:
        answer = client.post("/api/v1/estimates", json=request)
        assert answer.status_code == 200, answer.text
        body: Json = answer.get_json()
        return body

    return post


@pytest.fixture
def request_body() -> Json:
    """The request of the contract, to be changed at will."""
    return deepcopy(EXAMPLE["request"])
