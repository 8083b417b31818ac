"""验真页 (letter page): /letters/{code}: what the QR code of a letter opens. Nothing personal."""

from __future__ import annotations

from flask import Blueprint, render_template

from backend.kernel.database import transaction
from backend.letters.letters import UnknownLetterCode
from backend.letters.moves import STATES
from backend.letters.reading import check_code
from miniprogram_api.access import access

letter_page = Blueprint("letter_page", __name__)


@letter_page.get("/letters/<string(length=16):code>")
@access("public")
def show(code: str) -> tuple[str, int]:
    """Whether there is such a letter, and in which state."""
    with transaction() as session:
        try:
            found = check_code(session, code)
        except UnknownLetterCode:
            return render_template("letter.html", found=None, state=""), 404
    return render_template("letter.html", found=found, state=STATES[found.state]), 200
