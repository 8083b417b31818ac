"""公示页 (notices page): /notices, /notices/{id}: what is up, to read and print for the village.

Nothing of it is kept by browsers or on the way.
"""

from __future__ import annotations

import re
from typing import Final

from flask import Blueprint, render_template, request

from backend.kernel.database import transaction
from backend.kernel.row_ids import LARGEST_ID
from backend.public_notices.reading import NoticeDown, notices_up
from miniprogram_api.access import access
from miniprogram_api.public_notices.routes import shown_up

notices_page = Blueprint("notices_page", __name__)

_AREA: Final = re.compile(r"(?:[0-9]{6}|[0-9]{9}|[0-9]{12})", re.ASCII).fullmatch


@notices_page.get("/notices")
@access("public")
def show_list() -> str:
    """Those that are up, of a place where one is asked for."""
    asked = request.args.get("area", "")
    area = asked if _AREA(asked) else ""
    with transaction() as session:
        found = notices_up(session, area)
    return render_template("notices.html", notices=found, area=area)


@notices_page.get(f"/notices/<int(max={LARGEST_ID}):notice>")
@access("public")
def show(notice: int) -> str:
    """One, as it hangs on the board."""
    return render_template("notice.html", found=shown_up(notice))


@notices_page.errorhandler(NoticeDown)
def gone(_error: Exception) -> tuple[str, int]:
    """In words, where to ask."""
    return render_template("notice.html", found=None), 404
