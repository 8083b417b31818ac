"""The application with one route beside its own: fixed JSON of the size of a progress."""

from __future__ import annotations

import os
from typing import Final

from flask import Flask, Response

from backend.kernel.settings import Settings
from miniprogram_api.access import access
from miniprogram_api.app import create_app

BARE: Final = "/api/v1/fixed/progress"
BYTES: Final = "SHUKUN_BENCHMARK_BYTES"


def site() -> Flask:
    """What gunicorn serves: same settings, same middleware."""
    app = create_app(Settings.from_env(os.environ))
    fixed = b'{"fixed":"' + b"x" * (int(os.environ[BYTES]) - 12) + b'"}'

    @access("public")
    def view() -> Response:
        return Response(fixed, mimetype="application/json")

    app.add_url_rule(BARE, "fixed_progress", view)
    return app
