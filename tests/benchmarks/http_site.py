"""The application with two routes beside its own: fixed JSON of the size of the real answers."""

from __future__ import annotations

import json
import os
from pathlib import Path

from flask import Flask, Response

from backend.kernel.settings import Settings
from miniprogram_api.access import access
from miniprogram_api.app import create_app

POLICY = "/api/v1/policies/wuxi-2022-98"
ESTIMATES = "/api/v1/estimates"
CASES = Path(__file__).parents[1] / "cases" / "estimates.json"


def request_body() -> bytes:
    """A golden request with one bill, two layers computed."""
    cases = json.loads(CASES.read_text("utf-8"))
    request = next(c["request"] for c in cases if c["id"] == "wuxi-2022-98-row-severely_disabled")
    return json.dumps(request).encode()


def site() -> Flask:
    """What gunicorn serves: same settings, same middleware."""
    app = create_app(Settings.from_env(os.environ))
    client = app.test_client()
    answer = client.post(ESTIMATES, data=request_body(), content_type="application/json")
    policy = client.get(POLICY)
    for name, real in (("estimate", answer), ("policy", policy)):
        if real.status_code != 200:
            raise RuntimeError(f"{name}: {real.status_code}")
        _fix(app, name, real.data)
    return app


def _fix(app: Flask, name: str, body: bytes) -> None:
    fixed = b'{"fixed":"' + b"x" * (len(body) - 12) + b'"}'

    @access("public")
    def view() -> Response:
        return Response(fixed, mimetype="application/json")

    app._got_first_request = False  # the answers above were asked of the same application
    app.add_url_rule(f"/api/v1/fixed/{name}", f"fixed_{name}", view)
