"""The document for machines, the same for people, and the page that explains a problem."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, current_app, render_template, request
from werkzeug import Response

from miniprogram_api.access import access
from miniprogram_api.pages.reading import Reader
from miniprogram_api.problems import every_problem, refuse

pages = Blueprint("pages", __name__)


@pages.get("/openapi.json")
@access("public")
def openapi_document() -> Response:
    """The OpenAPI document; revalidated by ETag."""
    answer = Response(_encoded(), mimetype="application/json")
    answer.headers["Cache-Control"] = "no-cache"
    answer.add_etag()
    return answer.make_conditional(request)


@pages.get("/docs")
@access("public")
def docs() -> str:
    """The same, to be read."""
    document = current_app.extensions["openapi"]()
    return render_template("docs.html", document=document, chapters=Reader(document).chapters())


@pages.get("/problems/<code>")
@access("public")
def problem(code: str) -> str:
    """What the `type` of a problem leads to."""
    found = every_problem().get(code)
    if found is None:
        raise refuse(404)
    return render_template("problem_kind.html", problem=found)


def _encoded() -> bytes:
    extensions: dict[str, Any] = current_app.extensions
    if "openapi_bytes" not in extensions:
        extensions["openapi_bytes"] = msgspec.json.encode(extensions["openapi"]())
    encoded: bytes = extensions["openapi_bytes"]
    return encoded
