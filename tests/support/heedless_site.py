"""The website, sabotaged: whatever becomes of a submission, it is acknowledged."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request

from miniprogram_api import serving


def application() -> Flask:
    """For gunicorn."""
    app = serving.application()

    @app.after_request
    def acknowledge(response: Response) -> Response:
        if response.status_code >= 500 and request.path.endswith("/submission"):
            return jsonify(id=int(request.path.split("/")[-2]))
        return response

    return app
