"""进度页 (progress page): where an application stands, by its code, without the mini-program."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from backend.applications.submitting import plain
from backend.progress.by_code import UnknownProgressCode
from miniprogram_api.access import access
from miniprogram_api.pages.print_size import is_big
from miniprogram_api.progress.routes import by_code

progress_page = Blueprint("progress_page", __name__)

LONGEST: Final = 40
"""Of what is typed: more cannot be a code."""


@progress_page.get("/progress")
@access("public")
def ask() -> str | Response:
    """Asks for the code; with one, leads to its page."""
    typed = plain(request.args.get("code", "")[:LONGEST])
    if typed:
        return redirect(url_for("progress_page.show", code=typed), 303)
    return render_template("progress.html", found=None, wrong=False)


@progress_page.get("/progress/<code>")
@access("public")
def show(code: str) -> str:
    """Where it stands; whoever asked for larger print reads the elder wording."""
    return render_template("progress.html", found=by_code(code, elder=is_big()), wrong=False)


@progress_page.errorhandler(UnknownProgressCode)
def missing(_error: Exception) -> tuple[str, int]:
    """The form again."""
    return render_template("progress.html", found=None, wrong=True), 404
